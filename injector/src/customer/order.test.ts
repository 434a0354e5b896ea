import assert from "node:assert/strict";
import { test } from "node:test";
import type { Known } from "./known.ts";
import { STAYS, settle } from "./order.ts";

/** Of siblings that the server has in these places, those that stay. */
function stays(...places: number[]): number[] {
  const siblings = places.map((at) => ({ at, place: at }) as unknown as Known & { place: number });
  settle(siblings);
  return siblings.filter(({ at }) => at === STAYS).map(({ place }) => place);
}

test("siblings in order all stay", () => {
  assert.deepEqual(stays(), []);
  assert.deepEqual(stays(2, 3, 7), [2, 3, 7]);
});

test("as many as possible stay", () => {
  assert.deepEqual(stays(2, 3, 4, 1), [2, 3, 4]);
  assert.deepEqual(stays(4, 1, 2, 3), [1, 2, 3]);
  assert.deepEqual(stays(3, 2, 1).length, 1);
  assert.deepEqual(stays(1, 5, 2, 6, 3, 7, 4), [1, 2, 3, 4]);
});

test("what stays is in order, however much was shuffled", () => {
  const places = Array.from({ length: 500 }, (_, at) => ((at * 7919) % 500) + 1);
  const kept = stays(...places);
  assert.ok(kept.length > 20);
  assert.deepEqual(
    kept,
    [...kept].sort((a, b) => a - b),
  );
});
