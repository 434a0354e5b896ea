/** Customer and agent in Debian's Firefox ESR, driven over WebDriver BiDi, each with the other one in Chromium. */
import { test as base } from "@playwright/test";
import type { Browser } from "puppeteer-core";
import { allows, FirefoxAgent, inWidget, logIn, press, shares, windowOf, withFirefox } from "./firefox.ts";
import { test as hosts } from "./hosts.ts";
import { type Animated, animationsOf, expect, test as rig } from "./rig.ts";

const test = rig.extend<object, { firefox: Browser }>(withFirefox);
const several = hosts.extend<object, { firefox: Browser }>(withFirefox);
base.describe.configure({ timeout: 60_000 });

test("the customer in Firefox: starts, is seen, changes, is typed for, hides, ends", async ({ firefox, agent, demo }) => {
  const page = await windowOf(firefox, 1100, 760);
  await logIn(page, demo.site, "/checkout");
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
  await allows(page, agent);
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
  await page.browserContext().close();
});

several("a frame of another host in Firefox: is seen, masked, pointed at and typed into", async ({ firefox, agent, site }) => {
  const page = await windowOf(firefox, 1100, 760);
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

  await allows(page, agent);
  await agent.mirror.click("#pay >>> #name");
  await agent.page.keyboard.press("End");
  await agent.page.keyboard.type(" Lovelace", { delay: 15 });
  await expect.poll(name).toBe("Ada Lovelace");
  await expect.poll(() => agent.mirror.value("#pay >>> #name")).toBe("Ada Lovelace");
  await agent.mirror.click("#pay >>> #press");
  await expect.poll(() => agent.mirror.text("#pay >>> #said")).toBe("Pressed by Ada Lovelace");
  await page.browserContext().close();
});

test("the agent in Firefox: joins, sees, types, ends", async ({ firefox, customer, demo }) => {
  await customer.logIn();
  await customer.open("/checkout");
  const id = await customer.start();
  const page = await windowOf(firefox, 1400, 1000);
  const agent = new FirefoxAgent(page);
  const look = <T>(selector: string, read: string) => agent.look<T>(selector, read);
  await agent.logIn(demo.console, demo.password);
  await agent.join(id);
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
  await expect.poll(() => agent.mode()).toBe("Write");
  await customer.page.locator("#checkout [name=city]").evaluate((field: HTMLInputElement) => {
    field.value = "";
    field.scrollIntoView({ block: "center", behavior: "instant" });
  });
  await expect.poll(() => look("#checkout [name=city]", "element.value")).toBe("");
  const scrolled = await customer.page.evaluate(() => Math.round(document.scrollingElement?.scrollTop ?? 0));
  await expect.poll(() => look("html", "Math.round(element.scrollTop)")).toBe(scrolled);
  await agent.click("#checkout [name=city]");
  await agent.type("Graz");
  await expect(customer.page.locator("#checkout [name=city]")).toHaveValue("Graz");
  await expect.poll(() => look("#checkout [name=city]", "element.value")).toBe("Graz");

  await press(page, "Exit session");
  await expect(customer.page.locator("tandem-widget")).toContainText(/agent (has )?(ended|left|exited)/i);
  await page.browserContext().close();
});
