import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, between, type Change } from "./change.ts";
import { History } from "./history.ts";
import { SharedText } from "./shared-text.ts";

function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
}

/** The customer's page, an agent, and the lines between them, on which everything waits as long as it likes. */
class Both {
  page = "start";
  readonly history = new History("start");
  readonly agent = new SharedText("start");
  readonly up: { base: number; change: Change }[] = [];
  readonly down: ({ word: string } | { done: boolean })[] = [];

  customer(next: string): void {
    this.page = next;
    this.history.note(next);
    this.down.push({ word: next });
  }

  type(start: number, end: number, insert: string): void {
    const view = this.agent.view;
    this.agent.edited(view.slice(0, start) + insert + view.slice(end), start + insert.length, 0);
    this.send();
  }

  send(): void {
    const change = this.agent.send();
    if (change) this.up.push(change);
  }

  arrive(): void {
    const act = this.up.shift();
    if (!act) return;
    const change = this.history.carried(act.base, act.change);
    if (change) {
      this.page = apply(this.page, change);
      this.history.note(this.page, change);
    }
    this.down.push({ word: this.page }, { done: change !== null });
  }

  hear(): void {
    const said = this.down.shift();
    if (!said) return;
    const before = this.agent.view;
    let change: Change;
    if ("word" in said) change = this.agent.told(said.word);
    else change = said.done ? this.agent.done() : this.agent.refused(true);
    assert.equal(apply(before, change), this.agent.view);
    this.send();
  }

  settle(): void {
    while (this.up.length > 0 || this.down.length > 0) {
      this.arrive();
      this.hear();
    }
  }
}

test("whatever both type at once, both see the same in the end and nothing typed is lost", () => {
  for (let seed = 1; seed <= 1500; seed++) {
    const roll = dice(seed);
    const both = new Both();
    const typed = { a: 0, c: 0 };
    for (let step = 0; step < 40; step++) {
      const what = roll(10);
      if (what < 3) {
        const at = roll(both.agent.view.length + 1);
        both.type(at, at, "a");
        typed.a++;
      } else if (what < 6) {
        const at = roll(both.page.length + 1);
        both.customer(`${both.page.slice(0, at)}c${both.page.slice(at)}`);
        typed.c++;
      } else if (what < 8) both.arrive();
      else both.hear();
    }
    both.settle();
    assert.equal(both.agent.view, both.page, `seed ${seed}`);
    assert.ok(both.agent.isSettled, `seed ${seed}`);
    for (const mark of ["a", "c"] as const) {
      const there = [...both.page].filter((char) => char === mark).length;
      const before = [..."start"].filter((char) => char === mark).length;
      assert.equal(there, before + typed[mark], `seed ${seed}: ${both.page}`);
    }
  }
});

test("deletions of both converge as well", () => {
  for (let seed = 1; seed <= 1500; seed++) {
    const roll = dice(seed);
    const both = new Both();
    for (let step = 0; step < 40; step++) {
      const what = roll(10);
      const text = what < 3 ? both.agent.view : both.page;
      const start = roll(text.length + 1);
      const end = Math.min(text.length, start + roll(3));
      const insert = "xyz".slice(roll(4));
      if (what < 3) both.type(start, end, insert);
      else if (what < 6) both.customer(text.slice(0, start) + insert + text.slice(end));
      else if (what < 8) both.arrive();
      else both.hear();
    }
    both.settle();
    assert.equal(both.agent.view, both.page, `seed ${seed}`);
  }
});

test("a page that makes something else of it wins", () => {
  const text = new SharedText("1234");
  text.edited("12345", 5, 0);
  assert.ok(text.send());
  text.edited("123456", 6, 0);
  assert.deepEqual(text.told("1234 5"), []);
  text.done();
  assert.equal(text.view, "1234 56");
  assert.deepEqual(text.send()?.change, [6, "6"]);
  text.told("");
  text.done();
  assert.equal(text.view, "");
});

test("what is refused goes", () => {
  const text = new SharedText("ab");
  text.edited("abc", 3, 0);
  text.send();
  text.edited("abcd", 4, 0);
  text.refused(false);
  assert.equal(text.view, "ab");
  assert.ok(text.isSettled);
});

test("undo takes back what the agent did and leaves what the customer did", () => {
  const text = new SharedText("hello");
  text.edited("hello you", 9, 0);
  text.send();
  text.told("hello you");
  text.done();
  text.told("oh, hello you");
  text.told("oh, hello you!");
  const caret = text.undo();
  assert.equal(text.view, "oh, hello!");
  assert.equal(caret, 9);
  assert.ok(text.send());
  text.told("oh, hello!");
  text.done();
  text.undo(true);
  assert.equal(text.view, "oh, hello you!");
});

test("a history knows what it had", () => {
  const history = new History("a");
  history.note("ab");
  history.note("xab");
  assert.deepEqual(history.carried(new History("ab").name, [2, "c"]), [3, "c"]);
  assert.equal(history.carried(new History("never").name, [2, "c"]), null);
  assert.deepEqual(between("ab", "xab"), ["x"]);
});
