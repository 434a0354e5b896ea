/**
 * Writes binary frames: the alphabet that `src/protocol/wire.rs` reads.
 *
 * All strings of a frame, and behind them all texts of nodes, are one text, which the browser joins and encodes by itself: letter
 * by letter they would cost most of a snapshot. Every frame stands by itself: its string table starts with the common words and
 * holds only its own strings.
 */

import { KEPT, TABLE, VERSION, WORDS } from "../protocol/words.ts";

/** Where the strings of a table begin: 0 and 1 are the two kinds of new ones. */
const ENTRIES = 2;
const FIXED: ReadonlyMap<string, number> = new Map(WORDS.map((word, index) => [word, index + ENTRIES]));
const utf8 = new TextEncoder();

/** One frame, growing. */
export class Writer {
  #bytes = new Uint8Array(1024);
  #at = 0;
  readonly #table = new Map<string, number>();
  readonly #strings: string[] = [];
  /** How much they say, in UTF-16 units. */
  #units = 0;
  readonly #texts: string[] = [];

  /** How many bytes the operations are, without what their strings say. */
  get length(): number {
    return this.#at;
  }

  /** The frame; nothing may be written after it. */
  finish(): Uint8Array<ArrayBuffer> {
    const text = utf8.encode(wellFormed(this.#strings.concat(this.#texts)));
    const end = this.#at;
    this.byte(VERSION);
    this.uint(text.length);
    this.uint(this.#units);
    const head = this.#at - end;
    const out = new Uint8Array(this.#at + text.length);
    out.set(this.#bytes.subarray(end, this.#at));
    out.set(text, head);
    out.set(this.#bytes.subarray(0, end), head + text.length);
    return out;
  }

  /** One byte. */
  byte(value: number): void {
    if (this.#at === this.#bytes.length) this.#grow();
    this.#bytes[this.#at++] = value;
  }

  /** An unsigned integer below 2^32. */
  uint(value: number): void {
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.byte(rest | 0x80);
    this.byte(rest);
  }

  /** A signed integer of 32 bits. */
  int(value: number): void {
    this.uint((value << 1) ^ (value >> 31));
  }

  /** A string which may well be one of the common words, such as the name of an attribute. */
  word(text: string): void {
    const index = FIXED.get(text);
    if (index === undefined) this.string(text);
    else this.uint(index);
  }

  /** A string, through the frame's own table. A lone surrogate becomes U+FFFD. */
  string(text: string): void {
    const table = this.#table;
    if (text.length <= KEPT) {
      const known = table.get(text);
      if (known !== undefined) {
        this.uint(known);
        return;
      }
      if (table.size < TABLE) {
        table.set(text, table.size + WORDS.length + ENTRIES);
        this.#add(1, text);
        return;
      }
    }
    this.#add(0, text);
  }

  /** A text of a node. */
  text(text: string): void {
    this.uint(text.length);
    this.say(text);
  }

  /** What texts of nodes say, of which the lengths are written elsewhere. */
  say(text: string): void {
    this.#texts.push(text);
  }

  #add(kind: number, text: string): void {
    this.byte(kind);
    this.uint(text.length);
    this.#strings.push(text);
    this.#units += text.length;
  }

  #grow(): void {
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** What all of them say, with as many units as they have. */
function wellFormed(texts: readonly string[]): string {
  const text = texts.join("");
  if (!/[\ud800-\udfff]/.test(text)) return text;
  // One by one: the end of one and the beginning of the next must not become one character.
  return texts.map((part) => part.replace(/\p{Surrogate}/gu, "\ufffd")).join("");
}
