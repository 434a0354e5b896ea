/** That the page's word is held back while an agent's action is unanswered, and never lost. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers } from "./answers.ts";

test("the page's word is shown at once when nothing is unanswered", () => {
  const answers = new Answers();
  assert.equal(answers.told(5), true);
  answers.sent(1, 6);
  assert.equal(answers.told(5), true);
});

test("only the answer to the last action on a node settles it", () => {
  const answers = new Answers();
  answers.sent(1, 5);
  answers.sent(2, 5);
  assert.equal(answers.told(5), false);
  assert.equal(answers.answered(1), null);
  assert.equal(answers.isWaiting(5), true);
  assert.deepEqual(answers.answered(2), { node: 5, told: true });
  assert.equal(answers.isWaiting(5), false);
  assert.equal(answers.told(5), true);
});

test("silence of the page is told apart", () => {
  const answers = new Answers();
  answers.sent(1, 5);
  assert.deepEqual(answers.answered(1), { node: 5, told: false });
});

test("answers to nothing, twice or from before are ignored", () => {
  const answers = new Answers();
  assert.equal(answers.answered(9), null);
  answers.sent(1, 5);
  answers.answered(1);
  assert.equal(answers.answered(1), null);
  answers.sent(2, 5);
  answers.clear();
  assert.equal(answers.answered(2), null);
  assert.equal(answers.told(5), true);
});
