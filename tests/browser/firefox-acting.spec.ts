/** What agents do with mouse and keys, and type into editors, with Firefox on either side. */
import { test as base } from "@playwright/test";
import type { Browser } from "puppeteer-core";
import { bundle } from "./editors/bundle.ts";
import { allows, FirefoxAgent, type Hands, handsOf, logIn, press, shares, windowOf, withFirefox } from "./firefox.ts";
import { expect, test as rig } from "./rig.ts";

const test = rig.extend<object, { firefox: Browser }>(withFirefox);
base.describe.configure({ timeout: 90_000 });

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
