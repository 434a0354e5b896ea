/**
 * What sharing a page costs the customer's browser: our recorder beside rrweb's current release, in the same run, on the
 * same pages. `npm ci && npm run bench` (`-- --quick` for a short run); the figures are medians.
 *
 * Timed is the page's main thread, as processor time, so that a busy machine does not count: the start with all serialising
 * (rrweb: JSON), without compressing; and of changes everything until the recorder is done (records, observers, frames,
 * timers, garbage), less what the same changes take without a recorder. The floor is an observer that does nothing. The page's
 * own layout and styles are not counted, which swing by more than a recorder costs; but it is, where a recorder has the page laid
 * out more often than without it.
 */

import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { bundle } from "../../injector/bundle.mjs";
import { css, PAGES, WORKLOADS } from "./pages.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const quick = process.argv.includes("--quick");
const ROUNDS = quick ? 1 : 5;

const theirs = await readFile(join(HERE, "node_modules/rrweb/dist/rrweb.umd.min.cjs"), "utf8");
/** What a page loads of each of them, as they are shipped. */
const SCRIPTS = {
  rrweb: `(()=>{var exports,module,define;${theirs}\n;window.rrweb??=rrweb})()`,
  tandem: await bundle("../benches/rrweb/tandem.ts", true, true),
  floor: "",
  none: "",
};
const version = JSON.parse(await readFile(join(HERE, "node_modules/rrweb/package.json"), "utf8")).version;

/** Runs before everything else in a page: sees how long recorders keep it in one frame or timer. */
function prepare() {
  const bench = { bytes: [], longest: 0 };
  const timer = setTimeout.bind(window);
  Object.assign(window, { bench, wait: (time) => new Promise((resolve) => timer(resolve, time)) });
  for (const name of ["requestAnimationFrame", "setTimeout", "setInterval", "requestIdleCallback"]) {
    const native = window[name];
    const timed = (work) => (...args) => {
      const began = performance.now();
      work(...args);
      bench.longest = Math.max(bench.longest, performance.now() - began);
    };
    window[name] = (work, ...rest) => native.call(window, timed(work), ...rest);
  }
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://x");
  if (pathname === "/site.css") response.writeHead(200, { "content-type": "text/css" }).end(css());
  else if (pathname.endsWith(".js")) response.writeHead(200, { "content-type": "text/javascript" }).end(SCRIPTS[pathname.slice(1, -3)]);
  else if (pathname === "/page") response.writeHead(200, { "content-type": "text/html" }).end(current);
  else response.writeHead(404).end();
});
let current = "";
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = `http://127.0.0.1:${server.address().port}/page`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info", "--js-flags=--expose-gc"],
});

const START = {
  rrweb: () => {
    window.stop = window.rrweb.record({ emit: (event) => bench.bytes.push(JSON.stringify(event)) });
  },
  tandem: () => {
    return new Promise((told) => {
      window.recorder = window.startTandem((bytes) => told(bench.bytes.push(bytes.slice())));
    });
  },
  floor: () => {
    const all = { subtree: true, childList: true, attributes: true, attributeOldValue: true, characterData: true };
    new MutationObserver(() => {}).observe(document, all);
  },
};

/** Those of them that tell something. */
const EMITS = ["rrweb", "tandem"];

/** A fresh page with one recorder, not started. */
async function open(html, recorder) {
  current = html.replace("<head>", `<head><script src="/${recorder}.js"></script>`);
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(prepare);
  await page.goto(address);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  return { page, close: () => context.close() };
}

/** Everything that was emitted since the last call, as one buffer, and its size as text. */
async function emitted(page) {
  const chunks = await page.evaluate(async () => {
    const all = bench.bytes.splice(0);
    const blob = new Blob(all.flatMap((one) => (typeof one === "string" ? [one, "\n"] : [one])));
    const bytes = new Uint8Array(await blob.arrayBuffer());
    let text = "";
    for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
    return btoa(text);
  });
  return Buffer.from(chunks, "base64");
}

async function heap(page) {
  const session = await page.context().newCDPSession(page);
  for (let n = 0; n < 3; n++) await session.send("HeapProfiler.collectGarbage");
  const { usedSize, embedderHeapUsedSize = 0 } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize + embedderHeapUsedSize;
}

/** The processor time that the page's main thread spends on `work`, in milliseconds: scripts and all else, and on layouts; and their number. */
async function timed(page, work) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const spent = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
  const before = await spent();
  await work();
  const after = await spent();
  await session.detach();
  const took = (name) => (after[name] - before[name]) * 1000;
  const layout = took("LayoutDuration") + took("RecalcStyleDuration");
  return { time: took("TaskDuration") - layout, layout, layouts: after.LayoutCount - before.LayoutCount };
}

async function snapshot(html, recorder) {
  const { page, close } = await open(html, recorder);
  const before = await heap(page);
  const { time, layout } = await timed(page, () => page.evaluate(`(${START[recorder]})()`));
  const bytes = await emitted(page);
  const kept = (await heap(page)) - before;
  await close();
  return { time: time + layout, gzip: gzipSync(bytes).length, raw: bytes.length, kept };
}

async function workload({ page: html, run }, recorder) {
  const { page, close } = await open(html, recorder);
  if (START[recorder]) await page.evaluate(`(${START[recorder]})()`);
  // What follows a start is done, and what it left behind is gone.
  await page.evaluate(() => wait(700).then(gc));
  await emitted(page);
  let longest = 0;
  const { time, layout, layouts } = await timed(page, async () => {
    longest = await page.evaluate(`(async () => {
      bench.longest = 0;
      (${run})();
      const changed = performance.now();
      // Observers are called before this goes on.
      await null;
      const observed = performance.now() - changed;
      await wait(300);
      // A busy machine may be late with what there is to tell; what is shorter only says that nothing has changed.
      const told = () => !${EMITS.includes(recorder)} || bench.bytes.some(({ length }) => length > 200);
      for (let more = 100; more > 0 && !told(); more--) await wait(50);
      return Math.max(observed, bench.longest);
    })()`);
  });
  const bytes = await emitted(page);
  await close();
  return { time, layout, layouts, longest, gzip: gzipSync(bytes).length, raw: bytes.length };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** All in turn, so that all have the same weather. */
async function compare(recorders, measure) {
  const samples = recorders.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, recorder] of recorders.entries()) samples[at].push(await measure(recorder));
  }
  return samples.map((of) =>
    Object.fromEntries(Object.keys(of[0]).map((key) => [key, median(of.map((one) => one[key]))])),
  );
}

const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const kb = (value) => `${(value / 1024).toFixed(value < 10_240 ? 1 : 0)} KB`;
const ratio = (a, b) => (a / b).toFixed(3);
const line = (...cells) => console.log(`| ${cells.join(" | ")} |`);

console.log(`rrweb ${version}, Chromium ${browser.version()}, medians of ${ROUNDS}\n`);
line("snapshot", "rrweb", "Tandem", "time ratio", "rrweb gzip", "Tandem gzip", "bytes ratio", "rrweb heap", "Tandem heap", "heap ratio");
line(...Array(10).fill("---"));
for (const [name, html] of Object.entries(PAGES)) {
  const [rrweb, tandem] = await compare(["rrweb", "tandem"], (recorder) => snapshot(html, recorder));
  line(
    ...[name, ms(rrweb.time), ms(tandem.time), ratio(tandem.time, rrweb.time), kb(rrweb.gzip), kb(tandem.gzip)],
    ...[ratio(tandem.gzip, rrweb.gzip), kb(rrweb.kept), kb(tandem.kept), ratio(tandem.kept, rrweb.kept)],
  );
}
console.log();
line("changes", "rrweb", "Tandem", "time ratio", "floor", "longest task", "rrweb bytes", "Tandem bytes", "bytes ratio");
line(...Array(9).fill("---"));
const total = { all: [0, 0, 0], moves: [0, 0, 0], bytes: [0, 0, 0] };
for (const work of WORKLOADS) {
  const recorders = ["rrweb", "tandem", "floor", "none"];
  const [rrweb, tandem, floor, none] = await compare(recorders, (recorder) => workload(work, recorder));
  for (const one of [rrweb, tandem, floor]) {
    one.time -= none.time;
    if (one.layouts > none.layouts) one.time += one.layout - none.layout;
  }
  line(
    ...[work.name, ms(rrweb.time), ms(tandem.time), ratio(tandem.time, rrweb.time), ms(floor.time), ms(tandem.longest)],
    ...[kb(rrweb.raw), kb(tandem.raw), ratio(tandem.raw, rrweb.raw)],
  );
  [rrweb, tandem, floor].forEach((one, at) => {
    total.all[at] += one.time;
    if (work.moves) total.moves[at] += one.time;
    if (work.moves) total.bytes[at] += one.raw;
  });
}
line("**together**", ms(total.all[0]), ms(total.all[1]), ratio(total.all[1], total.all[0]), ms(total.all[2]), "", "", "", "");
line(
  ...["**sorting and shuffling**", ms(total.moves[0]), ms(total.moves[1]), ratio(total.moves[1], total.moves[0]), ms(total.moves[2]), ""],
  ...[kb(total.bytes[0]), kb(total.bytes[1]), ratio(total.bytes[1], total.bytes[0])],
);
await browser.close();
server.close();
