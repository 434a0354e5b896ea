/** The agent sees the customer's states (hover, focus, validity), caret and selection, and what their browser shows. */
import { type Agent, anyStyle, type Customer, expect, lasting as test, test as alone } from "./rig.ts";

test.describe.configure({ mode: "default" });

function add(customer: Customer, html: string): Promise<void> {
  return customer.page.evaluate((html) => {
    const host = document.createElement("div");
    host.id = "added";
    host.innerHTML = html;
    document.querySelector("main")?.prepend(host);
  }, html);
}

/** A computed style of the mirrored element. */
function style(agent: Agent, selector: string, property: string): Promise<string | null> {
  return agent.page.evaluate(([selector, property]) => {
    const frame = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]');
    const element = frame?.contentDocument?.querySelector(selector);
    return element ? (element.ownerDocument.defaultView?.getComputedStyle(element).getPropertyValue(property) ?? null) : null;
  }, [selector, property] as const);
}

const RED = "rgb(255, 0, 0)";

test("what the customer hovers, presses and focuses, and not what the agent does", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await add(customer, `<style>
    #a:hover #b { color: rgb(255, 0, 0) } #b:active { background: rgb(255, 0, 0) }
    #c:focus { color: rgb(255, 0, 0) } #added:focus-within { border: 1px solid rgb(255, 0, 0) }
    #c:not(:focus-visible):focus { background: rgb(255, 0, 0) } #c:focus-visible { border: 1px solid rgb(255, 0, 0) }
    #c:-moz-focusring { border: 0 } #c:focus-visible, #c:-moz-ui-invalid { border: 0 }
    #g:hover, #g:focus-within { color: rgb(255, 0, 0) } #i:hover, #i:focus-within { color: rgb(255, 0, 0) }
    #l:focus { color: rgb(255, 0, 0) }
  </style><div id="a"><button id="b">Over</button></div><button id="c">Focus</button>
  <div id="g"><div id="i" popover><button id="j">In the top layer</button></div><iframe id="k"></iframe></div><div id="l"></div>`);
  await expect.poll(() => style(agent, "#b", "color")).not.toBeNull();
  const at = await agent.mirror.middle("#b");
  await agent.page.mouse.move(at.x, at.y);
  await customer.page.hover("#b");
  await expect.poll(() => style(agent, "#b", "color")).toBe(RED);
  await customer.page.mouse.down();
  await expect.poll(() => style(agent, "#b", "background-color")).toBe(RED);
  await customer.page.mouse.up();
  await expect.poll(() => style(agent, "#b", "background-color")).not.toBe(RED);
  await customer.page.hover("#c");
  // The agent's own pointer is still over it.
  await expect.poll(() => style(agent, "#b", "color")).not.toBe(RED);
  await customer.page.click("#c");
  await expect.poll(() => style(agent, "#c", "color")).toBe(RED);
  expect(await style(agent, "#added", "border-top-color")).toBe(RED);
  expect(await style(agent, "#c", "background-color")).toBe(RED);
  await customer.page.keyboard.press("Shift+Tab");
  await customer.page.keyboard.press("Tab");
  // What only another browser names makes its rule invalid.
  await expect.poll(() => style(agent, "#c", "border-top-color")).toBe(RED);
  expect(await style(agent, "#c", "border-top-width")).toBe("1px");
  // A late joiner sees the same.
  await agent.page.reload();
  await expect.poll(() => style(agent, "#c", "color")).toBe(RED);

  // What is in the top layer has states of its own, and a frame has no part in the focus of what is in it.
  await customer.page.evaluate(() => document.querySelector<HTMLElement>("#i")?.showPopover());
  const there = () => Promise.all(["#g", "#i", "#l"].map((selector) => style(agent, selector, "color")));
  const here = () => customer.page.$$eval("#g, #i, #l", (elements) => elements.map((element) => getComputedStyle(element).color));
  await customer.page.hover("#j");
  expect((await here())[1]).toBe(RED);
  await expect.poll(there).toEqual(await here());
  await customer.page.focus("#j");
  await customer.page.mouse.move(0, 0);
  expect((await here())[1]).toBe(RED);
  await expect.poll(there).toEqual(await here());
  await customer.page.frameLocator("#k").locator("body").evaluate((body) => {
    body.innerHTML = "<button>In a frame</button>";
    body.querySelector("button")?.focus();
  });
  await expect.poll(there).toEqual(await here());
  expect(await here()).not.toContain(RED);
  // A host has the focus with what is in its shadow root.
  await customer.page.locator("#l").evaluate((host) => {
    const root = host.attachShadow({ mode: "open" });
    root.innerHTML = "<button>In a root</button>";
    root.querySelector("button")?.focus();
  });
  expect((await here())[2]).toBe(RED);
  await expect.poll(there).toEqual(await here());
});

alone("what has the focus is not shown so while another window has it", { tag: "@whole" }, async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await add(customer, "<style>#a:focus, #b:focus-within { color: rgb(255, 0, 0) }</style><p id='b'><input id='a'></p>");
  const { page } = customer;
  // Playwright has every page believe that it is in front.
  await (await page.context().newCDPSession(page)).send("Emulation.setFocusEmulationEnabled", { enabled: false });
  await page.bringToFront();
  await page.focus("#a");
  await expect.poll(() => style(agent, "#a", "color")).toBe(RED);
  await (await page.context().newPage()).bringToFront();
  await expect.poll(() => page.evaluate(() => [document.hasFocus(), document.activeElement?.id])).toEqual([false, "a"]);
  for (const selector of ["#a", "#b"]) await expect.poll(() => style(agent, selector, "color")).not.toBe(RED);
  await page.bringToFront();
  for (const selector of ["#a", "#b"]) await expect.poll(() => style(agent, selector, "color")).toBe(RED);
});

test("what is chosen in a list looks as where the customer's keyboard is", async ({ customer, agent, session }) => {
  await session("/help");
  await add(customer, `<select id="list" multiple><option>a<option id="chosen" selected>b</select>`);
  const looks = (look: (name: string) => Promise<string | null>) => Promise.all(["color", "background-color"].map(look));
  const there = () => looks((name) => style(agent, "#chosen", name));
  const here = () =>
    looks((name) => customer.page.$eval("#chosen", (option, name) => getComputedStyle(option).getPropertyValue(name), name));
  const before = await here();
  await expect.poll(there).toEqual(before);
  await customer.page.focus("#list");
  expect(await here()).not.toEqual(before);
  await expect.poll(there).toEqual(await here());
});

test("what the address leads to, and what the browser thinks of a field", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await add(customer, `<style>
    #there:target { color: rgb(255, 0, 0) } #f:invalid { color: rgb(255, 0, 0) } #m:user-invalid { color: rgb(255, 0, 0) }
    #m:valid { background: rgb(255, 0, 0) }
  </style><p id="there">x</p><form id="f"><input id="m" required></form>`);
  await expect.poll(() => style(agent, "#f", "color")).toBe(RED);
  expect(await style(agent, "#there", "color")).not.toBe(RED);
  await customer.page.evaluate(() => { location.hash = "there"; });
  await expect.poll(() => style(agent, "#there", "color")).toBe(RED);
  await customer.page.fill("#m", "x");
  await expect.poll(() => style(agent, "#m", "background-color")).toBe(RED);
  await expect.poll(() => style(agent, "#f", "color")).not.toBe(RED);
  await customer.page.fill("#m", "");
  await customer.page.locator("#m").blur();
  await expect.poll(() => style(agent, "#m", "color")).toBe(RED);
});

test("the customer's caret and selection, but not in what is masked", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await add(customer, `<p id="text">Some words to select</p><input id="field" style="font: 20px monospace; width: 300px; padding: 0; border: 0" value="0123456789">
    <input id="secret" data-tandem="mask" value="0123456789">`);
  const caret = agent.page.locator(".overlay .caret");
  await customer.page.locator("#field").evaluate((field: HTMLInputElement) => {
    field.focus();
    field.setSelectionRange(5, 5);
  });
  await expect(caret).toHaveCount(1);
  // Five characters of 12 pixels from the left.
  const off = async () => {
    const [box, middle, size] = [await caret.boundingBox(), await agent.mirror.middle("#field"), await agent.mirror.size("#field")];
    return Math.abs((box?.x ?? 0) - (middle.x - (size?.width ?? 0) / 2 + 5 * 12));
  };
  await expect.poll(off).toBeLessThan(4);
  await customer.page.locator("#field").evaluate((field: HTMLInputElement) => field.setSelectionRange(2, 6));
  await expect(agent.page.locator(".overlay .selected")).toHaveCount(1);
  await expect(caret).toHaveCount(0);
  await customer.page.locator("#secret").evaluate((field: HTMLInputElement) => {
    field.focus();
    field.setSelectionRange(2, 6);
  });
  await expect(agent.page.locator(".overlay .selected")).toHaveCount(0);
  await customer.page.locator("#text").evaluate((text) => getSelection()?.setBaseAndExtent(text.firstChild as Text, 5, text.firstChild as Text, 10));
  const highlighted = () => agent.page.evaluate(() => {
    const view = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]')?.contentWindow as unknown as {
      CSS: { highlights: Map<string, Iterable<Range>> };
    };
    return [...(view.CSS.highlights.get("tandem-selection") ?? [])].map(String).join();
  });
  await expect.poll(highlighted).toBe("words");
});

test("messages, lists and bubbles that the customer's browser shows", { tag: "@whole" }, async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  const notice = agent.page.locator(".overlay .notice");
  // The agent is told before the box opens, and may see it before the test does.
  const opened = customer.page.waitForEvent("dialog");
  await customer.page.evaluate(() => { setTimeout(() => alert("Your basket is full"), 0); });
  await expect(notice).toContainText("Your basket is full");
  await (await opened).accept();
  await expect(notice).toHaveCount(0);
  await add(customer, `<form><input id="needed" required><button>Send</button></form>
    <select id="list"><option>One</option><option selected>Two</option></select>`);
  await customer.page.click("#added button");
  await expect(notice).toHaveText(/fill out|wrong/i);
  await customer.page.evaluate(() => document.querySelector<HTMLFormElement>("#added form")?.checkValidity());
  await customer.page.fill("#needed", "x");
  await expect(notice).toHaveCount(0, { timeout: 8_000 });
  await customer.page.click("#list");
  await expect(notice.locator(".chosen")).toHaveText("Two");
  await customer.page.keyboard.press("Escape");
  await expect(notice).toHaveCount(0);
});

test("names of files, and what fills the screen", { tag: "@whole" }, async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await add(customer, `<input type="file" id="open" multiple><input type="file" id="secret" data-tandem="mask">
    <div id="full" style="background: rgb(255, 0, 0)">All</div>`);
  const file = (name: string) => ({ name, mimeType: "text/plain", buffer: Buffer.from("x") });
  await customer.page.setInputFiles("#open", [file("one.txt"), file("two.txt")]);
  await customer.page.setInputFiles("#secret", file("canary.txt"));
  const names = (selector: string) => agent.page.evaluate((selector) => {
    const frame = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]');
    const field = frame?.contentDocument?.querySelector<HTMLInputElement>(selector);
    return Array.from(field?.files ?? [], ({ name }) => name).join();
  }, selector);
  await expect.poll(() => names("#open")).toBe("one.txt,two.txt");
  await expect.poll(() => names("#secret")).toMatch(/^•+$/);
  await customer.page.evaluate(() => {
    document.addEventListener("click", () => document.querySelector("#full")?.requestFullscreen(), { once: true });
  });
  await customer.page.click("#full");
  await expect.poll(async () => (await agent.mirror.size("#full"))?.width ?? 0).toBeGreaterThan(1000);
  await customer.page.evaluate(() => document.exitFullscreen());
  await expect.poll(() => agent.mirror.html("#full")).not.toContain("fullscreen");
});

test("a modal dialog without its attribute is unseen on both sides", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await add(customer, `<dialog id="first">First</dialog><dialog id="second">Second</dialog><p id="below">Below</p>`);
  await expect.poll(() => agent.mirror.text("#below")).toBe("Below");
  const change = (work: (first: HTMLDialogElement, second: HTMLDialogElement) => void) =>
    customer.page.evaluate(`(${work})(document.querySelector("#first"), document.querySelector("#second"))`);
  const seen = async (selector: string) => ((await agent.mirror.size(selector))?.height ?? 0) > 0;
  await change((first) => { first.showModal(); first.removeAttribute("open"); });
  await change((_, second) => second.showModal());
  await expect.poll(() => seen("#second")).toBe(true);
  expect(await seen("#first")).toBe(false);
  // It is above the other now.
  await change((first) => { first.close(); first.setAttribute("open", ""); first.close(); first.showModal(); first.removeAttribute("open"); });
  await change((_, second) => { second.textContent = "Changed"; });
  await expect.poll(() => agent.mirror.text("#second")).toBe("Changed");
  expect([await seen("#first"), await seen("#second")]).toEqual([false, true]);
  await change((first) => first.setAttribute("open", ""));
  await expect.poll(() => seen("#first")).toBe(true);
  await agent.page.reload();
  await change((first) => first.removeAttribute("open"));
  await expect.poll(() => seen("#second")).toBe(true);
  await expect.poll(() => seen("#first")).toBe(false);
});

test("styles hold for what the customer likes and has", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await customer.page.emulateMedia({ colorScheme: "dark", reducedMotion: "no-preference" });
  await session("/help");
  await add(customer, `<style>
    @media (prefers-color-scheme: dark) { #d { color: rgb(255, 0, 0) } }
    @media all { @media (prefers-reduced-motion: no-preference) { #m { color: rgb(255, 0, 0) } } }
  </style><style media="(prefers-reduced-motion)">#r { color: rgb(255, 0, 0) }</style>
  <b id="d">d</b><b id="m">m</b><b id="r">r</b>`);
  await expect.poll(() => style(agent, "#d", "color")).toBe(RED);
  expect(await style(agent, "#m", "color")).toBe(RED);
  expect(await style(agent, "#r", "color")).not.toBe(RED);
  // Dark by the page's own word, whatever anybody likes.
  await add(customer, `<meta name="color-scheme" content="dark"><style>#c { color: CanvasText }</style><b id="c">c</b>`);
  await expect.poll(() => style(agent, "#c", "color")).toBe("rgb(255, 255, 255)");
  const behind = agent.page.locator('iframe[title="Customer\'s page"]');
  expect(await behind.evaluate((frame) => getComputedStyle(frame).backgroundColor)).toBe("rgb(18, 18, 18)");
  await customer.page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await expect.poll(() => style(agent, "#d", "color")).not.toBe(RED);
  await expect.poll(() => style(agent, "#r", "color")).toBe(RED);
  expect(await style(agent, "#m", "color")).not.toBe(RED);
});

test("styles hold for how fine the customer's screen is", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await add(customer, `<style>
    @media (min-resolution: 1.5dppx) { #m { color: rgb(255, 0, 0) } }
    @media (-webkit-min-device-pixel-ratio: 2) { #w { color: rgb(255, 0, 0) } }
    #s { background-image: image-set(url("/.demo/one.png") 1x, linear-gradient(red, red) 2x) }
  </style><b id="m">m</b><b id="w">w</b><b id="s">s</b>`);
  await expect.poll(() => style(agent, "#s", "background-image")).toContain("1dppx");
  expect(await style(agent, "#m", "color")).not.toBe(RED);
  const devtools = await customer.page.context().newCDPSession(customer.page);
  const { width, height } = customer.page.viewportSize() as { width: number; height: number };
  await devtools.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 2, mobile: false });
  await expect.poll(() => style(agent, "#m", "color")).toBe(RED);
  expect(await style(agent, "#w", "color")).toBe(RED);
  expect(await style(agent, "#s", "background-image")).toContain("linear-gradient");
});

alone("an agent's browser without popovers shows all the rest", async ({ customer, agent, session }) => {
  const asked: string[] = [];
  agent.page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => String(payload).includes('"resync"') && asked.push(String(payload))),
  );
  await session("/help");
  await agent.page.evaluate(() => {
    const view = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]')?.contentWindow as
      (Window & typeof globalThis) | null | undefined;
    if (!view) throw new Error("there is no mirror");
    const { matches } = view.Element.prototype;
    view.Element.prototype.matches = function (this: Element, selector: string) {
      if (selector.includes("popover")) throw new DOMException(selector, "SyntaxError");
      return matches.call(this, selector);
    } as typeof matches;
    for (const name of ["popover", "showPopover", "hidePopover"] as const) {
      delete (view.HTMLElement.prototype as Partial<HTMLElement>)[name];
    }
  });
  await add(customer, '<div popover id="over">Over</div><p id="below">Below</p>');
  await expect.poll(() => agent.mirror.text("#below")).toBe("Below");
  for (const text of ["One", "Two"]) {
    await customer.page.evaluate((text) => {
      document.querySelector<HTMLElement>("#over")?.togglePopover(true);
      document.querySelector("#below")?.replaceChildren(document.createElement("b"), text);
    }, text);
    await expect.poll(() => agent.mirror.text("#below")).toBe(text);
  }
  expect(asked).toEqual([]);
});

alone("a prompt does not repeat what was typed into a masked field", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await session("/help");
  await add(customer, '<input id="secret" data-tandem="mask">');
  await expect.poll(() => agent.mirror.html("#secret")).toContain("masked");
  await customer.page.fill("#secret", "Canary-90210");
  await customer.page.locator("#secret").blur();
  customer.page.on("dialog", () => {});
  await customer.page.evaluate(() => { setTimeout(() => confirm("Is Canary-90210 right?"), 0); });
  await expect(agent.page.locator(".overlay .notice-text")).toHaveText(/^Is •+ right\?$/);
});
