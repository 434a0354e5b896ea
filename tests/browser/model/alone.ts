/** How the browser fares with a program by itself: what it does not survive without Tandem, Tandem is not tried with. */

import type { Browser, Page } from "@playwright/test";
import { here } from "./compare.ts";

/** How long, in milliseconds, a round of a program may take before the page counts as hung: it takes a second or two. */
export const PATIENCE = 60_000;

export class Hung extends Error {}

/** Fails when something takes longer than that. */
export async function inTime<T>(waits: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Hung()), PATIENCE);
  });
  return Promise.race([waits, late]).finally(() => clearTimeout(timer));
}

/** How often a program is tried by itself: the browser may hang at it now and then only. */
const TRIES = 8;

type Fate = "crashes" | "hangs" | "works";

/** How the browser fails at so many rounds of a program, on a page that has nothing of ours: `begin` opens it. */
export async function failsAlone(
  browser: Browser,
  rounds: number,
  begin: (page: Page) => Promise<unknown>,
  change: (page: Page) => Promise<void>,
): Promise<Fate> {
  for (let tries = TRIES; tries > 0; tries--) {
    const fate = await tryAlone(browser, rounds, begin, change);
    if (fate !== "works") return fate;
  }
  return "works";
}

async function tryAlone(
  browser: Browser,
  rounds: number,
  begin: (page: Page) => Promise<unknown>,
  change: (page: Page) => Promise<void>,
): Promise<Fate> {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  let crashed = false;
  page.on("crash", () => {
    crashed = true;
  });
  try {
    await begin(page);
    for (let round = 0; round < rounds; round++) {
      await inTime(change(page));
      await inTime(here(page.mainFrame()));
    }
    return "works";
  } catch (error) {
    if (crashed) return "crashes";
    if (error instanceof Hung) return "hangs";
    throw error;
  } finally {
    await context.close();
  }
}
