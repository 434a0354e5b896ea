/**
 * Writes binary frames: the alphabet that `src/protocol/wire.rs` reads.
 *
 * Every frame stands by itself: its string table starts with the common words and holds only the frame's own strings.
 */

import { KEPT, TABLE, VERSION, WORDS } from "../protocol/words.ts";

const FIXED: ReadonlyMap<string, number> = new Map(WORDS.map((word, index) => [word, index]));
const utf8 = new TextEncoder();

/** The bytes of one frame, growing. */
export class Writer {
  #bytes = new Uint8Array(1024);
  #at = 0;
  /** The common words, and then the frame's own: one look for each string. */
  readonly #table = new Map(FIXED);

  /** An empty frame; its first byte is the version. */
  constructor() {
    this.byte(VERSION);
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#at;
  }

  /** The frame; nothing may be written after it. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  /** One byte. */
  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  /** An unsigned integer below 2^32. */
  uint(value: number): void {
    this.#room(5);
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  /** A signed integer of 32 bits. */
  int(value: number): void {
    this.uint((value << 1) ^ (value >> 31));
  }

  /** A string, through the table. A lone surrogate becomes U+FFFD. */
  string(text: string): void {
    // In UTF-8 a string has at least as many bytes as it has UTF-16 units.
    if (text.length > KEPT) {
      this.byte(0);
      this.#literal(text);
      return;
    }
    const known = this.#table.get(text);
    if (known !== undefined) {
      this.uint(known + 2);
      return;
    }
    this.#room(2 + 3 * KEPT);
    const start = this.#at;
    // Where the text goes: what is before it takes two bytes, since it is short.
    const length =
      this.#ascii(text, start + 2) ?? utf8.encodeInto(text, this.#bytes.subarray(start + 2)).written;
    const kept = length <= KEPT && this.#table.size < WORDS.length + TABLE;
    if (kept) this.#table.set(text, this.#table.size);
    this.#bytes[start] = kept ? 1 : 0;
    if (length < 0x80) {
      this.#bytes[start + 1] = length;
      this.#at = start + 2 + length;
    } else {
      this.#at = start + 1;
      this.#literal(text);
    }
  }

  /** Writes a text of nothing but ASCII at `start`; its length, or null if it is another text. */
  #ascii(text: string, start: number): number | null {
    const bytes = this.#bytes;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code >= 0x80) return null;
      bytes[start + at] = code;
    }
    return text.length;
  }

  #literal(text: string): void {
    // At most three bytes a unit; the length is written once it is known.
    this.#room(text.length * 3 + 5);
    const start = this.#at + 5;
    const { written } = utf8.encodeInto(text, this.#bytes.subarray(start));
    this.uint(written);
    this.#bytes.copyWithin(this.#at, start, start + written);
    this.#at += written;
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}
