/**
 * A website of several hosts: a shop, a host that takes its payments in frames of the shop's pages, and a stranger, behind a server of
 * the test's own.
 */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cp, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { Agent, test as base, expect, freePort, ownFolder } from "./rig.ts";

export { expect };

const BINARY = process.env.TANDEM_BIN ?? "../../target/debug/tandem";
const PASSWORD = "only for this test";
const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" width="31" height="17"><rect width="31" height="17" fill="teal"/></svg>`;
const POLICY = `[[mask]]\nselect = ".secret"\n`;

/** Where the two hosts of the website are. */
export type Hosts = { shop: string; pay: string };

/** Two hosts of one website behind a server, and one that is none of it. */
export type Site = Hosts & {
  /** The same two without the server between. */
  bare: Hosts;
  stranger: string;
  console: string;
  restart(): Promise<void>;
  policy(text: string): Promise<void>;
  /** Has a host, `shop` or `pay`, answer with something of the test's own. */
  put(host: string, path: string, body: string, headers?: Record<string, string>): void;
};

type Fixtures = { site: Site; agent: Agent; start: (page: Page, path?: string) => Promise<void>; writes: (page: Page) => Promise<void> };

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the pattern
  site: async ({}, use) => {
    const stops: Array<() => unknown> = [];
    const listen = async (handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> => {
      const server = createServer(handler);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      stops.push(() => server.closeAllConnections(), () => server.close());
      return (server.address() as AddressInfo).port;
    };
    const [port, agents] = [await freePort(), await freePort()];
    const hosts = (port: number): Hosts => ({ shop: `http://shop.tea.localhost:${port}`, pay: `http://pay.tea.localhost:${port}` });
    const { shop, pay } = hosts(port);
    const own = new Map<string, { body: string; headers: Record<string, string> }>();
    const pages = (request: IncomingMessage, response: ServerResponse): void => {
      const path = new URL(request.url ?? "/", shop).pathname;
      const host = request.headers.host?.split(".")[0];
      const send = (html: string, headers: Record<string, string> = {}) => {
        response.writeHead(200, { "content-type": "text/html", ...headers });
        response.end(`<!doctype html>${html}`);
      };
      const put = own.get(`${host}${path}`);
      if (put) {
        response.writeHead(200, { "content-type": "text/html", ...put.headers });
        return void response.end(put.body);
      }
      if (path === "/logo.svg") {
        // Nobody can have it without the frame's own cookie.
        if (!request.headers.cookie?.includes("paid=1")) return void response.writeHead(403).end();
        response.writeHead(200, { "content-type": "image/svg+xml" });
        return void response.end(LOGO);
      }
      if (host === "shop") return send(path === "/inner" ? "<p id=inner>Inner of the shop</p>" : shopPage(pay, stranger));
      if (path === "/done") return send("<h1>Thank you</h1>");
      if (path === "/nest") return send(`<h1>Nest</h1><iframe id=in src="${shop}/inner"></iframe>`);
      send(PAY_FORM, {
        "set-cookie": "paid=1; Path=/; SameSite=Lax",
        "content-security-policy": `default-src '${path === "/strict" ? "none" : "self"}'; script-src 'nonce-own'; style-src 'unsafe-inline'; img-src 'self'`,
      });
    };
    const stranger = `http://127.0.0.1:${await listen((_, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end(STRANGER);
    })}`;
    const origin = await listen(pages);
    const folder = ownFolder();
    const sites = [shop, pay].map((url) => `[[site]]\npublic = "${url}"\norigin = "http://127.0.0.1:${origin}"\n`).join("");
    const config = `${sites}[proxy]\nlisten = "127.0.0.1:${port}"\n[console]\nlisten = "127.0.0.1:${agents}"\npublic = "http://localhost:${agents}"\n`;
    await writeFile(join(folder, "tandem.toml"), config);
    await cp("../../policies/default.toml", join(folder, "policies/default.toml"));
    const policy = (text: string) => writeFile(join(folder, "policies/test.toml"), text);
    await policy(POLICY);
    spawnSync(BINARY, ["agent", "add", "agent", "--password-stdin", "--file", join(folder, "agents.toml")], { input: PASSWORD });
    let child: ChildProcess | undefined;
    const run = async (): Promise<void> => {
      child = spawn(BINARY, ["serve", "--config", join(folder, "tandem.toml")]);
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk.toString()));
      const health = () => fetch(`http://127.0.0.1:${agents}/healthz`).then((answer) => answer.status, () => said);
      await expect.poll(health, { timeout: 15_000 }).toBe(200);
    };
    const stop = async (): Promise<void> => {
      const gone = new Promise((resolve) => child?.once("exit", resolve));
      child?.kill("SIGTERM");
      await gone;
    };
    await run();
    const put: Site["put"] = (host, path, body, headers = {}) => void own.set(host + path, { body, headers });
    const restart = async (): Promise<void> => void (await stop(), await run());
    await use({ shop, pay, bare: hosts(origin), stranger, console: `http://localhost:${agents}`, policy, put, restart });
    await stop();
    for (const stop of stops) await stop();
  },
  agent: async ({ browser, site }, use) => {
    const context = await browser.newContext({ viewport: { width: 1400, height: 1000 }, reducedMotion: "reduce" });
    const demo = { site: site.shop, console: site.console, password: PASSWORD, data: "", log: () => "" };
    await use(new Agent(await context.newPage(), demo));
    await context.close();
  },
  start: async ({ site, agent }, use) => {
    await use(async (page, path = "/") => {
      await page.goto(site.shop + path);
      await page.getByRole("button", { name: "Co-browse" }).click();
      const id = page.getByLabel("Session ID");
      await expect(id).toHaveText(/^\w{3}-\w{3}-\w{3}$/);
      await agent.logIn();
      await agent.join((await id.textContent()) ?? "");
    });
  },
  writes: async ({ agent }, use) => {
    await use(async (page) => {
      await agent.requestWrite();
      await page.getByRole("button", { name: "Allow", exact: true }).click();
      await expect(agent.mode()).toHaveText("Write");
    });
  },
});

const shopPage = (pay: string, stranger: string) => `<html lang=en><title>Shop</title><h1>Shop</h1>
  <iframe id=pay src="${pay}/form" width=420 height=300></iframe><iframe id=stranger src="${stranger}/" width=200 height=80></iframe>`;

const PAY_FORM = `<html lang=en><title>Pay</title><style>h1{background:rgb(1,2,3)}body{height:2000px}</style><h1>Pay here</h1>
  <img id=logo src=/logo.svg><form action=/done><input id=name value=Ada><button id=send>Send</button></form><input id=pw type=password value=CANARY-1><p class=secret>CANARY-2</p>
  <input id=card class=secret><button id=press type=button>Press</button><p id=said></p>
  <script nonce=own>press.onclick = () => { said.textContent = "Pressed by " + document.getElementById("name").value; };</script>`;

/** Tries all that it can to be taken for a part of the site, and says what it heard. */
const STRANGER = `<!doctype html><title>Stranger</title><p>STRANGER-TEXT</p><pre id=heard></pre><script>
  addEventListener("message", (event) => { heard.textContent += JSON.stringify(event.data) + "\\n"; });
  setInterval(() => parent.postMessage({ tandem: "here" }, "*"), 50);</script>`;

/** What is in the frame of the host that takes payments. */
export const inFrame = (page: Page) => page.frameLocator("#pay");

/** What the server counts and should not: it is repaired, but it should not have happened. */
export async function faults(site: Site): Promise<string[]> {
  const metrics = await (await fetch(`${site.console}/metrics`)).text();
  return (metrics.match(/^tandem_session_(?:\w+_divergences|\w+_resyncs)_total .*$/gm) ?? []).filter((line) => !line.endsWith(" 0"));
}
