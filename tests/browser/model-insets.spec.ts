/**
 * The same for pages with frames of another host of the website: those are added, moved, navigated and removed while programs of their own
 * run in them, and frames of the first host in those.
 *
 * `MODEL_SEEDS`, `MODEL_SEED`, `MODEL_ROUNDS` and `MODEL_ONLY` as in model.spec.ts; what the browser does not survive is skipped as there.
 */
import { randomInt } from "node:crypto";
import type { Page } from "@playwright/test";
import { expect, faults, type Hosts, test } from "./hosts.ts";
import { failsAlone, Hung, inTime, PATIENCE } from "./model/alone.ts";
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
const UNKNOWN = ["selectorText", "ruleStyle", "ruleStyleMap", "insertRule", "deleteRule", "insertInGroup", "deleteInGroup"];
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
async function change(page: Page): Promise<void> {
  const each = page.frames().map((frame) => frame.evaluate((count) => window.program?.change(count), OPERATIONS).catch(() => {}));
  await Promise.all(each);
}

for (let run = 0; run < SEEDS; run++) {
  const number = SEEDS > 1 ? ` (${run + 1} of ${SEEDS})` : "";
  test(`after any program the mirror shows frames of other hosts as they are${number}`, async ({ browser, page: customer, agent, site, start }) => {
    test.setTimeout(2 * PATIENCE + ROUNDS * 25_000);
    const seed = SEED + run;
    console.log(`MODEL_SEED=${seed}`);
    const write = ({ shop, pay }: Hosts): void => {
      site.put("pay", "/inset", page("inset", seed, [`${shop}/leaf`]), UTF8);
      site.put("shop", "/leaf", page("leaf", seed, []), UTF8);
      site.put("shop", "/model", page("model", seed, [`${pay}/inset`]), UTF8);
    };
    write(site);
    await customer.addInitScript(() => {
      // Where an error of ours came from.
      const { debug } = console;
      console.debug = (...said) => debug(...said.map((it) => (it instanceof Error ? it.stack : it)));
    });
    const said: string[] = [];
    for (const one of [customer, agent.page]) {
      one.on("console", (message) => message.text().startsWith("Tandem:") && said.push(message.text()));
    }
    let crashed = false;
    customer.on("crash", () => {
      crashed = true;
    });
    await start(customer, "/model?0");
    for (let round = 0; round < ROUNDS; round++) {
      const context = `MODEL_SEED=${seed}, round ${round}`;
      try {
        await inTime(change(customer));
        await inTime(compare(customer, agent, context, 20_000));
      } catch (error) {
        if (!crashed && !(error instanceof Hung)) throw error;
        write(site.bare);
        const alone = await failsAlone(browser, ROUNDS, (page) => page.goto(`${site.bare.shop}/model?0`), change);
        test.skip(alone !== "works", `${context}: the browser ${alone} without Tandem, too`);
        throw new Error(`${context}: the browser ${crashed ? "crashed" : "hung"}, perhaps because of Tandem`);
      }
      expect([...(await faults(site)), ...said], context).toEqual([]);
    }
  });
}
