import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, between, type Change, carry, compose, follow, inverse, nameOf, replacing } from "./change.ts";

/** Random numbers from a seed, which a failure prints. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
}

function random(text: string, roll: (below: number) => number, mark: string): Change {
  let change: Change = [];
  let now = text;
  for (let edits = 1 + roll(3); edits > 0; edits--) {
    const start = roll(now.length + 1);
    const end = Math.min(now.length, start + roll(4));
    const insert = mark.repeat(roll(4));
    const next = replacing(start, end, insert);
    change = compose(change, next);
    now = apply(now, next);
  }
  assert.equal(apply(text, change), now);
  return change;
}

test("both orders give the same text, and what was put in is in it", () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const roll = dice(seed);
    const text = "abcdefghij".slice(0, roll(11));
    const [a, b] = [random(text, roll, "A"), random(text, roll, "B")];
    const one = apply(apply(text, a), carry(b, a, false));
    const other = apply(apply(text, b), carry(a, b, true));
    assert.equal(one, other, `seed ${seed}: ${JSON.stringify([text, a, b])}`);
    const count = (of: string, mark: string) => of.split(mark).length - 1;
    assert.equal(count(one, "A"), count(apply(text, a), "A"), `seed ${seed}`);
    assert.equal(count(one, "B"), count(apply(text, b), "B"), `seed ${seed}`);
  }
});

test("carrying over two changes is carrying over both as one", () => {
  for (let seed = 1; seed <= 1000; seed++) {
    const roll = dice(seed);
    const text = "abcdefghij".slice(0, roll(11));
    const a = random(text, roll, "A");
    const b = random(text, roll, "B");
    const c = random(apply(text, b), roll, "C");
    const stepwise = carry(carry(a, b, false), c, false);
    const whole = carry(a, compose(b, c), false);
    const end = apply(apply(text, b), c);
    assert.equal(apply(end, stepwise).length, apply(end, whole).length, `seed ${seed}`);
  }
});

test("an inverse undoes", () => {
  for (let seed = 1; seed <= 500; seed++) {
    const text = "abcdefghij";
    const change = random(text, dice(seed), "A");
    assert.equal(apply(apply(text, change), inverse(text, change)), text, `seed ${seed}`);
  }
});

test("places follow", () => {
  assert.equal(follow(3, [1, "xx"], false), 5);
  assert.equal(follow(3, [3, "xx"], false), 3);
  assert.equal(follow(3, [3, "xx"], true), 5);
  assert.equal(follow(3, [1, -4], false), 1);
  assert.equal(follow(3, [5, "x"], true), 3);
  assert.equal(follow(3, [1, "x", -1, 4, "y"], true), 3);
});

test("the change between two texts makes one of the other", () => {
  assert.deepEqual(between("abc", "axbc"), [1, "x"]);
  assert.equal(apply("hallo", between("hallo", "hello world")), "hello world");
});

test("texts have names", () => {
  assert.notEqual(nameOf("ab"), nameOf("ba"));
  assert.equal(nameOf("ä😀"), nameOf("ä😀"));
});
