/**
 * Reads values from a binary frame: the counterpart of `wire::Writer` on the server.
 *
 * Every frame stands by itself: the string table starts with `WORDS` and ends with the frame. Bytes that
 * are not well formed throw `Malformed`; nothing is guessed.
 */

import { TABLE, VERSION, WORDS } from "../protocol/words.ts";

/** Why a frame could not be read. Nothing of its content is in the message. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** Reads a frame from its first operation on. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #strings: Said;
  readonly #texts: Said;
  readonly #own: string[] = [];
  #at = 0;

  /** Throws {@link Malformed} if the frame is of another version, or its text is not all there or not UTF-8. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    if (this.byte() !== VERSION) throw new Malformed("the frame is of an unknown version");
    const length = this.uint();
    const units = this.uint();
    const start = this.#at;
    this.#at += length;
    if (this.#at > bytes.length) throw new Malformed("the frame ends in the middle of a value");
    let text: string;
    try {
      const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
      text = utf8.decode(bytes.subarray(start, this.#at));
    } catch {
      throw new Malformed("the text is not UTF-8");
    }
    this.#texts = new Said(text);
    this.#strings = new Said(this.#texts.next(units));
  }

  /** Whether all operations are read. Throws {@link Malformed} if they are, and text is left over. */
  get atEnd(): boolean {
    if (this.#at < this.#bytes.length) return false;
    if (this.#strings.left || this.#texts.left)
      throw new Malformed("text is left over at the end of the frame");
    return true;
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
    if (index === 0) return this.#strings.next(this.uint());
    if (index === 1) {
      if (this.#own.length === TABLE) throw new Malformed("too many strings in a frame");
      const text = this.#strings.next(this.uint());
      this.#own.push(text);
      return text;
    }
    const text = WORDS[index - 2] ?? this.#own[index - 2 - WORDS.length];
    if (text === undefined) throw new Malformed("a string refers to an unknown table entry");
    return text;
  }

  /** A text of a node. */
  text(): string {
    return this.#texts.next(this.uint());
  }
}

/** What all strings, or all texts, of a frame say, one after the other. */
class Said {
  #at = 0;

  constructor(readonly all: string) {}

  /** Whether there is more than was read. */
  get left(): boolean {
    return this.#at < this.all.length;
  }

  /** The next one, of so many UTF-16 units. */
  next(length: number): string {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.all.length) throw new Malformed("the frame ends in the middle of a value");
    // It is well formed: what begins with a second half is a character that was cut in two.
    if ((this.all.charCodeAt(this.#at) & 0xfc00) === 0xdc00)
      throw new Malformed("a string ends inside a character");
    return this.all.slice(start, this.#at);
  }
}
