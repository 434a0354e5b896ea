/** The customer's widget: for everybody to use, in their language, on any page, and never in the way. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Locator, Page } from "@playwright/test";
import { anyStyle, type Customer, expect, test } from "./rig.ts";

const panel = (page: Page) => page.getByRole("dialog", { name: "Co-browsing" });

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** Of axe's rules those that a colour can break. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/** What axe finds wrong in our element: nothing. */
async function accessible(page: Page, only?: readonly string[]): Promise<void> {
  // Legacy: in the page itself, or it opens another one each time to put frames together.
  const axe = new AxeBuilder({ page }).include("tandem-widget").setLegacyMode(true);
  const found = await (only ? axe.withRules([...only]) : axe.withTags(TAGS).disableRules(["region"])).analyze();
  expect(found.violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
}

async function overlap(one: Locator, other: Locator): Promise<boolean> {
  const [a, b] = [await one.boundingBox(), await other.boundingBox()];
  if (!a || !b) throw new Error("one of them is not to be seen");
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`everybody can use it, in ${colorScheme} colours`, async ({ customer, agent, session }) => {
    const { page } = customer;
    // Both are the same elements, looked at whole in one of them.
    const only = colorScheme === "dark" ? OF_COLOURS : undefined;
    await page.emulateMedia({ colorScheme });
    await customer.open("/account");
    await accessible(page, only);
    await session("/account");
    await accessible(page, only);
    await panel(page).getByRole("button", { name: "Details" }).click();
    await page.getByRole("switch", { name: "Show what is hidden" }).check();
    await page.locator("#ssn").hover();
    await expect(page.getByRole("tooltip")).toBeVisible();
    await accessible(page, only);
    await agent.requestWrite();
    await page.getByRole("dialog", { name: "Allow the agent to type and click?" }).waitFor();
    await accessible(page, only);
    await customer.allow();
    await expect(page.getByRole("button", { name: "Take back control" })).toBeVisible();
    await accessible(page, only);
    await page.getByRole("button", { name: "Exit session" }).click();
    await expect(page.getByRole("status").filter({ hasText: "You have ended" })).toBeVisible();
    await accessible(page, only);
  });
}

test("why it ended is said also if nothing could be loaded at that moment", async ({ customer }) => {
  const { page } = customer;
  await customer.open("/help");
  await customer.start();
  let asked = 0;
  await page.route("**/part/farewell.js*", (route) => (++asked === 1 ? route.abort() : route.continue()));
  await page.getByRole("button", { name: "Exit session" }).click();
  const said = page.getByRole("status").filter({ hasText: "You have ended" });
  await expect(said).toBeVisible();
  expect(asked).toBe(2);
  await page.getByRole("button", { name: "Close" }).click();
  await expect(said).toBeHidden();
});

test("the keyboard alone starts a session, answers, moves the panel and leaves", async ({ customer, agent }) => {
  const { page } = customer;
  await customer.open("/help");
  const start = page.getByRole("button", { name: "Co-browse" });
  for (let tabs = 0; tabs < 40 && !(await start.evaluate((b) => b.matches(":focus"))); tabs++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(panel(page)).toBeFocused();
  const id = (await page.getByLabel("Session ID").textContent()) ?? "";
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Move this panel" })).toBeFocused();
  const before = await panel(page).boundingBox();
  await expect
    .poll(async () => {
      await page.keyboard.press("ArrowUp");
      return (await panel(page).boundingBox())?.y ?? 0;
    })
    .toBeLessThan((before?.y ?? 0) - 20);
  await agent.logIn();
  await agent.join(id);
  await agent.requestWrite();
  await page.getByRole("dialog", { name: "Allow the agent to type and click?" }).waitFor();
  await page.keyboard.press("Escape");
  await expect(agent.mode()).toHaveText("Pointer");
  const exit = page.getByRole("button", { name: "Exit session" });
  for (let tabs = 0; tabs < 40 && !(await exit.evaluate((b) => b.matches(":focus"))); tabs++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(panel(page)).toBeHidden();
});

test("it is dragged where the customer wants it, and is there on the next page", async ({ customer }) => {
  const { page } = customer;
  await customer.open("/help");
  await customer.start();
  const title = panel(page).getByText("Co-browsing", { exact: true });
  await title.hover();
  await page.mouse.down();
  await page.mouse.move(400, 200, { steps: 5 });
  await page.mouse.up();
  await expect
    .poll(async () => {
      const { x, y, width } = (await panel(page).boundingBox()) ?? { x: 0, y: 0, width: 0 };
      return x <= 400 && x + width >= 400 && y <= 200 && y > 150;
    })
    .toBe(true);
  const there = await panel(page).boundingBox();
  await customer.open("/catalogue");
  await expect(panel(page)).toBeVisible();
  const now = await panel(page).boundingBox();
  expect(Math.hypot((now?.x ?? 0) - (there?.x ?? 0), (now?.y ?? 0) - (there?.y ?? 0))).toBeLessThan(40);
});

test("what is done to it while what moves it is still being loaded counts", async ({ customer }) => {
  const { page } = customer;
  await customer.open("/help");
  await customer.start();
  let come = (): void => {};
  const late = new Promise<void>((resolve) => {
    come = resolve;
  });
  await page.route("**/.tandem/part/place.js*", async (route) => {
    await late;
    await route.continue();
  });
  const from = await panel(page).boundingBox();
  const [x, y] = [(from?.x ?? 0) + 60, (from?.y ?? 0) + 20];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(400, 300, { steps: 5 });
  await page.mouse.move(300, 200, { steps: 5 });
  await page.mouse.up();
  await page.getByRole("button", { name: "Move this panel" }).press("ArrowDown");
  // The press is over: where the pointer goes now is not meant.
  await page.mouse.move(900, 100);
  expect(await panel(page).boundingBox()).toEqual(from);
  come();
  // Where it was left, and a step of the key.
  const off = async (): Promise<number> => {
    const now = await panel(page).boundingBox();
    return Math.hypot((now?.x ?? 0) - (from?.x ?? 0) - 300 + x, (now?.y ?? 0) - (from?.y ?? 0) - 200 + y - 24);
  };
  await expect.poll(off).toBeLessThan(2);
});

test("it is never over what the customer types into", async ({ customer, session }) => {
  const { page } = customer;
  await anyStyle(customer);
  await session("/account");
  await page.evaluate(() => {
    const box = document.createElement("textarea");
    box.id = "typed";
    box.setAttribute("style", "position:fixed;right:0;bottom:0;width:400px;height:200px");
    document.body.append(box);
  });
  const typed = page.locator("#typed");
  expect(await overlap(panel(page), typed)).toBe(true);
  await typed.focus();
  await expect.poll(() => overlap(panel(page), typed)).toBe(false);
  // It comes back by itself.
  await typed.blur();
  await expect.poll(() => overlap(panel(page), typed)).toBe(true);
  // Where there is no room beside it, it makes itself small.
  await page.setViewportSize({ width: 320, height: 420 });
  await typed.evaluate((box) => box.setAttribute("style", "position:fixed;left:0;bottom:0;width:320px;height:340px"));
  await typed.focus();
  await expect.poll(() => overlap(panel(page), typed)).toBe(false);
});

test("it is where it can be seen, whatever a script does with a dialog's attribute", async ({ customer }) => {
  const { page } = customer;
  await customer.open("/help");
  await customer.start();
  await page.evaluate(() => {
    const dialog = document.createElement("dialog");
    dialog.id = "odd";
    dialog.textContent = "A dialog";
    document.body.append(dialog);
    dialog.showModal();
  });
  await expect(page.locator("#odd tandem-widget")).toHaveCount(1);
  const open = (on: boolean) => page.locator("#odd").evaluate((dialog, on) => dialog.toggleAttribute("open", on), on);
  await open(false);
  await expect(panel(page)).toBeVisible();
  await open(true);
  await expect(page.locator("#odd tandem-widget")).toHaveCount(1);
  await page.getByRole("button", { name: "Exit session" }).click();
  await expect(panel(page)).toBeHidden();
});

test("the button can be pressed while the site shows a modal dialog", async ({ customer }) => {
  const { page } = customer;
  await customer.open("/help");
  const button = page.getByRole("button", { name: "Co-browse" });
  await page.evaluate(() => {
    const opener = document.createElement("button");
    opener.textContent = "Open it";
    document.querySelector("main")?.prepend(opener);
    const dialog = document.createElement("dialog");
    dialog.textContent = "A dialog";
    document.body.append(dialog);
    opener.onclick = () => dialog.showModal();
  });
  // Where something was pressed it is there at once, and also when the dialog has gone by a key, or with its element.
  for (const close of [() => page.keyboard.press("Escape"), () => page.evaluate(() => document.querySelector("dialog")?.remove())]) {
    await page.getByRole("button", { name: "Open it" }).click();
    await button.click({ trial: true });
    await expect(page.locator("dialog tandem-widget")).toHaveCount(1);
    await close();
    await expect(page.locator("html > tandem-widget")).toHaveCount(1);
    await button.click({ trial: true });
  }
  // Where a script has opened it a press is meant for the button that is seen, and not for one that the dialog lies over.
  await page.evaluate(() => {
    const dialog = document.body.appendChild(document.createElement("dialog"));
    dialog.style.cssText = "max-width:none;max-height:none;width:100%;height:100%;margin:0;padding:0;border:0";
    dialog.showModal();
  });
  const place = (await button.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const middle = [place.x + place.width / 2, place.y + place.height / 2] as const;
  await page.mouse.click(...middle);
  await expect(page.locator("dialog tandem-widget")).toHaveCount(1);
  expect(await page.evaluate("Tandem.state")).toBe("off");
  await page.keyboard.press("Escape");
  await expect(page.locator("html > tandem-widget")).toHaveCount(1);
  await page.evaluate(() => {
    const root = document.body.appendChild(document.createElement("p")).attachShadow({ mode: "open" });
    root.innerHTML = "<dialog>Another</dialog>";
    root.querySelector("dialog")?.showModal();
  });
  await page.mouse.click(...middle);
  await expect(page.getByLabel("Session ID")).toHaveText(/^\w{3}-\w{3}-\w{3}$/);
  await page.getByRole("button", { name: "Exit session" }).click();
  await expect(panel(page)).toBeHidden();
});

test("styles of the site do not reach it, and nothing of the site lies over it", async ({ customer, session }) => {
  const { page } = customer;
  await anyStyle(customer);
  await session("/story");
  const look = () => panel(page).evaluate((box) => [box.getBoundingClientRect().width, getComputedStyle(box).fontSize, getComputedStyle(box).direction]);
  const before = await look();
  await page.addStyleTag({
    content: `* { all: unset !important; font-size: 40px !important; direction: rtl !important } div, p, section, button, dialog, output { display: none !important }
      html { transform: rotate(3deg) !important; filter: blur(4px) !important } tandem-widget { display: none !important; opacity: 0 !important; z-index: -1 !important; inset: auto !important; visibility: hidden !important }
      tandem-widget::part(x) { display: none !important } ::backdrop { display: block !important; background: red !important }`,
  });
  const backdrop = await page.evaluate(() => getComputedStyle(document.querySelector("tandem-widget") as Element, "::backdrop").display);
  expect(backdrop, "it takes no colour to the page").toBe("none");
  await expect(panel(page)).toBeVisible();
  expect(await look()).toEqual(before);
  await expect(page.getByRole("button", { name: "Pause sharing" })).toBeVisible();
  // As many as a site can put on top.
  await page.evaluate(() => {
    for (const make of [() => document.createElement("dialog"), () => document.createElement("div")]) {
      const element = make();
      element.setAttribute("style", "display:block !important;position:fixed !important;inset:0 !important;z-index:2147483647 !important;background:red !important;width:100% !important;height:100% !important");
      document.documentElement.append(element);
      if (element instanceof HTMLDialogElement) element.showModal();
      else {
        element.popover = "manual";
        element.showPopover();
      }
    }
  });
  await page.getByRole("button", { name: "Exit session" }).click();
  await expect(panel(page)).toBeHidden();
});

test("at 200 % and with letters of twice the size all of it can be read and pressed", async ({ customer, agent }) => {
  const { page } = customer;
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Page.enable");
  await devtools.send("Page.setFontSizes", { fontSizes: { standard: 32, fixed: 32 } });
  await page.setViewportSize({ width: 640, height: 400 });
  await customer.open("/help");
  const letters = (of: Locator) => of.evaluate((element) => getComputedStyle(element).fontSize);
  expect(await letters(page.getByRole("button", { name: "Co-browse" }))).toBe("28px");
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  const exit = page.getByRole("button", { name: "Exit session" });
  expect(await letters(exit)).toBe("28px");
  await expect(exit).toBeInViewport({ ratio: 1 });
  await expect(panel(page)).toBeInViewport({ ratio: 1 });
  await agent.requestWrite();
  await expect(page.getByRole("dialog", { name: "Allow the agent to type and click?" })).toBeInViewport({ ratio: 1 });
  await expect(page.getByRole("button", { name: "Not now" })).toBeInViewport({ ratio: 1 });
});

test("it is small enough for 320 pixels, and works by touch", async ({ browser, demo }) => {
  const context = await browser.newContext({ viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true, locale: "de-DE" });
  const page = await context.newPage();
  await page.addInitScript(() => Object.defineProperty(document.documentElement ?? {}, "lang", { value: "" }));
  await page.goto(`${demo.site}/help`);
  await page.locator("tandem-widget button").tap();
  const box = page.locator("tandem-widget .panel");
  await expect(box.locator(".id")).toHaveText(/^\w{3}-\w{3}-\w{3}$/);
  const { x, width } = (await box.boundingBox()) ?? { x: -1, width: 999 };
  expect(x).toBeGreaterThanOrEqual(0);
  expect(x + width).toBeLessThanOrEqual(320);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await box.locator(".buttons button").last().tap();
  await expect(box.locator(".id")).toBeHidden();
  await context.close();
});

/** The page says that it is in this language. */
async function speak({ page }: Customer, lang: string): Promise<void> {
  await page.route(/\/help$/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: (await answer.text()).replace('<html lang="en">', `<html lang="${lang}">`) });
  });
}

for (const [lang, start, title, exit, dir] of [
  ["de-AT", "Co-Browsing starten", "Co-Browsing", "Sitzung beenden", "ltr"],
  ["fr", "Naviguer ensemble", "Co-navigation", "Quitter la session", "ltr"],
  ["es-MX", "Navegar juntos", "Navegación conjunta", "Salir de la sesión", "ltr"],
  ["ar", "بدء التصفح المشترك", "التصفح المشترك", "إنهاء الجلسة", "rtl"],
] as const) {
  test(`it speaks the language of the page: ${lang}`, async ({ customer }) => {
    const { page } = customer;
    await speak(customer, lang);
    await customer.open("/help");
    await page.getByRole("button", { name: start }).click();
    const box = page.getByRole("dialog", { name: title });
    await expect(box).toHaveCSS("direction", dir);
    // Words alone change nothing of that; from left to right it was looked at above.
    if (dir === "rtl") await accessible(page);
    await box.getByRole("button", { name: exit }).click();
    await expect(box).toBeHidden();
    if (dir === "rtl") await accessible(page);
  });
}
