/**
 * Looks at screens for the scripts beside it: starts a browser whose pictures are steady, and says how much of two pictures differs.
 */

import { createRequire } from "node:module";

const require = createRequire(new URL("browser/package.json", import.meta.url));
const { chromium } = require("@playwright/test");
const { PNG } = require("pngjs");
const pixelmatch = require("pixelmatch");

/** The share of pixels that may differ: smoothed edges. */
export const ALLOWED = 0.005;

/** Debian's Chromium; every `*.test` is this machine. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--host-resolver-rules=MAP *.test 127.0.0.1",
      "--force-color-profile=srgb",
      "--font-render-hinting=none",
      "--disable-lcd-text",
    ],
  });
}

/** The share of pixels that differ in two pictures of one size, without the boxes `left` out, of which a pixel is `scale` of theirs. */
export function difference(before, after, left = [], scale = 1) {
  const [one, other] = [PNG.sync.read(before), PNG.sync.read(after)];
  if (one.width !== other.width || one.height !== other.height) return { share: 1, picture: before };
  const { width, height } = one;
  const within = (value, most) => Math.min(most, Math.max(0, value));
  for (const box of left) {
    const start = (at) => Math.floor(at * scale);
    const stop = (at) => Math.ceil(at * scale);
    const [from, to] = [within(start(box.x), width), within(stop(box.x + box.width), width)];
    const end = within(stop(box.y + box.height), height);
    for (let y = within(start(box.y), height); y < end; y++) {
      for (const { data } of [one, other]) data.fill(0, (y * width + from) * 4, (y * width + to) * 4);
    }
  }
  const drawn = new PNG({ width, height });
  const match = pixelmatch.default ?? pixelmatch;
  const pixels = match(one.data, other.data, drawn.data, width, height, { threshold: 0.1 });
  return { share: pixels / (width * height), picture: PNG.sync.write(drawn) };
}
