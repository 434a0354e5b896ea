/** Laws of the reader: what the writer writes is read, and nothing else is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { KEPT, VERSION, WORDS } from "../protocol/words.ts";
import example from "./frame.json";
import { Malformed, Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

function values(write: (writer: Writer) => void): Reader {
  const writer = new Writer();
  write(writer);
  return new Reader(writer.finish());
}

/** A frame with strings, or texts of nodes, that say this, and these operations. */
function frame(
  strings: string | readonly number[],
  operations: readonly number[],
  texts: string | readonly number[] = "",
): Uint8Array {
  const said = [strings, texts].map((one) =>
    typeof one === "string" ? [...new TextEncoder().encode(one)] : one,
  );
  const { length: units } = new TextDecoder().decode(Uint8Array.from(said[0] ?? []));
  return Uint8Array.of(VERSION, said.flat().length, units, ...said.flat(), ...operations);
}

/** The first string that a frame keeps, as a number of two bytes. */
const FIRST = [((2 + WORDS.length) & 0x7f) | 0x80, (2 + WORDS.length) >> 7];

/** All strings of a frame, which has nothing else. */
function strings(bytes: Uint8Array): string[] {
  const reader = new Reader(bytes);
  const read: string[] = [];
  while (!reader.atEnd) read.push(reader.string());
  return read;
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
  const own = ["own", "ä€😀", "own", "x".repeat(500), "ä€😀", "", "\ufeffmark", "😀".repeat(KEPT)];
  const reader = values((writer) => {
    for (const text of WORDS) writer.word(text);
    for (const text of own) writer.string(text);
  });
  const all = [...WORDS, ...own];
  assert.deepEqual(
    all.map(() => reader.string()),
    all,
  );
  assert.ok(reader.atEnd);
});

test("texts are read beside the strings", () => {
  const texts = ["a", "", "ä€😀", "x".repeat(500), "a"];
  const reader = values((writer) => {
    for (const text of texts) {
      writer.string(text);
      writer.text(text);
    }
  });
  for (const text of texts) {
    assert.equal(reader.string(), text);
    assert.equal(reader.text(), text);
  }
  assert.ok(reader.atEnd);
});

test("a number of more than 32 bits is refused", () => {
  assert.equal(new Reader(frame("", [0xff, 0xff, 0xff, 0xff, 0x0f])).uint(), 2 ** 32 - 1);
  for (const bytes of [
    [0xff, 0xff, 0xff, 0xff, 0x1f],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
  ]) {
    assert.throws(() => new Reader(frame("", bytes)).uint(), Malformed);
  }
});

test("lengths are in UTF-16 units", () => {
  assert.deepEqual(strings(frame("ä€😀!", [0, 1, 1, 1, 0, 2, 0, 1, ...FIRST, 0, 0])), [
    "ä",
    "€",
    "😀",
    "!",
    "€",
    "",
  ]);
});

test("what is cut off, left over, not UTF-8 or not in the table is refused", () => {
  const bad: Record<string, Uint8Array> = {
    "no length": frame("A", [0]),
    "more than there is": frame("A", [0, 2]),
    "much more": frame("A", [0, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    "more of another script": frame("ä", [0, 2]),
    "the first half of a character": frame("😀", [0, 1, 0, 1]),
    "nothing but the second half": frame("a😀", [0, 2, 0, 1]),
    "text without a string": frame("A", []),
    "text after the last string": frame("AB", [0, 1]),
    "not UTF-8": frame([0xff], [0, 1]),
    "half of UTF-8": frame([0xc3], [0, 1]),
    "a surrogate": frame([0xed, 0xa0, 0x80], [0, 1]),
    "not in the table": frame("", [0xff, 0x7f]),
    "not yet in the table": frame("A", [...FIRST, 1, 1]),
    "a text of a node that nothing reads": frame("A", [0, 1], "B"),
    "a text that is not UTF-8": frame("A", [0, 1], [0xff]),
    "no second length": Uint8Array.of(VERSION, 0),
    "text cut off": Uint8Array.of(VERSION, 5, 0, 65),
    "a text of four gigabytes": Uint8Array.of(VERSION, 0xff, 0xff, 0xff, 0xff, 0x0f, 0),
    "more strings than text": Uint8Array.of(VERSION, 1, 2, 65),
    "strings that end in a character": Uint8Array.of(VERSION, 4, 1, 0xf0, 0x9f, 0x98, 0x80),
    "another version": Uint8Array.of(VERSION - 1, 0),
    empty: new Uint8Array(),
  };
  for (const [name, bytes] of Object.entries(bad)) assert.throws(() => strings(bytes), Malformed, name);
});

test("a text is not cut, and takes nothing of the strings", () => {
  assert.equal(new Reader(frame("a", [2], "😀")).text(), "😀");
  assert.throws(() => new Reader(frame("", [1], "😀")).text(), Malformed);
  assert.throws(() => new Reader(frame("a", [1])).text(), Malformed);
});

test("any bytes are read or refused", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  let state = seed;
  const byte = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  for (let round = 0; round < 2000; round++) {
    const text = Array.from({ length: byte() % 8 }, () => (round % 2 ? byte() & 0x7f : byte()));
    const operations = Array.from({ length: byte() % 16 }, () => byte() % 5);
    try {
      strings(frame(text, operations, round % 3 ? "" : text));
    } catch (error) {
      assert.ok(error instanceof Malformed, `seed ${seed}, round ${round}: ${error}`);
    }
  }
});

test("the frame that the server writes is read", () => {
  const reader = new Reader(Uint8Array.from(Buffer.from(example.frame, "hex")));
  for (const value of example.unsigned) assert.equal(reader.uint(), value);
  for (const value of example.signed) assert.equal(reader.int(), value);
  for (const text of example.strings) assert.equal(reader.string(), text);
  for (const text of example.texts) assert.equal(reader.text(), text);
  assert.ok(reader.atEnd);
});
