/**
 * The rig of the browser tests: a running `tandem demo`, a customer's browser and an agent's, each with cookies
 * of its own. What tests read of the agent's side is what a person would see there: the mirrored page.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { inflateRawSync } from "node:zlib";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base, type Browser, type BrowserContext, type CDPSession, expect as rarely, type Page } from "@playwright/test";
import { PNG } from "pngjs";

/** When a poll asks again, in milliseconds: most of what is waited for is there after a frame or two, sooner than Playwright asks again. */
const INTERVALS = [25, 50, 75, 150, 250, 500];

/** Playwright's, which polls more often at first. */
export const expect: typeof rarely = new Proxy(rarely, {
  get(target, name) {
    if (name !== "poll") return Reflect.get(target, name);
    const poll: typeof rarely.poll = (actual, options) =>
      target.poll(actual, { intervals: INTERVALS, ...(typeof options === "string" ? { message: options } : options) });
    return poll;
  },
});

/** What a frame of a WebSocket says, inflated if it travels deflated. */
export function plain(payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload);
  return bytes[0] === 0 ? inflateRawSync(bytes.subarray(1)) : bytes;
}

/** A running demo. */
export type Demo = { site: string; console: string; password: string; data: string; log: () => string };

/** The agent's picture of the customer's page, seen through the console. */
export class Mirror {
  constructor(private readonly page: Page) {}

  /** Reads off the mirrored element; `host >>> inner` looks into a shadow root or a frame. Null when it is not there. */
  private look<T>(selector: string, read: (element: Element) => T): Promise<T | null> {
    // One question as a text: polls ask many, and each handle to an element would be two more.
    return this.page.evaluate(`(${looked})(${JSON.stringify(selector)}, ${read})`);
  }

  /** Which page of a lasting session it is. */
  mark(): Promise<string | null> {
    return this.look("html", (html) => html.getAttribute("data-mark"));
  }

  text(selector: string): Promise<string | null> {
    return this.look(selector, (element) => (element.textContent ?? "").replace(/\s+/g, " ").trim());
  }

  value(selector: string): Promise<string | null> {
    return this.look(selector, (element) => (element as HTMLInputElement).value);
  }

  /** What the browser says of the element when the pointer rests on its middle. */
  tooltip(selector: string): Promise<string | null> {
    return this.look(selector, (element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      const hit = element.ownerDocument.elementFromPoint(left + width / 2, top + height / 2);
      return hit?.closest("[title]")?.getAttribute("title") ?? null;
    });
  }

  checked(selector: string): Promise<boolean | null> {
    return this.look(selector, (element) => (element as HTMLInputElement).checked);
  }

  /** Where the agent's own caret is in a field, or in the text of an editable element. */
  caret(selector: string): Promise<number | null> {
    return this.look(selector, (element) => {
      if ("selectionStart" in element) return element.selectionStart as number | null;
      const selection = element.ownerDocument.getSelection();
      return selection?.focusNode?.parentNode === element ? selection.focusOffset : null;
    });
  }

  html(selector: string): Promise<string | null> {
    return this.look(selector, (element) => element.outerHTML);
  }

  /** Width and height that an image really has: 0 when it did not load. */
  naturalWidth(selector: string): Promise<number | null> {
    return this.look(selector, (element) => (element as HTMLImageElement).naturalWidth);
  }

  background(selector: string): Promise<string | null> {
    return this.look(selector, (e) => e.ownerDocument.defaultView?.getComputedStyle(e).backgroundColor ?? "");
  }

  /** The animations of an element and its parts. */
  animations(selector: string): Promise<Animated[] | null> {
    return this.look(selector, animationsOf);
  }

  /** How far down an element is in its window; null where it is not shown. */
  top(selector: string): Promise<number | null> {
    return this.look(selector, topOf);
  }

  scrollTop(selector: string): Promise<number | null> {
    return this.look(selector, (element) => Math.round(element.scrollTop));
  }

  scrollLeft(selector: string): Promise<number | null> {
    return this.look(selector, (element) => Math.round(element.scrollLeft));
  }

  size(selector: string): Promise<{ width: number; height: number } | null> {
    return this.look(selector, (element) => {
      const box = element.getBoundingClientRect();
      return { width: Math.round(box.width), height: Math.round(box.height) };
    });
  }

  /** Where the middle of an element is on the agent's screen. */
  async middle(selector: string): Promise<{ x: number; y: number }> {
    const inside = await this.look(selector, (element) => {
      const box = element.getBoundingClientRect();
      const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
      let frame = element.ownerDocument.defaultView?.frameElement;
      for (; frame && frame.getAttribute("title") !== "Customer's page"; frame = frame.ownerDocument.defaultView?.frameElement) {
        const outer = frame.getBoundingClientRect();
        const { paddingLeft, paddingTop } = frame.ownerDocument.defaultView?.getComputedStyle(frame) ?? { paddingLeft: "0", paddingTop: "0" };
        at.x += outer.x + frame.clientLeft + Number.parseFloat(paddingLeft);
        at.y += outer.y + frame.clientTop + Number.parseFloat(paddingTop);
      }
      return at;
    });
    if (!inside) throw new Error(`the agent does not see ${selector}`);
    const frame = await this.page.evaluate(() => {
      const frame = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]');
      const box = frame?.getBoundingClientRect();
      return box && frame ? { x: box.x, y: box.y, scale: box.width / frame.offsetWidth } : null;
    });
    if (!frame) throw new Error("there is no mirror");
    return { x: frame.x + inside.x * frame.scale, y: frame.y + inside.y * frame.scale };
  }

  /** The colour in the middle of an element on the agent's screen; none while it is not there. */
  async colour(selector: string): Promise<number[]> {
    const middle = await this.middle(selector).catch(() => null);
    if (!middle) return [];
    const { x, y } = middle;
    const style = ".overlay, .notes { display: none }";
    const png = PNG.sync.read(await this.page.screenshot({ clip: { x: Math.round(x), y: Math.round(y), width: 1, height: 1 }, style }));
    return [...png.data.subarray(0, 3)];
  }

  /** Presses where the element is, as a person would. */
  async click(selector: string): Promise<void> {
    const at = await this.middle(selector);
    await this.page.mouse.click(at.x, at.y);
  }
}

/** Run in the browser. */
function looked<T>(selector: string, read: (element: Element) => T): T | null {
  const frame = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]');
  let root: Document | ShadowRoot | null | undefined = frame?.contentDocument;
  let found: Element | null | undefined = null;
  for (const part of selector.split(" >>> ")) {
    found = root?.querySelector(part);
    root = found?.shadowRoot ?? (found as HTMLIFrameElement | null)?.contentDocument;
  }
  return found ? read(found) : null;
}

/** Run in the browser. */
export function topOf(element: Element): number | null {
  return element.getClientRects()[0]?.top ?? null;
}

/** How far an animation is. */
export interface Animated {
  readonly part: string;
  readonly name: string;
  readonly state: AnimationPlayState;
  readonly rate: number;
  readonly time: number;
  /** When it began, by the wall clock, as if it had always been as fast as it is. */
  readonly begun: number;
  readonly opacity: string;
  readonly left: string;
}

/** Run in the browser. */
export function animationsOf(element: Element): Animated[] {
  const now = performance.timeOrigin + performance.now();
  return element.getAnimations({ subtree: true }).map((animation) => {
    const part = (animation.effect as KeyframeEffect).pseudoElement ?? "";
    const { opacity, left } = getComputedStyle(element, part || null);
    const [time, rate] = [Number(animation.currentTime), animation.playbackRate];
    const name = (animation as CSSAnimation).animationName ?? "";
    return { part, name, state: animation.playState, rate, time, begun: now - time / rate, opacity, left };
  });
}

/** The customer's side. */
export class Customer {
  private lenient?: CDPSession;

  constructor(
    readonly page: Page,
    readonly demo: Demo,
    private readonly violations: string[] = [],
  ) {}

  expectNoViolations(): void {
    expect(this.violations, "our scripts do nothing that the site's policy forbids").toEqual([]);
  }

  async open(path: string): Promise<void> {
    await this.page.goto(this.demo.site + path);
  }

  /** Logs in as their form does, which costs less than a page with the form on it. */
  async logIn(): Promise<void> {
    const { request } = this.page.context();
    const address = `${this.demo.site}/login`;
    const [, csrf = ""] = /name="csrf" value="([^"]+)"/.exec(await (await request.get(address)).text()) ?? [];
    const form = { csrf, email: "ada@example.test", password: "lovelace" };
    const answer = await request.post(address, { form, maxRedirects: 0 });
    expect(answer.status(), await answer.text()).toBe(303);
  }

  /** Presses Co-browse and reads the session ID off the screen. */
  async start(): Promise<string> {
    await this.page.getByRole("button", { name: "Co-browse" }).click();
    const id = this.page.getByLabel("Session ID");
    await expect(id).toHaveText(/^\w{3}-\w{3}-\w{3}$/);
    return (await id.textContent()) ?? "";
  }

  /** Scrolls an element to the middle of the screen, on both sides. */
  async reveal(selector: string, mirror: Mirror): Promise<void> {
    const there = await this.page.locator(selector).first().evaluate((element) => {
      element.scrollIntoView({ behavior: "instant", block: "center" });
      return Math.round(document.scrollingElement?.scrollTop ?? 0);
    });
    await expect.poll(() => mirror.scrollTop("html")).toBe(there);
  }

  async anyStyle(): Promise<void> {
    this.lenient ??= await this.page.context().newCDPSession(this.page);
    await this.lenient.send("Page.setBypassCSP", { enabled: true });
  }

  /** Puts back what a test has changed of the browser: routes, and what its pages may have. */
  async restore(): Promise<void> {
    await this.page.unrouteAll();
    await this.lenient?.send("Page.setBypassCSP", { enabled: false });
  }

  /** Allows the agent to type and click. */
  async allow(): Promise<void> {
    await this.page.getByRole("dialog", { name: "Allow the agent to type and click?" }).waitFor();
    await this.page.getByRole("button", { name: "Allow", exact: true }).click();
  }
}

/** A place of the test's own on the page, the same on both sides. */
export async function put(customer: Customer, agent: Agent, html: string, script = ""): Promise<void> {
  await customer.page.evaluate(([html, script]) => {
    document.querySelector("#added")?.remove();
    const host = document.createElement("div");
    host.id = "added";
    host.style.cssText = "position:fixed;inset:0;z-index:9;background:#fff;overflow:auto";
    host.innerHTML = `${html}<i id="ready">${Math.random()}</i>`;
    document.body.append(host);
    const element = document.createElement("script");
    element.textContent = script;
    host.append(element);
  }, [html, script] as const);
  const ready = await customer.page.locator("#ready").textContent();
  await expect.poll(() => agent.mirror.text("#ready")).toBe(ready);
}

/** Lets the shop's pages have styles of the test's own, which its policy forbids; of a lasting session, those that it loads in the test. */
export function anyStyle(customer: Customer): Promise<void> {
  return customer.anyStyle();
}

/** Notes what our scripts do in pages that their policy forbids, in whatever page of the site. */
async function watchPolicies(context: BrowserContext, violations: string[]): Promise<void> {
  await context.exposeBinding("violated", (_source, what: string) => violations.push(what));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ sourceFile, lineNumber, columnNumber, effectiveDirective }) => {
      if (!sourceFile?.includes("/.tandem/")) return;
      const where = `${sourceFile}:${lineNumber}:${columnNumber}`;
      void (window as unknown as { violated: (what: string) => Promise<void> }).violated(`${effectiveDirective} ${where}`);
    });
  });
}

/** The agent's side. */
export class Agent {
  readonly mirror: Mirror;

  constructor(
    readonly page: Page,
    readonly demo: Demo,
  ) {
    this.mirror = new Mirror(page);
  }

  /** Logs in as the console does, which costs less than its form; speaks.spec.ts fills it in. */
  async logIn(): Promise<void> {
    const { console: address, password } = this.demo;
    const answer = await this.page.context().request.post(`${address}/console/login`, {
      headers: { tandem: "1" },
      data: { username: "agent", password },
    });
    expect(answer.ok(), await answer.text()).toBe(true);
    await this.page.goto(address);
  }

  async join(id: string): Promise<void> {
    await this.page.getByLabel("Session ID").fill(id);
    await this.page.getByRole("button", { name: "Start co-browse" }).click();
    await expect.poll(() => this.mirror.text("body")).toBeTruthy();
  }

  mode() {
    return this.page.getByRole("status", { name: "Mode" });
  }

  /** Reads a note of the console and puts it away. */
  async dismiss(text: string | RegExp): Promise<void> {
    const note = this.page.locator(".note", { hasText: text });
    await note.getByRole("button", { name: "Dismiss" }).click();
    await expect(note).toHaveCount(0);
  }

  async requestWrite(): Promise<void> {
    await this.page.getByRole("button", { name: "Request write mode" }).click();
  }
}

type Sides = { customer: Customer; agent: Agent };

type Fixtures = Sides & {
  /** A customer who is logged in on this page of the shop, and an agent who sees it. */
  session: (path: string) => Promise<string>;
  /** The same, and the customer has allowed Write mode. */
  writing: (path: string) => Promise<string>;
};

export const test = base.extend<Fixtures, { demo: Demo; pair: Pair }>({
  demo: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the pattern
    async ({}, use) => {
      const demo = await startDemo();
      await use(demo);
      await demo.stop("SIGTERM");
    },
    { scope: "worker" },
  ],
  pair: [
    async ({ browser, demo }, use) => {
      const pair = new Pair(browser, demo);
      await use(pair);
      await pair.close();
    },
    { scope: "worker" },
  ],
  customer: async ({ browser, demo }, use) => {
    const customer = await openCustomer(browser, demo);
    await use(customer);
    await customer.page.context().close();
    customer.expectNoViolations();
  },
  agent: async ({ browser, demo, pair }, use) => {
    // An agent is in one session at a time.
    await pair.close();
    const agent = await openAgent(browser, demo);
    await use(agent);
    await agent.page.context().close();
  },
  session: async ({ customer, agent }, use) => use((path) => share(customer, agent, path)),
  writing: async ({ customer, agent, session }, use) => {
    await use(async (path) => {
      const id = await session(path);
      await agent.requestWrite();
      await customer.allow();
      await expect(agent.mode()).toHaveText("Write");
      return id;
    });
  },
});

/**
 * For tests that ask for a session, all of their file in one mode, and leave it as it is: they share one, which costs a third as
 * much. A test begins with the customer's page loaded anew, and the agent follows; what else it changes, like the size of a window,
 * it puts back, or it is a `test` with sides of its own. With `lasting.describe.configure({ mode: "default" })` they run in the
 * order of the file; after a failure the next one begins afresh.
 */
export const lasting = test.extend({
  customer: async ({ pair }, use, { file }) => {
    const { customer } = await pair.of(file);
    await use(customer);
    await customer.restore();
    customer.expectNoViolations();
  },
  agent: async ({ pair }, use, { file }) => {
    const { agent } = await pair.of(file);
    await use(agent);
    await agent.page.unrouteAll();
  },
  session: async ({ pair }, use) => use((path) => pair.session(path)),
  writing: async ({ pair }, use) => use((path) => pair.writing(path)),
});

/** Two sides that the tests of a file share, and the session that they are in. */
class Pair {
  private file?: string;
  private sides?: Sides;
  private id?: string;

  constructor(
    private readonly browser: Browser,
    private readonly demo: Demo,
  ) {}

  async of(file: string): Promise<Sides> {
    if (this.file !== file) await this.close();
    this.file = file;
    this.sides ??= { customer: await openCustomer(this.browser, this.demo), agent: await openAgent(this.browser, this.demo) };
    return this.sides;
  }

  async session(path: string): Promise<string> {
    if (!this.sides) throw new Error("nobody is there");
    const { customer, agent } = this.sides;
    if (this.id) await renew(customer, agent, path);
    else this.id = await share(customer, agent, path);
    return this.id;
  }

  async writing(path: string): Promise<string> {
    const first = !this.id;
    const id = await this.session(path);
    const { customer, agent } = this.sides as Sides;
    if (first) {
      await agent.requestWrite();
      await customer.allow();
    }
    await expect(agent.mode()).toHaveText("Write");
    return id;
  }

  async close(): Promise<void> {
    for (const side of [this.sides?.customer, this.sides?.agent]) await side?.page.context().close();
    this.sides = this.id = undefined;
  }
}

/** A customer logs in and starts a session on a page, which the agent joins. */
async function share(customer: Customer, agent: Agent, path: string): Promise<string> {
  await customer.logIn();
  await customer.open(path);
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  return id;
}

/** The customer loads a page anew, which the agent follows, with no pointer over either and no note of what was done in the last one. */
async function renew(customer: Customer, agent: Agent, path: string): Promise<void> {
  for (const { page } of [customer, agent]) await page.mouse.move(0, 0);
  await customer.open(path);
  const mark = String(Math.random());
  await customer.page.evaluate((mark) => document.documentElement.setAttribute("data-mark", mark), mark);
  await expect.poll(() => agent.mirror.mark()).toBe(mark);
  const notes = agent.page.locator(".note");
  await notes.getByRole("button", { name: "Dismiss" }).evaluateAll((all) => all.forEach((one) => (one as HTMLElement).click()));
  await expect(notes).toHaveCount(0);
}

async function openCustomer(browser: Browser, demo: Demo): Promise<Customer> {
  const context = await open(browser, { width: 1100, height: 760 });
  const violations: string[] = [];
  await watchPolicies(context, violations);
  return new Customer(await context.newPage(), demo, violations);
}

async function openAgent(browser: Browser, demo: Demo): Promise<Agent> {
  const context = await open(browser, { width: 1400, height: 1000 });
  return new Agent(await context.newPage(), demo);
}

function open(browser: Browser, viewport: { width: number; height: number }): Promise<BrowserContext> {
  return browser.newContext({ viewport, reducedMotion: "reduce", permissions: ["clipboard-read", "clipboard-write"] });
}

/** A demo that can be killed and started again at the same addresses, with the same data. */
export async function startDemo(): Promise<Demo & { stop(signal: NodeJS.Signals): Promise<void>; start(): Promise<void> }> {
  const [site, console_] = [await freePort(), await freePort()];
  const data = ownFolder();
  const binary = process.env.TANDEM_BIN ?? "../../target/debug/tandem";
  const flags = ["demo", "--site", `127.0.0.1:${site}`, "--console", `127.0.0.1:${console_}`, "--data", data];
  let said = "";
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn(binary, flags, { env: { ...process.env, RUST_LOG: "info" } });
    let now = "";
    await new Promise<void>((resolve, reject) => {
      const listen = (chunk: Buffer) => {
        said += chunk.toString();
        now += chunk.toString();
        if (now.includes("Ctrl+C")) resolve();
      };
      child.stdout?.on("data", listen);
      child.stderr?.on("data", listen);
      child.once("exit", () => reject(new Error(`the demo did not start:\n${now}`)));
    });
  };
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  };
  await start();
  const local = (port: number) => `http://localhost:${port}`;
  return {
    site: local(site),
    console: local(console_),
    /** Each start makes a new one. */
    get password() {
      return [...said.matchAll(/password\s+(\S+)/g)].at(-1)?.[1] ?? "";
    },
    data,
    log: () => said,
    start,
    stop,
  };
}

const folders: string[] = [];
process.once("exit", () => {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
});

/** A folder that goes with the worker that made it, however its tests end. */
export function ownFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "tandem-browser-"));
  folders.push(path);
  return path;
}

/** A port that nobody listens on, and none of those that connections are given: one of them could have it before it is used. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(11_000, 32_768);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}
