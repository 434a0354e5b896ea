/** The agent sees what the customer sees, and every change of it. */
import { anyStyle, Customer, expect, lasting as test, put, test as alone, topOf } from "./rig.ts";

test.describe.configure({ mode: "default" });

test("a page with its styles, at the customer's size", async ({ customer, agent, session }) => {
  await session("/account");
  expect(await agent.mirror.text("h1")).toBe((await customer.page.locator("h1").first().innerText()).trim());
  const there = await customer.page.locator("header").first().evaluate((e) => getComputedStyle(e).backgroundColor);
  await expect.poll(() => agent.mirror.background("header")).toBe(there);
  const width = await customer.page.evaluate(() => document.documentElement.clientWidth);
  await expect.poll(async () => (await agent.mirror.size("html"))?.width).toBe(width);
  const own = await customer.page.locator("main").first().evaluate((e) => Math.round(e.getBoundingClientRect().width));
  await expect.poll(async () => (await agent.mirror.size("main"))?.width).toBe(own);
});

test("a picture that did not load is as broken for the agent, without another request", async ({ customer, agent, session }) => {
  let asked = 0;
  await customer.page.route("**/broken.png", async (route) => {
    // Whoever asked again would wait for ever.
    if (++asked === 1) await route.abort();
  });
  await session("/help");
  await put(customer, agent, '<img id="broken" src="/broken.png" alt="A ship">');
  const complete = () =>
    agent.page.evaluate(() => {
      const mirror = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]')?.contentDocument;
      return mirror?.querySelector<HTMLImageElement>("#broken")?.complete;
    });
  await expect.poll(complete).toBe(true);
  expect(asked).toBe(1);
});

test("a picture that is still loading comes to the agent with the customer's own request", async ({ customer, agent, session }) => {
  const { page } = customer;
  let asked = 0;
  let loads = (): void => {};
  const wanted = page.waitForRequest("**/part/reread.js*");
  await page.route("**/gallery-5.jpg?late", async (route) => {
    asked++;
    await new Promise<void>((done) => {
      loads = done;
    });
    await route.continue();
  });
  await session("/help");
  await put(customer, agent, '<img id="late" src="/assets/gallery-5.jpg?late" alt="A ship">');
  await wanted;
  loads();
  await expect.poll(() => agent.mirror.naturalWidth("#late")).toBeGreaterThan(0);
  expect(asked).toBe(1);
});

test("a picture that was chosen by its density is as large as for the customer", async ({ customer, agent, session }) => {
  await session("/catalogue");
  const widths = await customer.page.evaluate(async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 300, height: 30 });
    const url = canvas.toDataURL();
    const source = document.createElement("source");
    const [one, other] = [new Image(), new Image()];
    one.srcset = `${url} 300w`;
    one.sizes = "(min-width: 99999px) 10px, 100px";
    source.srcset = `${url} 2x`;
    const choice = document.createElement("picture");
    choice.append(source, other);
    one.id = "one";
    other.id = "other";
    document.querySelector("main")?.prepend(one, choice);
    await Promise.all([one.decode(), other.decode()]);
    return [one, other].map((image) => image.naturalWidth);
  });
  const there = () => Promise.all(["#one", "#other"].map((id) => agent.mirror.naturalWidth(id)));
  await expect.poll(there).toEqual(widths);
  expect(widths).toEqual([100, 150]);
  await customer.page.locator("#one").evaluate((image: HTMLImageElement) => {
    image.sizes = "75px";
  });
  await expect.poll(async () => (await there())[0]).toBe(75);
});

test("pictures that their address holds, however long it is", async ({ customer, agent, session }) => {
  await session("/help");
  const longest = await customer.page.evaluate(() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 400, height: 400 });
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    const noise = context.createImageData(400, 400);
    // What can not be compressed.
    for (let at = 0; at < noise.data.length; at += 4) {
      crypto.getRandomValues(noise.data.subarray(at, at + 3));
      noise.data[at + 3] = 255;
    }
    context.putImageData(noise, 0, 0);
    const url = canvas.toDataURL();
    const image = Object.assign(new Image(), { id: "long", src: url });
    const box = Object.assign(document.createElement("div"), { id: "boxed" });
    box.style.cssText = `width:50px;height:50px;background-image:url(${url})`;
    document.querySelector("main")?.prepend(image, box);
    return url.length;
  });
  expect(longest).toBeGreaterThan(300_000);
  await expect.poll(() => agent.mirror.naturalWidth("#long")).toBe(400);
  expect(await agent.mirror.html("#long")).toContain("/resource/");
  expect(await agent.mirror.html("#boxed")).toMatch(/background-image: ?url\([^)]*\/resource\//);
});

test("what is in forms, and what is typed, chosen and ticked", async ({ customer, agent, session }) => {
  await session("/checkout");
  const form = customer.page.locator("#checkout");
  await form.locator("[name=city]").fill("Cambridge");
  await expect.poll(() => agent.mirror.value("#checkout [name=city]")).toBe("Cambridge");
  const country = form.locator("select[name=country]");
  const second = await country.locator("option").nth(2).getAttribute("value");
  await country.selectOption(second);
  await expect.poll(() => agent.mirror.value("#checkout [name=country]")).toBe(second);
  await form.locator("[name=gift]").check();
  await expect.poll(() => agent.mirror.checked("#checkout [name=gift]")).toBe(true);
  const shipping = form.locator("[name=shipping]").last();
  await shipping.check();
  const value = await shipping.getAttribute("value");
  await expect.poll(() => agent.mirror.checked(`#checkout [name=shipping][value="${value}"]`)).toBe(true);
});

test("what controls have come to, whatever changes around them", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.evaluate(() => {
    const form = document.createElement("form");
    form.id = "held";
    form.innerHTML = `<select><option>a<option>b</select><input type=radio name=r checked><input type=checkbox checked>
      <input id=typed value=same><textarea>same</textarea><details name=d open>first</details>`;
    document.querySelector("main")?.prepend(form);
  });
  const held = (document: Document) => {
    const all = [...document.querySelectorAll<HTMLInputElement>("#held input, #held select, #held textarea")];
    const open = [...document.querySelectorAll<HTMLDetailsElement>("#held details")].map(({ open }) => open);
    return [...all.map(({ value, checked, indeterminate }) => `${value} ${checked} ${indeterminate}`), ...open].join();
  };
  const there = () =>
    agent.page.evaluate(`(${held})(document.querySelector('iframe[title="Customer\\'s page"]').contentDocument)`);
  const here = () => customer.page.evaluate(`(${held})(document)`);
  await expect.poll(there).toBe(await here());
  await customer.page.evaluate(() => {
    const find = <T extends Element>(selector: string) => document.querySelector(`#held ${selector}`) as T;
    // The browser lets what comes in take the place of what was; the page puts it back before anybody sees it.
    const list = find<HTMLSelectElement>("select");
    list.add(new Option("c", "c", true));
    list.selectedIndex = 0;
    const radio = find<HTMLInputElement>("[type=radio]");
    radio.insertAdjacentHTML("afterend", "<input type=radio name=r checked value=2>");
    radio.checked = true;
    // A value that was set is not the attribute's any more, even when it is the same.
    for (const field of document.querySelectorAll<HTMLInputElement>("#typed, #held textarea")) {
      field.value = "same";
      field.defaultValue = "other";
    }
    find<HTMLInputElement>("[type=checkbox]").indeterminate = true;
    // Of one name only one is open, at every time.
    find<HTMLDetailsElement>("details").open = false;
    find("details").insertAdjacentHTML("afterend", "<details name=d open>second</details>");
  });
  await expect.poll(there).toContain("true true");
  expect(await there()).toBe(await here());
  await customer.page.evaluate(() => {
    for (const box of document.querySelectorAll<HTMLInputElement>("#held [type=checkbox]")) box.checked = false;
  });
  await expect.poll(there).toContain("false true");
  expect(await there()).toBe(await here());
});

test("a page drawn by script, its own routes and live updates", async ({ customer, agent, session }) => {
  await session("/app/");
  await customer.page.locator("#desk a[href='/app/orders'], a[href='/app/orders']").first().click();
  await expect(customer.page).toHaveURL(/\/app\/orders$/);
  await expect(agent.page.getByRole("textbox", { name: "Address" })).toHaveValue(/\/app\/orders$/);
  await expect.poll(() => agent.mirror.text("#desk")).toContain("20471");
  await customer.page.locator("a[href='/app/live']").first().click();
  const ticker = () => agent.mirror.text(".ticker");
  await expect.poll(ticker).toBeTruthy();
  const first = await ticker();
  await expect.poll(ticker).not.toBe(first);
});

test("scrolling of the page and of panels", async ({ customer, agent, session }) => {
  await session("/story");
  await customer.page.evaluate(() => scrollTo({ top: 600, behavior: "instant" }));
  await expect.poll(() => agent.mirror.scrollTop("html")).toBe(600);
  await customer.page.locator("#pictures").evaluate((panel) => panel.scrollTo({ left: 120, behavior: "instant" }));
  const left = await customer.page.locator("#pictures").evaluate((panel) => Math.round(panel.scrollLeft));
  await expect.poll(() => agent.mirror.scrollLeft("#pictures")).toBe(left);
});

test("dialogs, shadow roots, and a box that says what is not shown", async ({ customer, agent, session }) => {
  await session("/story");
  await customer.page.locator("dialog#tasting").evaluate((dialog: HTMLDialogElement) => dialog.showModal());
  await expect.poll(async () => (await agent.mirror.size("dialog#tasting"))?.height ?? 0).toBeGreaterThan(50);
  expect(await agent.mirror.html("dialog#tasting")).toContain("open");
  await customer.page.keyboard.press("Escape");
  await expect.poll(async () => (await agent.mirror.size("dialog#tasting"))?.height ?? 0).toBe(0);
  const buttons = await customer.page.locator("star-rating").first().evaluate((e) => e.shadowRoot?.querySelectorAll("*").length);
  expect(buttons).toBeGreaterThan(0);
  await expect.poll(() => agent.mirror.html("star-rating >>> *")).toBeTruthy();
  const there = await customer.page.locator("iframe").first().evaluate((e) => Math.round(e.getBoundingClientRect().width));
  await expect.poll(async () => (await agent.mirror.size('[data-tandem-placeholder], iframe'))?.width).toBe(there);
  // What is opened again in the same turn is above what was opened in between.
  await customer.page.evaluate(() => {
    const [note, other] = [document.createElement("div"), document.createElement("p")];
    for (const element of [note, other]) {
      element.popover = "manual";
      element.id = `over-${element.localName}`;
      element.style.cssText = "position:fixed;inset:0;width:90px;height:90px;margin:0";
      document.body.append(element);
    }
    note.showPopover();
    other.showPopover();
    note.hidePopover();
    note.showPopover();
  });
  const above = () =>
    agent.page.evaluate(() => document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]')?.contentDocument?.elementFromPoint(9, 9)?.id);
  await expect.poll(above).toBe("over-div");
});

test("every text where it is, whatever is between them", async ({ customer, agent, session }) => {
  await session("/help");
  for (const [halves, last] of [[["x", "y"], "end"], [["\ud83d", "\ude00"], "\u{1f600}"]] as const) {
    await put(customer, agent, `<div id="texts">one<!-- none --><script>none</script><b id="two">two</b><template>none</template>
      <i id="three">three</i><noscript>none</noscript><iframe srcdoc="<i>inside</i>">none</iframe><textarea>four</textarea>
      <p data-tandem="ignore">none</p><p data-tandem="mask">five</p><p contenteditable>six</p><u id="seven">seven</u></div>`);
    await customer.page.evaluate(({ halves, last }) => {
      const fresh = document.createElement("section");
      fresh.innerHTML = `<u id="before">before</u><p id="host">outside</p><b id="old"></b><u id="after">after ${last}</u>`;
      // Something that is known moves into it, with what is no text of it; and what may be one character is two nodes.
      const old = document.querySelector("#seven") as Element;
      old.prepend(document.createComment("none"), ...halves);
      fresh.querySelector("#old")?.append(old, ...halves);
      const host = fresh.querySelector("#host") as Element;
      host.attachShadow({ mode: "open" }).innerHTML = '<em>in the <q id="shadow">shadow</q></em><slot></slot>';
      document.querySelector("#texts")?.append(fresh);
    }, { halves, last });
    for (const id of ["two", "three", "seven", "before", "host", "after", "old"]) {
      const there = await customer.page.locator(`#${id}`).evaluate((element) => {
        const texts = document.createNodeIterator(element, NodeFilter.SHOW_TEXT);
        let all = "";
        for (let text = texts.nextNode(); text; text = texts.nextNode()) all += (text as Text).data.replace(/\p{Surrogate}/gu, "\ufffd");
        return all.replace(/\s+/g, " ").trim();
      });
      await expect.poll(() => agent.mirror.text(`#${id}`)).toBe(there);
    }
    await expect.poll(() => agent.mirror.text("#host >>> #shadow")).toBe("shadow");
  }
});

alone("texts of a page that has put something of its own in the way to them", async ({ customer, agent, session }) => {
  await customer.page.addInitScript(() => {
    const { get } = Object.getOwnPropertyDescriptor(Node.prototype, "textContent") as { get(): string };
    Object.defineProperty(Node.prototype, "textContent", {
      get() {
        return this.childElementCount > 0 ? `${get.call(this)} and more` : get.call(this);
      },
    });
  });
  await session("/help");
  const there = await customer.page.locator("h1").innerText();
  await expect.poll(() => agent.mirror.text("h1")).toBe(there);
  await expect.poll(() => agent.mirror.text("body")).not.toContain("and more");
});

test("links, forms, back, forward and reload keep the session", async ({ customer, agent, session }) => {
  await session("/catalogue");
  const address = agent.page.getByRole("textbox", { name: "Address" });
  await customer.page.locator("main a[href^='/catalogue/']").first().click();
  await customer.page.waitForURL("**/catalogue/*");
  await expect(address).toHaveValue(customer.page.url());
  await expect.poll(() => agent.mirror.text("h1")).toBe((await customer.page.locator("h1").innerText()).trim());
  await customer.page.locator("main form[action^='/basket'] button, main form[method=post] button").first().click();
  await customer.page.waitForURL("**/basket");
  await expect(address).toHaveValue(/\/basket$/);
  await customer.page.goBack();
  await expect(address).toHaveValue(/\/catalogue\//);
  await customer.page.goForward();
  await expect(address).toHaveValue(/\/basket$/);
  await customer.page.reload();
  await customer.page.evaluate(() => {
    document.querySelector("h1")?.append(" again");
  });
  await expect.poll(() => agent.mirror.text("h1")).toMatch(/again$/);
});

test("the pointers and clicks of both", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.mouse.move(300, 300);
  await customer.page.mouse.move(320, 310);
  await expect(agent.page.locator(".pointer")).toBeVisible();
  await customer.page.mouse.click(330, 320);
  await expect(agent.page.locator(".click-customer").first()).toBeAttached();
  const frame = agent.page.locator('iframe[title="Customer\'s page"]');
  await frame.hover({ position: { x: 200, y: 200 }, force: true });
  await expect(customer.page.locator("tandem-widget .agent")).toBeVisible();
  await frame.click({ position: { x: 210, y: 210 }, force: true });
  await expect(customer.page.locator("tandem-widget .click").first()).toBeAttached();
});

test("a drawing in a line takes as much room as it does for the customer", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.evaluate(() => {
    const line = document.createElement("p");
    line.id = "spark";
    line.innerHTML = 'Up <canvas width="80" height="50"></canvas> and <object width="40" height="30"></object> down';
    document.querySelector("main")?.prepend(line);
  });
  const there = await customer.page.locator("#spark").evaluate((e) => Math.round(e.getBoundingClientRect().height));
  await expect.poll(async () => (await agent.mirror.size("#spark"))?.height).toBe(there);
  expect(await agent.mirror.size("#spark canvas")).toEqual({ width: 80, height: 50 });
});

test("the page stands on whole pixels: its text is as sharp as the customer's", async ({ agent, session }) => {
  await session("/help");
  for (const [width, height] of [[1400, 1000], [1401, 1001]] as const) {
    await agent.page.setViewportSize({ width, height });
    const place = () => agent.page.locator('iframe[title="Customer\'s page"]').evaluate((e) => {
      const box = e.getBoundingClientRect();
      return [box.x % 1, box.y % 1, box.width];
    });
    await expect.poll(place).toEqual([0, 0, 1100]);
  }
});

alone("pictures that only the logged-in customer can load, without another request", async ({ customer, agent, session }) => {
  await session("/account");
  const log = async (since: number): Promise<Array<{ number: number; path: string }>> =>
    (await customer.page.request.get(`${customer.demo.site}/__log?since=${since}`)).json();
  const before = (await log(0)).at(-1)?.number ?? 0;
  await customer.open("/catalogue");
  const pictures = 'img[src*="/resource/"]';
  await expect.poll(() => agent.mirror.naturalWidth(pictures)).toBeGreaterThan(0);
  // The one that no browser may keep: had the agent or the server fetched it again, it would be here twice.
  const fetched = (await log(before)).filter((request) => request.path.startsWith("/members/images/sencha"));
  expect(fetched.length).toBe(1);
});

alone("pictures that were loaded before the session began", async ({ agent, session }) => {
  await session("/catalogue");
  await expect.poll(() => agent.mirror.naturalWidth('img[src*="/resource/"]')).toBeGreaterThan(0);
});

alone("which part of the page is on the customer's screen when they zoom in with two fingers", async ({ browser, demo, agent }) => {
  const context = await browser.newContext({ viewport: { width: 400, height: 700 }, hasTouch: true, isMobile: true, reducedMotion: "reduce" });
  const customer = new Customer(await context.newPage(), demo);
  await customer.open("/help");
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  const part = agent.page.locator(".overlay .zoomed");
  await expect(part).toHaveCount(0);
  const fingers = await context.newCDPSession(customer.page);
  await fingers.send("Input.synthesizePinchGesture", { x: 300, y: 500, scaleFactor: 2, relativeSpeed: 2000 });
  const there = () => customer.page.evaluate(() => {
    const { scale, offsetLeft, offsetTop, width, height } = visualViewport as VisualViewport;
    return { scale, x: offsetLeft, y: offsetTop, width, height };
  });
  expect((await there()).scale).toBeGreaterThan(1.5);
  // As large, and where, as it is on the agent's screen.
  const away = async () => {
    const [box, page] = [await part.boundingBox(), await agent.page.locator('iframe[title="Customer\'s page"]').boundingBox()];
    if (!box || !page) return Number.POSITIVE_INFINITY;
    const scale = page.width / (await customer.page.evaluate(() => document.documentElement.clientWidth));
    const here = [box.x - page.x, box.y - page.y, box.width, box.height].map((length) => length / scale);
    const { x, y, width, height } = await there();
    return Math.max(...[x, y, width, height].map((length, at) => Math.abs(length - (here[at] ?? 0))));
  };
  expect((await there()).x).toBeGreaterThan(50);
  await expect.poll(away).toBeLessThan(2);
  await fingers.send("Emulation.setPageScaleFactor", { pageScaleFactor: 1 });
  await expect(part).toHaveCount(0);
  await context.close();
});

alone("slots that a script fills by hand, and no better than the slot is seen", async ({ customer, agent, session }) => {
  await anyStyle(customer);
  await customer.logIn();
  await customer.open("/help");
  const begin = (mode: ShadowRootMode) => customer.page.evaluate((mode) => {
    document.querySelector("#byhand")?.remove();
    document.body.insertAdjacentHTML("afterbegin", `<div id="byhand"><p id="one">one</p><p id="two" slot="x">two</p><p id="three">three</p><p id="four">four</p></div>`);
    const host = document.querySelector("#byhand") as Element;
    const root = host.attachShadow({ mode, slotAssignment: "manual" });
    root.innerHTML = `<slot></slot><hr><slot name="x"></slot><div data-tandem="mask"><slot></slot></div>`;
    const slots = [...root.querySelectorAll("slot")];
    const put = (all: string[]) => slots.forEach((slot, at) => slot.assign(...host.querySelectorAll(all[at] || "none")));
    Object.assign(window, { put });
    put(["#two", "#one", "#three"]);
  }, mode);
  const put = (...all: string[]) => customer.page.evaluate((all) => (window as unknown as { put(all: string[]): void }).put(all), all);
  const shown = (side: (selector: string) => Promise<number | null>) => async () => {
    const all = await Promise.all(["#one", "#two", "#three", "#four"].map(async (selector) => [selector, await side(selector)] as const));
    return all.filter(([, top]) => top !== null).sort(([, a], [, b]) => Number(a) - Number(b)).map(([selector]) => selector);
  };
  const here = shown((selector) => agent.mirror.top(selector));
  const there = shown((selector) => customer.page.locator(selector).evaluate(topOf));
  await begin("closed");
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  for (const mode of ["closed", "open"] as const) {
    if (mode === "open") await begin(mode);
    expect(await there()).toEqual(["#two", "#one", "#three"]);
    await expect.poll(here).toEqual(["#two", "#one", "#three"]);
    expect(await agent.mirror.text("#one")).toBe("one");
    await expect.poll(() => agent.mirror.text("#three")).toBe("•••••");
    await put("#three,#four", "", "#one");
    expect(await there()).toEqual(["#three", "#four", "#one"]);
    await expect.poll(here).toEqual(["#three", "#four", "#one"]);
    expect(await agent.mirror.text("#three")).toBe("three");
    expect(await agent.mirror.text("#one")).toBe("•••");
    await customer.page.evaluate(() => document.querySelector("#four")?.setAttribute("slot", "y"));
    await put("#four", "#two", "");
    expect(await there()).toEqual(["#four", "#two"]);
    await expect.poll(here).toEqual(["#four", "#two"]);
  }
});
