/** All copies of a page stay one, and what the server has already is not sent again. */
import type { Page } from "@playwright/test";
import { anyStyle, type Customer, expect, lasting as test, test as alone } from "./rig.ts";

test.describe.configure({ mode: "default" });

/** A counter of the server. */
async function counted(console_: string, name: string): Promise<number> {
  const metrics = await (await fetch(`${console_}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(metrics)?.[1]);
}

/** Keeps hold of the page's sockets, so that a test can cut them. */
async function keepSockets(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const kept: globalThis.WebSocket[] = [];
    Object.assign(window, { kept });
    window.WebSocket = class extends WebSocket {
      constructor(url: string | URL) {
        super(url);
        kept.push(this);
      }
    };
  });
}

const cut = (page: Page) =>
  page.evaluate(() => (window as unknown as { kept: globalThis.WebSocket[] }).kept.at(-1)?.close());

/** Bytes both ways on the next socket that the customer opens. */
function nextSocket(customer: Customer): Promise<{ sent: number; received: number }> {
  return new Promise((resolve) => {
    customer.page.once("websocket", (socket) => {
      const bytes = { sent: 0, received: 0 };
      socket.on("framesent", ({ payload }) => (bytes.sent += payload.length));
      socket.on("framereceived", ({ payload }) => (bytes.received += payload.length));
      resolve(bytes);
    });
  });
}

/** Counts the frames of the page's sockets that hold a check and nothing else. */
function countChecks(page: Page): { sent: number; received: number } {
  const checks = { sent: 0, received: 0 };
  // Version, no text, none of strings, epoch and number of the frame, each in one byte as long as it is small; then the operation.
  const isCheck = (payload: string | Buffer) =>
    typeof payload !== "string" && payload[0] === 3 && payload[1] === 0 && payload[2] === 0 && payload[5] === 30;
  page.on("websocket", (socket) => {
    socket.on("framesent", ({ payload }) => (checks.sent += isCheck(payload) ? 1 : 0));
    socket.on("framereceived", ({ payload }) => (checks.received += isCheck(payload) ? 1 : 0));
  });
  return checks;
}

const mirrored = <T>(page: Page, read: (document: Document) => T): Promise<T | undefined> =>
  page.evaluate(
    `(${read})(document.querySelector('iframe[title="Customer\\'s page"]').contentDocument)`,
  ) as Promise<T | undefined>;

const HARM: Record<string, (document: Document) => void> = {
  "lost an element": (document) => document.querySelector("h1")?.remove(),
  "says something else": (document) => {
    const text = document.querySelector("h1")?.firstChild as Text;
    text.data = text.data.replace(/.$/, "?");
  },
};

test("a large change is read in several tasks, and told as the page was at the end of the last", async ({ customer, agent, session }) => {
  await session("/help");
  // The first row and the last one always say the same.
  await mirrored(agent.page, (document) => {
    const differ: string[] = [];
    Object.assign(document, { differ });
    new MutationObserver(() => {
      const [first, last] = ["first", "last"].map((id) => document.getElementById(id)?.textContent);
      if (first !== last) differ.push(`${first} ${last}`);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  const tasks = await customer.page.evaluate(async () => {
    const list = document.createElement("ul");
    list.innerHTML = `<li id=first>0</li>${"<li class=row><b>one</b> two</li>".repeat(16_000)}<li id=last>0</li>`;
    const ends = [list.firstElementChild, list.lastElementChild] as Element[];
    let task = 0;
    const read = ends.map(
      (end) =>
        new Promise<number>((resolve) => {
          // The recorder asks this of each element that it tells.
          end.getAttributeNames = () => {
            resolve(task);
            return ["id"];
          };
        }),
    );
    document.querySelector("main")?.append(list);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      task++;
      for (const end of ends) if (end.firstChild) end.firstChild.nodeValue = `${task}`;
      port2.postMessage(null);
    };
    port2.postMessage(null);
    const [first, last] = await Promise.all(read);
    port1.close();
    for (const end of ends) end.textContent = "done";
    return (last ?? 0) - (first ?? 0);
  });
  expect(tasks).toBeGreaterThan(0);
  await expect.poll(() => agent.mirror.text("#last"), { timeout: 20_000 }).toBe("done");
  expect(await mirrored(agent.page, (document) => (document as Document & { differ: string[] }).differ)).toEqual([]);
});

test("what leaves the page for a moment comes back as it is then", async ({ customer, agent, session, demo }) => {
  await anyStyle(customer);
  await session("/help");
  const diverged = () => counted(demo.console, "tandem_session_server_divergences_total");
  const before = await diverged();
  await customer.page.evaluate(() => {
    const box = document.createElement("div");
    box.id = "box";
    box.innerHTML =
      "<p id=one>one</p><p id=two>two <b id=inner>inner</b></p><iframe id=frame></iframe>" +
      "<div id=scroller style='height:40px;overflow:scroll'><p>1<p>2<p>3<p>4</div>" +
      "<dialog id=dialog>dialog</dialog><style id=style></style><select id=list multiple size=2></select>";
    document.querySelector("main")?.prepend(box);
    document.querySelector("#scroller")?.scrollTo(0, 30);
    document.querySelector<HTMLDialogElement>("#dialog")?.showModal();
    document.querySelector<HTMLStyleElement>("#style")?.sheet?.insertRule("#one { color: rgb(1, 2, 3) }");
    for (let n = 0; n < 9; n++) document.querySelector<HTMLSelectElement>("#list")?.add(new Option(`option ${n}`));
  });
  await expect.poll(() => agent.mirror.scrollTop("#scroller")).toBe(30);
  expect(await agent.mirror.html("#dialog")).toContain("open");
  await customer.page.evaluate(async () => {
    const find = (id: string) => document.querySelector(`#${id}`) as HTMLElement;
    const [box, one, two, inner, frame] = ["box", "one", "two", "inner", "frame"].map(find) as [HTMLElement, ...HTMLElement[]];
    // Out of what is looked at, changed there, and back, before a frame is painted.
    one?.remove();
    two?.remove();
    (frame as HTMLIFrameElement).contentDocument?.body.append(find("list"));
    await Promise.resolve();
    one?.append(" changed");
    one?.setAttribute("title", "changed");
    inner?.append(" changed");
    (find("scroller").firstChild as Element).append("!");
    const list = (frame as HTMLIFrameElement).contentDocument?.querySelector("select") as HTMLSelectElement;
    list.id = "moved";
    await Promise.resolve();
    list.options[8]?.setAttribute("label", "last");
    await Promise.resolve();
    box.append(one as HTMLElement, inner as HTMLElement, list);
    // It leaves the top layer and stays open, loses its place, has other rules.
    box.append(find("dialog"), find("scroller"));
    find("style").append("#inner { color: rgb(4, 5, 6) }");
    (list.options[8] as HTMLOptionElement).selected = true;
  });
  await expect.poll(() => agent.mirror.text("#one")).toBe("one changed");
  expect(await agent.mirror.html("#one")).toContain('title="changed"');
  expect(await agent.mirror.text("#inner")).toBe("inner changed");
  expect(await agent.mirror.text("#two")).toBeNull();
  expect(await agent.mirror.html("#moved")).toContain('label="last"');
  await expect.poll(() => agent.mirror.scrollTop("#scroller")).toBe(0);
  const there = await customer.page.evaluate(() => document.querySelector("#moved")?.scrollTop);
  await expect.poll(() => agent.mirror.scrollTop("#moved")).toBe(there);
  const open = (document: Document) => {
    const dialog = document.querySelector("#dialog");
    return `${dialog?.hasAttribute("open")} ${dialog?.matches(":modal")}`;
  };
  await expect.poll(() => mirrored(agent.page, open)).toBe("true false");
  const colours = (document: Document) =>
    ["#one", "#inner"].map((id) => document.defaultView?.getComputedStyle(document.querySelector(id) as Element).color).join();
  const here = await customer.page.evaluate(`(${colours})(document)`);
  await expect.poll(() => mirrored(agent.page, colours)).toBe(here);
  expect(await diverged()).toBe(before);
});

/** Puts a box that is scrolled, and a word beside it. */
function scrolledBox({ page }: Customer, attribute = ""): Promise<void> {
  return page.evaluate((attribute) => {
    const main = document.querySelector("main");
    const html = `<div id=box ${attribute} style="height:40px;overflow:scroll"><p>1<p>2<p>3<p>4</div>beside it`;
    main?.insertAdjacentHTML("afterbegin", html);
    document.querySelector("#box")?.scrollTo(0, 30);
  }, attribute);
}

test("what was hidden is scrolled as it was once it is shown", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await scrolledBox(customer);
  await expect.poll(() => agent.mirror.scrollTop("#box")).toBe(30);
  const hide = (hidden: boolean) => customer.page.$eval("#box", (box, hidden) => box.toggleAttribute("hidden", hidden), hidden);
  await customer.page.$eval("#box", (box) => {
    const native = Object.getOwnPropertyDescriptor(Element.prototype, "scrollTop")?.get;
    const seen: number[] = Object.assign(window, { seen: [] }).seen;
    const get = () => {
      const top = native?.call(box) as number;
      seen.push(top);
      return top;
    };
    Object.defineProperty(box, "scrollTop", { get, configurable: true });
  });
  await hide(true);
  // It is found that it is scrolled no more.
  await expect.poll(() => customer.page.evaluate("seen.at(-1)")).toBe(0);
  await customer.page.$eval("#box", (box) => Reflect.deleteProperty(box, "scrollTop"));
  await expect.poll(() => agent.mirror.html("#box")).toContain("hidden");
  await hide(false);
  expect(await customer.page.$eval("#box", (box) => box.scrollTop)).toBe(30);
  await expect.poll(() => agent.mirror.scrollTop("#box")).toBe(30);
});

test("what is hidden as soon as it is scrolled is so once it is shown", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await customer.page.evaluate(() => {
    const html = `<div id=box style="height:40px;overflow:scroll"><p>1<p>2<p>3<p>4</div>beside it`;
    document.querySelector("main")?.insertAdjacentHTML("afterbegin", html);
    const box = document.querySelector<HTMLElement>("#box");
    // That it has been scrolled is heard when it has no box any more.
    box?.addEventListener("scroll", () => box.before(box.hidden ? "heard" : ""));
    box?.scrollTo(0, 30);
    if (box?.scrollTop === 30) box.hidden = true;
  });
  await expect.poll(() => agent.mirror.text("main")).toContain("heard");
  await customer.page.$eval("#box", (box) => box.removeAttribute("hidden"));
  expect(await customer.page.$eval("#box", (box) => box.scrollTop)).toBe(30);
  await expect.poll(() => agent.mirror.scrollTop("#box")).toBe(30);
});

test("what was no part of the page is scrolled as it was once it is one", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await scrolledBox(customer, "data-tandem=ignore");
  await expect.poll(() => agent.mirror.text("main")).toContain("beside it");
  await customer.page.$eval("#box", (box) => box.removeAttribute("data-tandem"));
  await expect.poll(() => agent.mirror.scrollTop("#box")).toBe(30);
});

test("a shadow root that nothing told of is found", async ({ customer, agent, session }) => {
  await session("/help");
  // Of a window that was gone before anybody could look at it: its functions tell nothing.
  await customer.page.evaluate(() => {
    const frame = document.body.appendChild(document.createElement("iframe"));
    const host = frame.contentDocument?.createElement("p") as HTMLElement;
    frame.remove();
    host.id = "stranger";
    document.querySelector("main")?.prepend(host);
  });
  await expect.poll(() => agent.mirror.html("#stranger")).toContain("stranger");
  await customer.page.$eval("#stranger", (host) => {
    host.attachShadow({ mode: "open" }).append("inside");
    host.setAttribute("title", "changed");
  });
  const seen = () => mirrored(agent.page, (document) => document.querySelector("#stranger")?.shadowRoot?.textContent);
  await expect.poll(seen).toBe("inside");
});

test("a closed root in a frame that a script fills as soon as it has made it", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.evaluate(() => {
    const frame = document.createElement("iframe");
    document.querySelector("main")?.prepend(frame);
    const inner = frame.contentDocument as Document;
    inner.body.innerHTML = "<p>outside</p>";
    inner.querySelector("p")?.attachShadow({ mode: "closed" }).append("kept inside");
  });
  const seen = () =>
    mirrored(agent.page, (document) => document.querySelector("iframe")?.contentDocument?.querySelector("p")?.shadowRoot?.textContent);
  await expect.poll(seen).toBe("kept inside");
});

for (const [harm, change] of Object.entries(HARM)) alone(`a mirror that ${harm} is repaired by itself within two seconds`, async ({ agent, session, demo }) => {
  const checks = countChecks(agent.page);
  await session("/help");
  const before = await counted(demo.console, "tandem_session_mirror_divergences_total");
  await expect.poll(() => checks.received, "the server says what the mirror should be").toBeGreaterThan(0);
  const heading = await agent.mirror.text("h1");
  expect(heading).toBeTruthy();
  const began = Date.now();
  await mirrored(agent.page, change);
  expect(await agent.mirror.text("h1")).not.toBe(heading);
  await expect.poll(() => agent.mirror.text("h1"), { intervals: [50] }).toBe(heading);
  expect(Date.now() - began).toBeLessThan(2000);
  expect(await counted(demo.console, "tandem_session_mirror_divergences_total")).toBe(before + 1);
});

alone("no copy is found to diverge while a page changes", async ({ customer, agent, session, demo }) => {
  const [there, here] = [countChecks(agent.page), countChecks(customer.page)];
  await session("/help");
  const diverged = () =>
    Promise.all(["mirror", "server"].map((leg) => counted(demo.console, `tandem_session_${leg}_divergences_total`)));
  const before = await diverged();
  for (let round = 0; round < 4; round++) {
    const seen = { there: there.received, here: here.sent };
    await customer.page.evaluate((round) => {
      const list = document.createElement("div");
      list.innerHTML = `<p>one<p>two<!-- --><p>round ${round}`;
      (document.querySelector("main") ?? document.body).append(list);
      list.append(...[...list.children].reverse());
      // What is in `selectedcontent`, browsers fill in themselves, here and there.
      list.insertAdjacentHTML("beforeend", "<select><button><selectedcontent></selectedcontent></button><option><b>1</b><option><i>2</i></select>");
      const [select] = list.getElementsByTagName("select");
      if (select) select.selectedIndex = 1;
      list.attachShadow({ mode: "open" }).innerHTML = "<slot></slot><i data-tandem=ignore></i><b>end</b>";
      const sheet = new CSSStyleSheet();
      sheet.replaceSync("p{color:red}");
      // Rules that no element has are told at the end of their root; what comes later goes before them.
      for (const root of [document, list.shadowRoot]) if (root) root.adoptedStyleSheets = [sheet];
      list.shadowRoot?.append("tail");
      document.documentElement.append(document.createComment(`${round}`));
      document.head.appendChild(document.createElement("style")).sheet?.insertRule("b{color:blue}");
    }, round);
    await expect.poll(() => agent.mirror.text("main")).toContain(`round ${round}`);
    await expect.poll(() => here.sent, "the page is compared with the server's copy").toBeGreaterThan(seen.here);
    await expect.poll(() => there.received, "and the mirror with its view").toBeGreaterThan(seen.there);
  }
  expect(await diverged()).toEqual(before);
});

alone("what was hidden before the session is scrolled as it was once it is shown", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await customer.page.addInitScript(() => {
    if (top !== window) return;
    addEventListener("DOMContentLoaded", () => {
      const box = `<div id=box style="height:40px;overflow:scroll"><p>1<p>2<p>3<p>4</div>`;
      document.querySelector("main")?.insertAdjacentHTML("afterbegin", `<div class=late>${box}</div><iframe class=late></iframe>`);
      const inner = document.querySelector("iframe")?.contentDocument as Document;
      inner.body.innerHTML = box;
      for (const root of [document, inner]) root.querySelector("#box")?.scrollTo(0, 30);
      for (const element of document.querySelectorAll<HTMLElement>(".late")) element.hidden = true;
    });
  });
  await session("/help");
  await expect.poll(() => agent.mirror.html("iframe >>> #box")).toBeTruthy();
  await customer.page.$$eval(".late", (late) => late.map((element) => element.removeAttribute("hidden")));
  expect(await customer.page.locator("#box").evaluate((box) => box.scrollTop)).toBe(30);
  expect(await customer.page.frameLocator("iframe.late").locator("#box").evaluate((box) => box.scrollTop)).toBe(30);
  await expect.poll(() => agent.mirror.scrollTop("#box")).toBe(30);
  await expect.poll(() => agent.mirror.scrollTop("iframe >>> #box")).toBe(30);
});

alone("after a lost connection only what changed is sent: of an unchanged page, next to nothing", async ({
  customer,
  agent,
  session,
}) => {
  await keepSockets(customer.page);
  await session("/help");
  const text = await agent.mirror.text("body");
  const shared = () => expect.poll(() => mirrored(agent.page, (document) => document.body.hasAttribute("before"))).toBe(false);
  for (const change of ["", "One more line."]) {
    await mirrored(agent.page, (document) => {
      document.body.setAttribute("before", "");
    });
    const next = nextSocket(customer);
    await cut(customer.page);
    if (change) await customer.page.evaluate((change) => document.querySelector("h1")?.append(change), change);
    const bytes = await next;
    await shared();
    await expect.poll(() => agent.mirror.text("h1")).toContain(change);
    expect(bytes.sent).toBeGreaterThan(20);
    expect(bytes.sent, `bytes for "${change}"`).toBeLessThan(2048);
  }
  expect((await agent.mirror.text("body"))?.replace("One more line.", "")).toBe(text);
  // Rules that scripts have made other ones, as many as there were.
  const colour = () => mirrored(agent.page, (document) => getComputedStyle(document.querySelector("h1") as Element).color);
  await customer.page.evaluate(() => {
    const [sheet] = document.styleSheets;
    sheet?.deleteRule(0);
    sheet?.insertRule("h1 { color: rgb(255, 0, 0) !important }", 0);
  });
  await expect.poll(colour).toBe("rgb(255, 0, 0)");
  await customer.page.locator("h1").hover();
  await expect.poll(() => agent.mirror.html("h1")).toContain("data-tandem-hover");
  await mirrored(agent.page, (document) => {
    document.body.setAttribute("before", "");
  });
  await cut(customer.page);
  await shared();
  await expect.poll(colour).toBe("rgb(255, 0, 0)");
  // The pointer has not moved since.
  await expect.poll(() => agent.mirror.html("h1")).toContain("data-tandem-hover");
});
