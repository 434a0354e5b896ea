/**
 * Bundles the browser code: `node build.mjs OUT_DIR` writes it, `node build.mjs --sizes` only measures it.
 *
 * What runs in customers' pages has a bound on its size; a build over a bound fails.
 */

import { existsSync } from "node:fs";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { bundle } from "./bundle.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));

/** What every session loads, whatever the page is: the recorder and the widget, and nothing beside them. */
const SESSION = { parts: ["customer.js"], limit: 25 * 1024 };

/** What is built of what, and how many bytes it may have after gzip. */
const BUNDLES = [
  { out: "loader.js", entry: "src/loader/main.ts", limit: 4 * 1024 },
  { out: "customer.js", entry: "src/customer/main.ts", limit: SESSION.limit, atOnce: true },
  // Loaded only where a page has something to take a picture of.
  { out: "pictures.js", entry: "src/pictures/main.ts", limit: 3 * 1024 },
  // Loaded where scripts have made or changed style rules.
  { out: "sheets.js", entry: "src/sheets/main.ts", limit: 3 * 1024 },
  // Loaded where a page animates.
  { out: "motion.js", entry: "src/motion/main.ts", limit: 3 * 1024 },
  // Loaded where the company has terms, or when the agent asks to type and click.
  { out: "asks.js", entry: "src/asks/main.ts", limit: 2 * 1024 },
  // Loaded when the session is over.
  { out: "farewell.js", entry: "src/farewell/main.ts", limit: 1024 },
  // Loaded when the customer moves the panel, or types into what is under it.
  { out: "place.js", entry: "src/place/main.ts", limit: 3 * 1024 },
  // Loaded where the server lacks something that can not be had from its address any more.
  { out: "reread.js", entry: "src/reread/main.ts", limit: 1024 },
  // Loaded once the agent points.
  { out: "hand.js", entry: "src/hand/main.ts", limit: 1024 },
  // Loaded where something is hidden from the agent.
  { out: "outlines.js", entry: "src/outlines/main.ts", limit: 2 * 1024 },
  // Loaded when the customer points into a frame.
  { out: "depth.js", entry: "src/depth/main.ts", limit: 1024 },
  // Loaded where a page has a field that is withheld.
  { out: "echoes.js", entry: "src/echoes/main.ts", limit: 2 * 1024 },
  { out: "held.js", entry: "src/held/main.ts", limit: 3 * 1024 },
  // Loaded where the website has several hosts and the page a frame that its script can not reach into; and in such a frame.
  { out: "frames.js", entry: "src/frames/main.ts", limit: 1024 },
  { out: "inset.js", entry: "src/inset/main.ts", limit: 20_992 },
  // Loaded when the customer allows the agent to type and click.
  { out: "acting.js", entry: "src/acting/main.ts", limit: 20.5 * 1024 },
  { out: "agent.js", entry: "src/agent/main.tsx" },
  { out: "agent.css", entry: "src/agent/agent.css" },
];

/** What is copied as it is. */
const FILES = [
  { out: "index.html", from: "src/agent/index.html" },
  { out: "mirror.html", from: "src/agent/mirror.html" },
];

const target = process.argv[2];
if (!target) {
  console.error("usage: node build.mjs OUT_DIR | --sizes");
  process.exit(2);
}
const writes = target !== "--sizes";
if (writes) await mkdir(target, { recursive: true });

let failed = false;
let session = 0;
for (const item of BUNDLES) {
  if (!existsSync(join(HERE, item.entry))) continue;
  const bytes = await bundle(item.entry, !!item.limit, item.atOnce);
  if (writes) await writeFile(join(target, item.out), bytes);
  const size = gzipSync(bytes, { level: 9 }).length;
  const bound = item.limit ? ` of ${item.limit}` : "";
  console.log(`${item.out.padEnd(12)} ${bytes.length} bytes, ${size}${bound} with gzip`);
  if (SESSION.parts.includes(item.out)) session += size;
  if (item.limit && size > item.limit) {
    console.error(`${item.out} is ${size - item.limit} bytes over its bound`);
    failed = true;
  }
}
console.log(`every session loads ${session} of ${SESSION.limit} with gzip`);
if (session > SESSION.limit) {
  console.error(`what every session loads is ${session - SESSION.limit} bytes over its bound`);
  failed = true;
}
for (const file of writes ? FILES : []) {
  if (existsSync(join(HERE, file.from))) await copyFile(join(HERE, file.from), join(target, file.out));
}
if (failed) process.exit(1);
