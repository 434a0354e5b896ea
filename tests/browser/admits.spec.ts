/**
 * Co-browsing works on sites with strict policies and on sites under another name, and takes nothing of their protection.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createListener } from "node:net";
import { join } from "node:path";
import { type Browser, chromium, expect, type Page, test } from "@playwright/test";
import { ownFolder } from "./rig.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const EVIL = "<script>window.evil = true</script>";
const OWN = "window.own = true";
const HASH = `'sha256-${createHash("sha256").update(OWN).digest("base64")}'`;

const stops: Array<() => unknown> = [];
test.afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serve(handler: Handler): Promise<number> {
  const server: Server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createListener();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a server with these `[[site]]`s. */
async function tandem(port: number, sites: string): Promise<void> {
  const folder = ownFolder();
  const agents = await freePort();
  const config = `${sites}\n[proxy]\nlisten = "127.0.0.1:${port}"\n[console]\nlisten = "127.0.0.1:${agents}"\n`;
  await writeFile(join(folder, "tandem.toml"), config);
  await cp("../../policies/default.toml", join(folder, "policies/default.toml"));
  const binary = process.env.TANDEM_BIN ?? "../../target/debug/tandem";
  const child: ChildProcess = spawn(binary, ["serve", "--config", join(folder, "tandem.toml")]);
  stops.push(() => child.kill("SIGTERM"));
  let said = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await expect
    .poll(() => fetch(`http://127.0.0.1:${agents}/healthz`).then((answer) => answer.status, () => said), { timeout: 15_000 })
    .toBe(200);
}

/** Presses the button; the session is there once its socket has spoken. */
async function startSession(page: Page): Promise<void> {
  const spoken = new Promise<void>((resolve) => {
    page.once("websocket", (socket) => socket.once("framereceived", () => resolve()));
  });
  await page.getByRole("button", { name: "Co-browse" }).click();
  await expect(page.getByLabel("Session ID")).toHaveText(/^\w{3}-\w{3}-\w{3}$/);
  await spoken;
}

const POLICIES: Array<[string, string]> = [
  ["nonces", "script-src 'nonce-abc'; connect-src 'none'; style-src 'none'; object-src 'none'"],
  ["hashes", `default-src 'none'; script-src ${HASH}`],
  ["strict-dynamic with a nonce", "script-src 'strict-dynamic' 'nonce-abc'; connect-src https://elsewhere.example"],
  ["strict-dynamic with a hash", `script-src 'strict-dynamic' ${HASH}; default-src 'none'`],
  ["Trusted Types", `require-trusted-types-for 'script'; trusted-types other; script-src ${HASH} 'nonce-abc'`],
  ["no Trusted Type at all", `require-trusted-types-for 'script'; trusted-types 'none'; script-src ${HASH} 'nonce-abc'`],
];

test.describe("under a strict policy", () => {
  const own: Array<() => unknown> = [];
  let site = "";

  // One server for all: the page is asked for by the policy that it is to have.
  test.beforeAll(async () => {
    const origin = await serve((request, response) => {
      const [, place, number] = (request.url ?? "").split("/");
      const policy = POLICIES[Number(number)]?.[1] ?? "";
      if (place === "header") response.setHeader("content-security-policy", policy);
      const meta = place === "meta" ? `<meta http-equiv="Content-Security-Policy" content="${policy}">` : "";
      response.setHeader("content-type", "text/html");
      response.end(`<!doctype html><head>${meta}<script nonce=abc>${OWN}</script>${EVIL}</head><body><p>A strict page`);
    });
    const port = await freePort();
    await tandem(port, `[[site]]\npublic = "http://localhost:${port}"\norigin = "http://127.0.0.1:${origin}"`);
    site = `http://localhost:${port}`;
    own.push(...stops.splice(0));
  });
  test.afterAll(async () => {
    for (const stop of own.splice(0)) await stop();
  });

  for (const [number, [name]] of POLICIES.entries()) {
    for (const place of ["header", "meta"]) {
      test(`a session works with ${name} in a ${place}, and foreign scripts stay blocked`, async ({ page }) => {
        await page.goto(`${site}/${place}/${number}`);
        await startSession(page);
        const ran = await page.evaluate(() => [Reflect.get(window, "own"), Reflect.get(window, "evil")]);
        expect(ran).toEqual([true, undefined]);
      });
    }
  }
});

test("a policy that only reports hears nothing of us", async ({ page }) => {
  const reports: string[] = [];
  const origin = await serve((request, response) => {
    if (request.url === "/report") reports.push("one");
    response.setHeader("content-security-policy-report-only", `script-src ${HASH}; connect-src 'none'; report-uri /report`);
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><head><script>${OWN}</script><body>`);
  });
  const port = await freePort();
  await tandem(port, `[[site]]\npublic = "http://localhost:${port}"\norigin = "http://127.0.0.1:${origin}"`);
  await page.goto(`http://localhost:${port}/`);
  await startSession(page);
  expect(reports).toEqual([]);
});

test("a site and its login work under other names", async () => {
  const browser: Browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP *.test 127.0.0.1, MAP *.example ~NOTFOUND"],
  });
  stops.push(() => browser.close());
  const pinned = "h1{color:rgb(1, 2, 3);background:url(https://www.o.example/x.png)}";
  const integrity = `sha256-${createHash("sha256").update(pinned).digest("base64")}`;
  const answer = (response: ServerResponse, type: string, body: string) => {
    response.setHeader("content-type", type);
    response.end(body);
  };
  const shop = await serve((request, response) => {
    const [path] = (request.url ?? "").split("?");
    const known = request.headers.cookie?.includes("sid=1");
    if (path === "/pinned.css") return answer(response, "text/css", pinned);
    if (path === "/site.css") return answer(response, "text/css", "@import url(https://www.o.example/more.css);");
    if (path === "/more.css") return answer(response, "text/css", "p{color:rgb(4, 5, 6)}");
    if (path === "/login") {
      const to = "https://login.o.example/authorize?redirect_uri=https%3A%2F%2Fwww.o.example%2Fcb";
      return response.writeHead(302, { location: to, "set-cookie": "__Host-state=s; Secure; Path=/" }).end();
    }
    if (path === "/cb") {
      const right = request.headers.cookie?.includes("__Host-state=s");
      const cookie = "sid=1; Domain=o.example; Secure; SameSite=None";
      return response.writeHead(right ? 302 : 403, { location: "https://www.o.example/", "set-cookie": cookie }).end();
    }
    return answer(
      response,
      "text/html",
      `<!doctype html><head><link rel=stylesheet href="https://www.o.example/site.css">
       <link rel=stylesheet href="/pinned.css" integrity="${integrity}"></head>
       <h1>${known ? "Welcome" : "Please log in"}</h1><p>Text</p><a href="https://www.o.example/login">Log in</a>`,
    );
  });
  const login = await serve((request, response) => {
    const url = new URL(request.url ?? "", "https://login.o.example");
    if (url.searchParams.get("redirect_uri") !== "https://www.o.example/cb") return response.writeHead(400).end();
    if (request.method !== "POST") {
      return answer(response, "text/html", `<form method=post action="https://login.o.example${request.url}"><button>Allow</button>`);
    }
    const own = request.headers.origin === "https://login.o.example";
    return response.writeHead(own ? 303 : 403, { location: "https://www.o.example/cb?code=1" }).end();
  });
  const port = await freePort();
  const site = (name: string, origin: number) =>
    `[[site]]\npublic = "http://${name}.cb.help.test:${port}"\norigin = "http://127.0.0.1:${origin}"\nhost = "origin"\n` +
    `name = "https://${name}.o.example"\n`;
  await tandem(port, site("www", shop) + site("login", login));
  const page = await browser.newPage();
  await page.goto(`http://www.cb.help.test:${port}/`);
  const color = (selector: string) => page.locator(selector).evaluate((element) => getComputedStyle(element).color);
  expect([await color("h1"), await color("body > p")]).toEqual(["rgb(1, 2, 3)", "rgb(4, 5, 6)"]);
  await page.getByRole("link", { name: "Log in" }).click();
  await expect(page).toHaveURL(new RegExp(`^http://login\\.cb\\.help\\.test:${port}/authorize`));
  await page.getByRole("button", { name: "Allow" }).click();
  await expect(page.locator("h1")).toHaveText("Welcome");
  expect(page.url()).toBe(`http://www.cb.help.test:${port}/`);
  await startSession(page);
});

test("a login over a host that is not behind the proxy works as without it", async () => {
  const browser: Browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP *.test 127.0.0.1"],
  });
  stops.push(() => browser.close());
  const port = await freePort();
  const back = `http://www.shop.test:${port}/cb`;
  const login = await serve((request, response) => {
    const url = new URL(request.url ?? "", "http://login.elsewhere.test");
    if (url.searchParams.get("redirect_uri") !== back) return response.writeHead(400).end();
    if (request.method !== "POST") {
      const headers = { "content-type": "text/html", "set-cookie": "op=1; HttpOnly; SameSite=Lax" };
      return response.writeHead(200, headers).end(`<!doctype html><form method=post><button>Allow</button>`);
    }
    const known = request.headers.cookie === "op=1" && request.headers.origin?.startsWith("http://login.elsewhere.test");
    return response.writeHead(known ? 303 : 403, { location: `${back}?code=1` }).end();
  });
  const shop = await serve((request, response) => {
    const cookie = request.headers.cookie ?? "";
    if (request.url === "/login") {
      const to = `http://login.elsewhere.test:${login}/authorize?redirect_uri=${encodeURIComponent(back)}`;
      return response.writeHead(302, { location: to, "set-cookie": "state=s; HttpOnly; SameSite=Lax" }).end();
    }
    if (request.url?.startsWith("/cb?")) {
      return response
        .writeHead(cookie.includes("state=s") ? 302 : 403, { location: "/", "set-cookie": "sid=1; HttpOnly" })
        .end();
    }
    response.setHeader("content-type", "text/html");
    return response.end(`<!doctype html><h1>${cookie.includes("sid=1") ? "Welcome" : "Please log in"}</h1><a href="/login">Log in</a>`);
  });
  await tandem(port, `[[site]]\npublic = "http://www.shop.test:${port}"\norigin = "http://127.0.0.1:${shop}"`);
  const page = await browser.newPage();
  await page.goto(`http://www.shop.test:${port}/`);
  await page.getByRole("link", { name: "Log in" }).click();
  await expect(page.getByRole("button", { name: "Co-browse" })).toHaveCount(0);
  await page.getByRole("button", { name: "Allow" }).click();
  await expect(page.locator("h1")).toHaveText("Welcome");
  await startSession(page);
});
