/** Debian's Firefox ESR, driven over WebDriver BiDi: as the customer's browser, and as the agent's. */
import type { Fixtures } from "@playwright/test";
import puppeteer, { type Browser, type KeyInput, type Page } from "puppeteer-core";
import { drag, point } from "./mouse.ts";
import { type Agent, expect } from "./rig.ts";

/** One for all tests of a worker. */
export const withFirefox: Fixtures<object, { firefox: Browser }> = {
  firefox: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the pattern
    async ({}, use) => {
      const browser = await puppeteer.launch({
        browser: "firefox",
        executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr",
        headless: true,
      });
      await use(browser);
      await browser.close();
    },
    { scope: "worker" },
  ],
};

/** A window with cookies of its own. */
export async function windowOf(firefox: Browser, width: number, height: number): Promise<Page> {
  const page = await (await firefox.createBrowserContext()).newPage();
  await page.setViewport({ width, height });
  return page;
}

/** The customer logs in to the shop, and opens a page of it. */
export async function logIn(page: Page, site: string, path: string): Promise<void> {
  await page.goto(`${site}/login`);
  await page.type("main input[name=email]", "ada@example.test");
  await page.type("main input[name=password]", "lovelace");
  await Promise.all([page.waitForNavigation(), page.click("main button[type=submit], main button:not([type])")]);
  await page.goto(site + path);
}

/** Presses the button of this name in the customer's widget, or in the page, as a person would. */
export async function press(page: Page, name: string): Promise<void> {
  const middle = () =>
    page.evaluate((name) => {
      const roots = [document, document.querySelector("tandem-widget")?.shadowRoot];
      for (const root of roots) {
        for (const button of root?.querySelectorAll("button") ?? []) {
          const label = button.getAttribute("aria-label") ?? button.textContent?.trim();
          const box = button.getBoundingClientRect();
          if (label === name && box.width > 0) return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
        }
      }
      return null;
    }, name);
  await expect.poll(middle, `a button ${name}`).not.toBeNull();
  const at = await middle();
  if (at) await page.mouse.click(at.x, at.y);
}

/** Starts a session, which the agent joins. */
export async function shares(page: Page, agent: Agent): Promise<void> {
  await press(page, "Co-browse");
  const id = () =>
    page.evaluate(() => document.querySelector("tandem-widget")?.shadowRoot?.querySelector("output")?.textContent ?? "");
  await expect.poll(id).toMatch(/^\w{3}-\w{3}-\w{3}$/);
  await agent.logIn();
  await agent.join(await id());
}

/** Lets the agent type and click. */
export async function allows(page: Page, agent: Agent): Promise<void> {
  await agent.requestWrite();
  await expect.poll(() => inWidget(page, "Allow the agent to type and click?")).toBe(true);
  await press(page, "Allow");
  await expect(agent.mode()).toHaveText("Write");
}

export const inWidget = (page: Page, text: string) =>
  page.evaluate((text) => document.querySelector("tandem-widget")?.shadowRoot?.textContent?.includes(text) ?? false, text);

/** What an agent does with mouse and keys, and sees, in whatever browser. */
export interface Hands {
  point(selector: string): Promise<void>;
  click(selector: string, how?: { button?: "left" | "right"; count?: number }): Promise<void>;
  drag(from: string, to: string): Promise<void>;
  wheel(by: number): Promise<void>;
  /** A key, with those that are held before it: `Control+b`. */
  press(keys: string): Promise<void>;
  type(text: string): Promise<void>;
  /** The text of an element. */
  text(selector: string): Promise<string | null>;
  /** Whether an element takes any place on the screen. */
  sees(selector: string): Promise<boolean>;
}

/** Those of an agent in Chromium. */
export function handsOf(agent: Agent): Hands {
  const { mouse, keyboard } = agent.page;
  return {
    point: (selector) => point(agent, selector),
    async click(selector, { button = "left", count = 1 } = {}) {
      const at = await agent.mirror.middle(selector);
      await mouse.click(at.x, at.y, { button, clickCount: count });
    },
    drag: async (from, to) => void (await drag(agent, from, to)),
    wheel: (by) => mouse.wheel(0, by),
    press: (keys) => keyboard.press(keys),
    type: (text) => keyboard.type(text, { delay: 10 }),
    text: (selector) => agent.mirror.text(selector),
    sees: async (selector) => ((await agent.mirror.size(selector))?.width ?? 0) > 0,
  };
}

/** An agent in Firefox. */
export class FirefoxAgent implements Hands {
  constructor(readonly page: Page) {}

  async logIn(console: string, password: string): Promise<void> {
    await this.page.goto(console);
    await this.page.locator("input[name=username]").fill("agent");
    await this.page.locator("input[name=password]").fill(password);
    await press(this.page, "Log in");
    await this.page.waitForSelector("input[name=username]", { hidden: true });
  }

  async join(id: string): Promise<void> {
    await this.page.locator("form input").fill(id);
    await press(this.page, "Start co-browse");
    await expect.poll(() => this.look("body", "element.textContent.trim()")).toBeTruthy();
  }

  mode(): Promise<string | null | undefined> {
    return this.page.evaluate(() => document.querySelector("[role=status][aria-label=Mode]")?.textContent);
  }

  /** Reads something of a mirrored `element`. */
  look<T>(selector: string, read: string): Promise<T | null> {
    return this.page.evaluate(
      (selector, read) => {
        const frame = document.querySelector("iframe[title=\"Customer's page\"]") as HTMLIFrameElement | null;
        const element = frame?.contentDocument?.querySelector(selector);
        return element ? new Function("element", `return ${read}`)(element) : null;
      },
      selector,
      read,
    );
  }

  text(selector: string): Promise<string | null> {
    return this.look(selector, String.raw`element.textContent.replace(/\s+/g, " ").trim()`);
  }

  async sees(selector: string): Promise<boolean> {
    return (await this.look(selector, "element.getClientRects().length > 0")) ?? false;
  }

  /** The middle of an element on the agent's screen. */
  async middle(selector: string): Promise<{ x: number; y: number }> {
    const inside = await this.look<{ x: number; y: number }>(
      selector,
      "(({x, y, width, height}) => ({x: x + width / 2, y: y + height / 2}))(element.getBoundingClientRect())",
    );
    if (!inside) throw new Error(`the agent does not see ${selector}`);
    const frame = await this.page.$eval("iframe[title=\"Customer's page\"]", (frame) => {
      const box = frame.getBoundingClientRect();
      return { x: box.x, y: box.y, scale: box.width / (frame as HTMLIFrameElement).offsetWidth };
    });
    return { x: frame.x + inside.x * frame.scale, y: frame.y + inside.y * frame.scale };
  }

  async point(selector: string): Promise<void> {
    const { x, y } = await this.middle(selector);
    await this.page.mouse.move(x, y);
  }

  async click(selector: string, how: { button?: "left" | "right"; count?: number } = {}): Promise<void> {
    const { x, y } = await this.middle(selector);
    await this.page.mouse.click(x, y, how);
  }

  async drag(from: string, to: string): Promise<void> {
    const { mouse } = this.page;
    const end = await this.middle(to);
    await this.point(from);
    await mouse.down();
    await mouse.move(end.x, end.y, { steps: 10 });
    await mouse.up();
  }

  async wheel(by: number): Promise<void> {
    await this.page.mouse.wheel({ deltaY: by });
  }

  async press(keys: string): Promise<void> {
    const held = keys.split("+") as KeyInput[];
    const last = held.pop() as KeyInput;
    for (const key of held) await this.page.keyboard.down(key);
    await this.page.keyboard.press(last);
    for (const key of held.reverse()) await this.page.keyboard.up(key);
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text, { delay: 10 });
  }
}
