/** Who points where in a frame of another host of the website, what is hidden there, and what the agent does there with the mouse. */

import type { Locator, Page } from "@playwright/test";
import { expect, faults, inFrame, test } from "./hosts.ts";
import { drag, point } from "./mouse.ts";

type At = { x: number; y: number };

/** How far the corner of an element is from a place. */
async function distance(element: Locator, place: At): Promise<number> {
  const box = await element.boundingBox();
  return box ? Math.hypot(box.x - place.x, box.y - place.y) : Number.POSITIVE_INFINITY;
}

async function middleOf(element: Locator): Promise<At> {
  const { x, y, width, height } = (await element.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  return { x: x + width / 2, y: y + height / 2 };
}

/** Notes where circles of this class are drawn from now on, as they are gone soon. */
async function circles(page: Page, root: string, name: string): Promise<() => Promise<At[]>> {
  await page.evaluate(
    ([root, name]) => {
      const noted: At[] = [];
      Object.assign(window, { noted });
      const found = document.querySelector(root);
      new MutationObserver((records) => {
        for (const node of records.flatMap(({ addedNodes }) => [...addedNodes])) {
          if (!(node as Element).classList?.contains(name)) continue;
          const { left, top } = (node as HTMLElement).style;
          noted.push({ x: Number.parseFloat(left), y: Number.parseFloat(top) });
        }
      }).observe(found?.shadowRoot ?? found ?? document, { subtree: true, childList: true });
    },
    [root, name] as const,
  );
  return () => page.evaluate(() => (window as unknown as { noted: At[] }).noted);
}

/** A frame with a border and an inner edge, in a page that is scrolled a little. */
async function framed(page: Page, url: string): Promise<void> {
  await page.locator("#pay").evaluate((frame: HTMLIFrameElement, url) => {
    frame.style.cssText = "border:7px solid teal;padding:5px 9px;width:420px;height:300px";
    frame.src = url;
  }, url);
}

test("both pointers and clicks are shown where they are over such a frame", async ({ page, site, agent, start }) => {
  await start(page);
  await framed(page, `${site.pay}/nest`);
  const inner = inFrame(page).frameLocator("#in").locator("#inner");
  await expect.poll(() => agent.mirror.text("#pay >>> #in >>> #inner")).toBe("Inner of the shop");
  const theirs = agent.page.locator(".overlay .pointer");
  const clicks = await circles(agent.page, ".overlay", "click-customer");
  const corner = async () => (await agent.page.locator(".overlay").boundingBox()) ?? { x: 0, y: 0 };
  for (const [there, selector] of [
    [inFrame(page).locator("h1"), "#pay >>> h1"],
    [inner, "#pay >>> #in >>> #inner"],
    [page.locator("h1"), "h1"],
  ] as const) {
    await there.hover();
    await expect.poll(async () => distance(theirs, await agent.mirror.middle(selector)), selector).toBeLessThan(6);
    const before = (await clicks()).length;
    await there.click();
    await expect.poll(async () => (await clicks()).length).toBe(before + 1);
    const [at, edge] = [(await clicks()).at(-1) as At, await corner()];
    const { x, y } = await agent.mirror.middle(selector);
    expect(Math.hypot(at.x + edge.x - x, at.y + edge.y - y)).toBeLessThan(3);
  }
  await page.locator("#pay").evaluate((frame) => frame.remove());

  const ours = page.locator("tandem-widget .agent");
  await page.evaluate((url) => {
    const frame = document.createElement("iframe");
    frame.id = "pay";
    frame.src = url;
    frame.style.border = "9px solid teal";
    document.body.append(frame);
  }, `${site.pay}/done`);
  await expect.poll(() => agent.mirror.text("#pay >>> h1")).toBe("Thank you");
  const shown = await circles(page, "tandem-widget", "click");
  await agent.mirror.click("#pay >>> h1");
  const heading = await middleOf(inFrame(page).locator("h1"));
  await expect.poll(() => distance(ours, heading)).toBeLessThan(6);
  await expect.poll(async () => (await shown()).length).toBe(1);
  const [circle] = (await shown()) as [At];
  expect(Math.hypot(circle.x - heading.x, circle.y - heading.y)).toBeLessThan(3);
});

test("where the customer points in what is hidden in such a frame is not told", async ({ page, site, agent, start }) => {
  const pad = "<div data-tandem=hide id=pad style='position:absolute;left:0;top:100px;width:200px;height:100px'>1 2 3</div>";
  site.put("pay", "/pad", `<!doctype html><p id=free style="margin:0;height:40px">Free</p>${pad}`);
  const places: Array<{ type: string; within: number; at: At }> = [];
  agent.page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      const message = typeof payload === "string" ? JSON.parse(payload) : {};
      if (message.type === "pointer" || message.type === "clicked") places.push(message);
    }),
  );
  await start(page);
  await framed(page, `${site.pay}/pad`);
  await expect.poll(() => agent.mirror.text("#pay >>> #free")).toBe("Free");
  const free = inFrame(page).locator("#free");
  await free.hover();
  await expect.poll(() => places.filter(({ within }) => within > 1).length).toBeGreaterThan(0);
  await inFrame(page).locator("#pad").click();
  await inFrame(page).locator("#pad").hover({ position: { x: 20, y: 20 } });
  await free.click();
  await expect.poll(() => places.some(({ type }) => type === "clicked")).toBe(true);
  expect(places.filter(({ within, at }) => within > 1 && at.y > 100)).toEqual([]);
});

test("the customer is shown there what is hidden from the agent", async ({ page, site, agent, start }) => {
  await start(page);
  await expect.poll(() => agent.mirror.text("#pay >>> .secret")).toMatch(/^•+$/);
  const frame = inFrame(page);
  const tooltip = frame.getByRole("tooltip");
  await frame.locator("p.secret").hover();
  await expect(tooltip).toContainText(/hidden from the agent/i);
  await frame.locator("#name").hover();
  await expect(tooltip).toBeHidden();

  const outlines = frame.locator("tandem-widget .outline");
  const shows = page.getByRole("switch", { name: "Show what is hidden" });
  await page.getByRole("button", { name: "Details" }).click();
  await shows.check();
  /** Whether each of these has its outline, and nothing else has one. */
  const outlined = async (selectors: string[]): Promise<boolean> => {
    const boxes = await Promise.all((await outlines.all()).map((outline) => outline.boundingBox()));
    const wanted = await Promise.all(selectors.map((selector) => frame.locator(selector).boundingBox()));
    const same = (a: (typeof boxes)[number], b: typeof a) => !!a && !!b && Math.abs(a.x - b.x) < 2 && Math.abs(a.y - b.y) < 2;
    return boxes.length === wanted.length && wanted.every((box) => boxes.some((other) => same(box, other)));
  };
  await expect.poll(() => outlined(["#pw", "p.secret", "#card"])).toBe(true);
  // Of ours nothing else is there, nor in the agent's view, nor in the customer's way.
  const ours = frame.locator("tandem-widget");
  expect(await ours.evaluate((host) => getComputedStyle(host).borderTopWidth + getComputedStyle(host).pointerEvents)).toBe("0pxnone");
  expect(await agent.mirror.html("#pay >>> tandem-widget")).toBeNull();
  await frame.locator("#press").click();
  await expect(frame.locator("#said")).toHaveText("Pressed by Ada");
  // Over a dialog of the frame's own, too.
  await frame.locator("body").evaluate((body) => {
    const dialog = document.createElement("dialog");
    dialog.innerHTML = "<p class=secret>In a dialog</p>";
    body.append(dialog);
    dialog.showModal();
  });
  await frame.locator("dialog p").hover();
  await expect(tooltip).toBeVisible();
  const dialog = frame.locator("dialog tandem-widget");
  await expect(dialog).toHaveCount(1);
  await frame.locator("dialog").evaluate((dialog: HTMLDialogElement) => dialog.remove());

  // The next document there does as the switch says; and those that are in it.
  site.put("pay", "/deep", `<!doctype html><p class=secret>Deep</p><iframe id=in src="${site.shop}/within"></iframe>`);
  site.put("shop", "/within", "<!doctype html><p class=secret>Deeper</p>");
  await page.locator("#pay").evaluate((frame: HTMLIFrameElement, url) => {
    frame.src = url;
  }, `${site.pay}/deep`);
  await expect.poll(() => outlined(["p.secret"])).toBe(true);
  const inner = frame.frameLocator("#in").locator("tandem-widget .outline");
  await expect(inner).toHaveCount(1);
  await shows.uncheck();
  await expect(outlines).toHaveCount(0);
  await expect(inner).toHaveCount(0);
  await shows.check();
  await expect(inner).toHaveCount(1);
  // It is over with the session.
  await page.getByRole("button", { name: "Exit session" }).click();
  await expect(outlines).toHaveCount(0);
  await expect(inner).toHaveCount(0);
});

const DESK = `<!doctype html><style>body{margin:0;height:900px} p{margin:0;height:40px;user-select:none}
  #knob{position:absolute;left:10px;top:60px;width:40px;height:40px;background:rgb(0,90,90)} #end{position:absolute;left:200px;top:104px;width:40px;height:10px;overflow:hidden}
  #menu:hover{background:rgb(4,5,6)} #source{position:absolute;top:120px;display:block;width:80px} #target{position:absolute;top:160px;width:200px}</style>
  <p id=menu>Menu</p><i id=knob></i><i id=end>End</i><b id=source draggable=true>source</b><p id=target>target</p><script>
  const slide = (knob) => {
    let from;
    knob.onpointerdown = (event) => { knob.setPointerCapture(event.pointerId); from = event.clientX - knob.offsetLeft };
    knob.onpointermove = (event) => { if (knob.hasPointerCapture(event.pointerId)) knob.style.left = event.clientX - from + "px" };
    knob.onpointerup = knob.onpointercancel = (event) => { knob.dataset.end = event.type };
  };
  slide(knob);
  source.ondragstart = (event) => event.dataTransfer.setData("text/plain", "carried");
  target.ondragover = (event) => event.preventDefault();
  target.ondrop = (event) => { event.preventDefault(); target.textContent = event.dataTransfer.getData("text/plain") };
  </script>`;

test("an agent points, hovers and drags there, as far as the frame goes", async ({ page, site, agent, start, writes }) => {
  test.slow();
  site.put("pay", "/desk", DESK);
  await start(page);
  await writes(page);
  await framed(page, `${site.pay}/desk`);
  await expect.poll(() => agent.mirror.text("#pay >>> #menu")).toBe("Menu");
  const frame = inFrame(page);
  const colour = () => frame.locator("#menu").evaluate((menu) => getComputedStyle(menu).backgroundColor);
  await point(agent, "#pay >>> #menu");
  await expect.poll(colour).toBe("rgb(4, 5, 6)");
  await expect.poll(() => agent.mirror.background("#pay >>> #menu")).toBe("rgb(4, 5, 6)");
  await point(agent, "h1");
  await expect.poll(colour).toBe("rgba(0, 0, 0, 0)");
  await expect.poll(() => agent.mirror.background("#pay >>> #menu")).toBe("rgba(0, 0, 0, 0)");

  // Places in the frame are those of its own viewport, wherever it lies.
  const left = (selector: string) => frame.locator(selector).evaluate((element: HTMLElement) => element.offsetLeft);
  await drag(agent, "#pay >>> #knob", "#pay >>> #end");
  await expect.poll(() => left("#knob")).toBe(200);
  await drag(agent, "#pay >>> #source", "#pay >>> #target");
  await expect(frame.locator("#target")).toHaveText("carried");
  await expect.poll(() => agent.mirror.text("#pay >>> #target")).toBe("carried");

  // Out of it nothing is carried: the agent is told, and it is let go.
  await drag(agent, "#pay >>> #knob", "h1");
  await expect(agent.page.locator(".notes")).toContainText("That can not be done here");
  await expect(frame.locator("#knob")).toHaveAttribute("data-end", "pointercancel");

  // What is held in the page goes over the frame as over any other element.
  await page.evaluate((script) => {
    const made = document.createElement("div");
    made.innerHTML = "<i id=ours style='position:absolute;left:0;top:200px;width:20px;height:20px;background:red;z-index:9'></i><i id=there style='position:absolute;left:300px;top:200px;width:20px;height:20px'></i>";
    document.body.append(made);
    const element = document.createElement("script");
    element.textContent = `{${script}; slide(ours)}`;
    document.body.append(element);
  }, DESK.slice(DESK.indexOf("const slide"), DESK.indexOf("slide(knob)")));
  await expect.poll(() => agent.mirror.html("#there")).not.toBeNull();
  await drag(agent, "#ours", "#there");
  await expect.poll(() => page.locator("#ours").evaluate((element: HTMLElement) => element.offsetLeft)).toBe(300);
  expect(await faults(site)).toEqual([]);
});
