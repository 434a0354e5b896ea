/**
 * Walks through a website behind Tandem with two browsers, a customer's and an agent's, and compares the two screens after each step.
 *
 *     node tests/walk.mjs http://www.example.test:9000 http://agents.example.test:9001 steps.json
 *
 * The addresses are those of the website behind Tandem and of the console; give them names of their own, for cookies ignore ports:
 * every `*.test` is this machine. The agent's login comes from `TANDEM_AGENT` (`name:password`).
 * `--by agent`: who does the steps that name nobody (otherwise the customer); `--keep FOLDER`: the pictures of steps that differ;
 * `--only 3-7`: does all steps, compares these only. `--size 390x844`: the customer's window; `--scale 1.25`: device pixels in one of
 * CSS, of both (a page zoomed by the browser is a smaller window with more of them); `--touch true`: the customer's is a phone, and taps.
 *
 * The file is a list of steps, each an object that says what is done, and maybe by whom and what it is called:
 *
 *     { "goto": "/login", "by": "agent", "name": "to the login" }
 *     { "click": "form button", "has": "Log in" }             the first such element that has this text; "button": "right", "times": 2
 *     { "type": "#user", "text": "ada", "over": true }        after a click into it; "over": in place of what it holds
 *     { "drag": ".card", "to": ".column + .column" }          or "by_px": [120, 40]; "from_px": [5, 5] from its corner
 *     { "select": "#country", "option": "Norway" }
 *     { "press": "Escape" }                                   "Control+a"; a list presses one after the other
 *     { "wheel": "main", "px": 600 }, { "hover": ".menu" }
 *     { "upload": "input[type=file]", "file": "cat.png" }     a press that opens the file dialog; beside the list of steps
 *     { "wait": 500 } or { "wait": ".done" }                  so long, or until the page has that
 *     { "allow": true }                                       Write mode. Asked for by itself before the agent's first step
 *
 * And what must come of it, in the customer's page, which is the one that counts:
 *
 *     { …, "then": ".alert", "then_has": "Saved" }            is to be seen, with this text or value; after a `wheel`, in the window
 *     { …, "gone": ".spinner", "gone_has": "Loading" }        is not to be seen any more
 *
 * What was so before the step does not count, unless it goes to a page: nothing has come of it then.
 *
 * `frame >>> inner` looks into a frame or shadow root. The agent does everything through the console, as a person would: with the
 * pointer over the mirror and the keyboard. Masked and hidden areas, and what Tandem itself shows, are left out.
 * Prints a line for each step, and exits with 1 if more than 0.5 % of the pixels of one, or its visible text, differ, or if what must
 * come of it does not.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ALLOWED, difference, launch } from "./screens.mjs";

const words = process.argv.slice(2);
const option = (name, otherwise) => {
  const at = words.indexOf(name);
  return at < 0 ? otherwise : words.splice(at, 2)[1];
};
const keep = option("--keep", "");
const usually = option("--by", "customer");
const [first, last] = option("--only", `1-${Number.MAX_SAFE_INTEGER}`).split("-").map(Number);
const [width, height] = option("--size", "1280x800").split("x").map(Number);
const scale = Number(option("--scale", "1"));
const touches = option("--touch", "false") === "true";
const [site, desk, file] = words;
const [user, password] = (process.env.TANDEM_AGENT ?? "").split(/:(.*)/s);
if (!file || !password) {
  console.error(
    "usage: TANDEM_AGENT=name:password node tests/walk.mjs SITE CONSOLE STEPS.json [--by agent] [--keep FOLDER]",
  );
  process.exit(2);
}
const steps = JSON.parse(readFileSync(file, "utf8"));
/** How long screens may need until they are the same, and a person waits for something to use, in milliseconds. */
const PATIENCE = Number(process.env.PATIENCE ?? 8000);
/** How long one step may take, in milliseconds. */
const SLOWEST = 40_000;
/** In so many a drag is done. */
const STRETCHES = 15;
const MIRROR = 'iframe[title="Customer\'s page"]';

const browser = await launch();
const open = async (viewport, phone) => {
  const looks = {
    viewport,
    deviceScaleFactor: scale,
    reducedMotion: "reduce",
    isMobile: phone,
    hasTouch: phone,
  };
  const page = await (await browser.newContext(looks)).newPage();
  // From the first one on: asked for together with the press, Chromium's dialogs come unannounced now and then.
  page.on("filechooser", () => {});
  return page;
};

/** One of the two: a browser, and which document in it is the page. */
class Side {
  constructor(page, mirror) {
    this.page = page;
    this.mirror = mirror;
    this.taps = touches && !mirror;
  }

  /**
   * Where the element is on this screen, the point of it that is asked for (its middle, or from its corner), which scroller
   * to turn to get there and what covers that point. Null when it is not to be seen.
   */
  spot(selector, has, from) {
    return this.page.evaluate(
      ([mirror, selector, has, from]) => {
        const outer = mirror ? document.querySelector(mirror) : null;
        let roots = [mirror ? outer.contentDocument : document];
        let found = [];
        for (const part of selector.split(" >>> ")) {
          found = roots.flatMap((root) => [...root.querySelectorAll(part)]);
          roots = found.flatMap((e) => [e.shadowRoot, e.contentDocument].filter(Boolean));
        }
        const element = found.find((e) => {
          const shown = e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0;
          const isField = /^(input|textarea|select)$/.test(e.localName);
          return shown && (!has || (isField ? e.value : e.textContent).replace(/\s+/g, " ").includes(has));
        });
        if (!element) return null;
        const box = element.getBoundingClientRect();
        const at = { x: box.x + (from?.[0] ?? box.width / 2), y: box.y + (from?.[1] ?? box.height / 2) };
        let scroller = null;
        let cover = "";
        /** Scripts put screens of their own over a page while it loads: a person waits until they are gone. */
        const press = (on) => {
          if (getComputedStyle(on).pointerEvents === "none") return;
          const hit = on.getRootNode().elementFromPoint(at.x, at.y);
          const reaches =
            !hit || on.contains(hit) || hit.contains(on) || hit.closest("label")?.control === on;
          if (!reaches) cover ||= `${hit.localName}.${hit.getAttribute("class") ?? ""}`;
        };
        const look = (from) => {
          for (let e = from; e; e = e.parentElement ?? e.getRootNode().host) {
            const { overflowY } = getComputedStyle(e);
            const isRoot = e === e.ownerDocument.scrollingElement;
            if (!isRoot && !(/auto|scroll/.test(overflowY) && e.scrollHeight > e.clientHeight)) continue;
            const view = e.ownerDocument.defaultView;
            const area = isRoot
              ? { top: 0, bottom: view.innerHeight, left: 0, right: view.innerWidth }
              : e.getBoundingClientRect();
            if (at.y > area.top && at.y < area.bottom) continue;
            scroller ??= {
              x: (area.left + area.right) / 2,
              y: (Math.max(area.top, 0) + Math.min(area.bottom, view.innerHeight)) / 2,
              by: at.y - (area.top + area.bottom) / 2,
            };
          }
        };
        look(element.parentElement ?? element);
        press(element);
        for (
          let f = element.ownerDocument.defaultView.frameElement;
          f;
          f = f.ownerDocument.defaultView.frameElement
        ) {
          const around = f.getBoundingClientRect();
          for (const point of [at, scroller]) {
            if (!point) continue;
            point.x += around.x + f.clientLeft;
            point.y += around.y + f.clientTop;
          }
          if (f === outer) break; // over it is the console's own
          look(f.parentElement);
          press(f);
        }
        return { at, scroller, cover };
      },
      [this.mirror, selector, has, from],
    );
  }

  /** Waits for an element, scrolls to it with the wheel, and returns the point when it can be pressed. */
  async bring(selector, has, from) {
    let before = "";
    const until = Date.now() + PATIENCE;
    for (;;) {
      const found = await this.spot(selector, has, from);
      const now = JSON.stringify(found);
      if (found && now === before) {
        if (!found.scroller && !found.cover) return found.at;
        if (found.scroller) {
          const { x, y, by } = found.scroller;
          await this.page.mouse.move(x, y);
          await this.page.mouse.wheel(0, by);
        }
      }
      before = now;
      if (Date.now() > until) {
        const what = `${selector}${has ? ` with “${has}”` : ""}`;
        throw new Error(found?.cover ? `${what} is covered by ${found.cover}` : `there is no ${what} to see`);
      }
      await this.page.waitForTimeout(100);
    }
  }

  /** Whether this is to be seen that must come of the step. */
  async shows({ then, then_has, gone, gone_has, wheel }) {
    try {
      const found = then && (await this.spot(then, then_has));
      if (then && (!found || (wheel && found.scroller))) return false;
      return !gone || !(await this.spot(gone, gone_has));
    } catch {
      return false; // the page is just being left
    }
  }

  /** With the button held. Playwright's own mouse waits in such a move for scripts of frames that have none. */
  async pull(from, to) {
    const mouse = await this.page.context().newCDPSession(this.page);
    const send = (type, { x, y }, buttons) => {
      const button = type === "mouseMoved" ? "none" : "left";
      return mouse.send("Input.dispatchMouseEvent", { type, x, y, buttons, button, clickCount: 1 });
    };
    await send("mouseMoved", from, 0);
    await send("mousePressed", from, 1);
    for (let n = 1; n <= STRETCHES; n++) {
      const part = n / STRETCHES;
      await send("mouseMoved", { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part }, 1);
      await this.page.waitForTimeout(20);
    }
    await send("mouseReleased", to, 0);
    await mouse.detach();
  }

  async does(step) {
    const { page } = this;
    if (step.click) {
      const { x, y } = await this.bring(step.click, step.has, step.from_px);
      if (this.taps) return page.touchscreen.tap(x, y);
      await page.mouse.move(x, y, { steps: 3 });
      await page.mouse.click(x, y, { button: step.button ?? "left", clickCount: step.times ?? 1, delay: 30 });
    } else if (step.upload) {
      const { x, y } = await this.bring(step.upload, step.has, step.from_px);
      const dialog = page.waitForEvent("filechooser", { timeout: PATIENCE });
      await Promise.all([dialog, page.mouse.click(x, y)]);
      await (await dialog).setFiles(resolve(dirname(file), step.file));
    } else if (step.hover) {
      const { x, y } = await this.bring(step.hover, step.has, step.from_px);
      await page.mouse.move(x, y, { steps: 3 });
    } else if (step.type) {
      const { x, y } = await this.bring(step.type, step.has, step.from_px);
      await page.mouse.click(x, y);
      if (step.over) await page.keyboard.press("Control+a");
      await page.keyboard.type(step.text, { delay: 15 });
    } else if (step.drag) {
      const from = await this.bring(step.drag, step.has, step.from_px);
      const to = step.to ? await this.bring(step.to, step.to_has, step.to_px) : from;
      const [dx, dy] = step.by_px ?? [0, 0];
      await this.pull(from, { x: to.x + dx, y: to.y + dy });
    } else if (step.select) {
      // Its list opens, takes the letters, and closes.
      const { x, y } = await this.bring(step.select);
      await page.mouse.click(x, y);
      await page.keyboard.type(step.option, { delay: 15 });
      await page.keyboard.press("Enter");
    } else if (step.press) {
      for (const key of [step.press].flat()) await page.keyboard.press(key, { delay: 20 });
    } else if (step.wheel) {
      const { x, y } = await this.bring(step.wheel, step.has, step.from_px);
      await page.mouse.move(x, y);
      await page.mouse.wheel(0, step.px);
    } else if (typeof step.wait === "number") await page.waitForTimeout(step.wait);
    else if (step.wait) await this.bring(step.wait, step.has);
    else throw new Error(`nothing is to be done: ${JSON.stringify(step)}`);
  }

  async screen() {
    if (!this.mirror) return this.page.screenshot({ caret: "initial" });
    const clip = await this.page.locator(this.mirror).boundingBox();
    return this.page.screenshot({ caret: "initial", clip });
  }

  /** What is masked, hidden or said not to be shown: only the mirror knows. Where a page repeats what is masked, bullets say so. */
  withheld() {
    return this.page.evaluate((mirror) => {
      const boxes = [];
      const BULLETS = /\u2022{4}/;
      const look = (root, x, y) => {
        const add = (box) => {
          // An outline is around it.
          if (box.width && box.height)
            boxes.push({ x: x + box.x - 3, y: y + box.y - 3, width: box.width + 6, height: box.height + 6 });
        };
        const view = root.ownerDocument ?? root;
        const texts = view.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        for (let text = texts.nextNode(); text; text = texts.nextNode()) {
          if (!BULLETS.test(text.data)) continue;
          const range = view.createRange();
          range.selectNodeContents(text);
          add(range.getBoundingClientRect());
        }
        for (const element of root.querySelectorAll("*")) {
          const marked = /masked|hidden|placeholder/.test(element.getAttribute("data-tandem-mark") ?? "");
          const repeats = /^(input|textarea)$/.test(element.localName) && BULLETS.test(element.value);
          if (marked || repeats) add(element.getBoundingClientRect());
          if (element.shadowRoot) look(element.shadowRoot, x, y);
          if (element.contentDocument) {
            const box = element.getBoundingClientRect();
            look(element.contentDocument, x + box.x + element.clientLeft, y + box.y + element.clientTop);
          }
        }
      };
      look(document.querySelector(mirror).contentDocument, 0, 0);
      return boxes;
    }, this.mirror);
  }

  /** The texts that are to be seen, without those in these places. */
  texts(withheld) {
    return this.page.evaluate(
      ([mirror, withheld]) => {
        const texts = [];
        const out = (x, y) =>
          withheld.some((b) => x > b.x && x < b.x + b.width && y > b.y && y < b.y + b.height);
        const add = (text, element, box, x, y) => {
          const plain = text.replace(/\s+/g, " ").trim();
          if (!plain || !box?.width || !box.height || !element?.checkVisibility({ visibilityProperty: true }))
            return;
          if (!out(x + box.x + box.width / 2, y + box.y + box.height / 2)) texts.push(plain);
        };
        const look = (root, x, y) => {
          const view = (root.host ?? root).ownerDocument ?? root;
          const walker = view.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
          for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            if (node.nodeType === 3) {
              const around = node.parentElement ?? node.parentNode?.host;
              if (
                /^(script|style|noscript|template|textarea|option|title|tandem-widget|canvas|video|audio|iframe|object)$/.test(
                  around?.localName,
                )
              )
                continue;
              if (!node.data.trim()) continue;
              const range = view.createRange();
              range.selectNodeContents(node);
              add(node.data, around, range.getBoundingClientRect(), x, y);
              continue;
            }
            if (node.localName === "tandem-widget") continue;
            const box = node.getBoundingClientRect();
            if (/^(input|textarea|select)$/.test(node.localName)) {
              const value =
                node.localName === "select"
                  ? [...node.selectedOptions].map((o) => o.label).join()
                  : node.value;
              const isText = !/^(checkbox|radio|range|color|hidden|image|file)$/.test(node.type);
              if (isText) add(value, node, box, x, y);
              else if (/checkbox|radio/.test(node.type)) add(node.checked ? "[x]" : "[ ]", node, box, x, y);
            }
            if (node.shadowRoot) look(node.shadowRoot, x, y);
            if (node.contentDocument)
              look(node.contentDocument, x + box.x + node.clientLeft, y + box.y + node.clientTop);
          }
        };
        look(mirror ? document.querySelector(mirror).contentDocument : document, 0, 0);
        return texts;
      },
      [this.mirror, withheld],
    );
  }
}

const customer = new Side(await open({ width, height }, touches), null);
// Room for the console's bar: the mirror is as large as the customer's window.
const agent = new Side(
  await open({ width: Math.max(width, 1100) + 160, height: height + 240 }, false),
  MIRROR,
);

/** What the mirror could not load since the last step. */
let unloaded = [];
agent.page.on(
  "response",
  (answer) => answer.status() >= 400 && unloaded.push(`${answer.status()} ${answer.url()}`),
);
agent.page.on("requestfailed", (asked) => unloaded.push(`${asked.failure()?.errorText} ${asked.url()}`));

/** Shows or takes from sight what Tandem shows of its own, which is no part of the page. */
async function bare(is) {
  await customer.page.evaluate((is) => {
    const root = document.querySelector("tandem-widget")?.shadowRoot;
    if (!root) return;
    if (!window.bareTandem) {
      window.bareTandem = new CSSStyleSheet();
      window.bareTandem.replaceSync("* { visibility: hidden !important }");
    }
    const others = root.adoptedStyleSheets.filter((sheet) => sheet !== window.bareTandem);
    root.adoptedStyleSheets = is ? [...others, window.bareTandem] : others;
  }, is);
  await agent.page.evaluate(() => {
    if (document.adoptedStyleSheets.length) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(".overlay, .notes { visibility: hidden }");
    document.adoptedStyleSheets = [sheet];
  });
}

async function allow() {
  await bare(false);
  await agent.page.getByRole("button", { name: "Request write mode" }).click();
  await customer.page.getByRole("button", { name: "Allow", exact: true }).click({ timeout: PATIENCE });
  await agent.page.getByRole("status", { name: "Mode" }).filter({ hasText: "Write" }).waitFor();
}

async function begin() {
  const [{ page: theirs }, { page: ours }] = [customer, agent];
  await theirs.goto(new URL((steps[0].goto ?? "/").replace(/^\//, ""), `${site}/`).href);
  await theirs.getByRole("button", { name: "Co-browse" }).click();
  const shown = theirs.getByLabel("Session ID");
  await shown.filter({ hasText: /\w{3}-\w{3}-\w{3}/ }).waitFor();
  await ours.goto(desk);
  await ours.getByLabel("Username").fill(user);
  await ours.getByLabel("Password").fill(password);
  await ours.getByRole("button", { name: "Log in" }).click();
  await ours.getByLabel("Session ID").fill(await shown.textContent());
  await ours.getByRole("button", { name: "Start co-browse" }).click();
  await ours.locator(MIRROR).waitFor();
}

async function go(path, by) {
  const url = new URL(path, site).href;
  if (by !== agent) return customer.page.goto(url);
  const there = customer.page.waitForEvent("load", { timeout: 30_000 });
  await agent.page.getByRole("textbox", { name: "Address" }).fill(url);
  await agent.page.keyboard.press("Enter");
  await there;
}

/** How the two screens differ. */
async function compare() {
  await bare(true);
  const withheld = await agent.withheld();
  const [here, there] = await Promise.all([customer.screen(), agent.screen()]);
  const { share, picture } = difference(here, there, withheld, scale);
  const [mine, theirs] = [await customer.texts(withheld), await agent.texts(withheld)];
  const rest = [...theirs];
  const only = mine.filter((text) => {
    const at = rest.indexOf(text);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
  return { share, here, there, picture, only, rest, same: share <= ALLOWED && !only.length && !rest.length };
}

/** Compares until the screens are the same, or that is no longer to be expected. */
async function settled() {
  const until = Date.now() + PATIENCE;
  for (;;) {
    const found = await compare().catch((error) => ({ same: false, share: 1, only: [], rest: [], error }));
    if (found.same || Date.now() > until) return found;
    await customer.page.waitForTimeout(200);
  }
}

/** Waits for what must come of the step. Resolves to what is wrong, if something is. */
async function effect(step) {
  const until = Date.now() + PATIENCE;
  while (!(await customer.shows(step))) {
    if (Date.now() > until) return "what must come of it did not come";
    await customer.page.waitForTimeout(100);
  }
  return "";
}

/** A step that a browser never finishes must not be waited for without end. */
function timely(doing) {
  const late = new Promise((_, reject) =>
    setTimeout(reject, SLOWEST, new Error("the browser did not finish this")).unref(),
  );
  return Promise.race([doing, late]);
}

const titleOf = (step) => {
  const [what] = Object.keys(step).filter((key) => !/^(by|name|has)$/.test(key));
  return step.name ?? `${what} ${step[what]}${step.has ? ` “${step.has}”` : ""}`;
};

await begin();
let [wrong, without] = [0, 0];
let writes = false;
for (const [at, step] of steps.entries()) {
  const by = (step.by ?? usually) === "agent" ? agent : customer;
  const title = titleOf(step);
  const has = Boolean(step.then ?? step.gone);
  let failure = "";
  let missing = "";
  try {
    if (step.allow || (by === agent && !writes)) {
      await allow();
      writes = true;
    }
    if (has && !step.goto && (await customer.shows(step))) missing = "what must come of it was so before";
    if (!step.allow) await timely(step.goto ? go(step.goto, by) : by.does(step));
    if (has) missing ||= await effect(step);
  } catch (error) {
    failure = String(error).split("\n")[0];
  }
  if (at + 1 < first || at + 1 > last) continue;
  const found = await settled();
  const differs = !found.same || failure || missing;
  const who = by === agent ? "agent   " : "customer";
  console.log(
    `${!found.same ? "DIFFERS" : differs ? "FAILS  " : "same   "} ${(100 * found.share).toFixed(3).padStart(8)} %  ${String(at + 1).padStart(3)} ${who} ${title}  ${new URL(customer.page.url()).pathname}`,
  );
  for (const what of [failure, missing, found.error].filter(Boolean)) console.log(`          ${what}`);
  if (differs)
    for (const what of unloaded.slice(0, 5)) console.log(`          not loaded: ${what.slice(0, 160)}`);
  unloaded = [];
  if (differs)
    for (const note of await agent.page.locator(".note span").allTextContents())
      console.log(`          the agent was told: ${note}`);
  for (const text of found.only.slice(0, 5))
    console.log(`          only the customer: ${text.slice(0, 120)}`);
  for (const text of found.rest.slice(0, 5))
    console.log(`          only the agent:    ${text.slice(0, 120)}`);
  if (!differs) continue;
  wrong += 1;
  without += failure || missing ? 1 : 0;
  if (!keep || !found.here) continue;
  mkdirSync(keep, { recursive: true });
  const name = join(keep, `${String(at + 1).padStart(2, "0")}-${usually}`);
  writeFileSync(`${name}-customer.png`, found.here);
  writeFileSync(`${name}-agent.png`, found.there);
  writeFileSync(`${name}-difference.png`, found.picture);
}
const checked = steps.filter((step) => step.then ?? step.gone).length;
console.log(
  wrong
    ? `${wrong} of ${steps.length} steps differ or fail; ${without} did not do what they must`
    : `${steps.length} steps, ${checked} of them with an effect that came: the same on both screens`,
);
await browser.close();
process.exit(wrong ? 1 : 0);
