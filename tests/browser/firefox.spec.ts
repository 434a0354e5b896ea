/** Customer and agent in Debian's Firefox ESR, driven over WebDriver BiDi, each with the other one in Chromium. */
import { test as base, type Fixtures } from "@playwright/test";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { test as hosts } from "./hosts.ts";
import { type Agent, type Animated, animationsOf, expect, test as rig } from "./rig.ts";

const withFirefox: Fixtures<object, { firefox: Browser }> = {
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
const test = rig.extend<object, { firefox: Browser }>(withFirefox);
const several = hosts.extend<object, { firefox: Browser }>(withFirefox);
base.describe.configure({ timeout: 60_000 });

/** Presses the button of this name in the customer's widget, or in the page, as a person would. */
async function press(page: Page, name: string): Promise<void> {
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
async function shares(page: Page, agent: Agent): Promise<void> {
  await press(page, "Co-browse");
  const id = () =>
    page.evaluate(() => document.querySelector("tandem-widget")?.shadowRoot?.querySelector("output")?.textContent ?? "");
  await expect.poll(id).toMatch(/^\w{3}-\w{3}-\w{3}$/);
  await agent.logIn();
  await agent.join(await id());
}

const inWidget = (page: Page, text: string) =>
  page.evaluate((text) => document.querySelector("tandem-widget")?.shadowRoot?.textContent?.includes(text) ?? false, text);

test("the customer in Firefox: starts, is seen, changes, is typed for, hides, ends", async ({ firefox, agent, demo }) => {
  const context = await firefox.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport({ width: 1100, height: 760 });
  await page.goto(`${demo.site}/login`);
  await page.type("main input[name=email]", "ada@example.test");
  await page.type("main input[name=password]", "lovelace");
  await Promise.all([page.waitForNavigation(), page.click("main button[type=submit], main button:not([type])")]);
  await page.goto(`${demo.site}/checkout`);
  await shares(page, agent);

  // Seen as it is, and every change.
  await expect.poll(() => agent.mirror.text("#checkout")).toBeTruthy();
  await page.evaluate(() => {
    const list = document.createElement("div");
    list.id = "made";
    list.innerHTML = "<p>one</p><p>two</p>";
    document.querySelector("main")?.append(list);
    list.append(list.firstElementChild ?? "");
    list.attachShadow({ mode: "open" }).innerHTML = "<b>in the shadow</b><slot></slot>";
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("#made{background-color:rgb(1, 2, 3)}");
    document.adoptedStyleSheets = [sheet];
    document.body.appendChild(document.createElement("style")).sheet?.insertRule("#made{color:rgb(4, 5, 6)}");
  });
  await expect.poll(() => agent.mirror.text("#made >>> b")).toBe("in the shadow");
  expect(await agent.mirror.text("#made")).toBe("twoone");
  await expect.poll(() => agent.mirror.background("#made")).toBe("rgb(1, 2, 3)");

  // What a script moves is as far, and what it puts into a slot by hand is there.
  await page.evaluate(() => {
    const host = document.createElement("div");
    host.innerHTML = "<i id=moved>moved</i><i id=unused>unused</i>";
    document.querySelector("main")?.append(host);
    const root = host.attachShadow({ mode: "closed", slotAssignment: "manual" });
    root.innerHTML = "<slot></slot>";
    const moved = document.querySelector("#moved") as Element;
    root.querySelector("slot")?.assign(moved);
    moved.animate([{ opacity: 1, left: "0px" }, { opacity: 0.2, left: "50px" }], { duration: 9000, iterations: Number.POSITIVE_INFINITY });
  });
  await expect.poll(async () => (await agent.mirror.size("#unused"))?.width).toBe(0);
  await expect.poll(async () => (await agent.mirror.size("#moved"))?.width).toBeGreaterThan(0);
  const begun = async () => {
    const [there] = (await page.$eval("#moved", animationsOf)) as Animated[];
    const [here] = (await agent.mirror.animations("#moved")) ?? [];
    return Math.abs((there?.begun ?? 0) - (here?.begun ?? 9e9));
  };
  await expect.poll(begun).toBeLessThan(100);

  // What is masked arrives as bullets.
  await page.type("#checkout [name=card-number]", "4111111111111111");
  await expect.poll(() => agent.mirror.value("#card-number")).toMatch(/^•+$/);

  // Only a real gesture of the customer gives Write mode.
  await agent.requestWrite();
  await expect.poll(() => inWidget(page, "Allow the agent to type and click?")).toBe(true);
  await press(page, "Allow");
  await expect(agent.mode()).toHaveText("Write");
  await page.$eval("#checkout [name=city]", (field) => {
    (field as HTMLInputElement).value = "";
    field.scrollIntoView({ block: "center", behavior: "instant" });
  });
  await expect.poll(() => agent.mirror.value("#checkout [name=city]")).toBe("");
  const scrolled = await page.evaluate(() => Math.round(document.scrollingElement?.scrollTop ?? 0));
  await expect.poll(() => agent.mirror.scrollTop("html")).toBe(scrolled);
  await agent.mirror.click("#checkout [name=city]");
  await agent.page.keyboard.type("Graz", { delay: 15 });
  await expect.poll(() => page.$eval("#checkout [name=city]", (field) => (field as HTMLInputElement).value)).toBe("Graz");
  await expect.poll(() => agent.mirror.value("#checkout [name=city]")).toBe("Graz");

  await press(page, "Exit session");
  await expect(agent.page.getByText(/customer (has )?(ended|left|exited)/i).first()).toBeVisible();
  await context.close();
});

several("a frame of another host in Firefox: is seen, masked, pointed at and typed into", async ({ firefox, agent, site }) => {
  const context = await firefox.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport({ width: 1100, height: 760 });
  await page.goto(`${site.shop}/`);
  await shares(page, agent);
  await expect.poll(() => agent.mirror.text("#pay >>> h1")).toBe("Pay here");
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toBe("Ada");
  await expect.poll(() => agent.mirror.value("#pay >>> #pw")).toBe("••••••••");
  expect(await agent.mirror.text("#pay >>> p.secret")).toMatch(/^•+$/);
  const frame = page.frames().find((frame) => frame.url().startsWith(site.pay));
  if (!frame) throw new Error("there is no frame");
  const name = () => frame.$eval("#name", (field) => (field as HTMLInputElement).value);

  // The customer's pointer, as the frame tells it.
  const button = await page.$eval("#pay", (frame) => frame.getBoundingClientRect().toJSON() as { x: number; y: number });
  await page.mouse.move(button.x + 60, button.y + 40);
  const pointer = agent.page.locator(".overlay .pointer");
  await expect(pointer).toBeVisible();
  const corner = async () => (await agent.page.locator(".overlay").boundingBox()) ?? { x: 0, y: 0 };
  await expect
    .poll(async () => {
      const [at, from] = [await pointer.boundingBox(), await corner()];
      return at && Math.hypot(at.x - from.x - button.x - 60, at.y - from.y - button.y - 40);
    })
    .toBeLessThan(4);

  await agent.requestWrite();
  await expect.poll(() => inWidget(page, "Allow the agent to type and click?")).toBe(true);
  await press(page, "Allow");
  await expect(agent.mode()).toHaveText("Write");
  await agent.mirror.click("#pay >>> #name");
  await agent.page.keyboard.press("End");
  await agent.page.keyboard.type(" Lovelace", { delay: 15 });
  await expect.poll(name).toBe("Ada Lovelace");
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toBe("Ada Lovelace");
  await agent.mirror.click("#pay >>> #press");
  await expect.poll(() => agent.mirror.text("#pay >>> #said")).toBe("Pressed by Ada Lovelace");
  await context.close();
});

test("the agent in Firefox: joins, sees, types, ends", async ({ firefox, customer, demo }) => {
  await customer.logIn();
  await customer.open("/checkout");
  const id = await customer.start();
  const context = await firefox.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport({ width: 1400, height: 1000 });
  await page.goto(demo.console);
  await page.locator("input[name=username]").fill("agent");
  await page.locator("input[name=password]").fill(demo.password);
  await press(page, "Log in");
  await page.waitForSelector("input[name=username]", { hidden: true });
  await page.locator("form input").fill(id);
  await press(page, "Start co-browse");

  const look = <T>(selector: string, read: string): Promise<T | null> =>
    page.evaluate(
      (selector, read) => {
        const document_ = document.querySelector("iframe[title=\"Customer's page\"]") as HTMLIFrameElement | null;
        const element = document_?.contentDocument?.querySelector(selector);
        return element ? new Function("element", `return ${read}`)(element) : null;
      },
      selector,
      read,
    );
  await expect.poll(() => look("h1", "element.textContent.trim()")).toBeTruthy();
  await customer.page.locator("#checkout [name=card-number]").fill("4111111111111111");
  await expect.poll(() => look("#card-number", "element.value")).toMatch(/^•+$/);
  await customer.page.evaluate(() => {
    const list = document.createElement("div");
    list.id = "made";
    list.attachShadow({ mode: "open" }).innerHTML = "<b>in the shadow</b>";
    document.querySelector("main")?.append(list);
    document.querySelector("h1")?.append(" changed");
  });
  await expect.poll(() => look("#made", "element.shadowRoot.textContent")).toBe("in the shadow");
  await expect.poll(() => look("h1", "element.textContent")).toContain("changed");
  await customer.page.locator("h1").evaluate((h1) => h1.animate([{ opacity: 1 }, { opacity: 0.5 }], { duration: 9000, iterations: Number.POSITIVE_INFINITY }));
  const begun = async () => {
    const [[there], here] = [await customer.page.locator("h1").evaluate(animationsOf), await look<Animated[]>("h1", `(${animationsOf})(element)`)];
    return Math.abs((there?.begun ?? 0) - (here?.[0]?.begun ?? 9e9));
  };
  await expect.poll(begun).toBeLessThan(100);

  await press(page, "Request write mode");
  await customer.allow();
  await expect.poll(() => page.evaluate(() => document.querySelector('[role=status][aria-label=Mode]')?.textContent)).toBe("Write");
  await customer.page.locator("#checkout [name=city]").evaluate((field: HTMLInputElement) => {
    field.value = "";
    field.scrollIntoView({ block: "center", behavior: "instant" });
  });
  await expect.poll(() => look("#checkout [name=city]", "element.value")).toBe("");
  const scrolled = await customer.page.evaluate(() => Math.round(document.scrollingElement?.scrollTop ?? 0));
  await expect.poll(() => look("html", "Math.round(element.scrollTop)")).toBe(scrolled);
  const box = await look<{ x: number; y: number }>(
    "#checkout [name=city]",
    "(({x, y, width, height}) => ({x: x + width / 2, y: y + height / 2}))(element.getBoundingClientRect())",
  );
  const at = await page.$eval("iframe[title=\"Customer's page\"]", (frame) => {
    const box = frame.getBoundingClientRect();
    return { x: box.x, y: box.y, scale: box.width / (frame as HTMLIFrameElement).offsetWidth };
  });
  if (!box) throw new Error("the agent does not see the field");
  await page.mouse.click(at.x + box.x * at.scale, at.y + box.y * at.scale);
  await page.keyboard.type("Graz", { delay: 15 });
  await expect(customer.page.locator("#checkout [name=city]")).toHaveValue("Graz");
  await expect.poll(() => look("#checkout [name=city]", "element.value")).toBe("Graz");

  await press(page, "Exit session");
  await expect(customer.page.locator("tandem-widget")).toContainText(/agent (has )?(ended|left|exited)/i);
  await context.close();
});
