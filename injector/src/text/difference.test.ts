/** Laws of the difference of two texts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { difference } from "./difference.ts";

function apply(before: string, after: string, caret: number): string {
  const { start, end, insert } = difference(before, after, caret);
  return before.slice(0, start) + insert + before.slice(end);
}

test("typing, deleting and replacing touch only what changed", () => {
  assert.deepEqual(difference("helo", "hello", 4), { start: 3, end: 3, insert: "l" });
  assert.deepEqual(difference("hello", "helo", 3), { start: 3, end: 4, insert: "" });
  assert.deepEqual(difference("", "x", 1), { start: 0, end: 0, insert: "x" });
  assert.deepEqual(difference("red car", "blue car", 4), { start: 0, end: 3, insert: "blue" });
  assert.deepEqual(difference("same", "same", 4), { start: 4, end: 4, insert: "" });
});

test("among equal replacements the caret decides", () => {
  assert.deepEqual(difference("aaa", "aaaa", 1), { start: 0, end: 0, insert: "a" });
  assert.deepEqual(difference("aaa", "aaaa", 4), { start: 3, end: 3, insert: "a" });
});

test("a pair of surrogates is never cut", () => {
  const { start, end, insert } = difference("a😀b", "a😁b", 3);
  assert.deepEqual([start, end, insert], [1, 3, "😁"]);
});

test("any text becomes any other, wherever the caret is", () => {
  let seed = 42;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return seed % below;
  };
  const text = (): string =>
    Array.from({ length: random(8) }, () => ["a", "b", "😀", "😁", "🚀"][random(5)]).join("");
  for (let round = 0; round < 20_000; round++) {
    const [before, after] = [text(), text()];
    assert.equal(apply(before, after, random(12)), after, `${before} -> ${after} (round ${round})`);
  }
});
