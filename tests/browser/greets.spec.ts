/** What an administrator makes of the widget, and what it says, in words to act on, when something does not go on. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cp, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { Agent, expect, freePort, ownFolder, startDemo, test } from "./rig.ts";

const BINARY = process.env.TANDEM_BIN ?? "../../target/debug/tandem";
const PASSWORD = "only for this test";

const stops: Array<() => unknown> = [];
test.afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

type Site = { site: string; console: string };

/** A server with these settings before a site of one page; an agent can log in. */
async function tandem(settings: string, page = "<!doctype html><html lang=en><title>Shop</title><h1>Shop</h1><p>Text"): Promise<Site> {
  const origin = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(page);
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  stops.push(() => origin.close());
  const folder = ownFolder();
  const [port, agents] = [await freePort(), await freePort()];
  const config = `[[site]]\npublic = "http://localhost:${port}"\norigin = "http://127.0.0.1:${(origin.address() as AddressInfo).port}"
    [proxy]\nlisten = "127.0.0.1:${port}"\n[console]\nlisten = "127.0.0.1:${agents}"\npublic = "http://localhost:${agents}"\n${settings}`;
  await writeFile(join(folder, "tandem.toml"), config);
  await cp("../../policies/default.toml", join(folder, "policies/default.toml"));
  const file = join(folder, "agents.toml");
  spawnSync(BINARY, ["agent", "add", "agent", "--password-stdin", "--file", file], { input: PASSWORD });
  const child: ChildProcess = spawn(BINARY, ["serve", "--config", join(folder, "tandem.toml")]);
  stops.push(() => child.kill("SIGTERM"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const health = () => fetch(`http://127.0.0.1:${agents}/healthz`).then((answer) => answer.status, () => said);
  await expect.poll(health, { timeout: 15_000 }).toBe(200);
  return { site: `http://localhost:${port}`, console: `http://localhost:${agents}` };
}

const button = (page: Page) => page.getByRole("button", { name: "Co-browse" });
const status = (page: Page) => panel(page).getByRole("status").first();
const panel = (page: Page) => page.getByRole("dialog", { name: "Co-browsing" });

test("position, colour, language and texts are the administrator's", async ({ page }) => {
  const { site } = await tandem(`[widget]\nposition = "top-left"\naccent = "#ffd400"\nlanguage = "fr"\n[widget.text.fr]\nstart = "Besoin d’aide ?"\n`);
  await page.goto(site);
  const start = page.getByRole("button", { name: "Besoin d’aide ?" });
  await expect(start).toHaveCSS("background-color", "rgb(255, 212, 0)");
  await expect(start).toHaveCSS("color", "rgb(0, 0, 0)");
  const box = await start.boundingBox();
  expect([(box?.x ?? 99) < 40, (box?.y ?? 99) < 40]).toEqual([true, true]);
  await start.click();
  const there = await page.getByRole("dialog", { name: "Co-navigation" }).boundingBox();
  expect([(there?.x ?? 99) < 40, (there?.y ?? 99) < 40]).toEqual([true, true]);
});

test("the company's terms come first: nothing is started before they are accepted, each time", async ({ page }) => {
  const { site } = await tandem(
    `[widget.terms.en]\ntext = "We look at your page together.\\nWe keep no pictures of it."\nlink = "/terms"\n[widget.terms.de]\ntext = "Wir sehen Ihre Seite."\n`,
  );
  const asked: string[] = [];
  page.on("request", (request) => request.method() === "POST" && asked.push(new URL(request.url()).pathname));
  page.on("websocket", (socket) => asked.push(new URL(socket.url()).pathname));
  await page.goto(site);
  const terms = page.getByRole("dialog", { name: "Before we start" });

  await button(page).click();
  await expect(terms).toContainText("We keep no pictures of it.");
  await expect(terms.getByRole("link", { name: "Read the terms (opens in a new tab)" })).toHaveAttribute("href", "/terms");
  const found = await new AxeBuilder({ page }).include("tandem-widget").setLegacyMode(true).analyze();
  expect(found.violations.map(({ id }) => id)).toEqual([]);
  // A script can not accept them.
  await page.evaluate(() => {
    for (const one of document.querySelector("tandem-widget")?.shadowRoot?.querySelectorAll("dialog button") ?? []) (one as HTMLElement).click();
  });
  await expect(terms).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(terms).toBeHidden();
  await expect(button(page)).toBeVisible();

  // The site's own code does not get around them.
  const start = () =>
    page.evaluate(() => {
      const tandem = (window as unknown as { Tandem: { start(): Promise<unknown> } }).Tandem;
      return tandem.start().then(
        () => "started",
        (error: { code: string }) => error.code,
      );
    });
  const declined = start();
  await terms.getByRole("button", { name: "Cancel" }).click();
  expect(await declined).toBe("declined");
  expect(asked).toEqual([]);

  const accepted = start();
  await terms.waitFor();
  for (const key of ["Tab", "Tab", "Tab"]) await page.keyboard.press(key);
  await expect(terms.getByRole("button", { name: "Agree and start" })).toBeFocused();
  await page.keyboard.press("Enter");
  expect(await accepted).toBe("started");
  await expect.poll(() => asked).toEqual(["/.tandem/session", "/.tandem/session/socket"]);

  // What was accepted holds for this session, also on the next page, and for no other.
  await page.reload();
  await expect(panel(page)).toBeVisible();
  await page.getByRole("button", { name: "Exit session" }).click();
  await button(page).click();
  await expect(terms).toBeVisible();
});

test("who starts too often, or finds no place, reads what to do", async ({ page, browser }) => {
  const often = await tandem("[limits]\nstarts_per_minute = 1\n");
  await page.goto(often.site);
  await button(page).click();
  await page.getByRole("button", { name: "Exit session" }).click();
  await button(page).click();
  await expect(page.getByRole("alert")).toContainText("try again in a minute");
  await expect(button(page)).toBeVisible();

  const full = await tandem("[limits]\nsessions = 1\n");
  await page.goto(full.site);
  await button(page).click();
  await expect(panel(page)).toBeVisible();
  const second = await (await browser.newContext({ locale: "de-DE" })).newPage();
  await second.addInitScript(() => {
    document.addEventListener("DOMContentLoaded", () => document.documentElement.removeAttribute("lang"));
  });
  await second.goto(full.site);
  await second.locator("tandem-widget button").click();
  await expect(second.getByRole("alert")).toContainText("Zurzeit sind alle Plätze belegt.");
  await second.context().close();
});

test("a server that can not be reached is said to be so, and the next try is a new one", async ({ customer }) => {
  const { page } = customer;
  for (const part of ["part/customer.js", "part/words-en.json", "session"]) {
    await customer.open("/help");
    await page.route(new RegExp(`/\\.tandem/${part}`), (route) => route.abort());
    await button(page).click();
    await expect(page.getByRole("alert")).toHaveText(/can not be reached.*check your connection/);
    await page.unrouteAll();
    await button(page).click();
    await expect(panel(page)).toBeVisible();
    await expect(page.getByRole("alert")).toBeHidden();
    await page.getByRole("button", { name: "Exit session" }).click();
  }
});

test("a lost connection is told, with the time that is left", async ({ page }) => {
  const demo = await startDemo();
  stops.push(() => demo.stop("SIGKILL"));
  await page.goto(`${demo.site}/help`);
  await button(page).click();
  await expect(page.getByLabel("Session ID")).toHaveText(/-/);
  await expect(status(page)).toHaveText("Waiting for the agent to join.");
  await demo.stop("SIGKILL");
  await expect(status(page)).toHaveText("The connection was lost. Trying to connect again…");
  await expect(panel(page).getByRole("timer")).toHaveText(/^4:\d\d$/);
  await demo.start();
  await expect(status(page)).toHaveText("Waiting for the agent to join.");
});

test("a page that is too large to be shared is said to be so, and the next one is shared", async ({ page, browser }) => {
  const rows = Array.from({ length: 3000 }, (_, row) => `<li>${row}`).join("");
  const made = await tandem("[limits]\npage_nodes = 2000\n", `<!doctype html><html lang=en><title>Shop</title><ul>${rows}</ul>`);
  await page.goto(made.site);
  await button(page).click();
  const id = page.getByLabel("Session ID");
  await expect(id).toHaveText(/-/);
  const agent = new Agent(await browser.newPage(), { ...made, password: PASSWORD, data: "", log: () => "" });
  await agent.logIn();
  await agent.page.getByLabel("Session ID").fill((await id.textContent()) ?? "");
  await agent.page.getByRole("button", { name: "Start co-browse" }).click();
  await expect(status(page)).toContainText("This page is too large to be shared.");
  await page.evaluate(() => {
    document.body.textContent = "Small enough";
    dispatchEvent(new Event("focus"));
  });
  await expect.poll(() => agent.mirror.text("body")).toBe("Small enough");
  await expect(status(page)).toHaveText(/now sees this page/);
  await agent.page.close();
});
