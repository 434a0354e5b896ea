import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Pace } from "./pace.ts";

/** Nodes that a task reads, at a microsecond each. */
function read(pace: Pace, short: boolean): number {
  let now = 0;
  const clock = mock.method(performance, "now", () => now);
  pace.begin(short);
  let nodes = 0;
  for (; nodes < 100_000 && !pace.over; nodes++) now += 0.001;
  clock.mock.restore();
  return nodes;
}

test("a short task ends after some milliseconds, any other with all that there is", () => {
  assert.equal(read(new Pace(), false), 100_000);
  const nodes = read(new Pace(), true);
  assert.ok(nodes > 5000 && nodes < 50_000, `${nodes}`);
});

test("each further task is longer, until all is read", () => {
  const pace = new Pace();
  const [first, second, third] = [1, 2, 3].map(() => read(pace, true)) as [number, number, number];
  assert.ok(first < second && second < third);
  pace.done();
  assert.equal(read(pace, true), first);
});
