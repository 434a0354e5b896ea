/** Laws of the reader: what the writer writes is read, and nothing else is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { WORDS } from "../protocol/words.ts";
import { Malformed, Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** A frame without its first byte, the version. */
function values(write: (writer: Writer) => void): Reader {
  const writer = new Writer();
  write(writer);
  return new Reader(writer.finish().subarray(1));
}

test("numbers are read as they were written", () => {
  const unsigned = [0, 1, 127, 128, 300, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
  const signed = [0, 1, -1, 63, -64, 64, -65, 2 ** 31 - 1, -(2 ** 31)];
  const reader = values((writer) => {
    for (const number of unsigned) writer.uint(number);
    for (const number of signed) writer.int(number);
  });
  assert.deepEqual(
    unsigned.map(() => reader.uint()),
    unsigned,
  );
  assert.deepEqual(
    signed.map(() => reader.int()),
    signed,
  );
  assert.ok(reader.atEnd);
});

test("strings are read through the table, each as often as it is written", () => {
  const strings = [...WORDS, "own", "ä€😀", "own", "x".repeat(500), "ä€😀", "", "\ufeffmark"];
  const reader = values((writer) => {
    for (const text of strings) writer.string(text);
  });
  assert.deepEqual(
    strings.map(() => reader.string()),
    strings,
  );
  assert.ok(reader.atEnd);
});

test("a number of more than 32 bits is refused", () => {
  assert.equal(new Reader(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f)).uint(), 2 ** 32 - 1);
  for (const bytes of [
    [0xff, 0xff, 0xff, 0xff, 0x1f],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
  ]) {
    assert.throws(() => new Reader(Uint8Array.from(bytes)).uint(), Malformed);
  }
});

test("what is cut off, not UTF-8 or not in the table is refused", () => {
  const bad = [[], [0], [0, 5, 65], [1, 1], [0, 0xff, 0xff, 0xff, 0xff, 0x0f], [0, 1, 0xff], [0xff, 0x7f]];
  for (const bytes of bad) {
    assert.throws(() => new Reader(Uint8Array.from(bytes)).string(), Malformed, String(bytes));
  }
});
