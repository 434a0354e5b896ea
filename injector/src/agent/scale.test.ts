/** The page is never shown larger than it is, and smaller only where the window is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { before, scaleToFit } from "./scale.ts";

const page = { width: 1000, height: 800 };

test("fits by the tighter side", () => {
  assert.equal(scaleToFit(page, { width: 2000, height: 2000 }, 0.3), 1);
  assert.equal(scaleToFit(page, { width: 500, height: 2000 }, 0.3), 0.5);
  assert.equal(scaleToFit(page, { width: 2000, height: 600 }, 0.3), 0.75);
});

test("has a floor, and does not divide by nothing", () => {
  assert.equal(scaleToFit(page, { width: 10, height: 10 }, 0.3), 0.3);
  assert.equal(scaleToFit(page, { width: 0, height: 0 }, 0.3), 1);
  assert.equal(scaleToFit({ width: 0, height: 0 }, { width: 10, height: 10 }, 0.3), 1);
});

test("the page begins on a whole pixel of the screen, and never outside", () => {
  assert.equal(before(57, 909, 760, 1), 74);
  assert.equal(before(57, 910, 760.5, 1), 74);
  assert.equal(before(57, 100, 300, 1), 0);
  assert.equal(before(57, 909, 760, 1.25), 128 - 57);
  assert.equal(before(57, 909, 760, 1.5), 130 - 57);
  assert.equal(before(57, 909, 760, 4 / 3), 129 - 57);
  assert.equal(before(57, 909, 760, 1.1), 130 - 57);
  assert.equal(before(57, 909, 760, Math.SQRT2), 131 - 57);
  assert.equal(before(57, 760, 760, 1.25), 0);
});
