/**
 * The agent's pointer and clicks. What draws them over the page is loaded once the agent points.
 */

import type { Hand } from "../hand/hand.ts";
import type { Point } from "../protocol/words.ts";

/** The agent's pointer in one session. */
export class AgentPointer {
  #hand: Promise<Hand> | null = null;
  #at: Point | null = null;
  #name = "";

  constructor(readonly load: () => Promise<Hand>) {}

  /** Takes it away. */
  stop(): void {
    if (this.#hand) this.#draw((hand) => hand.stop());
  }

  /** Draws the agent's pointer, or takes it away. */
  show(at: Point | null): void {
    this.#at = at;
    if (at || this.#hand) this.#draw((hand) => hand.show(this.#at, this.#name));
  }

  /** The name beside the agent's pointer. */
  name(name: string): void {
    this.#name = name;
    this.show(this.#at);
  }

  /** Draws a circle where the agent clicks. */
  click(at: Point): void {
    this.#draw((hand) => hand.click(at));
  }

  #draw(draw: (hand: Hand) => void): void {
    this.#hand ??= this.load();
    this.#hand.then(draw, () => {
      this.#hand = null;
    });
  }
}
