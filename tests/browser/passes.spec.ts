/** A site works behind the proxy as without it: caches, workers, isolation, frames, and all of it over TLS and HTTP/2. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { join } from "node:path";
import { type Browser, chromium } from "@playwright/test";
import { Agent, test as base, Customer, type Demo, expect, freePort, ownFolder } from "./rig.ts";

const WORKER = `
  addEventListener("install", (event) => event.waitUntil(skipWaiting()));
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  // The network first, and what came from it when there is none: as many sites do, for every request.
  addEventListener("fetch", (event) => event.respondWith((async () => {
    const cache = await caches.open("all");
    try {
      const response = await fetch(event.request);
      if (event.request.method === "GET") await cache.put(event.request, response.clone());
      return response;
    } catch {
      return (await cache.match(event.request)) ?? Response.error();
    }
  })()));
`;

const ISOLATED = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
};

type Page = { html?: string; headers?: Record<string, string>; type?: string; text?: string; hint?: string };

/** The site. Every page counts how often it ran its own first script before ours came. */
const PAGES: Record<string, Page> = {
  "/a": { html: `<title>a</title><h1>Page a</h1><a href="/b">to b</a>` },
  "/b": { html: `<title>b</title><h1>Page b</h1><a href="/a">to a</a>` },
  "/worker.js": { type: "text/javascript", text: WORKER },
  "/with-worker": {
    html: `<h1>Works offline</h1><script>navigator.serviceWorker.register("/worker.js")</script>`,
  },
  "/isolated": {
    html: `<h1>Isolated</h1><p id="is"></p><script>is.textContent = crossOriginIsolated</script>`,
    headers: ISOLATED,
  },
  "/written": {
    html: `<h1>Written</h1><script>document.write("<p id=w>by script</p>")</script>
      <button id="again" onclick="document.open(); document.write('<h1>Anew</h1>'); document.close()">again</button>`,
  },
  "/framed": {
    html: `<h1>Frames</h1><iframe sandbox src="/a" name="locked"></iframe>
      <iframe src="/b" name="open"></iframe><iframe srcdoc="<p>inline</p>" name="inline"></iframe>`,
  },
  "/deep/based": { html: `<base href="/elsewhere/"><h1>Based</h1><a id="rel" href="x">x</a>` },
  "/frameset": { html: `</head><frameset cols="*,*"><frame src="/a"><frame src="/b"></frameset>` },
  "/prerenders": {
    html: `<h1>Prerenders</h1><a href="/b">to b</a>
      <script type="speculationrules">{"prerender":[{"urls":["/b"],"eagerness":"immediate"}]}</script>`,
  },
  "/prefetches": {
    html: `<h1>Prefetches</h1><link rel="prefetch" href="/kept"><a href="/kept">to kept</a>
      <script type="speculationrules">{"prefetch":[{"urls":["/spoken"],"eagerness":"immediate"}]}</script>
      <a id="spoken" href="/spoken">to spoken</a>`,
  },
  "/kept": { html: "<h1>Kept</h1>", headers: { "cache-control": "max-age=600" } },
  "/spoken": { html: "<h1>Spoken</h1>", headers: { "cache-control": "max-age=600" } },
  "/fragment": { html: "<p>a fragment</p>" },
  // Not answered before what it hints at was asked for.
  "/hinted": { html: `<h1>Hinted</h1><link rel="stylesheet" href="/hinted.css">`, hint: "/hinted.css" },
  "/hinted.css": { type: "text/css", text: "h1 { color: rgb(1, 2, 3) }" },
};

type Site = Demo & { tls: string; asked: () => { path: string; dest: string; purpose: string }[] };

const test = base.extend<{ caching: Browser }, { site: Site }>({
  site: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the pattern
    async ({}, use) => {
      const [plain, console_, secure, secureConsole] = [
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
      ];
      const folder = ownFolder();
      const asked: { path: string; dest: string; purpose: string }[] = [];
      const header = (request: IncomingMessage, name: string) => String(request.headers[name] ?? "");
      const hints = new EventEmitter();
      const origin: Server = createServer(async (request, response) => {
        const path = request.url ?? "/";
        asked.push({
          path,
          dest: header(request, "sec-fetch-dest"),
          purpose: header(request, "sec-purpose"),
        });
        hints.emit(path);
        const page = PAGES[path];
        if (page?.hint) {
          response.writeEarlyHints({ link: `<${page.hint}>; rel=preload; as=style` });
          await once(hints, page.hint);
        }
        const type = page?.type ?? "text/html; charset=utf-8";
        const text =
          page?.text ?? `<!doctype html><html lang="en"><head><meta charset="utf-8">${page?.html ?? ""}`;
        response.writeHead(page ? 200 : 404, {
          "content-type": type,
          "cache-control": "no-cache",
          ...page?.headers,
        });
        response.end(text);
      });
      await new Promise<void>((ready) => origin.listen(0, "127.0.0.1", ready));
      const address = origin.address();
      const port = typeof address === "object" ? address?.port : 0;

      execFileSync(
        "openssl",
        [
          ...[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
          ],
          ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
          ...["-keyout", join(folder, "site.key"), "-out", join(folder, "site.pem")],
        ],
        { stdio: "ignore" },
      );
      const binary = process.env.TANDEM_BIN ?? "../../target/debug/tandem";
      const agents = join(folder, "agents.toml");
      execFileSync(binary, ["agent", "add", "agent", "--password-stdin", "--file", agents], {
        input: "correct horse\n",
      });
      execFileSync("mkdir", [join(folder, "policies")]);
      writeFileSync(join(folder, "policies", "default.toml"), "");
      const servers: ChildProcess[] = [];
      const serve = async (name: string, site: number, agentsPort: number, scheme: string, tls: string) => {
        const file = join(folder, `${name}.toml`);
        writeFileSync(
          file,
          `[proxy]\nlisten = "127.0.0.1:${site}"\n${tls}
           [[site]]\npublic = "${scheme}://localhost:${site}"\norigin = "http://127.0.0.1:${port}"
           [console]\nlisten = "127.0.0.1:${agentsPort}"\npublic = "${scheme}://localhost:${agentsPort}"\n${tls}
           [store]\npath = "store-${name}"\n`,
        );
        const child = spawn(binary, ["serve", "--config", file]);
        servers.push(child);
        let said = "";
        await new Promise<void>((ready, broken) => {
          const listen = (chunk: Buffer) => {
            said += chunk.toString();
            if (said.includes("serving")) ready();
          };
          child.stdout.on("data", listen);
          child.stderr.on("data", listen);
          child.once("exit", () => broken(new Error(said)));
        });
      };
      await serve("plain", plain, console_, "http", "");
      await serve("tls", secure, secureConsole, "https", `tls = { cert = "site.pem", key = "site.key" }`);
      await use({
        site: `http://localhost:${plain}`,
        console: `https://localhost:${secureConsole}`,
        tls: `https://localhost:${secure}`,
        password: "correct horse",
        data: folder,
        log: () => "",
        asked: () => asked,
      });
      for (const server of servers) server.kill("SIGTERM");
      origin.closeAllConnections();
      origin.close();
    },
    { scope: "worker" },
  ],
  /** A browser that keeps pages for Back, as people's browsers do and Playwright's does not. */
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the pattern
  caching: async ({}, use) => {
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      ignoreDefaultArgs: ["--disable-back-forward-cache"],
      args: ["--no-sandbox", "--disable-gpu"],
    });
    await use(browser);
    await browser.close();
  },
});

const widget = "tandem-widget";

test("Back shows the page that was kept", async ({ caching, site }) => {
  const page = await caching.newPage();
  await page.goto(`${site.site}/a`);
  await page.evaluate(() => {
    addEventListener("pageshow", (event) => {
      document.title = event.persisted ? "kept" : "anew";
    });
  });
  await page.locator("a").click();
  await expect(page.locator("h1")).toHaveText("Page b");
  // Playwright's own way back waits for a load that does not happen.
  await page.evaluate(() => history.back());
  await expect(page.locator("h1")).toHaveText("Page a");
  expect(await page.title()).toBe("kept");
  await expect(page.getByRole("button", { name: "Co-browse" })).toBeVisible();
});

test("a prerendered page shows itself, and us, once it is activated", async ({ caching, site }) => {
  const page = await caching.newPage();
  await page.goto(`${site.site}/prerenders`);
  await expect
    .poll(() => site.asked().some(({ path, purpose }) => path === "/b" && purpose.includes("prerender")))
    .toBe(true);
  await page.locator("a").click();
  await expect(page.locator("h1")).toHaveText("Page b");
  await expect(page.getByRole("button", { name: "Co-browse" })).toBeVisible();
});

test("a prefetched page has the button, however it was fetched", async ({ caching, site }) => {
  const page = await caching.newPage();
  for (const [path, link] of [
    ["/kept", "to kept"],
    ["/spoken", "to spoken"],
  ] as const) {
    await page.goto(`${site.site}/prefetches`);
    await expect
      .poll(() => site.asked().some((asked) => asked.path === path && asked.purpose.includes("prefetch")))
      .toBe(true);
    await page.getByRole("link", { name: link }).click();
    await expect(page).toHaveURL(`${site.site}${path}`);
    await expect(page.getByRole("button", { name: "Co-browse" })).toBeVisible();
  }
});

test("isolated pages stay isolated", async ({ page, site }) => {
  await page.goto(`${site.site}/isolated`);
  await expect(page.locator("#is")).toHaveText("true");
  await expect(page.getByRole("button", { name: "Co-browse" })).toBeVisible();
});

test("scripts may write the document, and write it anew", async ({ page, site }) => {
  await page.goto(`${site.site}/written`);
  await expect(page.locator("#w")).toHaveText("by script");
  await page.locator("#again").click();
  await expect(page.locator("h1")).toHaveText("Anew");
});

test("frames show what they should, and only the page has the button", async ({ page, site }) => {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`${site.site}/framed`);
  await expect(page.frameLocator("[name=locked]").locator("h1")).toHaveText("Page a");
  await expect(page.frameLocator("[name=open]").locator("h1")).toHaveText("Page b");
  await expect(page.frameLocator("[name=inline]").locator("p")).toHaveText("inline");
  await expect(page.locator(widget)).toHaveCount(1);
  await expect(page.frameLocator("[name=open]").locator(widget)).toHaveCount(0);
  expect(errors).toEqual([]);
  await page.goto(`${site.site}/frameset`);
  await expect.poll(() => page.frames().length).toBe(3);
  await expect(page.frameLocator("frame >> nth=0").locator("h1")).toHaveText("Page a");
  expect(await page.evaluate(() => document.body.tagName)).toBe("FRAMESET");
});

test("relative addresses stay what the page says", async ({ page, site }) => {
  await page.goto(`${site.site}/deep/based`);
  expect(await page.evaluate(() => document.querySelector<HTMLAnchorElement>("#rel")?.href)).toBe(
    `${site.site}/elsewhere/x`,
  );
  await expect(page.getByRole("button", { name: "Co-browse" })).toBeVisible();
});

test("what scripts fetch is what the site sent", async ({ page, site }) => {
  await page.goto(`${site.site}/a`);
  const fetched = await page.evaluate(async () => [
    await (await fetch("/fragment")).text(),
    await new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open("GET", "/fragment");
      request.setRequestHeader("accept", "text/html");
      request.onload = () => done(request.responseText);
      request.send();
    }),
  ]);
  for (const text of fetched) expect(text).not.toContain(".tandem");
});

test("a whole session works over TLS and HTTP/2", async ({ browser, site }) => {
  const open = () => browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1000, height: 700 } });
  const [left, right] = [await open(), await open()];
  const customer = new Customer(await left.newPage(), { ...site, site: site.tls });
  const agent = new Agent(await right.newPage(), site);
  await customer.open("/a");
  const protocol = await customer.page.evaluate(
    () => (performance.getEntriesByType("navigation")[0] as PerformanceNavigationTiming).nextHopProtocol,
  );
  expect(protocol).toBe("h2");
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  await expect.poll(() => agent.mirror.text("h1")).toBe("Page a");
  await agent.requestWrite();
  await customer.allow();
  await expect(agent.mode()).toHaveText("Write");
  await agent.mirror.click("a");
  await expect(customer.page.locator("h1")).toHaveText("Page b");
  await expect.poll(() => agent.mirror.text("h1")).toBe("Page b");
  await left.close();
  await right.close();
});

test("the browser loads what the site hints at before there is a page", async ({ browser, site }) => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  // Chromium gets the hint each time, and does not take it each time.
  await expect(() => page.goto(`${site.tls}/hinted`, { timeout: 3000 })).toPass();
  await expect(page.locator("h1")).toHaveCSS("color", "rgb(1, 2, 3)");
  await context.close();
});

test("a worker's cache keeps the page, and our requests pass its hands", async ({ page, site }) => {
  await page.goto(`${site.site}/with-worker`);
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await page.reload();
  await page.getByRole("button", { name: "Co-browse" }).click();
  const id = page.getByLabel("Session ID");
  await expect(id).toHaveText(/^\w{3}-\w{3}-\w{3}$/);
  await page.getByRole("button", { name: "Exit session" }).click();
  await page.context().setOffline(true);
  await page.reload();
  await expect(page.locator("h1")).toHaveText("Works offline");
  await expect(page.getByRole("button", { name: "Co-browse" })).toBeVisible();
  await page.context().setOffline(false);
});
