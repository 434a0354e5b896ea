/**
 * The texts in an element, one after the other: the browser says all of them at once for a fraction of what it takes to ask each
 * node for its own.
 */

import type { Writer } from "../wire/writer.ts";

/** Of `Node`: the first kind of what is no part of the text around it. */
const INSTRUCTION = 7;

/** Whether the browser says the texts of an element as they are: some pages put something of theirs in its place. */
let trusted = true;

/** The texts of one element, while it is written. */
export class Run {
  /** All of them, or null: they have to be told one by one. */
  readonly #text: string | null;
  /** What is told and not written begins and ends here, in UTF-16 units. */
  #from = 0;
  #to = 0;

  constructor(
    readonly out: Writer,
    { textContent }: Element,
  ) {
    this.#text = trusted ? textContent : null;
  }

  /** Tells the next one, if it can be told so. */
  tells({ length }: Text): boolean {
    if (this.#text === null) return false;
    // Of a character that is divided between two nodes each has to tell its half.
    if ((this.#text.charCodeAt(this.#to) & 0xfc00) === 0xdc00) this.flush();
    this.out.uint(length);
    this.#to += length;
    return true;
  }

  /** Does not tell what there is of it in `node`. */
  skip(node: Node): void {
    if (this.#text === null) return;
    this.flush();
    if (node.nodeType < INSTRUCTION) this.#to += node.textContent?.length ?? 0;
    this.#from = this.#to;
  }

  /** Writes what is told: something else comes between it and the rest. */
  flush(): void {
    if (this.#from < this.#to) this.out.say(this.#text?.slice(this.#from, this.#to) ?? "");
    this.#from = this.#to;
  }

  /** Writes what is left. Throws if that should be `all` and is not. */
  end(all: boolean): void {
    this.flush();
    if (!all || this.#text === null || this.#text.length === this.#to) return;
    trusted = false;
    throw new Error("the page says other texts than it has");
  }
}
