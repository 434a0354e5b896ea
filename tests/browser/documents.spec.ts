/** Whatever a page is made of and however it is replaced, the agent sees the same. */
import { expect, lasting as test, test as alone } from "./rig.ts";

test.describe.configure({ mode: "default" });

test("custom elements look as they do for the customer, defined or not, at once or later", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.evaluate(() => {
    customElements.define("x-now", class extends HTMLElement {});
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(":not(:defined){background:rgb(9,9,9)} x-now:defined,x-late:defined{background:rgb(1,2,3)}");
    document.adoptedStyleSheets = [sheet];
    for (const name of ["x-now", "x-late", "x-never"]) document.querySelector("main")?.prepend(document.createElement(name));
  });
  await expect.poll(() => agent.mirror.background("x-now")).toBe("rgb(1, 2, 3)");
  await expect.poll(() => agent.mirror.background("x-late")).toBe("rgb(9, 9, 9)");
  await customer.page.evaluate(() => customElements.define("x-late", class extends HTMLElement {}));
  await expect.poll(() => agent.mirror.background("x-late")).toBe("rgb(1, 2, 3)");
  expect(await agent.mirror.background("x-never")).toBe("rgb(9, 9, 9)");
});

test("noscript, templates, SVG, MathML and directions are what they are", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.evaluate(() => {
    const box = document.createElement("section");
    box.id = "box";
    box.dir = "rtl";
    box.lang = "ar";
    box.innerHTML =
      '<noscript><b>No scripts</b></noscript><template><b>Template</b></template><svg width="20" height="20"><foreignObject width="9" height="9"><p>In a drawing</p></foreignObject></svg><math><mfrac><mi>a</mi><mn>2</mn></mfrac></math>';
    document.querySelector("main")?.prepend(box);
  });
  await expect.poll(() => agent.mirror.text("#box p")).toBe("In a drawing");
  expect(await agent.mirror.text("#box")).toBe("In a drawinga2");
  const names = (box: Element) =>
    [...box.querySelectorAll("svg,foreignObject,p,math,mn")].map((e) => `${e.namespaceURI} ${e.localName}`).join();
  const there = await customer.page.locator("#box").evaluate(names);
  const here = await agent.page.frameLocator('iframe[title="Customer\'s page"]').locator("#box").evaluate(names);
  expect(here).toBe(there);
});

test("elements are asked for by their whole names, and by what else they are", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("x\\:y{background:rgb(1,2,3)} [is=x-z]{background:rgb(4,5,6)} x-w[background][loading],a[target=_blank][download]{background:rgb(7,8,9)}");
    document.adoptedStyleSheets = [sheet];
    document.querySelector("main")?.insertAdjacentHTML("afterbegin", "<x:y id=name>Named</x:y><button id=more is=x-z>More</button><x-w background loading>Own</x-w><a id=away target=_blank download href=/>Away</a>");
  });
  await expect.poll(() => agent.mirror.background("#name")).toBe("rgb(1, 2, 3)");
  expect(await agent.mirror.background("#more")).toBe("rgb(4, 5, 6)");
  expect(await agent.mirror.background("x-w")).toBe("rgb(7, 8, 9)");
  expect(await agent.mirror.background("#away")).toBe("rgb(7, 8, 9)");
});

test("a document that is replaced is followed: its body, its root, and all of it", async ({ customer, agent, session }) => {
  await session("/help");
  const page = customer.page;
  await page.evaluate(() => {
    const body = document.createElement("body");
    body.append("A new body");
    document.body.replaceWith(body);
  });
  await expect.poll(() => agent.mirror.text("body")).toBe("A new body");
  await page.evaluate(() => {
    const html = document.createElement("html");
    html.append(document.createElement("head"), document.createElement("body"));
    document.documentElement.replaceWith(html);
    document.body.innerHTML = "<input id=field>";
  });
  await expect.poll(() => agent.mirror.value("#field")).toBe("");
  // Its listeners were on the document, not on what was replaced.
  await page.locator("#field").fill("Typed after");
  await expect.poll(() => agent.mirror.value("#field")).toBe("Typed after");
  await page.evaluate(() => {
    document.open();
    document.write("<!doctype html><title>Written</title><p>Written anew</p><input id=field>");
    document.close();
  });
  await expect.poll(() => agent.mirror.text("p")).toBe("Written anew");
  await page.locator("#field").fill("Typed again");
  await expect.poll(() => agent.mirror.value("#field")).toBe("Typed again");
});

test("a page that is written anew without a doctype is in quirks mode, and comes out of it", async ({ customer, agent, session }) => {
  await session("/help");
  const page = customer.page;
  const write = (text: string) =>
    page.evaluate((text) => {
      document.open();
      document.write(text);
      document.close();
      return document.compatMode;
    }, text);
  const mode = () => agent.page.evaluate(() => document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]')?.contentDocument?.compatMode);
  // Without units, a length is one only in quirks mode.
  const written = '<title>Written</title><style>p { width: 123 }</style><p style="width: 123">In the old way</p><input id=field>';
  expect(await mode()).toBe("CSS1Compat");
  expect(await write(written)).toBe("BackCompat");
  await expect.poll(mode).toBe("BackCompat");
  await expect.poll(async () => (await agent.mirror.size("p"))?.width).toBe(123);
  await page.locator("#field").fill("Typed after");
  await expect.poll(() => agent.mirror.value("#field")).toBe("Typed after");
  expect(await write(`<!doctype html>${written}`)).toBe("CSS1Compat");
  await expect.poll(mode).toBe("CSS1Compat");
  await expect.poll(async () => (await agent.mirror.size("p"))?.width).toBeGreaterThan(123);
});

test("a document that is written anew in the mode between is in it, and comes out of it, in frames too", async ({ customer, agent, session }) => {
  await session("/help");
  const page = customer.page;
  const write = (text: string, frame?: string) =>
    page.evaluate(
      ([text, frame]) => {
        const written = frame ? document.querySelector<HTMLIFrameElement>(frame)?.contentDocument : document;
        written?.open();
        written?.write(text);
        written?.close();
        return written?.compatMode;
      },
      [text, frame] as const,
    );
  const between = '<!doctype html public "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">';
  const standard = "<!doctype html>";
  // In the mode between, a picture in a cell has no room for descenders below it. Nothing but the doctype tells of it.
  const table = (name: string) => `<table><td id=${name} style="padding:0"><svg width=20 height=20></svg></table>`;
  const height = (cell: string) => expect.poll(async () => (await agent.mirror.size(cell))?.height);
  expect(await write(between + table("a"))).toBe("CSS1Compat");
  await height("#a").toBe(20);
  expect(await write(standard + table("b"))).toBe("CSS1Compat");
  await height("#b").toBeGreaterThan(20);
  // Out of quirks mode, whether that was told or not.
  expect(await write(table("c"))).toBe("BackCompat");
  expect(await write(between + table("d"))).toBe("CSS1Compat");
  await height("#d").toBe(20);
  // And where the page is seen without anything in it first.
  expect(await write(standard + table("e"))).toBe("CSS1Compat");
  await height("#e").toBeGreaterThan(20);
  await page.evaluate(() => document.open());
  await expect.poll(() => agent.mirror.html("#e")).toBeNull();
  await page.evaluate((text) => {
    document.write(text);
    document.close();
  }, `${between}${table("f")}<iframe srcdoc="${standard}<p id=in>In srcdoc"></iframe>`);
  await height("#f").toBe(20);

  await expect.poll(() => agent.mirror.text("iframe >>> #in")).toBe("In srcdoc");
  expect(await write(between + table("g"), "iframe")).toBe("CSS1Compat");
  await height("iframe >>> #g").toBe(20);
  expect(await write(standard + table("h"), "iframe")).toBe("CSS1Compat");
  await height("iframe >>> #h").toBeGreaterThan(20);
  await height("#f").toBe(20);
});

test("addresses that scripts change are followed", async ({ customer, agent, session }) => {
  await session("/help");
  const address = agent.page.getByRole("textbox", { name: "Address" });
  await customer.page.evaluate(() => history.pushState(null, "", "/help?pushed"));
  await expect(address).toHaveValue(/pushed$/);
  await customer.page.evaluate(() => history.replaceState(null, "", "/help?replaced"));
  await expect(address).toHaveValue(/replaced$/);
  await customer.page.evaluate(() => {
    location.hash = "part";
  });
  await expect(address).toHaveValue(/replaced#part$/);
  await customer.page.goBack();
  await expect(address).toHaveValue(/replaced$/);
  await customer.page.evaluate(() => location.assign("/story"));
  await expect(address).toHaveValue(/story$/);
  await expect.poll(() => agent.mirror.text("h1")).toBe((await customer.page.locator("h1").first().innerText()).trim());
});

alone("what a page is written anew in the middle of is loaded all the same", async ({ customer, agent, session }) => {
  const page = customer.page;
  // The page is told that the agent asks for Write mode.
  const isTold = new Promise<void>((resolve) => {
    page.on("websocket", (socket) =>
      socket.on("framereceived", ({ payload }) => {
        if (typeof payload === "string" && payload.includes('"writeRequested":true')) resolve();
      }),
    );
  });
  let asked = (): void => {};
  let go = (): void => {};
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const gate = new Promise<void>((resolve) => (go = resolve));
  await page.route("**/.tandem/part/acting.js*", async (route) => {
    asked();
    await gate;
    // The page may have called it off.
    await route.continue().catch(() => {});
  });
  await session("/help");
  // There is nothing in the page when something is to be loaded.
  await page.evaluate(() => document.open());
  await agent.requestWrite();
  await isTold;
  await page.evaluate(() => {
    document.write("<!doctype html><title>Written</title><p>Written</p>");
    document.close();
  });
  await customer.allow();
  // And something is on its way when the page stops to load, and is written anew.
  await isAsked;
  await page.evaluate(() => {
    stop();
    document.open();
    document.write("<!doctype html><title>Written</title><input id=field>");
    document.close();
  });
  go();
  await expect(agent.mode()).toHaveText("Write");
  await expect.poll(() => agent.mirror.value("#field")).toBe("");
  await agent.mirror.click("#field");
  await agent.page.keyboard.type("Typed");
  await expect(page.locator("#field")).toHaveValue("Typed");
});
