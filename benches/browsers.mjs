/**
 * How soon each side sees what the other does, in two browsers on one machine: a change of the customer's page until it is painted
 * at the agent, and an agent's key until what the customer's page made of it is painted at the agent.
 *
 *     cargo build --release && (cd tests/browser && npm ci) && node benches/browsers.mjs     # --quick for a short run
 *
 * `TANDEM_BIN` measures another binary. Painted is: the first frame after the change has been handed to the compositor, seen as a task
 * after that frame's animation callbacks. Both clocks are the machine's.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch } from "../tests/screens.mjs";

const TIMES = process.argv.includes("--quick") ? 60 : 300;
/** Between two of them: changes come one by one, at no fixed place in a frame. */
const PAUSE = 70;
/** Of a screen with 60 Hz, in milliseconds. */
const FRAME = 1000 / 60;
const MIRROR = 'iframe[title="Customer\'s page"]';

const data = mkdtempSync(join(tmpdir(), "tandem-bench-"));
const binary = process.env.TANDEM_BIN ?? fileURLToPath(new URL("../target/release/tandem", import.meta.url));
const ports = process.env.PORTS?.split(",") ?? ["18480", "18481"];
const [site, desk] = ports.map((port) => `http://localhost:${port}`);
const flags = ["--site", `127.0.0.1:${ports[0]}`, "--console", `127.0.0.1:${ports[1]}`, "--data", data];
const demo = spawn(binary, ["demo", ...flags], { stdio: ["ignore", "pipe", "inherit"] });
const password = await new Promise((resolve, reject) => {
  let said = "";
  demo.stdout.on("data", (piece) => {
    said += piece;
    if (said.includes("Ctrl+C")) resolve(said.match(/password\s+(\S+)/)?.[1]);
  });
  demo.once("exit", () => reject(new Error(`the demo did not start:\n${said}`)));
  demo.once("error", reject);
});

const [customers, agents] = [await launch(), await launch()];
const customer = await (await customers.newContext({ viewport: { width: 1100, height: 760 } })).newPage();
const agent = await (await agents.newContext({ viewport: { width: 1400, height: 1000 } })).newPage();

async function meet() {
  await customer.goto(`${site}/catalogue`);
  await customer.getByRole("button", { name: "Co-browse" }).click();
  const id = customer.getByLabel("Session ID").filter({ hasText: /\w{3}-\w{3}-\w{3}/ });
  await id.waitFor();
  await agent.goto(desk);
  await agent.getByLabel("Username").fill("agent");
  await agent.getByLabel("Password").fill(password);
  await agent.getByRole("button", { name: "Log in" }).click();
  await agent.getByLabel("Session ID").fill(await id.textContent());
  await agent.getByRole("button", { name: "Start co-browse" }).click();
  await customer.evaluate(() => {
    const place = document.createElement("div");
    place.style.cssText = "position:fixed;left:0;top:0;z-index:9;background:#fff";
    place.innerHTML = '<b id="told">-</b><input id="typed">';
    document.body.append(place);
  });
  await agent.waitForFunction(
    (m) => document.querySelector(m)?.contentDocument?.querySelector("#typed"),
    MIRROR,
  );
}

/** A text changes; the agent's browser says when it had painted that. */
async function changes() {
  await agent.evaluate((mirror) => {
    window.times = [];
    const page = document.querySelector(mirror).contentDocument;
    new MutationObserver(() => {
      const began = Number(page.querySelector("#told").textContent);
      const painted = () => window.times.push(performance.timeOrigin + performance.now() - began);
      if (began) requestAnimationFrame(() => setTimeout(painted));
    }).observe(page.querySelector("#told"), { childList: true, characterData: true, subtree: true });
  }, MIRROR);
  await customer.evaluate(
    async ([times, pause]) => {
      const told = document.querySelector("#told");
      for (let n = 0; n < times; n++) {
        await new Promise((resolve) => setTimeout(resolve, pause + Math.random() * 20));
        told.firstChild.data = String(performance.timeOrigin + performance.now());
      }
    },
    [TIMES, PAUSE],
  );
  await customer.waitForTimeout(1000);
  return agent.evaluate(() => window.times);
}

/** The agent types; each key is followed until the customer's page has answered it. */
async function keys() {
  await agent.getByRole("button", { name: "Request write mode" }).click();
  await customer.getByRole("button", { name: "Allow", exact: true }).click();
  await agent.getByRole("status", { name: "Mode" }).filter({ hasText: "Write" }).waitFor();
  const at = await agent.evaluate((mirror) => {
    const frame = document.querySelector(mirror);
    window.times = [];
    let pressed = 0;
    const base = frame.contentWindow.performance.timeOrigin;
    frame.contentDocument.addEventListener("keydown", (event) => (pressed = base + event.timeStamp), true);
    const { get } = Object.getOwnPropertyDescriptor(MessageEvent.prototype, "data");
    Object.defineProperty(MessageEvent.prototype, "data", {
      get() {
        const said = get.call(this);
        if (pressed && typeof said === "string" && said.includes('"done"')) {
          const from = pressed;
          pressed = 0;
          const painted = () => window.times.push(performance.timeOrigin + performance.now() - from);
          requestAnimationFrame(() => setTimeout(painted));
        }
        return said;
      },
    });
    const [outer, inner] = [frame, frame.contentDocument.querySelector("#typed")].map((e) =>
      e.getBoundingClientRect(),
    );
    return { x: outer.x + inner.x + inner.width / 2, y: outer.y + inner.y + inner.height / 2 };
  }, MIRROR);
  await agent.mouse.click(at.x, at.y);
  await agent.waitForTimeout(1000);
  await agent.evaluate(() => (window.times.length = 0));
  for (let n = 0; n < TIMES; n++) {
    await agent.keyboard.press("x");
    await agent.waitForTimeout(PAUSE + Math.random() * 20);
  }
  await agent.waitForTimeout(1000);
  const typed = await customer.locator("#typed").inputValue();
  if (typed.length !== TIMES) throw new Error(`${typed.length} of ${TIMES} keys came`);
  return agent.evaluate(() => window.times);
}

function tell(what, times) {
  if (times.length < TIMES * 0.9) throw new Error(`only ${times.length} of ${TIMES} were seen: ${what}`);
  times.sort((one, other) => one - other);
  const at = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))];
  const said = (part) => `${at(part).toFixed(1)} ms (${(at(part) / FRAME).toFixed(1)} frames)`;
  console.log(`${what}: p50 ${said(0.5)}, p90 ${said(0.9)}, p99 ${said(0.99)}; ${times.length} times`);
}

try {
  await meet();
  tell("customer's change → painted at the agent", await changes());
  tell("agent's key → painted from the truth", await keys());
  console.log(`load of the machine: ${loadavg()[0].toFixed(1)}`);
} finally {
  await Promise.all([customers.close(), agents.close()]);
  demo.kill("SIGTERM");
  await new Promise((resolve) => (demo.exitCode === null ? demo.once("exit", resolve) : resolve()));
  rmSync(data, { recursive: true, force: true });
}
