/**
 * Changes of a text that two people make at once: applied, put one after the other, and carried over each other.
 *
 * Of two changes of the same text, each carried over the other, both orders give the same text, and nothing that either
 * put in is lost. Lengths are in UTF-16 units.
 */

import { difference } from "./difference.ts";

/** A positive number keeps so many units, a negative one takes them away, a string comes in. What is behind the last piece stays. */
export type Change = readonly (number | string)[];

/** The change that makes `after` of `before`; among several, the one that ends at `caret`. */
export function between(before: string, after: string, caret = after.length): Change {
  const { start, end, insert } = difference(before, after, caret);
  return replacing(start, end, insert);
}

/** Units from `start` to `end` become `insert`. */
export function replacing(start: number, end: number, insert: string): Change {
  return new Builder()
    .keep(start)
    .put(insert)
    .drop(end - start).pieces;
}

/** The text that a change makes of `text`. */
export function apply(text: string, change: Change): string {
  let out = "";
  let at = 0;
  for (const piece of change) {
    if (typeof piece === "string") {
      out += piece;
    } else {
      if (piece > 0) out += text.slice(at, at + piece);
      at += Math.abs(piece);
    }
  }
  return out + text.slice(at);
}

/** First `one`, then `other`, which is a change of what `one` makes. */
export function compose(one: Change, other: Change): Change {
  const out = new Builder();
  const [a, b] = [new Cursor(one), new Cursor(other)];
  while (!a.ended || !b.ended) {
    if (a.drops) out.drop(a.take(a.length));
    else if (b.insert !== null) out.put(b.takeText(b.length));
    else {
      const length = Math.min(a.length, b.length);
      if (a.insert !== null) {
        const text = a.takeText(length);
        if (!b.drops) out.put(text);
      } else {
        a.take(length);
        if (b.drops) out.drop(length);
        else out.keep(length);
      }
      b.take(length);
    }
  }
  return out.pieces;
}

/** `change` as a change of what `over` makes of the same text. `first`: where both put in something, its own goes before. */
export function carry(change: Change, over: Change, first: boolean): Change {
  const out = new Builder();
  const [a, b] = [new Cursor(change), new Cursor(over)];
  while (!a.ended) {
    if (a.insert !== null && (first || b.insert === null)) {
      out.put(a.takeText(a.length));
    } else if (b.insert !== null) {
      out.keep(b.takeText(b.length).length);
    } else {
      const length = Math.min(a.length, b.length);
      if (!b.drops) {
        if (a.drops) out.drop(length);
        else out.keep(length);
      }
      a.take(length);
      b.take(length);
    }
  }
  return out.pieces;
}

/** What undoes a change of `text`. */
export function inverse(text: string, change: Change): Change {
  const out = new Builder();
  let at = 0;
  for (const piece of change) {
    if (typeof piece === "string") {
      out.drop(piece.length);
    } else if (piece > 0) {
      out.keep(piece);
      at += piece;
    } else {
      out.put(text.slice(at, at - piece));
      at -= piece;
    }
  }
  return out.pieces;
}

/** Where a place in the text is after a change. `behind`: behind what comes in right there. */
export function follow(place: number, change: Change, behind: boolean): number {
  let [at, out] = [0, place];
  for (const piece of change) {
    if (typeof piece === "string") {
      if (at < place || (at === place && behind)) out += piece.length;
    } else if (piece > 0) {
      at += piece;
    } else {
      out -= Math.max(0, Math.min(place, at - piece) - at);
      at -= piece;
    }
    if (at > place) break;
  }
  return out;
}

/** Whether a change changes nothing. */
export function isNothing(change: Change): boolean {
  return change.every((piece) => typeof piece === "number" && piece >= 0);
}

/** Names a text, so that both sides know of which one they speak. */
export function nameOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

/** Puts pieces together; what comes in stands before what goes in the same place. */
class Builder {
  readonly pieces: (number | string)[] = [];

  keep(length: number): this {
    return this.#count(length, 1);
  }

  drop(length: number): this {
    return this.#count(length, -1);
  }

  put(text: string): this {
    if (!text) return this;
    const { pieces } = this;
    const last = pieces.at(-1);
    if (typeof last === "string") pieces[pieces.length - 1] = last + text;
    else if (last !== undefined && last < 0) {
      const before = pieces.at(-2);
      if (typeof before === "string") pieces[pieces.length - 2] = before + text;
      else pieces.splice(-1, 0, text);
    } else pieces.push(text);
    return this;
  }

  #count(length: number, sign: 1 | -1): this {
    if (length === 0 || length === Number.POSITIVE_INFINITY) return this;
    const last = this.pieces.at(-1);
    if (typeof last === "number" && last * sign > 0)
      this.pieces[this.pieces.length - 1] = last + sign * length;
    else this.pieces.push(sign * length);
    return this;
  }
}

/** Goes through a change in steps of any length; behind its end everything is kept. */
class Cursor {
  #index = 0;
  /** Units of the piece that are done. */
  #done = 0;

  constructor(readonly change: Change) {}

  get ended(): boolean {
    return this.#index >= this.change.length;
  }

  get insert(): string | null {
    const piece = this.change[this.#index];
    return typeof piece === "string" ? piece : null;
  }

  get drops(): boolean {
    const piece = this.change[this.#index];
    return typeof piece === "number" && piece < 0;
  }

  /** Units left of the piece. */
  get length(): number {
    const piece = this.change[this.#index];
    if (piece === undefined) return Number.POSITIVE_INFINITY;
    return (typeof piece === "string" ? piece.length : Math.abs(piece)) - this.#done;
  }

  take(length: number): number {
    if (this.ended) return length;
    if (length === this.length) {
      this.#index++;
      this.#done = 0;
    } else this.#done += length;
    return length;
  }

  takeText(length: number): string {
    const text = (this.insert ?? "").slice(this.#done, this.#done + length);
    this.take(length);
    return text;
  }
}
