/** Whether the agent's mirror is the customer's page, as texts. */

import { writeFileSync } from "node:fs";
import { type Frame, type Page, test } from "@playwright/test";
import type { Agent } from "../rig.ts";
import { dump, type Others } from "./dump.ts";
import type { Program } from "./program.ts";

declare const window: { program: Program };

const there = (agent: Agent): Promise<string> =>
  agent.page.evaluate(`(${dump})(document.querySelector("iframe[title=\\"Customer's page\\"]").contentDocument)`);

/** A document with those of all its frames, also where its own script can not look into them. */
export async function here(frame: Frame, inside?: { depth: number; seen: boolean }): Promise<string> {
  const text: string = await frame.evaluate(`(${dump})(document, ${JSON.stringify(inside)})`);
  const lines: string[] = [];
  for (const line of text.split("\n")) {
    const [, indent, number, seen] = /^( *)#other (\d+) (\w+)$/.exec(line) ?? [];
    if (indent === undefined) {
      lines.push(line);
      continue;
    }
    try {
      const handle = await frame.evaluateHandle((number) => (window as unknown as Others).others[number], Number(number));
      const inner = await handle.asElement()?.contentFrame();
      lines.push(inner ? await here(inner, { depth: indent.length, seen: seen === "true" }) : line);
    } catch {
      // It has gone, or goes to another document: this is not yet the time to compare.
      lines.push(line);
    }
  }
  return lines.join("\n");
}


/** A dump without what the mirror has its own way: of sheets only what they do counts. */
const plain = (text: string) => text.replace(/^ *# .*\n/gm, "");

/** Where two dumps differ first, with what is around it. */
function difference(page: string, mirror: string): string {
  const [ours, theirs] = [page.split("\n"), mirror.split("\n")];
  const at = ours.findIndex((line, index) => line !== theirs[index]);
  const around = (lines: string[]) => lines.slice(Math.max(0, at - 6), at + 3).join("\n");
  return `line ${at}\npage:\n${around(ours)}\nmirror:\n${around(theirs)}`;
}

/** Waits until the agent's mirror is the customer's page, up to so many milliseconds. */
export async function compare(customer: Page, agent: Agent, context: string, patience = 4_000): Promise<void> {
  const deadline = Date.now() + patience;
  for (;;) {
    // What frames load, and what the browser closes by itself, comes later.
    const page = await here(customer.mainFrame());
    const mirror = await there(agent);
    if (plain(page) === plain(mirror)) return;
    if (Date.now() > deadline) {
      // Chromium may lose track of its own sheets, slots and styles and show what was: then the mirror was right if the page,
      // unchanged, becomes the same once the browser makes all of that anew.
      const restyle = () => (window as Partial<typeof window>).program?.restyle();
      await Promise.all(customer.frames().map((frame) => frame.evaluate(restyle).catch(() => {})));
      if (plain(await here(customer.mainFrame())) === plain(mirror)) {
        console.log(`${context}: the customer's browser showed what was`);
        return;
      }
      for (const [name, text] of Object.entries({ page, mirror })) {
        writeFileSync(test.info().outputPath(`${name}.txt`), text);
      }
      const trace = await customer.evaluate(() => window.program.trace.slice(-60).join(" "));
      throw new Error(`${context}: ${difference(plain(page), plain(mirror))}\nlast operations: ${trace}`);
    }
  }
}
