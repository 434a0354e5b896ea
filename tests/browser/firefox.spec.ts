/**
 * Customer and agent in Debian's Firefox ESR, driven over WebDriver BiDi, each with the other one in Chromium; what agents do with
 * mouse and keys, and type into editors. All in one worker, with one Firefox, whose start costs as much as a test.
 */
import { test as base } from "@playwright/test";
import type { Browser } from "puppeteer-core";
import { bundle } from "./editors/bundle.ts";
import { allows, FirefoxAgent, type Hands, handsOf, inWidget, logIn, press, shares, windowOf, withFirefox } from "./firefox.ts";
import { test as hosts } from "./hosts.ts";
import { type Animated, animationsOf, expect, test as rig } from "./rig.ts";

const test = rig.extend<object, { firefox: Browser }>(withFirefox);
const several = hosts.extend<object, { firefox: Browser }>(withFirefox);
base.describe.configure({ mode: "default", timeout: 90_000 });

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

/** Runs a script in the customer's page. */
type Run = (script: string) => Promise<unknown>;

/** A page that says what it meets. The shop's policy allows it no styles but those of scripts. */
const DESK = `(() => {
  const desk = document.createElement("div");
  desk.id = "gestures";
  desk.innerHTML = \`<ul><li id="one" draggable="true">one</li><li id="two">two</li><li id="three">three</li></ul>
    <p id="press">press</p><p id="wheel">wheel</p><div id="scroller"><p>long</p></div>
    <div id="menu">Menu<b id="panel"><i id="item">Item</i></b></div>
    <input id="first"><button id="second">second</button><button id="opens">opens</button><button id="sends">sends</button>
    <dialog id="dialog"><button>inside</button></dialog>\`;
  desk.style.cssText = "position: fixed; inset: 0 400px 0 0; z-index: 9; background: #fff";
  desk.querySelector("#scroller").style.cssText = "overflow: auto; height: 60px";
  desk.querySelector("#scroller p").style.height = "600px";
  document.body.append(desk);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("#panel { display: none } #menu:hover #panel { display: inline-block }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  window.said = [];
  const on = (id, type, say) => document.getElementById(id).addEventListener(type, (event) => said.push(say(event) ?? type));
  on("one", "dragstart", ({ dataTransfer }) => dataTransfer.setData("text/plain", "one"));
  on("three", "dragover", (event) => event.preventDefault());
  on("three", "drop", ({ target, dataTransfer }) => {
    target.after(document.getElementById(dataTransfer.getData("text/plain")));
    return [...document.querySelectorAll("#gestures li")].map(({ id }) => id).join();
  });
  on("press", "dblclick", ({ detail }) => "dblclick " + detail);
  on("press", "contextmenu", (event) => (event.preventDefault(), "menu " + event.button));
  on("wheel", "wheel", (event) => (event.preventDefault(), event.deltaY > 0 ? "down" : "up"));
  on("scroller", "scroll", () => "scrolled");
  on("item", "click", () => "item");
  on("second", "click", () => "second");
  on("opens", "click", () => dialog.showModal());
  on("dialog", "close", () => "closed");
  on("sends", "click", () => {
    const root = desk.appendChild(document.createElement("p")).attachShadow({ mode: "closed" });
    root.append(document.createElement("form"));
    root.firstChild.addEventListener("submit", (event) => (event.preventDefault(), said.push("sent")));
    root.firstChild.requestSubmit();
    return "held back";
  });
  on("first", "focus", () => "first has it");
  on("second", "focus", () => "second has it");
  addEventListener("keydown", ({ key, ctrlKey }) => said.push((ctrlKey ? "Control+" : "") + key));
})()`;

async function gestures(hands: Hands, run: Run): Promise<void> {
  await run(DESK);
  await expect.poll(() => hands.text("#one")).toBe("one");
  const says = async (what: string): Promise<void> => {
    await expect.poll(() => run("said.join('; ')"), what).toContain(what);
  };
  await hands.drag("#one", "#three");
  await says("two,three,one");
  await hands.click("#press", { count: 2 });
  await says("dblclick 2");
  await hands.click("#press", { button: "right" });
  await says("menu 2");
  await hands.point("#wheel");
  await hands.wheel(60);
  await says("down");
  await hands.point("#scroller");
  await hands.wheel(90);
  await says("scrolled");
  await hands.point("#menu");
  await expect.poll(() => run("getComputedStyle(panel).display"), "a menu that styles open").toBe("inline-block");
  await expect.poll(() => hands.sees("#item")).toBe(true);
  await hands.click("#item");
  await says("item");
  await hands.click("#first");
  await says("first has it");
  await hands.press("Tab");
  await says("second has it");
  await hands.press("Enter");
  await says("Enter; second");
  await hands.press("Control+k");
  await says("Control+k");
  await hands.click("#sends");
  await says("held back");
  expect(await run("said.includes('sent')"), "a form in a shadow root").toBe(false);
  await hands.click("#opens");
  await expect.poll(() => run("dialog.open")).toBe(true);
  await hands.press("Escape");
  await says("closed");
  await run("gestures.remove()");
}

/** With text that is copied from a field. */
async function editors(hands: Hands, run: Run): Promise<void> {
  await run(`document.body.insertAdjacentHTML("beforeend", "<textarea id=copied></textarea>");
    copied.style.cssText = "position: fixed; left: 600px; top: 400px; width: 200px; z-index: 9"`);
  for (const name of ["plain", "prosemirror", "quill", "codemirror", "lexical"]) {
    await run("document.querySelector('#desk')?.remove()");
    await expect.poll(() => hands.text("#desk")).toBeNull();
    await run(await bundle(name));
    await run("scrollTo(0, 0); copied.value = ''");
    await expect.poll(() => hands.text(".editor"), name).not.toBeNull();
    const becomes = async (text: string, what: string): Promise<void> => {
      await expect.poll(async () => String(await run("known()")).replaceAll("\u00a0", " "), `${name}: ${what}`).toBe(text);
    };
    await hands.click(".editor");
    await hands.type("Hello word");
    await hands.press("Backspace");
    await hands.type("ld");
    await becomes("Hello world", "typed and deleted");
    await hands.press("Enter");
    await hands.type("bold");
    await becomes("Hello world\nbold", "a new line");
    // What is selected has to be seen.
    await expect.poll(() => hands.text(".editor"), name).toMatch(/world\s*bold$/);
    if (name !== "codemirror") {
      await hands.press("Shift+Home");
      await hands.press("Control+b");
      const bold = () => run("document.querySelector('.editor :is(b, strong)')?.textContent ?? ''");
      await expect.poll(bold, `${name}: bold`).toBe("bold");
      await expect.poll(() => hands.text(".editor :is(b, strong)"), `${name}: bold, as the agent sees it`).toBe("bold");
    }
    await hands.click("#copied");
    await hands.type("pasted  text");
    await expect.poll(() => run("copied.value")).toBe("pasted  text");
    await hands.press("Control+a");
    await hands.press("Control+c");
    await hands.click(".editor");
    await hands.press("Control+a");
    await hands.press("Control+v");
    await becomes("pasted  text", "pasted over all");
    await expect.poll(() => hands.text(".editor"), name).toBe("pasted text");
  }
}

test("with the customer in Firefox, gestures, keys and editors do what the agent wants", async ({ firefox, agent, demo }) => {
  const page = await windowOf(firefox, 1100, 760);
  await logIn(page, demo.site, "/help");
  await shares(page, agent);
  await allows(page, agent);
  const run: Run = (script) => page.evaluate(script);
  await gestures(handsOf(agent), run);
  await editors(handsOf(agent), run);
  await page.browserContext().close();
});

test("with the agent in Firefox, gestures, keys and editors do what they want", async ({ firefox, customer, demo }) => {
  await customer.logIn();
  await customer.open("/help");
  const id = await customer.start();
  const agent = new FirefoxAgent(await windowOf(firefox, 1400, 1000));
  await agent.logIn(demo.console, demo.password);
  await agent.join(id);
  await press(agent.page, "Request write mode");
  await customer.allow();
  await expect.poll(() => agent.mode()).toBe("Write");
  const run: Run = (script) => customer.page.evaluate(script);
  await gestures(agent, run);
  await editors(agent, run);
  await agent.page.browserContext().close();
});
