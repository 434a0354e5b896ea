/**
 * What shows the customer what the agent does not see, loaded once there is something of that kind: a tooltip at each, and outlines
 * of all while the switch is on.
 */

import type { Hints } from "../outlines/main.ts";

/** The switch and the tooltip of one session. */
export class Hidden {
  #hints: Promise<Hints> | null = null;
  #on = false;

  constructor(readonly load: () => Promise<Hints>) {}

  /** Whether all of it is outlined. */
  get on(): boolean {
    return this.#on;
  }

  /** Something is hidden. */
  found(): void {
    this.#with(({ tooltip }) => tooltip.refresh());
  }

  /** What is hidden has changed. */
  refresh(): void {
    if (this.#hints) this.found();
  }

  /** Outlines all of it, or not. */
  show(on: boolean): void {
    this.#on = on;
    this.#with(({ outlines }) => outlines.show(this.#on));
  }

  /** Takes everything away for good. */
  stop(): void {
    if (!this.#hints) return;
    this.#with(({ outlines, tooltip }) => {
      outlines.stop();
      tooltip.stop();
    });
  }

  #with(work: (hints: Hints) => void): void {
    this.#hints ??= this.load();
    this.#hints.then(work, () => {
      this.#hints = null;
    });
  }
}
