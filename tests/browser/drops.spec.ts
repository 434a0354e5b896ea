/** What the agent drags onto the page with their own mouse: text goes in where it is dropped, and nothing else goes anywhere. */
import type { CDPSession } from "@playwright/test";
import { type Agent, anyStyle, expect, lasting as test, type Mirror, put } from "./rig.ts";

test.describe.configure({ mode: "default" });

type Data = { items: { mimeType: string; data: string }[]; files?: string[]; dragOperationsMask: number };
type At = { x: number; y: number };

const text = (data: string): Data => ({ items: [{ mimeType: "text/plain", data }], dragOperationsMask: 1 });

/** The end of the text of an element, on the agent's screen. */
async function endOf(mirror: Mirror, selector: string): Promise<At> {
  const [{ x, y }, size] = [await mirror.middle(selector), await mirror.size(selector)];
  return { x: x + (size?.width ?? 0) / 2 - 6, y };
}

/** Drops what comes from elsewhere. */
async function drop(session: CDPSession, at: At, data: Data): Promise<void> {
  for (const type of ["dragEnter", "dragOver", "drop"] as const) await session.send("Input.dispatchDragEvent", { type, ...at, data });
}

/** Drags what is selected at one place to another one, as the browser does it. */
async function dragSelected(agent: Agent, session: CDPSession, from: At, to: At): Promise<void> {
  await session.send("Input.setInterceptDrags", { enabled: true });
  const taken = new Promise<Data>((resolve) => session.once("Input.dragIntercepted", ({ data }) => resolve(data as Data)));
  const send = (type: "mouseMoved" | "mousePressed" | "mouseReleased", at: At, buttons: number) =>
    session.send("Input.dispatchMouseEvent", { type, ...at, buttons, button: buttons || type === "mouseReleased" ? "left" : "none", clickCount: 1 });
  await send("mouseMoved", from, 0);
  await send("mousePressed", from, 1);
  for (const by of [2, 6, 12]) await send("mouseMoved", { x: from.x + by, y: from.y }, 1);
  await drop(session, to, await taken);
  await send("mouseReleased", to, 0);
  await session.send("Input.setInterceptDrags", { enabled: false });
}

test("text that the agent drops goes in where it is dropped, as if pasted", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<input id="field" value="one" style="width:60px;font:16px monospace"><textarea id="lines" style="font:16px monospace;width:200px"></textarea>
    <div id="host" contenteditable="true" style="width:60px;font:16px monospace">one</div>`, `
    window.heard = []; for (const type of ["paste", "beforeinput", "input"]) added.addEventListener(type, (event) =>
      heard.push([event.target.id, type, event.clipboardData?.getData("text/plain") ?? event.inputType].join(" ")));`);
  const session = await agent.page.context().newCDPSession(agent.page);
  const value = (id: string) => customer.page.locator(id).evaluate((field: HTMLInputElement) => field.value ?? field.innerText);
  await drop(session, await endOf(agent.mirror, "#field"), text(" two"));
  await expect.poll(() => value("#field")).toBe("one two");
  await drop(session, await agent.mirror.middle("#lines"), text("first\nsecond"));
  await expect.poll(() => value("#lines")).toBe("first\nsecond");
  await drop(session, await endOf(agent.mirror, "#host"), text(" two"));
  await expect.poll(() => value("#host")).toMatch(/^one\stwo$/);
  // The agent goes on typing there.
  await agent.page.keyboard.type("!");
  await expect.poll(() => value("#host")).toMatch(/^one\stwo!$/);
  await expect.poll(() => agent.mirror.text("#host")).toBe("one two!");
  for (const [id, said] of [["#field", "one two"], ["#lines", "first\nsecond"]] as const)
    await expect.poll(() => agent.mirror.value(id)).toBe(said);
  const heard = await customer.page.evaluate(() => (window as unknown as { heard: string[] }).heard);
  expect(heard.filter((event) => event.startsWith("field"))).toEqual(["field paste  two", "field beforeinput insertFromDrop", "field input insertText"]);
  expect(heard).toContain("host paste  two");
});

test("text that the agent has selected is dragged to another place, and is what they see there", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  const style = "width:300px;font:20px monospace;padding:0;border:0";
  await put(customer, agent, `<input id="from" value="moved" style="${style}"><br><input id="to" style="${style}">
    <div id="host" contenteditable="true" style="${style}"><b id="bold">alpha</b> omega</div><br>
    <div id="mixed" contenteditable="true" style="${style}"><b id="open">open</b> <span data-tandem="mask">CANARY</span></div>`);
  const session = await agent.page.context().newCDPSession(agent.page);
  const value = (id: string) => customer.page.locator(id).evaluate((field: HTMLInputElement) => field.value ?? field.innerText.trim());
  const start = async (id: string) => {
    const [{ x, y }, size] = [await agent.mirror.middle(id), await agent.mirror.size(id)];
    return { x: x - (size?.width ?? 0) / 2 + 20, y };
  };
  await agent.mirror.click("#from");
  await agent.page.keyboard.press("Control+a");
  await dragSelected(agent, session, await start("#from"), await agent.mirror.middle("#to"));
  await expect.poll(() => value("#to")).toBe("moved");
  await expect.poll(() => value("#from")).toBe("");
  // Within one text: it goes away here and comes there.
  await agent.mirror.click("#host");
  await agent.page.keyboard.press("Home");
  for (let n = 0; n < 5; n++) await agent.page.keyboard.press("Shift+ArrowRight");
  await dragSelected(agent, session, await start("#host"), await endOf(agent.mirror, "#host"));
  await expect.poll(() => value("#host")).toMatch(/^omega\s?alpha$/);
  await expect.poll(() => agent.mirror.text("#host")).toMatch(/^omega\s?alpha$/);
  // What is masked stays bullets wherever it is taken, and is not taken away.
  await agent.mirror.click("#open");
  await agent.page.keyboard.press("Control+a");
  await dragSelected(agent, session, await start("#open"), await endOf(agent.mirror, "#to"));
  await expect.poll(() => value("#to")).toMatch(/^moved\s?open •+$/);
  expect(await value("#mixed")).toBe("open CANARY");
});

test("what can not be dropped says so, and nothing of it is typed", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  await put(customer, agent, `<input id="open"><input id="secret" data-tandem="mask" value="CANARY"><input id="fixed" readonly value="fixed">
    <input type="date" id="date"><p id="plain">plain</p>`);
  const session = await agent.page.context().newCDPSession(agent.page);
  const address = agent.page.url();
  for (const [at, data, said] of [
    ["#open", { ...text("x"), files: ["/etc/hostname"] }, /files stay with you/],
    ["#plain", { items: [], files: ["/etc/hostname"], dragOperationsMask: 1 }, /files stay with you/],
    ["#secret", text("x"), /only the customer can use this field/i],
    ["#fixed", text("x"), /only the customer can use this\./i],
    ["#date", text("https://elsewhere.test/"), /can not be done here/],
    ["#plain", text("x"), /can not be done here/],
    ["#open", { items: [{ mimeType: "text/html", data: "<b>x</b>" }], dragOperationsMask: 1 }, /can not be done here/],
    ["#open", text("x".repeat(50_000)), /too much text/],
  ] as const) {
    await drop(session, await agent.mirror.middle(at), data as Data);
    const told = agent.page.getByText(said).first();
    await expect(told, at).toBeVisible();
    await told.locator("..").getByRole("button").first().click();
    await expect(told).toBeHidden();
  }
  // Beside the page a file is not opened in place of the console.
  const opened = await agent.page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(["x"], "x.txt"));
    return ["dragover", "drop"].filter((type) => document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true })));
  });
  expect(opened).toEqual([]);
  // In Pointer mode nothing is typed at all.
  await customer.page.getByRole("button", { name: "Take back control" }).click();
  await expect(agent.mode()).toHaveText("Pointer");
  await drop(session, await agent.mirror.middle("#open"), text("x"));
  expect(agent.page.url()).toBe(address);
  expect(await agent.mirror.value("#open")).toBe("");
  for (const [id, value] of [["#open", ""], ["#secret", "CANARY"], ["#fixed", "fixed"], ["#date", ""]] as const)
    await expect(customer.page.locator(id)).toHaveValue(value);
});
