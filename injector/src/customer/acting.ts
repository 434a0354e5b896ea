/**
 * The way of the agent's actions to what does them, which is loaded only once the customer has allowed them.
 *
 * Actions are done in the order in which they came, those that came while it was loading too.
 */

import type { Host } from "../frames/invitations.ts";
import type { Act, FromCustomer } from "../protocol/words.ts";
import type { Roots } from "./dom.ts";
import type { Executor } from "./executor.ts";
import type { Marks } from "./marks.ts";
import type { Realms } from "./realms.ts";
import type { Recorder } from "./recorder.ts";
import type { Extras } from "./sheet-hooks.ts";
import type { Stage } from "./stage.ts";
import type { Withholding } from "./withhold.ts";
import type { Words } from "./words.ts";

/** What the part hands over. */
export type MakeExecutor = (page: ActingPage) => Executor;

/** What actions are done in. */
export interface ActingPage {
  readonly stage: Stage;
  readonly roots: Roots;
  readonly realms: Realms;
  readonly extras: Extras;
  /** In the customer's language. */
  words(): Words;
  /** Who may have them done, while there is one. */
  session(): ActingSession | null;
}

/** The page of another host of the site that shows this document. */
export interface Around {
  readonly page: Window;
  readonly origin: string;
  /** Of the frame, in that page. */
  readonly frame: number;
}

/** The session that actions belong to. */
export interface ActingSession {
  /** Of the running epoch. */
  readonly recorder: Recorder | null;
  readonly marks: Marks;
  readonly withholding: Withholding;
  /** What the agent is called. */
  readonly agentName: string;
  /** Who is in frames of the page, and who is around it, of other hosts of the site. */
  readonly guests: Host["guests"];
  readonly around?: Around | null;
  /** Tells the server. */
  send(message: FromCustomer): void;
}

/** The actions of one page. */
export class Acting {
  #executor: Promise<Executor> | null = null;
  #ready: Executor | null = null;

  constructor(
    readonly page: ActingPage,
    readonly load: () => Promise<MakeExecutor>,
  ) {}

  /** Write mode has begun: actions will come. */
  prepare(): Promise<Executor> {
    this.#executor ??= this.load().then(
      (make) => {
        this.#ready = make(this.page);
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
    const session = this.page.session();
    const epoch = session?.recorder?.epoch ?? 0;
    this.prepare().then(
      (executor) => executor.run(act, epoch),
      () => session?.send({ type: "acted", seq: act.seq, refused: "not_possible", at: null }),
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
