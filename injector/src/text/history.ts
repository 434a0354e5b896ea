/**
 * What a text of the customer's page was lately, so that a change made of an earlier state can be made of today's.
 */

import { between, type Change, carry, follow, nameOf } from "./change.ts";

/** States that are remembered. */
const STATES = 200;

export class History {
  #text: string;
  /** What was before, and what changed then. */
  readonly #past: { name: number; change: Change }[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  /** The name of the newest state. */
  get name(): number {
    return nameOf(this.#text);
  }

  /** The text is this now; by `change`, if that is known, or with the caret here. */
  note(text: string, how?: Change | number): void {
    if (text === this.#text) return;
    const change = typeof how === "object" ? how : between(this.#text, text, how);
    this.#past.push({ name: this.name, change });
    if (this.#past.length > STATES) this.#past.shift();
    this.#text = text;
  }

  /** A change of the state with this name as a change of the newest; null when there never was such a state. */
  carried(base: number, change: Change): Change | null {
    return this.#since(base)?.reduce((out: Change, over) => carry(out, over, false), change) ?? null;
  }

  /** A place in the state with this name as one in the newest. */
  place(base: number, place: number): number | null {
    return this.#since(base)?.reduce((out: number, over) => follow(out, over, true), place) ?? null;
  }

  /** What changed since then. */
  #since(base: number): Change[] | null {
    if (base === this.name) return [];
    let since = this.#past.length - 1;
    while (since >= 0 && this.#past[since]?.name !== base) since--;
    return since < 0 ? null : this.#past.slice(since).map(({ change }) => change);
  }
}
