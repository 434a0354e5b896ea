/** In Write mode the agent's mouse and keys do what the customer's would: the page meets the same events, in the same order. */
import { type Agent, anyStyle, type Customer, expect, lasting as test, put, test as alone } from "./rig.ts";
import { drag, held, letGo, point } from "./mouse.ts";

test.describe.configure({ mode: "default" });

/** Notes the events that a page meets in `#added`: the customer's own, or the agent's. */
function listen({ page }: Customer, types: string[], own: boolean): Promise<void> {
  return page.evaluate(([types, own]) => {
    const noted = window as unknown as { noted: string[]; stopNoting?: () => void };
    noted.stopNoting?.();
    noted.noted = [];
    const note = (event: Event) => {
      const target = event.target as Element;
      if (event.isTrusted !== own || !target.closest?.("#added *")) return;
      const { button, buttons, detail } = event as MouseEvent;
      noted.noted.push(`${event.type} ${target.id} ${button} ${buttons} ${/click|down|up/.test(event.type) ? detail : ""}`.trim());
    };
    // Those that enter and leave are sent only to who listens at the element.
    const at = (type: string): EventTarget[] => (/enter|leave/.test(type) ? [...document.querySelectorAll("#added *")] : [window]);
    const each = (work: (at: EventTarget, type: string) => void) => types.forEach((type) => at(type).forEach((one) => work(one, type)));
    each((one, type) => one.addEventListener(type, note, one === window));
    noted.stopNoting = () => each((one, type) => one.removeEventListener(type, note, one === window));
  }, [types, own] as const);
}

function noted({ page }: Customer): Promise<string[]> {
  return page.evaluate(() => (window as unknown as { noted: string[] }).noted);
}

type Action = { kind: string; node: number; x: number; y: number; at: { x: number; y: number } };

/** Has the agent's browser send something else than it should, made of an action, until what comes back is called. */
async function crafted({ page }: Agent, craft: (action: Action) => void): Promise<() => Promise<void>> {
  await page.evaluate(`(() => {
    const { send } = WebSocket.prototype;
    window.keepToTheRules = () => (WebSocket.prototype.send = send);
    WebSocket.prototype.send = function (data) {
      if (typeof data !== "string" || !data.includes('"act"')) return send.call(this, data);
      const message = JSON.parse(data);
      (${craft})(message.action);
      send.call(this, JSON.stringify(message));
    };
  })()`);
  return () => page.evaluate("keepToTheRules()").then(() => {});
}

const POINTER = ["over", "out", "enter", "leave", "down", "up"].flatMap((name) => [`pointer${name}`, `mouse${name}`]);

test("pointing and clicking send what a real mouse sends", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<div id="a" style="padding:30px;margin:60px"><b id="b" style="display:block;height:40px">b</b>
    <b id="c" style="display:block;height:40px">c</b></div><p id="out" style="height:40px">out</p>`);
  const middle = async (selector: string) => {
    const box = await customer.page.locator(selector).boundingBox();
    return { x: (box?.x ?? 0) + (box?.width ?? 0) / 2, y: (box?.y ?? 0) + (box?.height ?? 0) / 2 };
  };
  const walk = ["#out", "#b", "#c", "#out"];
  const real: string[][] = [];
  await customer.page.mouse.move(1, 1);
  await listen(customer, [...POINTER, "click", "dblclick"], true);
  for (const step of walk) {
    const at = await middle(step);
    await customer.page.mouse.move(at.x, at.y);
  }
  const over = await middle("#b");
  await customer.page.mouse.move(over.x, over.y);
  await customer.page.mouse.dblclick(over.x, over.y);
  await expect.poll(async () => (await noted(customer)).at(-1)).toContain("dblclick");
  real.push(await noted(customer));
  await customer.page.mouse.move(1, 1);

  await listen(customer, [...POINTER, "click", "dblclick"], false);
  for (const step of walk) {
    const before = (await noted(customer)).length;
    await point(agent, step);
    await expect.poll(async () => (await noted(customer)).length).toBeGreaterThan(before);
    await expect.poll(async () => (await noted(customer)).at(-1)).toMatch(/^mouseenter/);
  }
  const at = await agent.mirror.middle("#b");
  await agent.page.mouse.move(at.x, at.y);
  await agent.page.mouse.dblclick(at.x, at.y);
  await expect.poll(async () => (await noted(customer)).at(-1)).toContain("dblclick");
  expect(await noted(customer)).toEqual(real[0]);
});

test("menus open where the agent points, those of scripts and those of styles alone", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<style>
      #css li ul { display: none } #css li:hover > ul { display: block } .tip { color: rgb(0, 0, 0) }
      @media all { @supports (display: grid) { #css > li:hover .tip { color: rgb(255, 0, 0) } } }
      #css li { &:hover { outline: 1px solid rgb(255, 0, 0) } }
    </style>
    <ul id="css"><li id="shop">Shop <b class="tip" id="tip">tip</b><ul id="sub"><li id="item">Item</li></ul></li><li id="other">Other</li></ul>
    <div id="js">Menu<p id="panel" hidden>Panel</p></div>`, `
    js.onmouseenter = () => { panel.hidden = false }; js.onmouseleave = () => { panel.hidden = true };
    item.onclick = () => { item.textContent = "Pressed" };`);
  const shown = (selector: string) => customer.page.locator(selector).isVisible();
  await point(agent, "#tip");
  await expect.poll(() => shown("#sub")).toBe(true);
  expect(await customer.page.locator("#tip").evaluate((tip) => getComputedStyle(tip).color)).toBe("rgb(255, 0, 0)");
  expect(await customer.page.locator("#shop").evaluate((shop) => getComputedStyle(shop).outlineColor)).toBe("rgb(255, 0, 0)");
  // The agent sees the same and can press what has opened.
  await expect.poll(async () => (await agent.mirror.size("#sub"))?.height ?? 0).toBeGreaterThan(0);
  await agent.mirror.click("#item");
  await expect(customer.page.locator("#item")).toHaveText("Pressed");
  await point(agent, "#js");
  await expect.poll(() => shown("#panel")).toBe(true);
  await expect.poll(() => shown("#sub")).toBe(false);
  await point(agent, "#other");
  await expect.poll(() => shown("#panel")).toBe(false);
  await agent.page.mouse.move(2, 2);
  // Nothing of it stays in the page.
  await expect.poll(() => customer.page.evaluate(() => document.adoptedStyleSheets.length)).toBe(0);
  expect(await customer.page.locator("#added").innerHTML()).not.toContain("tandem");
});

test("rules for :hover win and lose where the agent points as with a real pointer", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<style>
      .box { display: block; height: 30px; color: rgb(1, 1, 1) }
      .one:hover { color: rgb(255, 0, 0); background: rgb(255, 255, 0) } .one.two { color: rgb(0, 0, 255) } .one.two { outline: 1px solid rgb(2, 2, 2) }
      .one:hover .in { color: rgb(255, 0, 0) } .two .in.in { color: rgb(0, 128, 0) } .two .in { color: rgb(9, 9, 9) }
      .pre:hover::before { content: "hovered"; color: rgb(255, 0, 0) } .pre.two::before { content: "two"; color: rgb(0, 0, 255) }
      .nest { &:hover { color: rgb(255, 0, 0); background: rgb(7, 7, 7) } &.deep { color: rgb(0, 128, 0); & i { color: rgb(3, 3, 3) } } }
      @layer under { .lay:hover { color: rgb(255, 0, 0) !important; background: rgb(255, 0, 0) } .lay.two { background: rgb(0, 0, 255) } }
      .\\31 0:hover { color: rgb(255, 0, 0) } .\\31 0.w-\\[1px\\] { color: rgb(0, 128, 0) }
      .ext:hover { color: rgb(255, 0, 0) } .last:hover { color: rgb(255, 0, 0) } .other { color: rgb(4, 4, 4) }
      .last.last.other { background: rgb(5, 5, 5) } .kept.a { color: rgb(10, 10, 10) } .kept.b { color: rgb(11, 11, 11) }
    </style>
    <div id="hov"><b class="box one two">one <i class="in">in</i></b><b class="box one">plain</b><b class="box pre two">pre</b>
      <b class="nest deep" style="display:block">nest <i>i</i></b><b class="box lay two">layer</b><b class="10 w-[1px]" style="display:block">escaped</b>
      <b class="ext two" style="display:block">ext</b><b class="last other" style="display:block">last</b><b class="kept a b" style="display:block">kept</b></div>`, `
    const late = new CSSStyleSheet(); late.replaceSync(".ext.two { color: rgb(0, 128, 0) }");
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, late];`);
  const looks = () => customer.page.locator("#hov").evaluate((hov) => {
    const look = (element: Element, part?: string) => {
      const { color, backgroundColor, outlineColor, outlineStyle, content } = getComputedStyle(element, part);
      return [element.className, part ?? "", color, backgroundColor, outlineColor, outlineStyle, content].join(" ");
    };
    return [...hov.querySelectorAll("*")].flatMap((element) => [look(element), look(element, "::before")]);
  });
  const rest = await looks();
  const boxes = customer.page.locator("#hov > b");
  for (let at = 0; at < (await boxes.count()); at++) {
    await boxes.nth(at).hover();
    const real = await looks();
    await customer.page.mouse.move(1, 700);
    await expect.poll(looks).toEqual(rest);
    const hovered = customer.page.evaluate(() => new Promise((resolve) => {
      document.addEventListener("mousemove", () => setTimeout(resolve), { once: true });
    }));
    await point(agent, `#hov > b:nth-child(${at + 1})`);
    await hovered;
    expect(await looks()).toEqual(real);
    await agent.page.mouse.move(2, 2);
    await expect.poll(looks).toEqual(rest);
  }
});

test("the second button opens the page's menu, or the agent is told that there is none", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<p id="own">Own menu</p><p id="none">No menu</p><p id="menu" hidden>Menu</p>`,
    "own.oncontextmenu = (event) => { event.preventDefault(); menu.hidden = false; menu.dataset.button = event.button };");
  const press = async (selector: string) => {
    const at = await agent.mirror.middle(selector);
    await agent.page.mouse.click(at.x, at.y, { button: "right" });
  };
  await press("#own");
  await expect(customer.page.locator("#menu")).toBeVisible();
  await expect(customer.page.locator("#menu")).toHaveAttribute("data-button", "2");
  await press("#none");
  await expect(agent.page.getByText("no menu of its own")).toBeVisible();
});

test("drags: by a script with the pointer captured, by the browser, by a library in both ways", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await customer.page.addScriptTag({ path: "node_modules/sortablejs/Sortable.min.js" });
  await put(customer, agent, `<style>.list li { padding: 8px; height: 24px; background: #eee; list-style: none }</style>
    <div id="track" style="position:relative;height:30px"><b id="knob" style="position:absolute;left:0;width:30px;height:30px;background:#aaa"></b></div>
    <p id="end" style="margin-left:300px;width:40px">end</p>
    <b id="source" draggable="true" style="display:block;width:80px">source</b><p id="target" style="height:40px">target</p><p id="nothing">nothing</p>
    <ul class="list" id="native"><li id="n1">n1</li><li id="n2">n2</li><li id="n3">n3</li></ul>
    <ul class="list" id="forced"><li id="f1">f1</li><li id="f2">f2</li><li id="f3">f3</li></ul>`, `
    knob.onpointerdown = (event) => { knob.setPointerCapture(event.pointerId); knob.textContent = knob.hasPointerCapture(event.pointerId) };
    knob.onpointermove = (event) => { if (event.buttons) knob.style.left = event.clientX - 15 + "px" };
    knob.onlostpointercapture = () => { knob.dataset.lost = "yes" };
    source.ondragstart = (event) => { event.dataTransfer.setData("text/plain", "carried"); event.dataTransfer.effectAllowed = "move" };
    target.ondragover = (event) => event.preventDefault();
    target.ondrop = (event) => { event.preventDefault(); target.textContent = event.dataTransfer.getData("text/plain") };
    source.ondragend = (event) => { source.dataset.effect = event.dataTransfer.dropEffect };
    new Sortable(native, { animation: 0 }); new Sortable(forced, { animation: 0, forceFallback: true });`);
  await drag(agent, "#knob", "#end");
  const left = () => customer.page.locator("#knob").evaluate((knob) => Math.round(knob.getBoundingClientRect().left));
  await expect(customer.page.locator("#knob")).toHaveAttribute("data-lost", "yes");
  expect(Math.abs((await left()) - 305)).toBeLessThan(15);
  await expect(customer.page.locator("#knob")).toHaveText("true");

  await drag(agent, "#source", "#nothing");
  await expect(customer.page.locator("#source")).toHaveAttribute("data-effect", "none");
  await drag(agent, "#source", "#target");
  await expect(customer.page.locator("#target")).toHaveText("carried");
  await expect(customer.page.locator("#source")).toHaveAttribute("data-effect", "move");

  const order = (list: string) => customer.page.locator(`${list} li`).evaluateAll((all) => all.map((item) => item.textContent).join());
  await drag(agent, "#n1", "#n3", { x: 0, y: 6 });
  await expect.poll(() => order("#native")).toBe("n2,n3,n1");
  // Here the library looks every 50 milliseconds where it is held, and not once more when it is let go.
  const end = await drag(agent, "#f1", "#f3", { x: 0, y: 6 }, false);
  await expect.poll(() => order("#forced")).toMatch(/^f2,f3,f1/);
  await letGo(agent, end);
  await expect.poll(() => order("#forced")).toBe("f2,f3,f1");
  await expect.poll(() => agent.mirror.text("#forced")).toMatch(/f2.*f3.*f1/);
});

test("a drag meets nothing that is masked or switched off, and lets go when it is broken off", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<b id="source" style="display:block;width:80px;height:30px">source</b><p id="middle">middle</p>
    <p id="secret" data-tandem="mask" style="height:40px">secret</p><p id="off" data-tandem="readonly" style="height:40px">off</p>`);
  await expect.poll(() => agent.mirror.html("#secret")).toContain("masked");
  await listen(customer, [...POINTER, "mousemove", "pointermove"], false);
  for (const target of ["#secret", "#off"]) {
    await drag(agent, "#source", target);
    await expect(agent.page.getByText(/Only the customer/).first()).toBeVisible();
  }
  await drag(agent, "#secret", "#middle");
  await agent.mirror.click("#middle");
  await expect.poll(async () => (await noted(customer)).some((event) => event.startsWith("mouseup middle"))).toBe(true);
  const events = await noted(customer);
  expect(events.filter((event) => / (secret|off) /.test(event))).toEqual([]);
  expect(events.filter((event) => event.startsWith("pointerdown source"))).toHaveLength(2);

  // The agent holds still: it stays held. Escape lets go.
  await customer.page.evaluate(() => {
    document.addEventListener("pointercancel", () => { document.title = "let go"; });
  });
  await drag(agent, "#source", "#middle", { x: 0, y: 0 }, false);
  await agent.page.keyboard.press("Escape");
  await expect(customer.page).toHaveTitle("let go");
});

test("a click lands on what the server has looked at, not on something in it", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<div id="around" style="width:400px;height:60px;position:relative">
    <button type="button" id="off" data-tandem="readonly" style="position:absolute;left:200px;width:200px;height:60px">Off</button></div>
    <p id="contents"><b id="boxless" style="display:contents">text of a long <i>box</i></b></p>`);
  await listen(customer, ["click", "contextmenu", "pointerdown"], false);
  const end = await agent.mirror.middle("#boxless i");
  await agent.page.mouse.click(end.x - 50, end.y);
  await expect.poll(() => noted(customer)).toContainEqual(expect.stringMatching(/^click boxless/));
  // An agent's browser that does not keep to the rules: it aims at the element around, at the place of the button.
  const honest = await crafted(agent, (action) => {
    action.x = 0.75;
  });
  const { x, y } = await agent.mirror.middle("#around");
  for (const button of ["left", "right"] as const) await agent.page.mouse.click(x - 150, y, { button });
  await expect(agent.page.getByText(/lies over it/).first()).toBeVisible();
  expect((await noted(customer)).filter((event) => / (off|around) /.test(event))).toEqual([]);
  await honest();
});

test("no step of a drag, no wheel and no pointing meets what the server has not looked at", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<b id="source" style="display:block;width:80px;height:30px">source</b>
    <b id="carried" draggable="true" style="display:block;width:80px;height:30px">carried</b><p id="free" style="height:40px">free</p>
    <div id="around" style="width:400px;height:60px;position:relative">
    <button type="button" id="off" data-tandem="readonly" style="position:absolute;left:200px;width:200px;height:60px">Off</button></div>`, `
    window.met = [];
    const note = (event) => {
      if (event.isTrusted) return;
      const at = document.elementFromPoint(event.clientX, event.clientY);
      window.met.push([event.type, event.target.id, at && at.id].join(" "));
      if (event.type === "dragover") event.preventDefault();
    };
    for (const type of ["pointermove", "mousemove", "pointerdown", "pointerup", "mouseup", "click", "wheel", "dragenter", "dragover", "drop"])
      document.addEventListener(type, note, true);`);
  const met = () => customer.page.evaluate(() => (window as unknown as { met: string[] }).met);
  await drag(agent, "#source", "#free");
  await expect.poll(met).toContainEqual("mouseup free free");
  await drag(agent, "#carried", "#free");
  await expect.poll(met).toContainEqual("drop free free");
  // An agent's browser that does not keep to the rules: over the element around it means a place on the button in it.
  const { x, y } = await agent.mirror.middle("#around");
  const honest = await crafted(agent, (action) => {
    if (/drag|drop/.test(action.kind) && action.at.y > 100) action.at.x += 200;
    else if (/hover|wheel/.test(action.kind)) action.x = 0.75;
  });
  await agent.page.mouse.move(x - 150, y);
  await agent.page.mouse.wheel(0, 10);
  for (const from of ["#source", "#carried"]) {
    const start = await agent.mirror.middle(from);
    await held(agent, [start, { x: start.x + 8, y: start.y }, { x: x - 120, y }, { x: x - 110, y }]);
    await expect(agent.page.getByText(/lies over it/).first()).toBeVisible();
    // Nothing is held any more once this is done.
    await agent.mirror.click("#free");
    await expect.poll(async () => (await met()).at(-1)).toBe("click free free");
    await customer.page.evaluate(() => (window as unknown as { met: string[] }).met.push("between"));
  }
  expect((await met()).filter((event) => event.includes("off"))).toEqual([]);
  await honest();
});

test("what has come to lie under a drag is judged, and what is dropped lands on it", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<b id="source" style="display:block;width:80px;height:30px">source</b>
    <div id="place" style="width:400px;height:60px;position:relative"></div>`, `
    place.onmousemove = (event) => {
      if (event.isTrusted || !event.buttons || place.firstChild) return;
      place.innerHTML = '<p id="come" style="position:absolute;inset:0;margin:0">come</p>';
    };`);
  await listen(customer, ["mouseup"], false);
  await drag(agent, "#source", "#place");
  await expect.poll(() => noted(customer)).toEqual([expect.stringMatching(/^mouseup come /)]);
});

test("a click by way of a label is its control's, whatever else is in the label", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<p style="position:relative;height:60px"><input type="checkbox" id="box" style="position:absolute;left:0;top:20px;width:200px;height:30px;margin:0"><label for="box" id="label" style="position:absolute;inset:0"><a id="link" href="#followed" style="position:absolute;left:0;top:20px;width:100px;height:30px">link</a>
    <button type="button" id="press" style="position:absolute;left:100px;top:20px;width:100px;height:30px">press</button></label></p>`);
  await listen(customer, ["click", "pointerdown"], false);
  // An agent's browser that does not keep to the rules: it names the control, which the server knows by the number before the
  // label's, at the place of something else in the label.
  const { x, y } = await agent.mirror.middle("#label");
  for (const [checked, craft] of [
    [true, (action: Action) => action.kind === "click" && Object.assign(action, { node: action.node - 1, x: 0.25, y: 0.5 })],
    [false, (action: Action) => action.kind === "click" && Object.assign(action, { node: action.node - 1, x: 0.75, y: 0.5 })],
  ] as const) {
    const honest = await crafted(agent, craft);
    await agent.page.mouse.click(x, y - 20);
    await expect(customer.page.locator("#box")).toBeChecked({ checked });
    await honest();
  }
  expect((await noted(customer)).filter((event) => / (link|press|label) /.test(event))).toEqual([]);
  expect(new URL(customer.page.url()).hash).toBe("");
});

test("the parts of an image map are pressed like links", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  const picture = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='200' height='100'><rect width='200' height='100' fill='red'/></svg>";
  await put(customer, agent, `<img id="plan" usemap="#parts" width="200" height="100" alt="" src="${picture}">
    <img id="secret" usemap="#parts" width="200" height="100" alt="" src="${picture}" data-tandem="mask"><map name="parts">
    <area id="here" coords="0,0,100,100" href="#here" alt="here"><area id="off" coords="100,0,150,100" href="#off" alt="off" data-tandem="readonly">
    <area id="outside" coords="150,0,200,100" href="https://elsewhere.example/" alt="outside"></map>`);
  await listen(customer, ["click"], false);
  const { x, y } = await agent.mirror.middle("#plan");
  await agent.page.mouse.click(x - 50, y);
  await expect.poll(() => noted(customer)).toContainEqual(expect.stringMatching(/^click here /));
  await expect(customer.page).toHaveURL(/#here$/);
  // What may not be followed, is not.
  await agent.page.mouse.click(x + 25, y);
  await expect(agent.page.getByText(/Only the customer/).first()).toBeVisible();
  await agent.page.mouse.click(x + 75, y);
  await expect(agent.page.getByText(/This address is not on t/i).first()).toBeVisible();
  // A masked picture has no parts.
  expect(await agent.mirror.html("#secret")).not.toContain("usemap");
  expect((await noted(customer)).filter((event) => / off /.test(event))).toEqual([]);
  await expect(customer.page).toHaveURL(/#here$/);
});

test("text is selected by dragging over it, on both sides", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<p style="font:20px monospace">some <b id="one">words</b> to <b id="two">select</b> here</p>`);
  await drag(agent, "#one", "#two");
  const selected = () => customer.page.evaluate(() => String(getSelection()).trim());
  await expect.poll(selected).toMatch(/^\w+ to \w+$/);
  // One press selects nothing any more, two a word, three all that stands together.
  await agent.mirror.click("#one");
  await expect.poll(selected).toBe("");
  const { x, y } = await agent.mirror.middle("#two");
  await agent.page.mouse.dblclick(x, y);
  await expect.poll(selected).toBe("select");
  await agent.page.mouse.click(x, y, { clickCount: 3 });
  await expect.poll(selected).toBe("some words to select here");
});

test("the wheel is the page's first: a map zooms, everything else scrolls", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<div id="map" style="height:200px;background:#eee">map</div><p id="zoom">0</p><p style="height:3000px">long</p>`,
    `let zoom = 0; map.addEventListener("wheel", (event) => { event.preventDefault(); zoom += Math.sign(event.deltaY); document.querySelector("#zoom").textContent = zoom + (event.ctrlKey ? " ctrl" : "") });`);
  const top = () => customer.page.locator("#added").evaluate((added) => Math.round(added.scrollTop));
  await point(agent, "#map");
  for (let turn = 1; turn <= 5; turn++) {
    await agent.page.mouse.wheel(0, 100);
    await expect(customer.page.locator("#zoom")).toHaveText(`${turn}`);
  }
  await expect.poll(() => agent.mirror.scrollTop("#added")).toBe(0);
  expect(await top()).toBe(0);
  // Two fingers that are spread on a pad are a wheel with Ctrl held.
  await agent.page.keyboard.down("Control");
  await agent.page.mouse.wheel(0, 100);
  await agent.page.keyboard.up("Control");
  await expect(customer.page.locator("#zoom")).toHaveText("6 ctrl");
  await point(agent, "#zoom");
  await agent.page.mouse.wheel(0, 300);
  await expect.poll(top).toBeGreaterThan(100);
});

test("both scroll at once: they end at the same place, and nobody fights", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<p style="height:9000px;background:linear-gradient(red,blue)">long</p><p id="foot">foot</p>`);
  const customers = () => customer.page.locator("#added").evaluate((added) => Math.round(added.scrollTop));
  await customer.page.mouse.move(300, 300);
  await point(agent, "#added");
  for (let turn = 0; turn < 12; turn++) {
    await Promise.all([customer.page.mouse.wheel(0, 120), agent.page.mouse.wheel(0, turn % 2 ? -60 : 90)]);
  }
  await expect.poll(async () => (await customers()) - ((await agent.mirror.scrollTop("#added")) ?? -1)).toBe(0);
  // At rest: nothing moves any more on either side.
  await customer.page.evaluate(() => {
    document.querySelector("#added")?.addEventListener("scroll", () => { document.title = "moved"; });
  });
  const there = await customers();
  expect(there).toBeGreaterThan(0);
  await agent.mirror.click("#foot").catch(() => {});
  await point(agent, "#added");
  await listen(customer, ["pointermove"], false);
  await agent.page.mouse.move(320, 320);
  await expect.poll(async () => (await noted(customer)).length).toBeGreaterThan(0);
  expect(await customers()).toBe(there);
});

test("shortcuts of the site, with what old scripts read", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<button id="button">Button</button><input id="field"><p id="last"></p>`, `
    const note = (event) => { if (event.isTrusted) return; last.textContent += [event.type, event.key, event.code, event.keyCode, event.which,
      event.ctrlKey ? "ctrl" : "", event.shiftKey ? "shift" : "", event.altKey ? "alt" : ""].join(" ").trim().replace(/ +/g, " ") + ";" };
    for (const type of ["keydown", "keypress", "keyup"]) addEventListener(type, note);`);
  const said = async (press: string) => {
    await customer.page.evaluate(() => { (document.querySelector("#last") as HTMLElement).textContent = ""; });
    await agent.page.keyboard.press(press);
    await expect(customer.page.locator("#last")).toContainText("keyup");
    return (await customer.page.locator("#last").textContent())?.replace(/keydown (Shift|Control|Alt).*?;/, "");
  };
  await agent.mirror.click("#button");
  expect(await said("j")).toBe("keydown j KeyJ 74 74;keypress j KeyJ 106 106;keyup j KeyJ 74 74;");
  expect(await said("?")).toContain("keydown ?");
  expect(await said("Control+k")).toBe("keydown k KeyK 75 75 ctrl;keyup k KeyK 75 75 ctrl;");
  expect(await said("Control+Shift+P")).toContain("keydown P KeyP 80 80 ctrl shift");
  expect(await said("Alt+7")).toContain("keydown 7 Digit7 55 55 alt");
  expect(await said("Delete")).toBe("keydown Delete Delete 46 46;keyup Delete Delete 46 46;");
  expect(await said("F2")).toBe("keydown F2 F2 113 113;keyup F2 F2 113 113;");
  await agent.mirror.click("#field");
  expect(await said("Control+b")).toBe("keydown b KeyB 66 66 ctrl;keyup b KeyB 66 66 ctrl;");
  await expect(customer.page.locator("#field")).toHaveValue("");
});

test("Tab goes through shadow roots and frames in the order that browsers have, and back", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<button id="first">1</button><div id="host"><button id="slotted" slot="s">2b</button></div>
    <button id="early" tabindex="2">0</button><details><summary id="sum">s</summary><button id="closed">c</button></details>
    <input type="radio" name="r" id="r1"><input type="radio" name="r" id="r2" checked>
    <iframe id="frame" srcdoc="<button id=inner>i</button>" style="height:40px"></iframe><a id="no">no</a><a href="#x" id="last">l</a>`, `
    host.attachShadow({ mode: "open" }).innerHTML = '<button id="in">2a</button><slot name="s"></slot><button id="after">2c</button>';
    document.querySelectorAll("body > :not(#added, tandem-widget)").forEach((other) => { other.inert = true });`);
  await expect.poll(() => agent.mirror.text("#frame >>> #inner")).toBe("i");
  const focus = () => customer.page.evaluate(() => {
    let at = document.activeElement as HTMLElement | null;
    for (;;) {
      const inner = (at?.shadowRoot ?? (at as HTMLIFrameElement | null)?.contentDocument)?.activeElement as HTMLElement | null;
      if (!inner) return at?.id ?? "";
      at = inner;
    }
  });
  await agent.mirror.click("#early");
  const order = ["first", "in", "slotted", "after", "sum", "r2", "inner", "last"];
  for (const id of order) {
    await agent.page.keyboard.press("Tab");
    await expect.poll(focus).toBe(id);
  }
  for (const id of order.reverse().slice(1)) {
    await agent.page.keyboard.press("Shift+Tab");
    await expect.poll(focus).toBe(id);
  }
});

test("keys scroll what a person's would, and as far", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<div id="panel" style="height:100px;overflow:auto"><div id="cut" style="height:60px;overflow:hidden"><button id="in">In</button>
    <p style="height:300px">cut off</p></div><p style="height:5000px">long</p></div><p style="height:3000px">after</p>`);
  const tops = () => customer.page.evaluate(() => ["cut", "panel", "added"].map((id) => Math.round(document.getElementById(id)?.scrollTop ?? -1)));
  await agent.mirror.click("#in");
  // Not in what hides what does not fit, and of a panel no more than it shows.
  await agent.page.keyboard.press("PageDown");
  await expect.poll(tops).toEqual([0, 88, 0]);
  await agent.page.keyboard.press("End");
  const most = await customer.page.locator("#panel").evaluate((panel) => panel.scrollHeight - panel.clientHeight);
  await expect.poll(tops).toEqual([0, most, 0]);
  await agent.page.keyboard.press("Control+Home");
  await expect.poll(tops).toEqual([0, 0, 0]);
});

alone("a key that follows Tab fast is for what has the focus then, as far as the agent may use that", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<button type="button" id="on">on</button><button type="button" id="next">next</button>
    <button type="button" id="end">end</button><button type="button" id="off" data-tandem="readonly">off</button>`);
  await listen(customer, ["click"], false);
  await agent.mirror.click("#on");
  for (const key of ["Tab", " ", "Tab", " "]) await agent.page.keyboard.press(key);
  await expect.poll(() => noted(customer)).toContainEqual(expect.stringMatching(/^click end /));
  // An agent's browser that does not keep to the rules: it presses Space before it knows where Tab leads.
  await agent.page.evaluate(() => {
    const { send } = WebSocket.prototype;
    let more = 0;
    WebSocket.prototype.send = function (data) {
      if (typeof data !== "string" || !data.includes('"act"')) return send.call(this, data);
      const message = JSON.parse(data);
      message.seq += more;
      send.call(this, JSON.stringify(message));
      if (message.action.key !== "Tab") return;
      message.action = { ...message.action, key: " ", code: "Space" };
      message.seq += 1;
      more += 1;
      send.call(this, JSON.stringify(message));
    };
  });
  await agent.page.keyboard.press("Tab");
  await expect(customer.page.locator("#off")).toBeFocused();
  await agent.mirror.click("#on");
  await expect.poll(async () => (await noted(customer)).length).toBe(4);
  expect((await noted(customer)).map((event) => event.split(" ")[1])).toEqual(["on", "next", "end", "on"]);
});
