/** What an agent's action may not lead to: forms that leave without leave, and what only the customer's own hand may do. */
import { anyStyle, type Customer, expect, lasting as test, put, test as alone } from "./rig.ts";

test.describe.configure({ mode: "default" });

/** Ways in which a page submits a form because something else was pressed. */
const WAYS: Record<string, string> = {
  "requestSubmit()": "sender.requestSubmit()",
  "form.submit()": "HTMLFormElement.prototype.submit.call(sender)",
  "a submit() kept from before": "kept.call(sender)",
  "pressing the button": "send.click()",
  "a click sent to the button": "send.dispatchEvent(new MouseEvent('click', { bubbles: true }))",
  "in a microtask": "Promise.resolve().then(() => sender.requestSubmit())",
  "in a timer": "setTimeout(() => sender.submit(), 300)",
  "after an answer that is late": "setTimeout(() => { later(9000); sender.submit(); later(0) }, 300)",
  "after an answer": "fetch('/help').then((answer) => answer.text()).then(() => sender.submit())",
  "in a frame of animation": "requestAnimationFrame(() => sender.requestSubmit())",
  "submit() of a window that is new": "anew().HTMLFormElement.prototype.submit.call(sender)",
  "a window that is new, by its name": "insert('name', 'fresh'); frames.fresh.HTMLFormElement.prototype.submit.call(sender)",
  "a window in one that is new": "const fresh = anew(); fresh.document.body.innerHTML = '<iframe></iframe>'; fresh.frames[0].HTMLFormElement.prototype.submit.call(sender)",
  "a document written anew": "const { document } = anew(); document.open(); document.write('<form action=/help target=sink><input name=sent></form>'); document.forms[0].requestSubmit()",
  "a script in a document that comes later": "insert('srcdoc', '<form action=/help target=sink><input name=sent></form><script>document.forms[0].submit()</script>')",
  "a page in an embed": "embedded().document.forms[0].submit()",
  "a form in a shadow root": "shaded.querySelector('form').requestSubmit()",
  "a button in a shadow root": "shaded.querySelector('button').click()",
  "a button in a shadow root that is new": "shade(document.createElement('p')).querySelector('button').click()",
  "what is slotted into a button": "slotted.click()",
  "a form in a window that is new": "const { document } = anew(); document.body.append(document.importNode(sender, true)); document.forms[0].requestSubmit()",
};

test("a form that is sent as it changes is the agent's where its button is", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  const sent: string[] = [];
  customer.page.on("request", (request) => { sent.push(...new URL(request.url()).searchParams.getAll("sent")); });
  await put(customer, agent, `<form class="newsletter" action="/help" target="sink"><input name="sent" id="find" oninput="form.requestSubmit()">
    <input id="other" oninput="held.submit()"><label id="label"><input type="checkbox" name="sent" value="ticked" onchange="form.submit()">Tick</label><button type="submit">Find</button></form>
    <form id="held" action="/help" target="sink"><input name="sent" value="held" oninput="form.requestSubmit()" id="dead"><button>Send</button></form><iframe name="sink"></iframe>`);
  await agent.mirror.click("#find");
  await agent.page.keyboard.type("tea");
  await expect.poll(() => sent.at(-1)).toBe("tea");
  await agent.mirror.click("#label");
  await expect.poll(() => sent.at(-1)).toBe("ticked");
  for (const selector of ["#other", "#dead"]) {
    await agent.mirror.click(selector);
    await agent.page.keyboard.type("x");
    await expect(agent.page.getByText("Only the customer can use this.").first(), selector).toBeVisible();
    await agent.dismiss("Only the customer can use this.");
  }
  expect(sent.join()).not.toContain("held");
});

/** What a page does when it is pressed that only a real gesture may. */
const HANDS: Record<string, string> = {
  "a new window": "if (window.open('/help')) document.title = 'done'",
  "the whole screen": "document.body.requestFullscreen().then(() => { document.title = 'done' }, () => {})",
  "a file dialog": "document.querySelector('#hidden').click()",
  "a file dialog of a field that is nowhere": "Object.assign(document.createElement('input'), { type: 'file' }).click()",
  "a picker": "try { document.querySelector('#date').showPicker(); document.title = 'done' } catch {}",
  "the clipboard": "navigator.clipboard.readText().then(() => { document.title = 'done' }, () => {})",
  "a download": "Object.assign(document.createElement('a'), { href: '/help', download: 'x' }).click()",
  "another tab": "Object.assign(document.createElement('a'), { href: '/help', target: '_blank' }).click()",
};

test("what the agent does leaves the focus with a customer who types", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<input id="one"><button id="plain">Plain</button><button id="thief">Thief</button>
    <label id="label">Tick <input type="checkbox" id="tick"></label><p style="height:2000px"></p>`, `
    window.blurred = 0; one.onblur = () => { blurred += 1 };
    plain.onclick = () => { plain.textContent = "Pressed" };
    thief.onclick = () => { thief.focus(); thief.textContent = "Pressed"; Promise.resolve().then(() => thief.focus()) };`);
  const focus = () => customer.page.evaluate(() => document.activeElement?.id);
  const blurred = () => customer.page.evaluate(() => (window as unknown as { blurred: number }).blurred);
  await customer.page.click("#one");
  await customer.page.keyboard.type("hello");
  await customer.page.keyboard.press("ArrowLeft");
  await agent.mirror.click("#plain");
  await expect(customer.page.locator("#plain")).toHaveText("Pressed");
  expect([await focus(), await blurred()]).toEqual(["one", 0]);
  await agent.mirror.click("#label");
  await expect(customer.page.locator("#tick")).toBeChecked();
  // The browser itself moves the focus to what a label is for.
  await expect.poll(focus).toBe("one");
  await customer.page.keyboard.type("-");
  // What the page itself takes is given back, with the caret.
  await agent.mirror.click("#thief");
  await expect(customer.page.locator("#thief")).toHaveText("Pressed");
  await expect.poll(focus).toBe("one");
  await customer.page.keyboard.type("+");
  await expect(customer.page.locator("#one")).toHaveValue("hell-+o");
  await agent.page.keyboard.press("Tab");
  await expect(agent.page.getByText("The customer is typing")).toBeVisible();
  expect(await focus()).toBe("one");
  expect(await customer.page.locator("#added").evaluate((added) => added.scrollTop)).toBe(0);
  // Once they rest, the focus goes where the agent presses.
  await expect.poll(async () => {
    await agent.mirror.click("#plain");
    return focus();
  }, { timeout: 15_000 }).toBe("plain");
});

test("lists, boxes, sliders, dates, dialogs and popovers are used like at home", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<select id="many" multiple size="3"><option>a</option><option>b</option><option>c</option></select>
    <input type="radio" name="r" id="r1"><input type="radio" name="r" id="r2"><input type="range" id="range" min="0" max="100" value="50" style="width:200px">
    <input type="date" id="date"><input type="color" id="color"><details id="details"><summary id="summary">More</summary><p>x</p></details>
    <button id="showit">Open</button><dialog id="dialog"><button id="inside">Inside</button></dialog>
    <button id="pop" popovertarget="popover">Pop</button><div id="popover" popover>Popover</div><p id="beside" style="margin-top:200px">beside</p>`, `
    showit.onclick = () => dialog.showModal(); window.said = [];
    for (const id of ["many", "range", "date"]) document.getElementById(id).onchange = () => said.push(id);`);
  const mirror = (selector: string) => agent.page.frameLocator('iframe[title="Customer\'s page"]').locator(selector);
  const said = () => customer.page.evaluate(() => (window as unknown as { said: string[] }).said.join());
  await agent.mirror.click("#r2");
  await expect(customer.page.locator("#r2")).toBeChecked();
  await agent.page.keyboard.press("ArrowUp");
  await expect(customer.page.locator("#r1")).toBeChecked();
  await agent.mirror.click("#summary");
  await expect(customer.page.locator("#details")).toHaveJSProperty("open", true);
  const slider = await agent.mirror.middle("#range");
  await agent.page.mouse.click(slider.x + 60, slider.y);
  await expect.poll(async () => Number(await customer.page.locator("#range").inputValue())).toBeGreaterThan(70);
  await expect.poll(said).toContain("range");
  await agent.mirror.click("#many");
  await expect.poll(() => customer.page.locator("#many").evaluate((many: HTMLSelectElement) => many.selectedOptions.length)).toBe(1);
  await agent.page.keyboard.press("Shift+ArrowUp");
  await expect.poll(() => customer.page.locator("#many").evaluate((many: HTMLSelectElement) => many.selectedOptions.length)).toBe(2);
  expect(await said()).toContain("many");
  await expect(mirror("#date")).toBeVisible();
  await agent.mirror.click("#date");
  await agent.page.keyboard.type("03");
  await agent.page.keyboard.type("04");
  await agent.page.keyboard.type("2024");
  await expect(customer.page.locator("#date")).toHaveValue(/^2024-0[34]-0[34]$/);
  await agent.mirror.click("#showit");
  await expect(customer.page.locator("#dialog")).toBeVisible();
  await agent.page.keyboard.press("Escape");
  await expect(customer.page.locator("#dialog")).toBeHidden();
  // As long as the agent sees it, what is behind it can not be pressed.
  await expect.poll(() => agent.mirror.html("#dialog")).not.toMatch(/^<dialog[^>]* open/);
  await agent.mirror.click("#pop");
  await expect(customer.page.locator("#popover")).toBeVisible();
  await agent.mirror.click("#beside");
  await expect(customer.page.locator("#popover")).toBeHidden();
  await agent.mirror.click("#pop");
  await expect(customer.page.locator("#popover")).toBeVisible();
  await agent.mirror.click("#pop");
  await expect(customer.page.locator("#popover")).toBeHidden();
});

alone("no form leaves because of an agent's action, in whatever way", async ({ customer, agent, session }) => {
  test.setTimeout(90_000);
  await anyStyle(customer);
  await session("/help");
  // A site's script may keep what it will use later.
  await customer.page.evaluate(() => { (window as unknown as { kept: unknown }).kept = HTMLFormElement.prototype.submit; });
  await agent.requestWrite();
  await customer.allow();
  await expect(agent.mode()).toHaveText("Write");
  const sent: string[] = [];
  customer.page.on("request", (request) => { if (request.url().includes("sent=")) sent.push(request.url()); });
  const buttons = Object.values(WAYS).map((way, at) => `<button type="button" class="way" id="way${at}" onclick="${way.replaceAll('"', "'")}">${at}</button>`);
  await put(customer, agent, `<form id="form" action="/help" target="sink"><input name="sent" id="field" value="1"><button id="send">Send</button></form>
    ${buttons.join("")}<iframe name="sink" id="sink"></iframe>`, `
    window.sender = document.querySelector("#form"); sender.addEventListener("submit", () => { document.title = "submitted" });
    const added = document.querySelector("#added");
    window.insert = (name = "id", value = "") => added.insertAdjacentHTML("beforeend", \`<iframe \${name}="\${value}"></iframe>\`);
    window.anew = () => added.appendChild(document.createElement("iframe")).contentWindow;
    window.embedded = () => [...Array(window.length).keys()].map((at) => window[at]).find(({ document }) => document.title === "embedded");
    window.shade = (host) => {
      const root = added.appendChild(host).attachShadow({ mode: "closed" });
      root.innerHTML = "<form action='/help' target='sink'><input name='sent'><button><slot></slot></button></form>";
      return root;
    };
    const { now } = Performance.prototype;
    window.later = (by) => { performance.now = () => now.call(performance) + by; };
    window.slotted = document.createElement("b");
    const host = document.createElement("p");
    host.append(slotted);
    window.shaded = shade(host);`);
  await customer.page.evaluate(async () => {
    const embed = document.createElement("embed");
    embed.type = "text/html";
    embed.src = URL.createObjectURL(new Blob([`<title>embedded</title><form action=${location.origin}/help target=sink><input name=sent></form>`], { type: "text/html" }));
    document.querySelector("#added")?.append(embed);
  });
  await expect.poll(() => customer.page.evaluate(() => !!(window as unknown as { embedded: () => unknown }).embedded())).toBe(true);
  for (const at of buttons.keys()) {
    const refused = agent.page.getByText("Only the customer can use this.");
    await agent.mirror.click(`#way${at}`);
    await expect(refused.first(), Object.keys(WAYS)[at]).toBeVisible();
    await agent.dismiss("Only the customer can use this.");
  }
  await agent.mirror.click("#field");
  await agent.page.keyboard.press("Enter");
  await expect(agent.page.getByText("Only the customer can use this.").first()).toBeVisible();
  expect(sent).toEqual([]);
  await expect(customer.page).not.toHaveTitle("submitted");
  // The customer's own press is theirs, right after an action too.
  await agent.mirror.click("#way6");
  await customer.page.click("#send");
  await expect.poll(() => sent.length).toBeGreaterThan(0);
});

alone("what needs a real gesture is refused, and the customer is shown where to press", { tag: "@whole" }, async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  let opened = 0;
  customer.page.context().on("page", () => { opened += 1; });
  customer.page.on("download", () => { opened += 1; });
  customer.page.on("filechooser", () => { opened += 1; });
  const buttons = Object.values(HANDS).map((way, at) => `<button type="button" id="hand${at}" onclick="${way}">${at}</button>`);
  await put(customer, agent, `<p style="height:80px"></p>${buttons.join("")}<input type="file" id="hidden" hidden><input type="date" id="date">
    <label for="hidden" id="label">Choose a file</label><a id="save" download href="/help">Save</a>`);
  const ring = customer.page.locator("tandem-widget .ask");
  const words = customer.page.locator("tandem-widget .asked");
  for (const selector of [...buttons.keys()].map((at) => `#hand${at}`).concat("#label", "#save")) {
    // The customer has just done something: that was not for this.
    await customer.page.mouse.click(600, 600);
    await agent.mirror.click(selector);
    await expect(ring, selector).toBeVisible();
    await expect(agent.page.getByText("They are shown where to press")).toBeVisible();
    const [around, element] = [await ring.boundingBox(), await customer.page.locator(selector).boundingBox()];
    expect(Math.abs((around?.x ?? 0) - (element?.x ?? 9)), selector).toBeLessThan(2);
    await expect(words).toContainText("The agent asks you to press this.");
    await words.getByRole("button", { name: "Close" }).click();
    await expect(ring).toHaveCount(0);
    await agent.dismiss("They are shown where to press");
  }
  expect(opened).toBe(0);
  await expect(customer.page).not.toHaveTitle("done");
  // It goes when the customer presses, and then it works.
  await agent.mirror.click("#hand0");
  await expect(ring).toBeVisible();
  await customer.page.screenshot({ path: "results/asked.png" });
  const popup = customer.page.context().waitForEvent("page");
  await customer.page.click("#hand0");
  await popup;
  await expect(ring).toHaveCount(0);
});
