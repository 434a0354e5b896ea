/**
 * The way of the agent's actions to what does them, which is loaded only once the customer has allowed them.
 *
 * Actions are done in the order in which they came, those that came while it was loading too.
 */

import type { Act } from "../protocol/words.ts";
import type { Executor, ExecutorContext } from "./executor.ts";

/** What the part hands over. */
export type MakeExecutor = (context: ExecutorContext) => Executor;

/** The actions of one page. */
export class Acting {
  #executor: Promise<Executor> | null = null;
  #ready: Executor | null = null;

  constructor(
    readonly context: ExecutorContext,
    readonly load: () => Promise<MakeExecutor>,
  ) {}

  /** Write mode has begun: actions will come. */
  prepare(): Promise<Executor> {
    this.#executor ??= this.load().then(
      (make) => {
        this.#ready = make(this.context);
        return this.#ready;
      },
      (error) => {
        this.#executor = null;
        throw error;
      },
    );
    return this.#executor;
  }

  /** Does one action after those before it. */
  run(act: Act): void {
    const epoch = this.context.epoch();
    this.prepare().then(
      (executor) => executor.run(act, epoch),
      () => this.context.answer(act.seq, "not_possible", null),
    );
  }

  /** Whether the caret in `element` is the agent's, not the customer's. */
  has(element: Element): boolean {
    return this.#ready?.has(element) ?? false;
  }

  /** The server may not know what only this browser can tell it. */
  tell(): void {
    this.prepare().then(
      (executor) => executor.tell(),
      () => {},
    );
  }

  /** The agent can do nothing any more: what was begun is left. */
  stop(): void {
    this.#executor?.then(
      (executor) => executor.stop(),
      () => {},
    );
  }
}
