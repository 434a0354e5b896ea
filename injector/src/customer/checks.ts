/**
 * Compares the page with the server's copy, bit by bit, for as long as something has changed since the last whole round.
 *
 * A slice is walked right after all changes were written, so that both sides speak of the same moment.
 */

import { Digest } from "../wire/digest.ts";
import type { Writer } from "../wire/writer.ts";
import type { Known, KnownNodes } from "./known.ts";

/** Nodes of a slice, at least; of a large page it is a third, so that a round takes no more than two seconds. */
const SLICE = 2000;

/** The rounds of one epoch. */
export class Checks {
  #cursor: Known | null = null;
  /** Nodes to look at until all were looked at since the last change. */
  #left = 0;

  /** `missed` is told of a host whose shadow root the server does not have: nothing tells what functions of a lost window do. */
  constructor(
    readonly known: KnownNodes,
    readonly missed: (host: Element) => void,
  ) {}

  /** Whether there is something to check. */
  get due(): boolean {
    return this.#left > 0;
  }

  /** Something has changed. */
  changed(): void {
    this.#left = this.known.size;
  }

  /** Tells what one slice of the page should be. */
  write(out: Writer): void {
    const { known } = this;
    const count = Math.max(SLICE, Math.ceil(known.size / 3));
    const digest = new Digest();
    const missed: Element[] = [];
    let at: Known | null = this.#cursor && known.has(this.#cursor) ? this.#cursor : known.top;
    out.byte(30);
    out.uint(at.id);
    out.uint(count);
    for (let left = count; at && left > 0; left--) {
      digest.add(at.id);
      let next = known.inside(at, missed);
      for (let up: Known | null = at; up && !next; ) {
        next = known.following(up);
        if (next) break;
        up = up.parent;
        if (up) digest.add();
      }
      at = next;
    }
    this.#cursor = at;
    this.#left = Math.max(0, this.#left - count);
    out.uint(digest.value);
    for (const host of missed) this.missed(host);
  }
}
