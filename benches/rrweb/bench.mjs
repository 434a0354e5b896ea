/**
 * What sharing a page costs the customer's browser: our recorder beside rrweb's current release, in the same run, on the
 * same pages. `npm ci && npm run bench` (`-- --quick` for a short run); the figures are medians.
 *
 * Timed is the page's main thread, as processor time, so that a busy machine does not count, less what it takes without a
 * recorder: the start with all serialising (rrweb: JSON), without compressing, and with what is done right after it; and of
 * changes everything until the recorder is done (records, observers, frames, timers, garbage). Beside it stands how long the
 * browser was in the recorder's own calls, by the clock, for which the machine has to be quiet. The floor is an observer that does nothing. Of changes the page's
 * own layout and styles are not counted, which swing by more than a recorder costs; but they are, where a recorder has the page laid
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

/** Runs before everything else in a page: sees how long recorders work, by the clock, in all and at most at once. */
function prepare() {
  const timer = setTimeout.bind(window);
  const bench = { bytes: [], spent: 0, longest: 0, working: false };
  /** Calls what a recorder wants called, or starts one. */
  const timed = (work) =>
    function (...args) {
      if (bench.working) return work.apply(this, args);
      const began = performance.now();
      bench.working = true;
      try {
        return work.apply(this, args);
      } finally {
        bench.working = false;
        const took = performance.now() - began;
        bench.spent += took;
        bench.longest = Math.max(bench.longest, took);
      }
    };
  Object.assign(window, { bench, timed, wait: (time) => new Promise((resolve) => timer(resolve, time)) });
  for (const name of ["requestAnimationFrame", "setTimeout", "setInterval", "requestIdleCallback"]) {
    const native = window[name];
    window[name] = (work, ...rest) => native.call(window, timed(work), ...rest);
  }
  for (const name of ["MutationObserver", "ResizeObserver", "IntersectionObserver"]) {
    const construct = (native, [work, ...rest]) => new native(timed(work), ...rest);
    // It still says that it is the browser's own: a recorder may look for that.
    window[name] = window[name].prototype.constructor = new Proxy(window[name], { construct });
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
    const emit = (event) => bench.bytes.push(JSON.stringify(event));
    window.stop = timed(window.rrweb.record)({ emit });
  },
  tandem: () => {
    return new Promise((told) => {
      window.recorder = timed(window.startTandem)((bytes) => told(bench.bytes.push(bytes)));
    });
  },
  floor: () => {
    const all = { subtree: true, childList: true, attributes: true, attributeOldValue: true, characterData: true };
    new MutationObserver(() => {}).observe(document, all);
  },
  none: () => {},
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

/** What a recorder has spent by its own clock since this was last asked, and the longest of it at once. */
async function own(page) {
  return await page.evaluate(() => {
    const { spent, longest } = bench;
    Object.assign(bench, { spent: 0, longest: 0 });
    return { spent, longest };
  });
}

async function snapshot(html, recorder) {
  const { page, close } = await open(html, recorder);
  const before = await heap(page);
  const told = await timed(page, () => page.evaluate(`(${START[recorder]})()`));
  const rest = await timed(page, () => page.evaluate(() => wait(200)));
  const time = told.time + told.layout;
  const bytes = await emitted(page);
  // What the browser keeps beside the page's heap goes only when nothing runs.
  await page.evaluate(() => wait(500));
  const kept = (await heap(page)) - before;
  await close();
  return { time, whole: time + rest.time + rest.layout, gzip: gzipSync(bytes).length, raw: bytes.length, kept };
}

async function workload({ page: html, run }, recorder) {
  const { page, close } = await open(html, recorder);
  await page.evaluate(`(${START[recorder]})()`);
  // What follows a start is done, and what it left behind is gone.
  await page.evaluate(() => wait(700).then(gc));
  await emitted(page);
  await own(page);
  let changed = 0;
  const { time, layout, layouts } = await timed(page, async () => {
    changed = await page.evaluate(`(async () => {
      const began = performance.now();
      (${run})();
      // Observers are called before this goes on.
      await null;
      const changed = performance.now() - began;
      await wait(300);
      // A busy machine may be late with what there is to tell; what is shorter only says that nothing has changed.
      const told = () => !${EMITS.includes(recorder)} || bench.bytes.some(({ length }) => length > 200);
      for (let more = 100; more > 0 && !told(); more--) await wait(50);
      return changed;
    })()`);
  });
  const { spent, longest } = await own(page);
  const bytes = await emitted(page);
  await close();
  return { time, layout, layouts, spent, longest: Math.max(longest, changed), gzip: gzipSync(bytes).length, raw: bytes.length };
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
const times = (a, b) => [ms(a), ms(b), ratio(b, a)];
const sizes = (a, b) => [kb(a), kb(b), ratio(b, a)];
const line = (...cells) => console.log(`| ${cells.join(" | ")} |`);

console.log(`rrweb ${version}, Chromium ${browser.version()}, medians of ${ROUNDS}\n`);
line("snapshot", "rrweb", "Tandem", "ratio", "with what follows", "", "ratio", "rrweb gzip", "Tandem gzip", "ratio", "rrweb heap", "Tandem heap", "ratio");
line(...Array(13).fill("---"));
for (const [name, html] of Object.entries(PAGES)) {
  const [rrweb, tandem, none] = await compare(["rrweb", "tandem", "none"], (recorder) => snapshot(html, recorder));
  const spent = ["time", "whole"].flatMap((key) => times(rrweb[key] - none[key], tandem[key] - none[key]));
  line(name, ...spent, ...sizes(rrweb.gzip, tandem.gzip), ...sizes(rrweb.kept, tandem.kept));
}
console.log();
line("changes", "rrweb", "Tandem", "ratio", "in its calls", "", "ratio", "floor", "longest task", "rrweb bytes", "Tandem bytes", "ratio");
line(...Array(12).fill("---"));
const nothing = { time: 0, spent: 0, raw: 0 };
const totals = { all: [nothing, nothing, nothing], moves: [nothing, nothing, nothing] };
const add = (sum, one) => Object.fromEntries(Object.entries(sum).map(([key, value]) => [key, value + one[key]]));
for (const work of WORKLOADS) {
  const recorders = ["rrweb", "tandem", "floor", "none"];
  const [rrweb, tandem, floor, none] = await compare(recorders, (recorder) => workload(work, recorder));
  const all = [rrweb, tandem, floor];
  for (const one of all) {
    one.time -= none.time;
    if (one.layouts > none.layouts) one.time += one.layout - none.layout;
  }
  line(work.name, ...times(rrweb.time, tandem.time), ...times(rrweb.spent, tandem.spent), ms(floor.time), ms(tandem.longest), ...sizes(rrweb.raw, tandem.raw));
  totals.all = totals.all.map((sum, at) => add(sum, all[at]));
  if (work.moves) totals.moves = totals.moves.map((sum, at) => add(sum, all[at]));
}
for (const [name, [rrweb, tandem, floor]] of Object.entries(totals)) {
  line(`**${name}**`, ...times(rrweb.time, tandem.time), ...times(rrweb.spent, tandem.spent), ms(floor.time), "", ...sizes(rrweb.raw, tandem.raw));
}
await browser.close();
server.close();
