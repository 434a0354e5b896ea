/**
 * Bundles the browser code: `node build.mjs OUT_DIR` writes it, `node build.mjs --sizes` only measures it.
 *
 * What runs in customers' pages has a bound on its size; a build over a bound fails.
 */

import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));

/** The oldest browsers that it runs in. */
const TARGET = ["es2022", "safari16.4"];

/** What is built of what, and how many bytes it may have after gzip. */
const BUNDLES = [
  { out: "loader.js", entry: "src/loader/main.ts", limit: 4 * 1024 },
  { out: "customer.js", entry: "src/customer/main.ts", limit: 25 * 1024 },
  // Loaded only where a page has something to take a picture of.
  { out: "pictures.js", entry: "src/pictures/main.ts", limit: 3 * 1024 },
  // Loaded where the company has terms.
  { out: "terms.js", entry: "src/terms/main.ts", limit: 2 * 1024 },
  // Loaded once the panel is there, to move it.
  { out: "place.js", entry: "src/place/main.ts", limit: 3 * 1024 },
  // Loaded when the customer wants to see what is hidden.
  { out: "outlines.js", entry: "src/outlines/main.ts", limit: 2 * 1024 },
  // Loaded when the server wants what only this page has.
  { out: "wants.js", entry: "src/wants/main.ts", limit: 2 * 1024 },
  { out: "held.js", entry: "src/held/main.ts", limit: 3 * 1024 },
  // Loaded when the customer allows the agent to type and click.
  { out: "acting.js", entry: "src/acting/main.ts", limit: 19 * 1024 },
  { out: "agent.js", entry: "src/agent/main.tsx" },
  { out: "agent.css", entry: "src/agent/agent.css" },
];

/** What is copied as it is. */
const FILES = [
  { out: "index.html", from: "src/agent/index.html" },
  { out: "mirror.html", from: "src/agent/mirror.html" },
];

/** Style sheets of shadow roots travel inside the script, minified. */
const inlineStyles = {
  name: "inline-styles",
  setup(plugin) {
    plugin.onLoad({ filter: /\.inline\.css$/ }, async ({ path }) => {
      const css = await transform(await readFile(path, "utf8"), {
        loader: "css",
        minify: true,
        target: TARGET,
      });
      return { contents: css.code.trim(), loader: "text" };
    });
  },
};

async function bundle({ out, entry }) {
  const result = await build({
    absWorkingDir: HERE,
    entryPoints: [entry],
    outfile: out,
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: TARGET,
    jsx: "automatic",
    jsxImportSource: "preact",
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
    plugins: [inlineStyles],
  });
  return result.outputFiles[0].contents;
}

const target = process.argv[2];
if (!target) {
  console.error("usage: node build.mjs OUT_DIR | --sizes");
  process.exit(2);
}
const writes = target !== "--sizes";
if (writes) await mkdir(target, { recursive: true });

let failed = false;
for (const item of BUNDLES) {
  if (!existsSync(join(HERE, item.entry))) continue;
  const bytes = await bundle(item);
  if (writes) await writeFile(join(target, item.out), bytes);
  const size = gzipSync(bytes, { level: 9 }).length;
  const bound = item.limit ? ` of ${item.limit}` : "";
  console.log(`${item.out.padEnd(12)} ${bytes.length} bytes, ${size}${bound} with gzip`);
  if (item.limit && size > item.limit) {
    console.error(`${item.out} is ${size - item.limit} bytes over its bound`);
    failed = true;
  }
}
for (const file of writes ? FILES : []) {
  if (existsSync(join(HERE, file.from))) await copyFile(join(HERE, file.from), join(target, file.out));
}
if (failed) process.exit(1);
