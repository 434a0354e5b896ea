/** Laws of the writer, against a reader written from the format's description. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { KEPT, VERSION, WORDS } from "../protocol/words.ts";
import example from "./frame.json";
import { Writer } from "./writer.ts";

class TinyReader {
  at = 1;
  readonly own: string[] = [];
  /** What strings, and what texts of nodes, say; and how much of it is read. */
  readonly said: readonly { readonly all: string; read: number }[];
  constructor(readonly bytes: Uint8Array) {
    assert.equal(bytes[0], VERSION);
    const length = this.uint();
    const units = this.uint();
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const text = utf8.decode(bytes.subarray(this.at, this.at + length));
    this.at += length;
    this.said = [text.slice(0, units), text.slice(units)].map((all) => ({ all, read: 0 }));
  }
  next(kind: number, length: number): string {
    const said = this.said[kind] ?? assert.fail("no such kind");
    said.read += length;
    return said.all.substring(said.read - length, said.read);
  }
  uint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++] ?? assert.fail("truncated");
      value += (byte & 0x7f) * scale;
      if (byte < 128) return value;
    }
  }
  int(): number {
    const raw = this.uint();
    return raw % 2 ? -(raw + 1) / 2 : raw / 2;
  }
  string(): string {
    const index = this.uint();
    if (index >= 2) return [...WORDS, ...this.own][index - 2] ?? assert.fail("unknown entry");
    const text = this.next(0, this.uint());
    if (index === 1) this.own.push(text);
    return text;
  }
  text(): string {
    return this.next(1, this.uint());
  }
  ended(): void {
    assert.equal(this.at, this.bytes.length);
    for (const { all, read } of this.said) assert.equal(read, all.length);
  }
}

/** What is left of a text with lone surrogates. */
const wellFormed = (text: string) =>
  new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(text));

test("integers are read as they were written", () => {
  const unsigned = [0, 1, 127, 128, 300, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
  const signed = [0, -1, 1, 63, -64, 64, 1_000_000, -1_000_000, 2 ** 31 - 1, -(2 ** 31)];
  const out = new Writer();
  for (const value of unsigned) out.uint(value);
  for (const value of signed) out.int(value);
  const reader = new TinyReader(out.finish());
  for (const value of unsigned) assert.equal(reader.uint(), value);
  for (const value of signed) assert.equal(reader.int(), value);
  reader.ended();
});

test("strings are read as they were written, in any length and script", () => {
  const texts = [
    "",
    "div",
    "own",
    "ä".repeat(30),
    "x".repeat(KEPT),
    "x".repeat(KEPT + 1),
    "\ufeffmark",
    "😀".repeat(5000),
    "end",
  ];
  const out = new Writer();
  for (const text of [...texts, ...texts]) out.string(text);
  for (const text of texts) out.word(text);
  const reader = new TinyReader(out.finish());
  for (const text of [...texts, ...texts, ...texts]) assert.equal(reader.string(), text);
  reader.ended();
});

test("any strings are read as they were written, but for lone surrogates", () => {
  const letters = [
    "a",
    "b",
    "ä",
    "€",
    "😀",
    "\ud83d",
    "\ude00",
    "\ud83d",
    "\ude00",
    "\ufeff",
    "\ufffd",
    "\0",
  ];
  const seed = Math.floor(Math.random() * 2 ** 32);
  let state = seed;
  const below = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  for (let round = 0; round < 500; round++) {
    const some = round % 2 ? letters : letters.slice(0, 2);
    const texts = Array.from({ length: below(12) }, () =>
      Array.from({ length: below(9) === 0 ? 60 : below(4) }, () => some[below(some.length)]).join(""),
    );
    const out = new Writer();
    for (const text of texts) {
      below(2) ? out.string(text) : out.word(text);
      out.text(text);
    }
    const reader = new TinyReader(out.finish());
    for (const text of texts) {
      assert.equal(reader.string(), wellFormed(text), `seed ${seed}, round ${round}`);
      assert.equal(reader.text(), wellFormed(text), `seed ${seed}, round ${round}`);
    }
    reader.ended();
  }
});

test("a short string is written once, a common word never", () => {
  const out = new Writer();
  out.word("div");
  out.string("only here");
  const before = out.length;
  out.string("only here");
  out.word("only here");
  assert.ok(out.length - before <= 4);
  assert.equal(new TinyReader(out.finish()).said[0]?.all, "only here");
});

test("texts that are said at once are read one by one", () => {
  const out = new Writer();
  out.text("one");
  out.uint(3);
  out.uint(5);
  out.say("twothree");
  out.text("four");
  const reader = new TinyReader(out.finish());
  for (const text of ["one", "two", "three", "four"]) assert.equal(reader.text(), text);
  reader.ended();
});

test("a text of more than 48 units is not kept", () => {
  const out = new Writer();
  out.string("ä".repeat(KEPT + 1));
  out.string("ä".repeat(KEPT));
  const reader = new TinyReader(out.finish());
  reader.string();
  reader.string();
  assert.deepEqual(reader.own, ["ä".repeat(KEPT)]);
});

test("whatever is written makes the operations longer", () => {
  const out = new Writer();
  for (const write of [
    () => out.byte(0),
    () => out.uint(0),
    () => out.string(""),
    () => out.word("div"),
    () => out.text(""),
  ]) {
    const before = out.length;
    write();
    assert.ok(out.length > before);
  }
});

test("a lone surrogate does not make a frame unreadable", () => {
  const texts = ["a\ud800b", `${"a".repeat(60)}\udc00`, "\ud83d", "\ude00", "\ud83d\ude00", "\ude00\ud83d"];
  const out = new Writer();
  for (const text of texts) out.string(text);
  const reader = new TinyReader(out.finish());
  assert.equal(reader.string(), "a\ufffdb");
  assert.equal(reader.string(), `${"a".repeat(60)}\ufffd`);
  assert.equal(reader.string(), "\ufffd", "half a character");
  assert.equal(reader.string(), "\ufffd", "is not made whole by what comes after it");
  assert.equal(reader.string(), "😀");
  assert.equal(reader.string(), "\ufffd\ufffd");
  reader.ended();
});

test("this is the frame that the server reads, and would have written", () => {
  const out = new Writer();
  for (const value of example.unsigned) out.uint(value);
  for (const value of example.signed) out.int(value);
  for (const text of example.strings) out.word(text);
  for (const text of example.texts) out.text(text);
  assert.equal(Buffer.from(out.finish()).toString("hex"), example.frame);
});
