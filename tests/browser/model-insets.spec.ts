/**
 * The same for pages with frames of another host of the website: those are added, moved, navigated and removed while programs of their own
 * run in them, and frames of the first host in those.
 *
 * `MODEL_SEEDS`, `MODEL_SEED`, `MODEL_ROUNDS` and `MODEL_ONLY` as in model.spec.ts.
 */
import { randomInt } from "node:crypto";
import type { Frame } from "@playwright/test";
import { expect, faults, test } from "./hosts.ts";
import { compare } from "./model/compare.ts";
import { type Program, program } from "./model/program.ts";

const ROUNDS = Number(process.env.MODEL_ROUNDS ?? 4);
const SEEDS = Number(process.env.MODEL_SEEDS ?? 1);
const SEED = Number(process.env.MODEL_SEED ?? (SEEDS > 1 ? randomInt(1, 2 ** 31) : 1));
const ONLY = process.env.MODEL_ONLY?.split(",") ?? [];
const OPERATIONS = 60;
/**
 * What can not be known of a document that had it done before it was shared: docs/mirroring.md says so of rules. In a frame programs begin
 * at once.
 */
const UNKNOWN = ["selectorText", "ruleStyle", "insertRule", "deleteRule"];
const UTF8 = { "content-type": "text/html; charset=utf-8" };

declare const window: { program?: Program };

/** A page whose program depends on its address; it begins by itself. */
function page(name: string, seed: number, elsewhere: string[]): string {
  const only = name === "model" || ONLY.length > 0 ? ONLY : ["-", ...UNKNOWN];
  return `<!doctype html><title>${name}</title><h1>${name}</h1><main></main><script>
  (${program})(Number(location.search.slice(1)) + ${seed}, ${JSON.stringify(only)}, ${JSON.stringify(elsewhere)});
  ${name === "model" ? "" : "window.program.change(30);"}</script>`;
}

/** Has every program that runs now go on; a frame may go away under it. */
async function change(frames: Frame[], operations: number): Promise<void> {
  const each = frames.map((frame) => frame.evaluate((count) => window.program?.change(count), operations).catch(() => {}));
  await Promise.all(each);
}

test("after any program the mirror shows frames of other hosts as they are", async ({ page: customer, agent, site, start }) => {
  test.setTimeout(90_000 + SEEDS * ROUNDS * 25_000);
  const write = (seed: number): void => {
    site.put("pay", "/inset", page("inset", seed, [`${site.shop}/leaf`]), UTF8);
    site.put("shop", "/leaf", page("leaf", seed, []), UTF8);
    site.put("shop", "/model", page("model", seed, [`${site.pay}/inset`]), UTF8);
  };
  write(SEED);
  await customer.addInitScript(() => {
    // Where an error of ours came from.
    const { debug } = console;
    console.debug = (...said) => debug(...said.map((it) => (it instanceof Error ? it.stack : it)));
  });
  const said: string[] = [];
  for (const one of [customer, agent.page]) {
    one.on("console", (message) => message.text().startsWith("Tandem:") && said.push(message.text()));
  }
  await start(customer, "/model?0");
  for (let run = 0; run < SEEDS; run++) {
    console.log(`MODEL_SEED=${SEED + run}`);
    write(SEED + run);
    if (run > 0) await customer.goto(`${site.shop}/model?0`);
    for (let round = 0; round < ROUNDS; round++) {
      const context = `MODEL_SEED=${SEED + run}, round ${round}`;
      await change(customer.frames(), OPERATIONS);
      await compare(customer, agent, context, 20_000);
      expect([...(await faults(site)), ...said], context).toEqual([]);
    }
  }
});
