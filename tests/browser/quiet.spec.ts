/** Before a session the page is as without us; in a session nothing of ours gets in its way. */
import { expect, put, test } from "./rig.ts";

test("before a session nothing is observed, and no function of the page is another one", async ({ customer }) => {
  await customer.page.addInitScript(() => {
    const seen = { observers: [] as string[], listeners: [] as string[], timers: 0, sockets: 0 };
    Object.assign(window, { seen });
    for (const name of ["MutationObserver", "ResizeObserver", "IntersectionObserver"] as const) {
      const native = window[name] as unknown as new (...args: unknown[]) => object;
      Object.assign(window, {
        [name]: new Proxy(native, {
          construct(target, args, self) {
            seen.observers.push(name);
            return Reflect.construct(target, args, self) as object;
          },
        }),
      });
    }
    const listen = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (this: EventTarget, type: string, ...rest) {
      if (new Error().stack?.includes("/.tandem/")) seen.listeners.push(type);
      return Reflect.apply(listen, this, [type, ...rest]) as undefined;
    };
    const every = window.setInterval;
    window.setInterval = ((...args: Parameters<typeof every>) => {
      if (new Error().stack?.includes("/.tandem/")) seen.timers++;
      return every(...args);
    }) as typeof every;
    window.WebSocket = new Proxy(window.WebSocket, {
      construct(target, args, self) {
        seen.sockets++;
        return Reflect.construct(target, args, self) as object;
      },
    });
  });
  await customer.open("/help");
  await customer.page.waitForLoadState("networkidle");
  const seen = await customer.page.evaluate(() => {
    const natives = [
      Element.prototype.attachShadow,
      History.prototype.pushState,
      HTMLDialogElement.prototype.showModal,
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set,
    ];
    return {
      ...(window as unknown as { seen: { observers: string[]; listeners: string[]; timers: number; sockets: number } }).seen,
      natives: natives.map((native) => Function.prototype.toString.call(native).includes("[native code]")),
      ours: [...document.querySelectorAll("*")].filter((element) => /tandem/i.test(element.outerHTML.slice(0, 200))).map((e) => e.localName),
      globals: Object.keys(window).filter((name) => /tandem/i.test(name)),
    };
  });
  expect(seen.observers).toEqual([]);
  // Buttons of the site that start a session, and once, that the page is ready for ours.
  expect(seen.listeners.filter((type) => !["click", "DOMContentLoaded"].includes(type))).toEqual([]);
  expect([seen.timers, seen.sockets]).toEqual([0, 0]);
  expect(seen.natives).toEqual([true, true, true, true]);
  expect(seen.globals).toEqual(["Tandem"]);
  expect(seen.ours.filter((name) => !["html", "head", "script"].includes(name))).toEqual(["tandem-widget"]);
});

test("in a session the page finds nothing of ours but the widget's element", async ({ customer, session }) => {
  await customer.page.addInitScript(() => {
    Object.assign(window, { before: new Set(Object.getOwnPropertyNames(window)) });
  });
  await session("/help");
  const found = await customer.page.evaluate(() => {
    const { before } = window as unknown as { before: Set<string> };
    const strange = (element: Element) =>
      /tandem/i.test(element.localName) || element.getAttributeNames().some((name) => /tandem/i.test(name));
    const body = document.body;
    return {
      elements: [...document.querySelectorAll("*")].filter(strange).map((element) => element.localName),
      globals: Object.getOwnPropertyNames(window).filter((name) => !before.has(name) && /tandem|record|known/i.test(name)),
      own: [...Object.getOwnPropertyNames(body), ...Object.getOwnPropertySymbols(body).map(String)].filter((name) => !/playwright/.test(name)),
      attributes: body.getAttributeNames().concat(document.documentElement.getAttributeNames()).filter((name) => /tandem/i.test(name)),
    };
  });
  expect(found).toEqual({ elements: ["tandem-widget"], globals: ["Tandem"], own: [], attributes: [] });
});

test("an error of the recorder never reaches the page", async ({ customer, agent, session }) => {
  await session("/help");
  const errors = await customer.page.evaluate(async () => {
    const errors: string[] = [];
    addEventListener("error", (event) => errors.push(event.message));
    addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
    // The page breaks what it shares with us.
    const names = Element.prototype.getAttributeNames;
    Element.prototype.getAttributeNames = () => {
      throw new Error("broken by the page");
    };
    document.querySelector("main")?.append(document.createElement("hr"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    Element.prototype.getAttributeNames = names;
    document.querySelector("h1")?.append(" and on");
    return errors;
  });
  expect(errors).toEqual([]);
  // It starts over by itself.
  await expect.poll(() => agent.mirror.text("h1")).toContain("and on");
});

test("a session loads one script; further ones come when something needs them", async ({ customer, agent, session }) => {
  const { page } = customer;
  const loaded: string[] = [];
  page.on("request", (request) => {
    const part = /\/\.tandem\/part\/(\w+)\.js/.exec(request.url())?.[1];
    if (part) loaded.push(part);
  });
  await session("/help");
  await put(customer, agent, '<input id="typed">');
  await page.locator("#typed").fill("tea");
  await expect.poll(() => agent.mirror.value("#typed")).toBe("tea");
  await page.mouse.move(200, 200);
  expect(loaded).toEqual(["customer"]);
  await page.getByRole("button", { name: "Move this panel" }).click();
  await expect.poll(() => loaded).toEqual(["customer", "place"]);
  await agent.requestWrite();
  await page.getByRole("dialog", { name: "Allow the agent to type and click?" }).waitFor();
  expect(loaded).toEqual(["customer", "place", "asks"]);
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("#typed { background: rgb(1, 2, 3) }");
    document.adoptedStyleSheets.push(sheet);
  });
  await expect.poll(() => agent.mirror.background("#typed")).toBe("rgb(1, 2, 3)");
  expect(loaded).toEqual(["customer", "place", "asks", "sheets"]);
  await page.evaluate(() => document.querySelector("#typed")?.insertAdjacentHTML("afterend", "<input type=password>"));
  await expect.poll(() => loaded).toEqual(["customer", "place", "asks", "sheets", "echoes", "outlines"]);
});

test("a session that is over listens to nothing any more", async ({ customer, agent }) => {
  const { page } = customer;
  const browser = await page.context().newCDPSession(page);
  const listeners = async () => {
    const all: string[] = [];
    for (const expression of ["window", "document", "visualViewport"]) {
      const { result } = await browser.send("Runtime.evaluate", { expression });
      const heard = await browser.send("DOMDebugger.getEventListeners", { objectId: result.objectId ?? "" });
      for (const { type } of heard.listeners) all.push(`${expression} ${type}`);
    }
    return all.sort();
  };
  const leave = async () => {
    await page.getByRole("button", { name: "Exit session" }).click();
    await page.getByRole("button", { name: "Close" }).click();
  };
  await customer.open("/help");
  // What the first session hooks in stays, and does nothing.
  await customer.start();
  await leave();
  const before = await listeners();
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  await expect.poll(() => agent.mirror.text("h1")).toBeTruthy();
  expect(await listeners()).not.toEqual(before);
  await leave();
  await expect.poll(listeners).toEqual(before);
});

test("where a library has one listener for all of a kind, the page's own do what they did, and outlive a session", async ({ customer, agent }) => {
  const { page } = customer;
  await page.addInitScript(() => {
    // As Zone.js, before 0.14.3: with the options of the first.
    type Shared = Map<string, Array<EventListener | EventListenerObject>>;
    const all = new WeakMap<EventTarget, Shared>();
    const { addEventListener } = EventTarget.prototype;
    const sharedBy = (target: EventTarget, type: string, options?: boolean | AddEventListenerOptions) => {
      const key = `${type} ${typeof options === "object" ? options.capture : options}`;
      const shared: Shared = all.get(target) ?? new Map();
      all.set(target, shared);
      const listeners = shared.get(key);
      if (listeners) return listeners;
      const fresh: Array<EventListener | EventListenerObject> = [];
      shared.set(key, fresh);
      const hear = (event: Event) => {
        for (const one of [...fresh]) typeof one === "function" ? one.call(target, event) : one.handleEvent(event);
      };
      Reflect.apply(addEventListener, target, [type, hear, options]);
      return fresh;
    };
    EventTarget.prototype.addEventListener = function (this: EventTarget | undefined, type, listener, options) {
      const shared = sharedBy(this ?? window, type, options);
      if (listener && !shared.includes(listener)) shared.push(listener);
    };
    EventTarget.prototype.removeEventListener = function (this: EventTarget | undefined, type, listener, options) {
      const shared = sharedBy(this ?? window, type, options);
      if (listener && shared.includes(listener)) shared.splice(shared.indexOf(listener), 1);
    };
  });
  await customer.open("/help");
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  await expect.poll(() => agent.mirror.text("h1")).toBeTruthy();
  await page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    const all = { window, document, visualViewport } as const;
    for (const [name, types] of [
      ["window", ["resize", "popstate", "hashchange", "focus", "pageshow", "pagehide", "online"]],
      ["document", ["visibilitychange", "pointerleave"]],
      ["visualViewport", ["resize", "scroll"]],
    ] as const) {
      for (const type of types) all[name]?.addEventListener(type, () => heard.push(`${name} ${type}`));
    }
    // And what they prevent does not happen.
    for (const target of [window, document]) {
      for (const type of ["pointerdown", "keydown", "beforeinput", "invalid"]) target.addEventListener(type, (event) => event.preventDefault(), true);
    }
  });
  const prevented = () =>
    page.evaluate(() => {
      const event = (type: string) => new Event(type, { cancelable: true, bubbles: true });
      return ["pointerdown", "keydown", "beforeinput", "invalid"].filter((type) => !document.body.dispatchEvent(event(type)));
    });
  expect(await prevented()).toHaveLength(4);
  await page.getByRole("button", { name: "Exit session" }).click();
  await page.getByRole("button", { name: "Close" }).click();
  const heard = () =>
    page.evaluate(() => {
      const { heard } = window as unknown as { heard: string[] };
      heard.length = 0;
      for (const type of ["resize", "popstate", "hashchange", "focus", "pageshow", "pagehide", "online"]) dispatchEvent(new Event(type));
      for (const type of ["visibilitychange", "pointerleave"]) document.dispatchEvent(new Event(type));
      for (const type of ["resize", "scroll"]) visualViewport?.dispatchEvent(new Event(type));
      return heard.length;
    });
  expect(await heard()).toBe(11);
  expect(await prevented()).toHaveLength(4);
});

test("a page that changes in every frame is laid out no more often than that", async ({ customer, session }) => {
  await session("/help");
  const devtools = await customer.page.context().newCDPSession(customer.page);
  await devtools.send("Performance.enable");
  const layouts = async () =>
    (await devtools.send("Performance.getMetrics")).metrics.find(({ name }) => name === "LayoutCount")?.value ?? 0;
  const before = await layouts();
  const FRAMES = 60;
  const sweeps = await customer.page.evaluate(
    (frames) =>
      new Promise<number>((resolve) => {
        const began = performance.now();
        const line = document.body.appendChild(document.createElement("p"));
        let left = frames;
        // Both ask for the next frame before ours does, and after it: what ours reads lies between two changes.
        const first = () => {
          if (left-- > 0) requestAnimationFrame(first);
          else resolve((performance.now() - began) / 500);
          line.textContent = `${left} more`;
        };
        const second = () => {
          if (left > 0) requestAnimationFrame(second);
          line.textContent += ` and ${left}`;
        };
        requestAnimationFrame(first);
        requestAnimationFrame(second);
      }),
    FRAMES,
  );
  const laidOut = (await layouts()) - before;
  // Twice a second it is looked whether the page has got scroll bars.
  expect(laidOut).toBeGreaterThan(FRAMES / 2);
  expect(laidOut).toBeLessThan(FRAMES + 4 + sweeps);
});

test("a field at rest is asked for its value, and seldom for more", async ({ customer, agent, session }) => {
  await session("/help");
  await put(customer, agent, "<input id=field required>");
  await expect.poll(() => agent.mirror.html("#field")).toContain("data-tandem-invalid");
  const asked = await customer.page.evaluateHandle(() => {
    const field = document.querySelector<HTMLInputElement>("#field");
    const asked = { value: 0, willValidate: 0 };
    for (const name of ["value", "willValidate"] as const) {
      const native = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, name)?.get;
      const get = () => {
        asked[name]++;
        return native?.call(field);
      };
      if (field) Object.defineProperty(field, name, { get });
    }
    return asked;
  });
  await expect.poll(() => asked.evaluate(({ value }) => value), { timeout: 15_000 }).toBeGreaterThan(5);
  expect(await asked.evaluate(({ value, willValidate }) => willValidate / value)).toBeLessThan(0.4);
  // A script that says something of it is heard all the same.
  await customer.page.evaluate(() => document.querySelector<HTMLInputElement>("#field")?.toggleAttribute("required"));
  await expect.poll(() => agent.mirror.html("#field")).not.toContain("data-tandem-invalid");
  await customer.page.evaluate(() => document.querySelector<HTMLInputElement>("#field")?.setCustomValidity("not this"));
  await expect.poll(() => agent.mirror.html("#field")).toContain("data-tandem-invalid");
});

test("a page that has put something of its own in place of what observes changes is shared, and acted in", async ({ customer, agent }) => {
  await customer.open("/help");
  await customer.page.evaluate(() => {
    document.querySelector("main")?.insertAdjacentHTML("afterbegin", "<p id=typed contenteditable>typed</p>");
    window.MutationObserver = class {
      constructor() {
        throw new Error("the page's own");
      }
    } as unknown as typeof MutationObserver;
  });
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  await customer.page.evaluate(() => document.querySelector("h1")?.append(" and more"));
  await expect.poll(() => agent.mirror.text("h1")).toContain("and more");
  await agent.requestWrite();
  await customer.allow();
  await agent.mirror.click("#typed");
  await agent.page.keyboard.press("End");
  await agent.page.keyboard.type(" on");
  await expect.poll(() => customer.page.textContent("#typed")).toBe("typed on");
});
