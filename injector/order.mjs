/**
 * Finds the order of the modules of `customer.js` in which it takes least bytes, and keeps it in `order.json`: `node order.mjs`.
 *
 * gzip finds again only what is in the 32 KB before, and `customer.js` is more than twice that long, so that it matters what is near
 * what. Imports always come before what imports them, whatever this order is. To be run again after modules came or went; an
 * old order costs a few bytes and nothing else.
 */

import { readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { inOrder, shorter, styles } from "./bundle.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ENTRY = "src/customer/main.ts";
const KEPT = join(HERE, "order.json");
/** How long it tries, in milliseconds. */
const TRIES = 120_000;

/** Where a module ends in the bundle, as a call that nobody may leave out. */
const mark = (path) => `globalThis.ends(${JSON.stringify(relative(HERE, path))});`;
const marked = {
  name: "marked",
  setup(plugin) {
    plugin.onLoad({ filter: /\.inline\.css$/ }, async ({ path }) => ({
      contents: `export default ${JSON.stringify(await styles(path))};${mark(path)}`,
    }));
    plugin.onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: `${await readFile(path, "utf8")}\n${mark(path)}`,
      loader: "ts",
    }));
  },
};

const { outputFiles, metafile } = await inOrder([ENTRY], [marked]);
const text = await shorter(outputFiles[0].text);
const pieces = new Map();
let rest = 0;
for (const { 0: call, 1: module, index } of text.matchAll(/globalThis\.ends\("([^"]+)"\)[,;]?/g)) {
  pieces.set(module, text.slice(rest, index));
  rest = index + call.length;
}
const needs = (module) => metafile.inputs[module]?.imports.map(({ path }) => path) ?? [];

/** As they come in a bundle: what a module needs before it. */
function settled(order) {
  const all = new Set();
  const add = (module, before) => {
    if (all.has(module) || before.has(module)) return;
    for (const other of needs(module)) add(other, new Set([...before, module]));
    all.add(module);
  };
  for (const module of order) if (pieces.has(module)) add(module, new Set());
  return [...all].filter((module) => pieces.has(module));
}

const size = (order) => gzipSync(order.map((module) => pieces.get(module)).join(""), { level: 9 }).length;
const any = (below) => Math.floor(Math.random() * below);

let best = settled([...JSON.parse(await readFile(KEPT, "utf8")), ENTRY]);
let least = size(best);
console.log(`${size(settled([ENTRY]))} bytes as the imports have it, ${least} in the order until now`);
for (const end = Date.now() + TRIES; Date.now() < end; ) {
  const other = best.filter((module) => module !== ENTRY);
  const some = other.splice(any(other.length), 1 + any(3));
  other.splice(any(other.length + 1), 0, ...some);
  const order = settled([...other, ENTRY]);
  const bytes = size(order);
  if (bytes > least) continue;
  best = order;
  least = bytes;
}
console.log(`${least} bytes`);
await writeFile(KEPT, `${JSON.stringify(best, null, 2)}\n`);
