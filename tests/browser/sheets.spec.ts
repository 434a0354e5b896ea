/** Styles are what scripts have made of them, whichever way. */
import { type Agent, anyStyle, type Customer, expect, lasting as test, test as alone } from "./rig.ts";

test.describe.configure({ mode: "default" });

const RED = "rgb(255, 0, 0)";

function colour(agent: Agent, selector: string): Promise<string | null> {
  return agent.page.evaluate((selector) => {
    const frame = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]');
    const element = frame?.contentDocument?.querySelector(selector);
    return element ? (element.ownerDocument.defaultView?.getComputedStyle(element).color ?? null) : null;
  }, selector);
}

/** The fonts that the mirror has been told of, with their weight. */
function fonts(agent: Agent): Promise<string[]> {
  return agent.page.evaluate(() => {
    const frame = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]');
    return [...(frame?.contentDocument?.fonts ?? [])].map(({ family, weight }) => `${family} ${weight}`);
  });
}

/** What has come to the site after a request of this number. */
async function requests(customer: Customer, since = 0): Promise<Array<{ number: number; path: string }>> {
  return (await customer.page.request.get(`${customer.demo.site}/__log?since=${since}`)).json();
}

async function words(customer: Customer): Promise<void> {
  await customer.page.evaluate(() => {
    const host = document.createElement("div");
    host.innerHTML = "abcdefghijklm".replace(/./g, '<b id="$&">$&</b>');
    document.querySelector("main")?.prepend(host);
  });
}

test("rules that scripts change in sheets that have a text or an address", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await words(customer);
  await customer.page.evaluate(() => {
    const style = document.createElement("style");
    style.id = "own";
    style.textContent = "#a { color: rgb(0, 0, 255) } @media all { #b { color: rgb(0, 0, 255) } } #m { color: rgb(255, 0, 0) }";
    document.head.append(style);
  });
  await expect.poll(() => colour(agent, "#a")).toBe("rgb(0, 0, 255)");
  await customer.page.evaluate(() => {
    const own = document.querySelector<HTMLStyleElement>("#own")?.sheet as CSSStyleSheet;
    // Held on to, and changed later without a call.
    const held = (own.cssRules[0] as CSSStyleRule).style;
    (window as { held?: CSSStyleDeclaration }).held = held;
    (own.cssRules[1] as CSSMediaRule).insertRule("#b { color: rgb(255, 0, 0) }", 1);
    own.deleteRule(2);
    own.insertRule("#c { color: rgb(255, 0, 0) }", 0);
    const linked = document.querySelector<HTMLLinkElement>("link[rel=stylesheet]")?.sheet as CSSStyleSheet;
    linked.insertRule("#d { color: rgb(255, 0, 0) }", linked.cssRules.length);
  });
  await expect.poll(() => colour(agent, "#d")).toBe(RED);
  expect(await colour(agent, "#b")).toBe(RED);
  expect(await colour(agent, "#c")).toBe(RED);
  expect(await colour(agent, "#m")).not.toBe(RED);
  await customer.page.evaluate(() => {
    const { held } = window as { held?: CSSStyleDeclaration };
    if (held) held.color = "rgb(255, 0, 0)";
  });
  await expect.poll(() => colour(agent, "#a")).toBe(RED);
});

test("a sheet that the site's own policy forbids holds on neither side", async ({ customer, agent, session }) => {
  await session("/help");
  await words(customer);
  await customer.page.evaluate(() => {
    const style = document.createElement("style");
    style.textContent = "#a { color: rgb(255, 0, 0) }";
    document.head.append(style);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("#b { color: rgb(255, 0, 0) }");
    document.adoptedStyleSheets = [sheet];
  });
  await expect.poll(() => colour(agent, "#b")).toBe(RED);
  expect(await colour(agent, "#a")).not.toBe(RED);
});

test("sheets that are switched off, chosen by title, or hold for other media", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await words(customer);
  await customer.page.evaluate(() => {
    for (const [id, css] of [["off", "#e"], ["media", "#f"]]) {
      const style = document.createElement("style");
      style.id = id as string;
      style.textContent = `${css} { color: rgb(255, 0, 0) }`;
      document.head.append(style);
    }
    const other = document.createElement("link");
    other.id = "other";
    other.rel = "alternate stylesheet";
    other.title = "Other";
    other.href = "data:text/css,#g{color:rgb(255,0,0)}";
    document.head.append(other);
  });
  await expect.poll(() => colour(agent, "#e")).toBe(RED);
  await customer.page.evaluate(() => {
    const sheet = (id: string) => document.querySelector<HTMLStyleElement>(`#${id}`)?.sheet as CSSStyleSheet;
    sheet("off").disabled = true;
    sheet("media").media.mediaText = "print";
  });
  await expect.poll(() => colour(agent, "#e")).not.toBe(RED);
  await expect.poll(() => colour(agent, "#f")).not.toBe(RED);
  await customer.page.evaluate(() => {
    const sheet = document.querySelector<HTMLStyleElement>("#off")?.sheet;
    if (sheet) sheet.disabled = false;
  });
  await expect.poll(() => colour(agent, "#e")).toBe(RED);
});

test("of sheets with different titles those hold that hold in the customer's browser", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await words(customer);
  const add = (...sheets: Array<[title: string, selector: string]>) =>
    customer.page.evaluate((sheets) => {
      for (const [title, selector] of sheets) {
        const style = document.createElement("style");
        style.title = title;
        style.textContent = `${selector} { color: rgb(255, 0, 0) }`;
        document.head.append(style);
      }
    }, sheets);
  const red = (page: Customer["page"], root: string) =>
    page.evaluate(`[..."abcdefg"].filter((id) => { const it = ${root}.querySelector("#" + id); return it && it.ownerDocument.defaultView.getComputedStyle(it).color === "${RED}" }).join("")`);
  const same = async (expected: string) => {
    expect(await red(customer.page, "document")).toBe(expected);
    await expect.poll(() => red(agent.page, "document.querySelector('iframe').contentDocument")).toBe(expected);
  };
  await add(["A", "#a"], ["B", "#b"]);
  await same("a");
  await add(["B", "#e"], ["A", "#c"], ["", "#d"]);
  await same("acd");
  await customer.page.evaluate(() => { for (const { sheet } of document.querySelectorAll("style")) if (sheet) sheet.disabled = sheet.title === "A"; });
  await same("d");
  await customer.page.evaluate(() => { for (const { sheet } of document.querySelectorAll("style")) if (sheet) sheet.disabled = false; });
  await same("acd");
});

test("of linked sheets that a script switches by their title those hold that hold in the customer's browser", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await customer.page.evaluate(() => {
    for (const [title, rel] of [["One", "stylesheet"], ["Two", "alternate stylesheet"], ["Three", "alternate stylesheet"]] as const) {
      document.head.append(Object.assign(document.createElement("link"), { title, rel, href: document.querySelector<HTMLLinkElement>("link[rel=stylesheet]")?.href }));
    }
  });
  const holds = () => Promise.all([3, 2, 1].map(async (at) => !/media="not all"| disabled/.test((await agent.mirror.html(`head link:nth-last-of-type(${at})`)) ?? "")));
  await expect.poll(holds).toEqual([true, false, false]);
  await customer.page.evaluate(() => {
    for (const link of document.querySelectorAll<HTMLLinkElement>("link[title]")) {
      link.disabled = true;
      link.disabled = link.title !== "Two";
    }
  });
  await expect.poll(holds).toEqual([false, true, false]);
});

test("adopted sheets, properties and fonts that scripts made", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await words(customer);
  await customer.page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("#h { color: var(--made) } #i { color: rgb(255, 0, 0) }");
    document.adoptedStyleSheets = [sheet];
    CSS.registerProperty({ name: "--made", syntax: "<color>", inherits: false, initialValue: "rgb(255, 0, 0)" });
    const face = new FontFace("Made Here", "url(/assets/none.woff2)", { weight: "700" });
    document.fonts.add(face);
    (sheet.cssRules[1] as CSSStyleRule).style.color = "rgb(0, 0, 255)";
    const root = document.querySelector("#m")?.parentElement?.attachShadow({ mode: "open" });
    const inner = new CSSStyleSheet();
    inner.replaceSync("i:last-child { background: rgb(255, 0, 0) }");
    if (!root) return;
    root.innerHTML = "<slot></slot><i>Last</i>";
    root.adoptedStyleSheets = [inner];
  });
  await expect.poll(() => colour(agent, "#h")).toBe(RED);
  await expect.poll(() => colour(agent, "#i")).toBe("rgb(0, 0, 255)");
  expect((await fonts(agent)).join()).toMatch(/Made Here"? 700/);
  const last = () => agent.mirror.background("div:has(> #m) >>> i");
  await expect.poll(last).toBe(RED);
  // What comes later is behind it.
  await customer.page.evaluate(() => {
    const root = document.querySelector("#m")?.parentElement?.shadowRoot;
    root?.querySelector("i")?.after(document.createElement("b"));
    root?.adoptedStyleSheets[0]?.replaceSync("i:nth-last-child(2) { background: rgb(0, 0, 255) }");
  });
  await expect.poll(last).toBe("rgb(0, 0, 255)");
});

alone("rules put into a sheet with a text before anybody looked", async ({ customer, agent }) => {
  await anyStyle(customer);
  await customer.logIn();
  await customer.open("/help");
  await words(customer);
  await customer.page.evaluate(() => {
    const style = document.createElement("style");
    style.textContent = "#a { font-weight: bold }";
    document.head.append(style);
    style.sheet?.insertRule("#a { color: rgb(255, 0, 0) }", 1);
  });
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  await expect.poll(() => colour(agent, "#a")).toBe(RED);
});

alone("rules put into a sheet with an address before anybody looked, without another request", async ({ customer, agent }) => {
  await customer.logIn();
  await customer.open("/help");
  await words(customer);
  const [many, few] = await customer.page.evaluate(() => {
    const { sheet } = document.querySelector("link[rel=stylesheet]") as HTMLLinkElement;
    const few = sheet?.cssRules.length ?? 0;
    sheet?.insertRule("#a { color: rgb(255, 0, 0) }", few);
    return [sheet?.cssRules.length, few];
  });
  expect(many).toBe(few + 1);
  const before = (await requests(customer)).at(-1)?.number ?? 0;
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  await expect.poll(() => colour(agent, "#a")).toBe(RED);
  expect((await requests(customer, before)).filter(({ path }) => path.includes(".css"))).toEqual([]);
});

alone("properties and fonts that scripts made before anybody looked", async ({ customer, agent }) => {
  await anyStyle(customer);
  await customer.logIn();
  await customer.open("/help");
  await words(customer);
  await customer.page.evaluate(() => {
    CSS.registerProperty({ name: "--made", syntax: "<color>", inherits: false, initialValue: "rgb(255, 0, 0)" });
    document.fonts.add(new FontFace("Made Before", "url(/assets/none.woff2)", { weight: "700" }));
    const style = document.createElement("style");
    style.textContent = "#h { color: var(--made) }";
    document.head.append(style);
  });
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  await expect.poll(() => colour(agent, "#h")).toBe(RED);
  expect((await fonts(agent)).join()).toMatch(/Made Before"? 700/);
});

alone("a sheet that can not be had does not make the agent ask for the page again and again", async ({ customer, agent, session }) => {
  const asked: string[] = [];
  agent.page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => String(payload).includes('"resync"') && asked.push(String(payload))),
  );
  await anyStyle(customer);
  await session("/help");
  const failed = agent.page.waitForEvent("requestfailed", (request) => request.resourceType() === "stylesheet");
  await customer.page.evaluate(() => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = "/there-is-none.css";
    document.head.append(link);
  });
  await failed;
  await words(customer);
  await expect.poll(() => agent.mirror.text("#m")).toBe("m");
  await customer.page.evaluate(() => document.querySelector("#m")?.replaceChildren("more"));
  await expect.poll(() => agent.mirror.text("#m")).toBe("more");
  expect(asked).toEqual([]);
});
