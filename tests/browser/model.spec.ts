/**
 * Random programs change the customer's page; at random points and at the end the agent's mirror is the same page:
 * structure, attributes, texts, the state of controls and of the top layer, scroll positions, some computed styles.
 *
 * `MODEL_SEEDS=100 npx playwright test model` runs as many programs, from a random seed on. Every seed is printed and can be given:
 * `MODEL_SEED=7 MODEL_ROUNDS=12`. `MODEL_ONLY=insert,move` does only these operations, `MODEL_ONLY=-,move` all others. When pages
 * differ, both are written beside the results.
 */
import { randomInt } from "node:crypto";
import { compare, here } from "./model/compare.ts";
import { type Program, program } from "./model/program.ts";
import { anyStyle, type Customer, type Demo, expect, test } from "./rig.ts";

const ROUNDS = Number(process.env.MODEL_ROUNDS ?? 5);
const SEEDS = Number(process.env.MODEL_SEEDS ?? 1);
/** The suite does the same every time. */
const SEED = Number(process.env.MODEL_SEED ?? (SEEDS > 1 ? randomInt(1, 2 ** 31) : 1));
const ONLY = process.env.MODEL_ONLY?.split(",") ?? [];
const OPERATIONS = 150;

declare const window: { program: Program };

/** What went wrong in between, even if it was repaired. */
async function faults({ console: address, log }: Demo): Promise<string[]> {
  const metrics = await (await fetch(`${address}/metrics`)).text();
  const counters = metrics.match(/^tandem_session_(\w+_divergences|\w+_resyncs)_total .*$/gm) ?? [];
  expect(counters).toHaveLength(4);
  return [...counters, ...(log().match(/^.*(?:WARN|ERROR).*$/gm) ?? [])];
}

/** Whether the browser dies of a program by itself, on a page that has nothing of ours. */
async function crashesAlone({ page }: Customer, seed: number): Promise<boolean> {
  const alone = await page.context().newPage();
  let crashed = false;
  alone.on("crash", () => {
    crashed = true;
  });
  await alone.setContent("<!doctype html><main></main>");
  try {
    await alone.evaluate(`(${program})(${seed}, ${JSON.stringify(ONLY)})`);
    for (let round = 0; round < ROUNDS; round++) {
      await alone.evaluate((count) => window.program.change(count), OPERATIONS);
      await here(alone.mainFrame());
    }
  } catch (error) {
    if (!crashed) throw error;
  }
  return crashed;
}

test("after any program the mirror is the customer's page", async ({ customer, agent, session, demo }) => {
  test.setTimeout(60_000 + SEEDS * ROUNDS * 8_000);
  // The demo's policy for content forbids inline styles; the model is about pages that have them.
  await anyStyle(customer);
  await customer.page.addInitScript(() => {
    // Where an error of ours came from.
    const { debug } = console;
    console.debug = (...said) => debug(...said.map((it) => (it instanceof Error ? it.stack : it)));
  });
  await session("/help");
  const said: string[] = [];
  for (const { page } of [customer, agent]) {
    page.on("console", (message) => message.text().startsWith("Tandem:") && said.push(message.text()));
  }
  let crashed = false;
  customer.page.on("crash", () => {
    crashed = true;
  });
  const before = await faults(demo);
  for (let run = 0; run < SEEDS; run++) {
    const seed = SEED + run;
    console.log(`MODEL_SEED=${seed}`);
    if (run > 0) {
      await customer.open("/help");
      await expect.poll(() => agent.mirror.text("#model")).toBeNull();
    }
    await customer.page.evaluate(`(${program})(${seed}, ${JSON.stringify(ONLY)})`);
    for (let round = 0; round < ROUNDS; round++) {
      const context = `MODEL_SEED=${seed}, round ${round}`;
      try {
        await customer.page.evaluate((count) => window.program.change(count), OPERATIONS);
        await compare(customer.page, agent, context);
      } catch (error) {
        if (!crashed) throw error;
        const alone = await crashesAlone(customer, seed);
        throw new Error(`${context}: the browser crashed, ${alone ? "and does without Tandem, too" : "perhaps because of Tandem"}`);
      }
      expect([...(await faults(demo)), ...said], context).toEqual(before);
    }
  }
});
