/**
 * Reads values from a binary frame: the counterpart of `wire::Writer` on the server.
 *
 * Every frame stands by itself: the string table starts with `WORDS` and ends with the frame. Bytes that
 * are not well formed throw `Malformed`; nothing is guessed.
 */

import { TABLE, WORDS } from "../protocol/words.ts";

/** Why a frame could not be read. Nothing of its content is in the message. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** Reads from the first byte on. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #own: string[] = [];
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether all bytes are read. */
  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Malformed("the frame ends in the middle of a value");
    this.#at += 1;
    return byte;
  }

  /** An unsigned LEB128 number of at most 32 bits. */
  uint(): number {
    let value = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new Malformed("a number is too large");
  }

  /** A signed (zigzag) number. */
  int(): number {
    const raw = this.uint();
    return (raw >>> 1) ^ -(raw & 1);
  }

  /** A string, through the table. */
  string(): string {
    const index = this.uint();
    if (index === 0) return this.#literal();
    if (index === 1) {
      if (this.#own.length === TABLE) throw new Malformed("too many strings in a frame");
      const text = this.#literal();
      this.#own.push(text);
      return text;
    }
    const text = WORDS[index - 2] ?? this.#own[index - 2 - WORDS.length];
    if (text === undefined) throw new Malformed("a string refers to an unknown table entry");
    return text;
  }

  #literal(): string {
    const length = this.uint();
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Malformed("the frame ends in the middle of a value");
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    try {
      return this.#utf8.decode(bytes);
    } catch {
      throw new Malformed("a string is not UTF-8");
    }
  }
}
