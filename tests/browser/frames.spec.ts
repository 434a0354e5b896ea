/** What is in frames is seen, masked, pointed at and used like the rest of the page. */
import type { Page } from "@playwright/test";
import { expect, lasting as test, put, test as alone } from "./rig.ts";

test.describe.configure({ mode: "default" });

/** Puts frames of every kind into the page; each says its name. */
async function frames(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const main = document.querySelector("main");
    const add = (id: string, set: (frame: HTMLIFrameElement) => void): Promise<void> =>
      new Promise((resolve) => {
        const frame = document.createElement("iframe");
        frame.id = id;
        frame.width = "300";
        frame.height = "120";
        frame.onload = () => resolve();
        set(frame);
        main?.prepend(frame);
      });
    await add("srcdoc", (frame) => {
      frame.srcdoc = "<!doctype html><style>p{color:rgb(1,2,3)}</style><p>In srcdoc</p><input id=field>";
    });
    await add("blob", (frame) => {
      frame.src = URL.createObjectURL(new Blob(["<p>In a blob, with quirks</p>"], { type: "text/html" }));
    });
    await add("same", (frame) => {
      frame.src = "/help";
    });
    await add("blank", () => {});
    const blank = document.querySelector<HTMLIFrameElement>("#blank")?.contentDocument;
    blank?.body.append("Written by script");
    const inner = blank?.createElement("iframe");
    if (blank && inner) {
      inner.id = "inner";
      blank.body.append(inner);
      inner.contentDocument?.body.append("Frame in a frame");
    }
  });
}

test("frames of every kind show what they show to the customer", async ({ customer, agent, session }) => {
  await session("/help");
  await frames(customer.page);
  const text = (selector: string) => expect.poll(() => agent.mirror.text(selector));
  await text("#srcdoc >>> p").toBe("In srcdoc");
  await text("#blob >>> p").toBe("In a blob, with quirks");
  await text("#same >>> h1").toBe((await customer.page.frameLocator("#same").locator("h1").innerText()).trim());
  await text("#blank >>> body").toContain("Written by script");
  await text("#blank >>> #inner >>> body").toBe("Frame in a frame");
  const mode = (id: string) =>
    agent.page.evaluate((id) => {
      const page = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]');
      const frame = page?.contentDocument?.querySelector<HTMLIFrameElement>(id);
      return frame?.contentDocument?.compatMode;
    }, id);
  expect(await mode("#srcdoc")).toBe("CSS1Compat");
  expect(await mode("#blob")).toBe("BackCompat");
  const there = await customer.page.frameLocator("#same").locator("header").first().evaluate((e) => getComputedStyle(e).backgroundColor);
  await expect.poll(() => agent.mirror.background("#same >>> header")).toBe(there);
});

test("in the mirror's frames nothing runs and nothing of the site loads", async ({ customer, agent, session }) => {
  await session("/help");
  await frames(customer.page);
  await expect.poll(() => agent.mirror.text("#blank >>> #inner >>> body")).toBe("Frame in a frame");
  for (const path of [["#srcdoc"], ["#blob"], ["#same"], ["#blank", "#inner"]]) {
    const found = await agent.page.evaluate(async (path) => {
      let inner = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]')?.contentDocument;
      for (const step of path) inner = inner?.querySelector<HTMLIFrameElement>(step)?.contentDocument;
      if (!inner) return null;
      const script = inner.createElement("script");
      script.textContent = "document.title = 'It ran'";
      const blocked = new Promise<string>((resolve) => {
        inner.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
      });
      const picture = inner.createElement("img");
      picture.src = "https://elsewhere.test/x.png";
      inner.body.append(script, picture);
      return { ran: inner.title === "It ran", blocked: await blocked };
    }, path);
    expect(found, path.join()).toEqual({ ran: false, blocked: "img-src" });
  }
});

test("frames that navigate, reload, move and go are followed", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.evaluate(() => {
    const [frame, home] = [document.createElement("iframe"), document.createElement("section")];
    frame.id = "walk";
    frame.src = "/story/map";
    home.id = "home";
    document.querySelector("main")?.prepend(frame, home);
  });
  const text = () => agent.mirror.text("#walk >>> body");
  await expect.poll(text).toContain("14 Harbor Street");
  const inside = customer.page.frameLocator("#walk");
  await inside.locator("input").check();
  await expect.poll(() => agent.mirror.checked("#walk >>> input")).toBe(true);
  await customer.page.locator("#walk").evaluate((frame: HTMLIFrameElement) => frame.contentWindow?.location.reload());
  await expect.poll(() => agent.mirror.checked("#walk >>> input")).toBe(false);
  await customer.page.locator("#walk").evaluate((frame: HTMLIFrameElement) => {
    frame.src = "/help";
  });
  await expect.poll(() => agent.mirror.text("#walk >>> h1")).toBeTruthy();
  await customer.page.evaluate(() => {
    const doc = document.querySelector<HTMLIFrameElement>("#walk")?.contentDocument;
    doc?.open();
    doc?.write("<p>Written anew</p><button>Press</button>");
    doc?.close();
    doc?.querySelector("button")?.addEventListener("click", (event) => {
      (event.target as Element).textContent = "Pressed";
    });
  });
  await expect.poll(text).toBe("Written anewPress");
  await inside.locator("button").click();
  await expect.poll(text).toBe("Written anewPressed");
  // Where a frame is taken elsewhere it loads again.
  await customer.page.evaluate(() => {
    const frame = document.querySelector<HTMLIFrameElement>("#walk");
    if (frame) document.querySelector("#home")?.append(frame);
  });
  await expect.poll(() => agent.mirror.text("#home #walk >>> h1")).toBeTruthy();
  await customer.page.locator("#walk").evaluate((frame) => frame.remove());
  await expect.poll(() => agent.mirror.html("#walk")).toBeNull();
});

test("a frame that is moved without loading again keeps what is in it", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.evaluate(() => {
    const [box, home, frame] = [document.createElement("section"), document.createElement("section"), document.createElement("iframe")];
    box.append(frame);
    home.id = "home";
    box.id = "box";
    frame.id = "kept";
    document.querySelector("main")?.prepend(box, home);
    const inner = frame.contentDocument;
    inner?.body.append("Kept", inner.createElement("x-host"), inner.createElement("iframe"));
    const host = inner?.querySelector("x-host")?.attachShadow({ mode: "open" });
    if (host) host.innerHTML = "<b>In a shadow</b><div data-tandem=hide style></div>";
    const hidden = host?.querySelector<HTMLElement>("div");
    if (hidden) hidden.style.cssText = "width:83px;height:41px";
    inner?.querySelector("iframe")?.contentDocument?.body.append("Deep");
  });
  await expect.poll(() => agent.mirror.text("#box #kept >>> iframe >>> body")).toBe("Deep");
  await customer.page.evaluate(() => {
    const [box, home] = [document.querySelector("#box"), document.querySelector("#home")];
    if (box) (home as unknown as { moveBefore(node: Node, child: Node | null): void }).moveBefore(box, null);
  });
  await expect.poll(() => agent.mirror.text("#home #box #kept >>> body")).toBe("Kept");
  expect(await agent.mirror.text("#home #kept >>> iframe >>> body")).toBe("Deep");
  expect(await agent.mirror.html("#home #kept >>> x-host >>> b")).toBe("<b>In a shadow</b>");
  await expect.poll(() => agent.mirror.size("#home #kept >>> x-host >>> div")).toEqual({ width: 83, height: 41 });
  // What changes there goes on to be seen.
  await customer.page.evaluate(() => {
    document.querySelector<HTMLIFrameElement>("#kept")?.contentDocument?.body.append(" and changed");
  });
  await expect.poll(() => agent.mirror.text("#kept >>> body")).toBe("Kept and changed");
});

test("a page that is made of frames", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.evaluate(() => {
    document.open();
    document.write('<frameset cols="40%,*"><frame id=left src="/story/map"><frame id=right src="/help"></frameset>');
    document.close();
  });
  await expect.poll(() => agent.mirror.text("#left >>> body")).toContain("14 Harbor Street");
  await expect.poll(() => agent.mirror.text("#right >>> h1")).toBeTruthy();
  const there = await customer.page.evaluate(() => document.querySelector("#left")?.getBoundingClientRect().width);
  await expect.poll(async () => (await agent.mirror.size("#left"))?.width).toBe(Math.round(there ?? 0));
});

test("what stood in a frame that is gone is not private for that", async ({ customer, agent, session }) => {
  await session("/help");
  await frames(customer.page);
  await expect.poll(() => agent.mirror.value("#srcdoc >>> #field")).toBe("");
  await customer.page.evaluate(() => {
    const frame = document.querySelector<HTMLIFrameElement>("#srcdoc");
    const field = frame?.contentDocument?.querySelector("input");
    if (field) field.value = "a word of the page";
    // It loses its document.
    if (frame) document.querySelector("main")?.append(frame);
    const repeated = document.createElement("p");
    repeated.id = "repeated";
    repeated.textContent = "This is a word of the page";
    document.querySelector("main")?.prepend(repeated);
  });
  await expect.poll(() => agent.mirror.text("#repeated")).toBe("This is a word of the page");
});

test("a click in a frame is told where it is in the page, however late what knows that comes", async ({ customer, agent, session }) => {
  const { page } = customer;
  const clicked: Array<{ x: number; y: number }> = [];
  page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => {
      const message = typeof payload === "string" ? JSON.parse(payload) : {};
      if (message.type === "clicked") clicked.push(message.at);
    }),
  );
  let come = (): void => {};
  const late = new Promise<void>((resolve) => {
    come = resolve;
  });
  const asked = page.waitForRequest("**/.tandem/part/depth.js*");
  await page.route("**/.tandem/part/depth.js*", async (route) => {
    await late;
    await route.continue();
  });
  await session("/help");
  const style = "border:7px solid teal;padding:5px 9px;margin:30px 40px";
  await put(customer, agent, `<p id="out">Outside</p><iframe id="deep" style="${style}" srcdoc="<p>Inside"></iframe>`);
  const inside = page.frameLocator("#deep").locator("p");
  await expect.poll(() => agent.mirror.text("#deep >>> p")).toBe("Inside");
  const press = async (element: typeof inside): Promise<{ x: number; y: number }> => {
    const { x, y } = (await element.boundingBox()) ?? { x: 0, y: 0 };
    const at = { x: Math.round(x) + 5, y: Math.round(y) + 5 };
    await page.mouse.click(at.x, at.y);
    return at;
  };
  const deep = await press(inside);
  await asked;
  // What is in no frame waits for nothing.
  const out = await press(page.locator("#out"));
  await expect.poll(() => clicked).toEqual([out]);
  come();
  await expect.poll(() => clicked.length).toBe(2);
  expect(Math.hypot((clicked[1]?.x ?? 0) - deep.x, (clicked[1]?.y ?? 0) - deep.y)).toBeLessThan(1);
});

alone("what is masked in a frame is in nothing that the agent gets", async ({ customer, agent, session }) => {
  const received: Buffer[] = [];
  agent.page.on("websocket", (socket) => socket.on("framereceived", (frame) => received.push(Buffer.from(frame.payload))));
  agent.page.on("response", async (response) => {
    received.push(Buffer.from(response.url()), await response.body().catch(() => Buffer.alloc(0)));
  });
  await session("/help");
  await customer.page.evaluate(() => {
    const frame = document.createElement("iframe");
    frame.id = "secret";
    frame.title = "Seen title";
    const hidden = '<div data-tandem=hide title="CANARY-1">CANARY-2<img alt="CANARY-3" src="/x?CANARY-4"></div>';
    frame.srcdoc = `<!doctype html><p>Seen text</p><input id=pw type=password value="CANARY-5"><span data-tandem=mask>CANARY-6</span>${hidden}<i data-note="CANARY-7" data-tandem=mask></i>`;
    const veiled = document.createElement("iframe");
    veiled.id = "veiled";
    veiled.setAttribute("data-tandem", "hide");
    veiled.srcdoc = "<title>CANARY-8</title><p>CANARY-9</p>";
    document.querySelector("main")?.prepend(frame, veiled);
  });
  await expect.poll(() => agent.mirror.text("#secret >>> p")).toBe("Seen text");
  const inside = customer.page.frameLocator("#secret");
  await inside.locator("#pw").fill("hunter2-in-a-frame");
  await expect.poll(() => agent.mirror.value("#secret >>> #pw")).toBe("••••••••");
  // The page repeats what was typed in the frame.
  await inside.locator("#pw").blur();
  await customer.page.evaluate(() => {
    document.querySelector("h1")?.append(" hunter2-in-a-frame end");
  });
  await expect.poll(() => agent.mirror.text("h1")).toMatch(/•+ end$/);
  expect(await agent.mirror.text("#secret >>> span")).toBe("••••••••");
  const all = Buffer.concat(received);
  expect(all.includes("Seen text")).toBe(true);
  expect(all.includes("CANARY"), "a canary").toBe(false);
  expect(all.includes("hunter2-in"), "what was typed").toBe(false);
  // The customer is told what is hidden there, in the page's own window.
  const tooltip = customer.page.locator("tandem-widget [role=tooltip]");
  await inside.locator("span").hover();
  await expect(tooltip).toBeVisible();
  const [near, tip] = [await inside.locator("span").boundingBox(), await tooltip.boundingBox()];
  expect(Math.abs((near?.x ?? 0) - (tip?.x ?? 999))).toBeLessThan(40);
});

alone("the agent types, clicks, chooses and scrolls in a frame, and no form leaves it", async ({ customer, agent, writing }) => {
  await writing("/help");
  await customer.page.evaluate(
    () =>
      new Promise((resolve) => {
        const frame = document.createElement("iframe");
        frame.id = "form";
        frame.width = "420";
        frame.height = "260";
        frame.style.border = "7px solid teal";
        frame.srcdoc = `<!doctype html><form><input id=name><select id=pick><option>One<option>Two</select>
          <button id=press type=button>Press</button><button id=send>Send</button></form><p>Tall</p>`;
        frame.onload = () => {
          const [inner, view] = [frame.contentDocument, frame.contentWindow as (Window & typeof globalThis) | null];
          // The page's policy allows neither script nor style in markup.
          inner?.querySelector("p")?.style.setProperty("margin-bottom", "900px");
          inner?.querySelector("form")?.addEventListener("submit", (event) => {
            event.preventDefault();
            inner.title = "SENT";
          });
          const press = inner?.querySelector("#press");
          press?.addEventListener("click", (event) => {
            press.textContent = `Pressed, ${view && event instanceof view.PointerEvent}`;
          });
          resolve(undefined);
        };
        document.querySelector("main")?.prepend(frame);
      }),
  );
  await customer.reveal("#form", agent.mirror);
  const inside = customer.page.frameLocator("#form");
  await expect.poll(() => agent.mirror.text("#form >>> #press")).toBe("Press");
  await agent.mirror.click("#form >>> #press");
  await expect(inside.locator("#press")).toHaveText("Pressed, true");
  await agent.mirror.click("#form >>> #name");
  await agent.page.keyboard.type("Typed in a frame");
  await expect(inside.locator("#name")).toHaveValue("Typed in a frame");
  await expect.poll(() => agent.mirror.value("#form >>> #name")).toBe("Typed in a frame");
  await agent.page.keyboard.press("Enter");
  await agent.mirror.click("#form >>> #send");
  await expect(agent.page.getByText(/only the customer/i).first()).toBeVisible();
  expect(await inside.locator("html").evaluate(() => document.title)).toBe("");
  // The circle is where the agent pressed, in the page.
  await agent.mirror.click("#form >>> #press");
  const circle = customer.page.locator("tandem-widget .click").last();
  await expect(circle).toBeAttached();
  // Circles of earlier clicks go in their own time.
  const apart = async (): Promise<number> => {
    const button = await inside.locator("#press").boundingBox();
    const round = await circle.evaluate((e) => {
      const { left, top } = (e as HTMLElement).style;
      return { x: Number.parseFloat(left), y: Number.parseFloat(top) };
    });
    if (!button) return Number.POSITIVE_INFINITY;
    return Math.hypot(button.x + button.width / 2 - round.x, button.y + button.height / 2 - round.y);
  };
  await expect.poll(apart).toBeLessThan(3);
  const at = await agent.mirror.middle("#form >>> #press");
  await agent.page.mouse.move(at.x, at.y);
  await agent.page.mouse.wheel(0, 200);
  await expect.poll(() => inside.locator("html").evaluate((html) => html.scrollTop)).toBe(200);
  // The customer's own scroll, caret and choice in the frame.
  await inside.locator("#pick").selectOption("Two");
  await expect.poll(() => agent.mirror.value("#form >>> #pick")).toBe("Two");
  await inside.locator("html").evaluate((html) => html.scrollTo({ top: 60, behavior: "instant" }));
  await expect.poll(() => agent.mirror.scrollTop("#form >>> html")).toBe(60);
});

alone("closed shadow roots are seen, also those from before the session, and their slots", async ({ customer, agent, session }) => {
  await customer.page.addInitScript(() => {
    document.addEventListener("DOMContentLoaded", () => {
      const host = document.createElement("x-closed");
      const root = host.attachShadow({ mode: "closed" });
      root.innerHTML = "<b>Closed before</b><slot></slot>";
      host.append("slotted");
      document.querySelector("main")?.prepend(host);
      const inner = document.createElement("x-inner");
      inner.attachShadow({ mode: "closed" }).textContent = "Closed in closed";
      root.append(inner);
      const { attachShadow } = Element.prototype;
      document.body.dataset.native = `${attachShadow.name} ${attachShadow.length} ${/\[native code\]/.test(`${attachShadow}`)} ${host.shadowRoot}`;
    });
  });
  await session("/help");
  const html = () => agent.mirror.html("x-closed >>> b");
  await expect.poll(html).toBe("<b>Closed before</b>");
  await expect.poll(() => agent.mirror.html("x-closed >>> x-inner")).toBeTruthy();
  expect(await customer.page.evaluate(() => document.body.dataset.native)).toBe("attachShadow 1 true null");
  await customer.page.evaluate(() => {
    const host = document.createElement("x-late");
    document.querySelector("main")?.prepend(host);
    host.attachShadow({ mode: "closed" }).innerHTML = "<i>Closed later</i>";
  });
  await expect.poll(() => agent.mirror.html("x-late >>> i")).toBe("<i>Closed later</i>");
});

alone("a closed shadow root from before the session is seen in whatever document its host is taken to", async ({ customer, agent, session }) => {
  await customer.page.addInitScript(() => {
    if (top !== window) return;
    addEventListener("DOMContentLoaded", () => {
      const [bare, page] = [document.createElement("iframe"), document.createElement("iframe")];
      page.src = "/help";
      document.querySelector("main")?.prepend(bare, page);
      const host = (name: string, maker: Document) => {
        const host = maker.createElement(name);
        host.attachShadow({ mode: "closed" }).innerHTML = `<b>${name}</b>`;
        return host;
      };
      bare.contentDocument?.body.append(host("x-inwards", document));
      page.onload = () => document.querySelector("main")?.prepend(host("x-outwards", page.contentDocument as Document));
    });
  });
  await session("/help");
  await expect.poll(() => agent.mirror.html("iframe >>> x-inwards >>> b")).toBe("<b>x-inwards</b>");
  await expect.poll(() => agent.mirror.html("x-outwards >>> b")).toBe("<b>x-outwards</b>");
});

alone("a dialog in a frame takes nothing of ours along", async ({ customer, agent, session }) => {
  await session("/help");
  await frames(customer.page);
  await expect.poll(() => agent.mirror.text("#srcdoc >>> p")).toBe("In srcdoc");
  await customer.page.evaluate(() => {
    const inner = document.querySelector<HTMLIFrameElement>("#srcdoc")?.contentDocument;
    const dialog = inner?.createElement("dialog");
    if (!dialog) return;
    dialog.textContent = "Modal in a frame";
    inner?.body.append(dialog);
    dialog.showModal();
  });
  await expect.poll(() => agent.mirror.text("#srcdoc >>> dialog")).toBe("Modal in a frame");
  // Whatever the page opens next, our element is raised by what is known of both.
  await customer.page.evaluate(() => {
    const note = document.createElement("p");
    note.id = "note";
    note.popover = "manual";
    note.textContent = "Note";
    document.body.append(note);
    note.showPopover();
    document.querySelector("#srcdoc")?.remove();
  });
  await expect.poll(() => agent.mirror.text("#note")).toBe("Note");
  await customer.page.getByRole("button", { name: "Exit session" }).click();
  await expect(customer.page.getByRole("button", { name: "Co-browse" })).toBeVisible();
});
