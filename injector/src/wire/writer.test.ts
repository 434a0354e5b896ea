/** Laws of the writer, against a reader written from the format's description. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { KEPT, VERSION, WORDS } from "../protocol/words.ts";
import { Writer } from "./writer.ts";

class TinyReader {
  at = 1;
  readonly own: string[] = [];
  constructor(readonly bytes: Uint8Array) {
    assert.equal(bytes[0], VERSION);
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
    const length = this.uint();
    const text = new TextDecoder("utf-8", { fatal: true }).decode(
      this.bytes.subarray(this.at, this.at + length),
    );
    this.at += length;
    if (index === 1) this.own.push(text);
    return text;
  }
}

test("integers are read as they were written", () => {
  const unsigned = [0, 1, 127, 128, 300, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
  const signed = [0, -1, 1, 63, -64, 64, 1_000_000, -1_000_000, 2 ** 31 - 1, -(2 ** 31)];
  const out = new Writer();
  for (const value of unsigned) out.uint(value);
  for (const value of signed) out.int(value);
  const reader = new TinyReader(out.finish());
  for (const value of unsigned) assert.equal(reader.uint(), value);
  for (const value of signed) assert.equal(reader.int(), value);
  assert.equal(reader.at, out.length);
});

test("strings are read as they were written, in any length and script", () => {
  const texts = [
    "",
    "div",
    "own",
    "ä".repeat(30),
    "x".repeat(KEPT),
    "x".repeat(KEPT + 1),
    "😀".repeat(5000),
    "end",
  ];
  const out = new Writer();
  for (const text of [...texts, ...texts]) out.string(text);
  const reader = new TinyReader(out.finish());
  for (const text of [...texts, ...texts]) assert.equal(reader.string(), text);
  assert.equal(reader.at, out.length);
});

test("a short string is written once, a common word never", () => {
  const out = new Writer();
  out.string("div");
  out.string("only here");
  const before = out.length;
  out.string("only here");
  assert.ok(out.length - before <= 2);
  assert.ok(!new TextDecoder().decode(out.finish()).includes("div"));
});

test("a text of more than 48 bytes is not kept, even when it has fewer units", () => {
  const out = new Writer();
  out.string("ä".repeat(30));
  out.string("kept");
  const reader = new TinyReader(out.finish());
  reader.string();
  reader.string();
  assert.deepEqual(reader.own, ["kept"]);
});

test("a lone surrogate does not make a frame unreadable", () => {
  const out = new Writer();
  out.string("a\ud800b");
  out.string(`${"a".repeat(60)}\udc00`);
  const reader = new TinyReader(out.finish());
  assert.equal(reader.string(), "a\ufffdb");
  assert.equal(reader.string(), `${"a".repeat(60)}\ufffd`);
});
