/** Whether the agent's mirror is the customer's page, as texts. */

import { writeFileSync } from "node:fs";
import { type Frame, type Page, test } from "@playwright/test";
import type { Agent } from "../rig.ts";
import { dump, type Others } from "./dump.ts";
import type { Program } from "./program.ts";
import { restyle } from "./restyle.ts";

declare const window: { program: Program };

/** What the mirror shows, after something was done to it. */
const there = (agent: Agent, first: (mirror: Document) => void = () => {}): Promise<string> =>
  agent.page.evaluate(`{
    const mirror = document.querySelector("iframe[title=\\"Customer's page\\"]").contentDocument;
    (${first})(mirror);
    (${dump})(mirror);
  }`);

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

/** Waits until the agent's mirror is the customer's page, for as long as one of them changes and so many milliseconds more. */
export async function compare(customer: Page, agent: Agent, context: string, patience = 4_000): Promise<void> {
  let deadline = 0;
  let last = "";
  for (;;) {
    // What frames load, and what the browser closes by itself, comes later.
    const page = await here(customer.mainFrame());
    const mirror = await there(agent);
    if (plain(page) === plain(mirror)) return;
    const both = plain(page) + plain(mirror);
    if (both !== last) deadline = Date.now() + patience;
    last = both;
    if (Date.now() > deadline) {
      // What the browsers showed may be what was. Both pages are as they were, and nothing new is heard meanwhile.
      const shown = await there(agent, restyle);
      await Promise.all(customer.frames().map((frame) => frame.evaluate(`(${restyle})(document)`).catch(() => {})));
      const anew = await here(customer.mainFrame());
      if (plain(anew) === plain(shown)) {
        console.log(`${context}: a browser showed what was: ${difference(plain(page), plain(mirror))}`);
        return;
      }
      for (const [name, text] of Object.entries({ page, mirror, anew, shown })) {
        writeFileSync(test.info().outputPath(`${name}.txt`), text);
      }
      const trace = await customer.evaluate(() => window.program.trace.slice(-60).join(" "));
      throw new Error(`${context}: ${difference(plain(anew), plain(shown))}\nlast operations: ${trace}`);
    }
  }
}
