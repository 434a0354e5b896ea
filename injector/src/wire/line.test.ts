import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Backoff } from "./backoff.ts";
import { Pulse } from "./pulse.ts";
import { remaining } from "./remaining.ts";

test("what is left is never negative and never ends early", () => {
  const left = [290_000, 65_400, 400, 0, -9].map((time) => remaining(time, "en"));
  assert.deepEqual(left, ["4:50", "1:06", "0:01", "0:00", "0:00"]);
});

test("the first tries are quick and no wait is longer than a second and a half", () => {
  const backoff = new Backoff();
  const waits = Array.from({ length: 50 }, () => backoff.next());
  assert.ok((waits[0] ?? 0) <= 125);
  assert.ok(waits.every((wait) => wait <= 1500));
  assert.ok((waits[49] ?? 0) >= 900);
  backoff.reset();
  assert.ok(backoff.next() <= 125);
});

test("a silent line is asked, and is dead only without an answer", () => {
  mock.timers.enable({ apis: ["setInterval", "setTimeout", "Date"] });
  const said: string[] = [];
  const pulse = new Pulse(
    () => said.push("ask"),
    () => said.push("dead"),
  );
  mock.timers.tick(5000);
  assert.deepEqual(said, ["ask"]);
  pulse.heard();
  mock.timers.tick(4999);
  assert.deepEqual(said, ["ask"]);
  mock.timers.tick(5001);
  assert.deepEqual(said, ["ask", "ask"]);
  pulse.check();
  assert.deepEqual(said, ["ask", "ask"], "asked once");
  mock.timers.tick(4000);
  assert.deepEqual(said, ["ask", "ask", "dead"]);
  mock.timers.tick(60_000);
  assert.deepEqual(said, ["ask", "ask", "dead"]);
  mock.timers.reset();
});
