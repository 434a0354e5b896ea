/** What is in no browser that we promise to work in is in no sheet of ours, unless something else is said before it. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

/** What Safari 16.4 does not know, and would leave a sheet without. */
const NEWER = /([\w-]+)\s*:\s*[^;{}]*\b(?:light-dark|contrast-color|sibling-index)\(/g;
const SOURCES = join(process.cwd(), "src");

test("sheets say nothing that Safari 16.4 can not read", () => {
  const files = readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".css"),
  );
  assert.ok(files.length > 5);
  for (const file of [...files, "agent/mirror/marks.ts"]) {
    const text = readFileSync(join(SOURCES, file), "utf8");
    for (const { 0: said, 1: property = "", index } of text.matchAll(NEWER)) {
      const block = text.slice(text.lastIndexOf("{", index) + 1, index);
      assert.match(block, new RegExp(`(^|[;\\s])${property}\\s*:`), `${file}: ${said}`);
    }
    assert.doesNotMatch(text, /@scope\b|@function\b/, file);
  }
});
