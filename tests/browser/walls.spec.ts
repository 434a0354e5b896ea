/**
 * Two walls keep what is typed from agents: the customer's browser does not send it, and the server masks what comes.
 *
 * Every canary is typed in its own way and has to be stopped by each wall alone. The first is looked at in what the customer's
 * browser sends; for the second, that browser runs a bundle in which the first wall is open.
 */
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { type Customer, expect, plain, test } from "./rig.ts";

const INJECTOR = join(dirname(fileURLToPath(import.meta.url)), "../../injector");

/** What is used of the bundler, which the browser code has. */
type Loading = {
  onLoad(on: { filter: RegExp }, load: (file: { path: string }) => Promise<{ contents: string; loader: string }>): void;
};
type Esbuild = { build(options: object): Promise<{ outputFiles: { text: string }[] }> };

/** What the classes of the first wall do when it is open: nothing. */
const OPEN = {
  Withholding: `
    remember() { return false; }
    isPassword() { return false; }
    isSecret() { return false; }
    holds() { return false; }
    attribute(_element: Element, _name: string, value: string) { return value; }
    text(_parent: Node | null, data: string) { return data; }`,
  Echoes: `
    typing() {}
    hide(text: string) { return text; }
    hideInAddress(url: string) { return url; }`,
};

/** The customer's bundle, made to withhold nothing. */
let open: string | undefined;

async function withoutTheFirstWall(): Promise<string> {
  if (open !== undefined) return open;
  const { build } = (await import(join(INJECTOR, "node_modules/esbuild/lib/main.js"))) as Esbuild;
  const doors = {
    name: "open-doors",
    setup(plugin: Loading) {
      plugin.onLoad({ filter: /customer\/(withhold|echoes)\.ts$/ }, async ({ path }) => {
        const shut = await readFile(path, "utf8");
        const name = path.includes("echoes") ? "Echoes" : "Withholding";
        const opened = `export class ${name} extends Shut { ${OPEN[name]} }`;
        return { contents: shut.replace(`export class ${name}`, "class Shut") + opened, loader: "ts" };
      });
    },
  };
  const { outputFiles } = await build({
    absWorkingDir: INJECTOR,
    entryPoints: ["src/customer/main.ts"],
    bundle: true,
    write: false,
    format: "iife",
    target: ["es2022"],
    loader: { ".inline.css": "text" },
    plugins: [doors],
  });
  const script = outputFiles[0]?.text ?? "";
  open = script;
  return script;
}

/** Where canaries are typed on the page, and how; each says where its text is found. */
type Canary = { readonly place: string; readonly type: (page: Page, canary: string) => Promise<void> };

/** Adds something to the page, before everything else in it. */
async function add(page: Page, html: string): Promise<void> {
  await page.evaluate((html) => {
    const box = document.createElement("div");
    box.innerHTML = html;
    document.querySelector("main")?.prepend(box);
  }, html);
}

/** Leaves the field, as people do before they look at what the page makes of it. */
async function leave(page: Page): Promise<void> {
  await page.locator("#elsewhere").focus();
}

/** Edits a field letter by letter, so that nothing of the old is left. */
async function retype(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector).focus();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await page.keyboard.type(text);
}

const CANARIES: readonly Canary[] = [
  {
    place: "a password",
    type: (page, canary) => page.locator("#new-password").fill(canary),
  },
  {
    place: "a password that is shown by its type",
    async type(page, canary) {
      await page.locator("#new-password").fill("something else");
      await page.locator("#new-password").evaluate((field: HTMLInputElement) => {
        field.type = "text";
      });
      await retype(page, "#new-password", canary);
    },
  },
  ...["input", "textarea", "div"].map((name) => ({
    place: `a password that is shown in a new ${name}`,
    async type(page: Page, canary: string) {
      await page.locator("#new-password").fill("was a password");
      await page.locator("#new-password").evaluate((field: HTMLInputElement, name) => {
        const shown = document.createElement(name);
        shown.id = "shown";
        if (name === "div") {
          shown.contentEditable = "true";
          shown.textContent = field.value;
          field.after(shown);
        } else {
          (shown as HTMLInputElement).value = field.value;
          field.replaceWith(shown);
        }
      }, name);
      await retype(page, "#shown", canary);
    },
  })),
  {
    place: "a field that gets the name of an empty password field",
    async type(page, canary) {
      await page.locator("#new-password").evaluate((field) => {
        const wrapper = document.createElement("span");
        wrapper.innerHTML = `<input id="shown" name="new-password">`;
        field.parentElement?.replaceWith(wrapper);
      });
      await page.locator("#shown").pressSequentially(canary);
    },
  },
  {
    place: "a masked field, and where the page repeats it",
    async type(page, canary) {
      await add(page, '<input id="masked" data-tandem="mask"><p id="echo"></p><input id="other"><a id="link">x</a>');
      await page.locator("#masked").pressSequentially(canary);
      await leave(page);
      await page.evaluate(async (canary) => {
        const find = (id: string) => document.getElementById(id) as HTMLInputElement & HTMLAnchorElement;
        find("echo").textContent = `You wrote ${canary}`;
        find("echo").title = canary;
        find("echo").setAttribute("data-copy", canary);
        find("echo").setAttribute("aria-label", canary);
        find("other").value = canary;
        find("other").placeholder = canary;
        find("link").href = `/help?about=${canary}`;
        document.title = `About ${canary}`;
        history.replaceState(null, "", `?about=${canary}`);
        const frame = document.createElement("iframe");
        find("echo").after(frame);
        const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        drawing.innerHTML = `<title>${canary}</title><text>${canary}</text>`;
        find("echo").after(drawing);
        if (frame.contentDocument) frame.contentDocument.body.innerHTML = `<p id="framed">Framed ${canary}</p>`;
      }, canary);
    },
  },
  {
    place: "a masked area, a masked editable element",
    async type(page, canary) {
      await add(page, '<textarea id="area" data-tandem="mask"></textarea><div id="memo" contenteditable data-tandem="mask"></div>');
      await page.locator("#area").pressSequentially(canary);
      await page.locator("#memo").pressSequentially(canary);
      await leave(page);
      await add(page, `<p>Repeats ${canary}</p>`);
    },
  },
  {
    place: "a field that becomes masked while it is typed into",
    async type(page, canary) {
      await add(page, '<div id="around"><input id="late"></div>');
      await page.locator("#around").evaluate((element) => element.setAttribute("data-tandem", "mask"));
      await page.locator("#late").pressSequentially(canary);
    },
  },
  {
    place: "the name of a file",
    async type(page, canary) {
      await add(page, '<input type="file" id="file" data-tandem="mask">');
      await page.locator("#file").setInputFiles({ name: `${canary}.txt`, mimeType: "text/plain", buffer: Buffer.from("x") });
    },
  },
  {
    place: "a message about a masked field",
    async type(page, canary) {
      await add(page, '<form><input id="bad" data-tandem="mask" required></form>');
      await page.locator("#bad").evaluate((field: HTMLInputElement, canary) => {
        field.value = canary;
        field.setCustomValidity(`Not good: ${canary}`);
        field.reportValidity();
      }, canary);
    },
  },
];

for (const wall of ["the browser", "the server"] as const) {
  test(`${wall} alone keeps every canary in`, async ({ customer, agent, session, demo }) => {
    test.setTimeout(180_000);
    const [sent, got] = [listen(customer.page, "framesent"), listen(agent.page, "framereceived")];
    const bodies: Buffer[] = [];
    agent.page.on("response", async (response) => {
      bodies.push(Buffer.from(response.url()), await response.body().catch(() => Buffer.alloc(0)));
    });
    if (wall === "the server") {
      const script = await withoutTheFirstWall();
      await customer.page.route("**/.tandem/part/customer.js*", (route) =>
        route.fulfill({ contentType: "text/javascript", body: script }),
      );
    }
    await session("/account");
    for (const [at, { place, type }] of CANARIES.entries()) {
      const canary = `canary${at}zz${"qwertyuiop"[at % 10]}x`;
      await test.step(place, async () => {
        await customer.open("/account");
        await add(customer.page, `<input id="elsewhere" name="of-${at}">`);
        // What a page did before it was shared, the server alone can not know.
        await expect.poll(() => agent.mirror.html("#elsewhere")).toContain(`of-${at}`);
        await type(customer.page, canary);
        await arrives(customer, `after-${at}`, () => agent.mirror.text("#end"));
        // The page may show it before the test hears of the frame that brought it.
        const found = () => [sent, [...got, ...bodies]].every((all) => bytes(all).includes(`after-${at}`));
        await expect.poll(found, "the search finds what is there").toBe(true);
        const [there, here] = [bytes(sent), bytes([...got, ...bodies])];
        // That it is sent shows that the first wall is open, and that this canary would be found.
        expect(there.includes(canary), `${place}: sent`).toBe(wall === "the server");
        expect(here.includes(canary), `${place}: at the agent`).toBe(false);
        expect(demo.log().includes(canary), `${place}: in the log`).toBe(false);
      });
    }
  });
}

function listen(page: Page, event: "framesent" | "framereceived"): Buffer[] {
  const all: Buffer[] = [];
  page.on("websocket", (socket) => {
    const hear = (frame: { payload: string | Buffer }) => all.push(plain(frame.payload));
    if (event === "framesent") socket.on("framesent", hear);
    else socket.on("framereceived", hear);
  });
  return all;
}

/** Bytes as text, also of what is not UTF-8. */
function bytes(all: readonly Buffer[]): string {
  return Buffer.concat(all).toString("latin1");
}

/** All that came before has come to the agent, and been settled by leaving the field. */
async function arrives({ page }: Customer, text: string, seen: () => Promise<string | null>): Promise<void> {
  await page.evaluate((text) => {
    const end = document.createElement("p");
    end.id = "end";
    end.textContent = text;
    document.body.append(end);
  }, text);
  await expect.poll(seen).toBe(text);
}
