/**
 * Looks at pages of a website behind Tandem and without it, in a browser: what differs to the eye, and which errors
 * come on the console that did not come before.
 *
 *     node tests/look.mjs http://www.example.test:9000 http://help.example.test:8080 / /products /checkout
 *
 * Give the two names of their own, for cookies ignore ports: every `*.test` is this machine. Our button is left out.
 * `--wait 2000`: so many milliseconds for what a page loads late; `--keep FOLDER`: the pictures of pages that differ.
 * Exits with 1 if more than 0.5 % of a page's pixels differ, or an error is new.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ALLOWED, difference, launch } from "./screens.mjs";

const words = process.argv.slice(2);
const option = (name, otherwise) => {
  const at = words.indexOf(name);
  return at < 0 ? otherwise : words.splice(at, 2)[1];
};
const wait = Number(option("--wait", "1000"));
const keep = option("--keep", "");
const [direct, proxied, ...paths] = words;

const browser = await launch();

/** A browser that goes one of the two ways. */
async function visitor(base) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce" });
  const page = await context.newPage();
  let errors = [];
  const note = (text) => errors.push(text.replaceAll(base, "").slice(0, 200));
  page.on("console", (message) => message.type() === "error" && note(message.text()));
  page.on("pageerror", (error) => note(String(error)));
  return async (path) => {
    errors = [];
    await page.goto(base + path);
    await page.waitForTimeout(wait);
    await page.evaluate(() => document.querySelector("tandem-widget")?.remove());
    const picture = await page.screenshot({ animations: "disabled", caret: "hide" });
    return { picture, errors: new Set(errors), title: await page.title() };
  };
}

const ways = [await visitor(direct), await visitor(proxied)];
let wrong = 0;
for (const path of paths.length ? paths : ["/"]) {
  const [before, after] = [await ways[0](path), await ways[1](path)];
  const { share } = difference(before.picture, after.picture);
  const fresh = [...after.errors].filter((error) => !before.errors.has(error));
  const differs = share > ALLOWED || fresh.length > 0 || before.title !== after.title;
  console.log(`${differs ? "DIFFERS" : "same"}  ${(100 * share).toFixed(3)} %  ${path}`);
  for (const error of fresh) console.log(`   new: ${error}`);
  if (before.title !== after.title) console.log(`   title: ${before.title} became ${after.title}`);
  if (differs) wrong += 1;
  if (differs && keep) {
    mkdirSync(keep, { recursive: true });
    const name = path.replace(/\W+/g, "-");
    writeFileSync(join(keep, `${name}-direct.png`), before.picture);
    writeFileSync(join(keep, `${name}-proxied.png`), after.picture);
  }
}
await browser.close();
process.exit(wrong ? 1 : 0);
