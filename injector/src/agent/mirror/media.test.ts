import assert from "node:assert/strict";
import { test } from "node:test";
import { answered } from "./media.ts";

const DARK = 1 << 0;
const HOVER = 1 << 5;
const FINE = 1 << 8;

test("asks for what the customer has", () => {
  const yes = "(min-width: 0px)";
  const no = "(min-width: 99999999px)";
  for (const [query, bits, expected] of [
    ["(prefers-color-scheme: dark)", DARK, yes],
    ["(prefers-color-scheme:light)", DARK, no],
    ["screen and (PREFERS-REDUCED-MOTION) and (width > 3px)", 0, `screen and ${no} and (width > 3px)`],
    ["(prefers-reduced-motion: no-preference)", 0, yes],
    ["(hover: hover) and (pointer: fine)", HOVER | FINE, `${yes} and ${yes}`],
    ["not all and (hover), (any-pointer: none)", HOVER, `not all and ${yes}, ${yes}`],
    ["(min-resolution: 2dppx) and (hover)", 0, `${yes} and ${no}`],
    ["print", DARK, "print"],
  ] as const) {
    assert.equal(answered(query, bits, 200), expected, query);
  }
});
