import assert from "node:assert/strict";
import { test } from "node:test";
import { answeredFor, chosenFor } from "./resolution.ts";

test("queries for a resolution are answered for the customer's", () => {
  for (const [query, ratio, expected] of [
    ["(min-resolution: 2dppx)", 200, "yes"],
    ["(min-resolution: 2dppx)", 100, "no"],
    ["(min-resolution: 192dpi)", 200, "yes"],
    ["(MIN-RESOLUTION:144dpi)", 125, "no"],
    ["(max-resolution: 1.5x)", 100, "yes"],
    ["(resolution: 1dppx)", 100, "yes"],
    ["(resolution: 1dppx)", 200, "no"],
    ["(resolution >= 2dppx)", 200, "yes"],
    ["(resolution > 2dppx)", 200, "no"],
    ["(resolution < 2x) and (width > 3px)", 150, "yes and (width > 3px)"],
    ["(-webkit-min-device-pixel-ratio: 1.5)", 200, "yes"],
    ["(-webkit-device-pixel-ratio: 2)", 100, "no"],
    ["(min--moz-device-pixel-ratio: 2)", 200, "yes"],
    ["print and (min-resolution: 75.6dpcm)", 200, "print and yes"],
    ["(min-width: 2px)", 200, "(min-width: 2px)"],
  ] as const) {
    assert.equal(
      answeredFor(ratio, query, (holds) => (holds ? "yes" : "no")),
      expected,
      `${query} at ${ratio}`,
    );
  }
});

test("of a set of pictures the customer's is left", () => {
  const set = 'image-set(url("a,(1).png") 1dppx, url("b.png") 2dppx type("image/png"))';
  for (const [value, ratio, expected] of [
    [set, 100, 'image-set(url("a,(1).png") 1dppx)'],
    [set, 125, 'image-set(url("b.png") 2dppx type("image/png"))'],
    [set, 300, 'image-set(url("b.png") 2dppx type("image/png"))'],
    ["-webkit-image-set(url(a) 2x, url(b) 1x), none", 100, "-webkit-image-set(url(b) 1x), none"],
    ['image-set("a", "b\\"2x" 192dpi)', 100, 'image-set("a")'],
    [
      "image-set(linear-gradient(red, rgb(1, 2, 3)) 1x, url(b) 2x)",
      100,
      "image-set(linear-gradient(red, rgb(1, 2, 3)) 1x)",
    ],
    [`url(x), ${set}`, 100, 'url(x), image-set(url("a,(1).png") 1dppx)'],
    ["image-set(f(\\) 2x ) 1x, url(b) 2x)", 200, "image-set(url(b) 2x)"],
    ["image-set(", 100, "image-set("],
    ["url(a)", 200, "url(a)"],
  ] as const) {
    assert.equal(chosenFor(ratio, value), expected, `${value} at ${ratio}`);
  }
});
