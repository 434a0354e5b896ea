/**
 * What the customer likes and has: dark colours, less motion, a mouse. Style sheets ask for it, so the agent's page
 * must be told.
 */

import type { Writer } from "../wire/writer.ts";
import { until } from "./until.ts";

/** Queries, and the bit of each; `injector/src/agent/mirror/media.ts` reads them. */
const QUERIES: readonly string[] = [
  "(prefers-color-scheme:dark)",
  "(prefers-reduced-motion:reduce)",
  "(prefers-contrast:more)",
  "(prefers-contrast:less)",
  "(forced-colors:active)",
  "(hover:hover)",
  "(any-hover:hover)",
  "(pointer:coarse)",
  "(pointer:fine)",
  "(any-pointer:coarse)",
  "(any-pointer:fine)",
];

/** The preferences of one epoch. */
export class Media {
  readonly #queries = QUERIES.map((query) => matchMedia(query));
  #told = -1;

  /** `changed` is called when there is something new to write, until the epoch is `over`. */
  constructor(changed: () => void, over: AbortSignal) {
    for (const query of this.#queries) until(over, query, ["change"], changed);
  }

  /** Tells what changed. */
  write(out: Writer): void {
    const bits = this.#queries.reduce((bits, { matches }, bit) => bits | (matches ? 1 << bit : 0), 0);
    if (bits === this.#told) return;
    this.#told = bits;
    out.byte(69);
    out.uint(bits);
  }
}
