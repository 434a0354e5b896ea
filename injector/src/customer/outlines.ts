/**
 * The switch that shows the customer what the agent does not see: what draws it is loaded when it is first turned on.
 */

import type { MakeOutlines, Outlines } from "../outlines/outlines.ts";
import type { Stage } from "./stage.ts";

/** The switch of one session. */
export class OutlineSwitch {
  #outlines: Promise<Outlines> | null = null;
  #on = false;

  constructor(
    readonly stage: Stage,
    readonly hidden: () => Iterable<Element>,
    readonly load: () => Promise<MakeOutlines>,
  ) {}

  /** Shows them, or not. */
  show(on: boolean): void {
    this.#on = on;
    this.#outlines ??= this.load().then((make) => make(this.stage, this.hidden));
    this.#outlines.then(
      (outlines) => outlines.show(this.#on),
      () => {
        this.#outlines = null;
      },
    );
  }

  /** Takes them away for good. */
  stop(): void {
    this.#on = false;
    this.#outlines?.then(
      (outlines) => outlines.stop(),
      () => {},
    );
  }
}
