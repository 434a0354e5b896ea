/**
 * Random programs change the customer's page; at random points and at the end the agent's mirror is the same page:
 * structure, attributes, texts, the state of controls and of the top layer, scroll positions, some computed styles.
 *
 * `MODEL_SEEDS=100 npx playwright test model` runs as many programs, each a test, from a random seed on. Every seed is printed and can be
 * given: `MODEL_SEED=7 MODEL_ROUNDS=12`. A program that the browser does not survive without Tandem either is skipped.
 * `MODEL_ONLY=insert,move` does only these operations, `MODEL_ONLY=-,move` all others. When pages differ, both are written beside the
 * results.
 */
import { randomInt } from "node:crypto";
import type { Page } from "@playwright/test";
import { failsAlone, Hung, inTime, PATIENCE } from "./model/alone.ts";
import { compare } from "./model/compare.ts";
import { type Program, program } from "./model/program.ts";
import { anyStyle, type Demo, expect, test } from "./rig.ts";

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

for (let run = 0; run < SEEDS; run++) {
  const number = SEEDS > 1 ? ` (${run + 1} of ${SEEDS})` : "";
  test(`after any program the mirror is the customer's page${number}`, async ({ browser, customer, agent, session, demo }) => {
    test.setTimeout(2 * PATIENCE + ROUNDS * 10_000);
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
    const seed = SEED + run;
    console.log(`MODEL_SEED=${seed}`);
    const begin = (page: Page) => page.evaluate(`(${program})(${seed}, ${JSON.stringify(ONLY)})`);
    const change = (page: Page) => page.evaluate((count) => window.program.change(count), OPERATIONS);
    await begin(customer.page);
    for (let round = 0; round < ROUNDS; round++) {
      const context = `MODEL_SEED=${seed}, round ${round}`;
      try {
        await inTime(change(customer.page));
        await inTime(compare(customer.page, agent, context));
      } catch (error) {
        if (!crashed && !(error instanceof Hung)) throw error;
        const bare = async (page: Page) => {
          await page.setContent("<!doctype html><main></main>");
          await begin(page);
        };
        const alone = await failsAlone(browser, ROUNDS, bare, change);
        test.skip(alone !== "works", `${context}: the browser ${alone} without Tandem, too`);
        throw new Error(`${context}: the browser ${crashed ? "crashed" : "hung"}, perhaps because of Tandem`);
      }
      expect([...(await faults(demo)), ...said], context).toEqual(before);
    }
  });
}
