/** Nothing is shared before the customer agrees, and either side can end it at any moment, for good. */
import { expect, test } from "./rig.ts";

test("nothing leaves the page before an agent has joined", async ({ customer }) => {
  const frames: Array<string | Buffer> = [];
  customer.page.on("websocket", (socket) => socket.on("framesent", (frame) => frames.push(frame.payload)));
  await customer.logIn();
  await customer.open("/account");
  expect(frames).toEqual([]);
  await customer.start();
  await customer.page.locator("#new-password").fill("something");
  await customer.page.mouse.move(10, 10);
  expect(frames.filter((frame) => typeof frame !== "string")).toEqual([]);
});

test("the session ID can be copied, and is taken as people type it", async ({ customer, agent }) => {
  await customer.open("/");
  const id = await customer.start();
  await customer.page.getByRole("button", { name: "Copy" }).click();
  expect(await customer.page.evaluate(() => navigator.clipboard.readText())).toBe(id);
  await agent.logIn();
  await agent.join(id.toLowerCase().replaceAll("-", ""));
  await expect(customer.page.getByRole("status").filter({ hasText: /agent.*joined|joined/i }).first()).toBeVisible();
});

test("a wrong session ID gets a clear message", async ({ agent }) => {
  await agent.logIn();
  await agent.page.getByLabel("Session ID").fill("7KQ-M9X-D4R");
  await agent.page.getByRole("button", { name: "Start co-browse" }).click();
  await expect(agent.page.getByRole("alert")).toContainText(/session/i);
});

test("a wrong password gets a clear message", async ({ agent, demo }) => {
  await agent.page.goto(demo.console);
  await agent.page.getByLabel("Username").fill("agent");
  await agent.page.getByLabel("Password").fill("not the password");
  await agent.page.getByRole("button", { name: "Log in" }).click();
  await expect(agent.page.getByRole("alert")).toContainText(/password/i);
});

test("Not now leaves Pointer mode; Allow gives Write mode; control can be taken back", async ({ customer, agent, session }) => {
  await session("/help");
  await expect(agent.mode()).toHaveText("Pointer");
  await agent.requestWrite();
  await customer.page.getByRole("button", { name: "Not now" }).click();
  await expect(agent.mode()).toHaveText("Pointer");
  await agent.requestWrite();
  await customer.allow();
  await expect(agent.mode()).toHaveText("Write");
  await customer.page.getByRole("button", { name: "Take back control" }).click();
  await expect(agent.mode()).toHaveText("Pointer");
});

test("a script can not press the customer's buttons", async ({ customer, agent, session }) => {
  await session("/help");
  await agent.requestWrite();
  const allow = customer.page.getByRole("button", { name: "Allow" });
  await allow.evaluate((button: HTMLElement) => {
    for (const other of (button.getRootNode() as ShadowRoot).querySelectorAll("button")) other.click();
    button.focus();
    for (const type of ["pointerdown", "pointerup", "mousedown", "mouseup", "click"])
      button.dispatchEvent(new PointerEvent(type, { bubbles: true, composed: true }));
    for (const type of ["keydown", "keypress", "keyup"])
      button.dispatchEvent(new KeyboardEvent(type, { key: "Enter", bubbles: true, composed: true }));
  });
  // What the page says later is heard after it.
  await customer.page.evaluate(() => { document.title = "asked"; });
  await expect(agent.page.getByText("asked").first()).toBeAttached();
  await expect(allow).toBeVisible();
  await expect(agent.mode()).toHaveText("Pointer");
  await customer.allow();
  await expect(agent.mode()).toHaveText("Write");
});

test("consent can be given while the site's own modal dialog is open", async ({ customer, agent, session }) => {
  await session("/story");
  await customer.page.locator("dialog#tasting").evaluate((dialog: HTMLDialogElement) => dialog.showModal());
  await agent.requestWrite();
  await customer.allow();
  await expect(agent.mode()).toHaveText("Write");
});

for (const by of ["customer", "agent"] as const) {
  test(`the ${by}'s exit ends it on both screens, for good`, async ({ customer, agent, session }) => {
    const id = await session("/help");
    await (by === "customer" ? customer : agent).page.getByRole("button", { name: "Exit session" }).first().click();
    await expect(customer.page.getByRole("status").filter({ hasText: /ended/i }).first()).toBeVisible();
    await expect(agent.page.getByText(/session (has )?ended/i).first()).toBeVisible();
    await expect(agent.page.locator('iframe[title="Customer\'s page"]')).toBeHidden();
    await customer.page.reload();
    await expect(customer.page.getByRole("button", { name: "Co-browse" })).toBeVisible();
    await agent.page.goto(agent.demo.console);
    await agent.page.getByLabel("Session ID").fill(id);
    await agent.page.getByRole("button", { name: "Start co-browse" }).click();
    await expect(agent.page.getByRole("alert")).toContainText(/ended/i);
    const next = await customer.start();
    expect(next).not.toBe(id);
  });
}

test("the site's own code can start and end a session", async ({ customer, agent }) => {
  await customer.open("/help");
  const started = await customer.page.evaluate(async () => {
    const tandem = (window as unknown as { Tandem: { start(): Promise<{ sessionId: string }> } }).Tandem;
    return (await tandem.start()).sessionId;
  });
  await agent.logIn();
  await agent.join(started);
  const reason = await customer.page.evaluate(
    () =>
      new Promise((resolve) => {
        const tandem = (window as unknown as { Tandem: { on(e: string, f: (d: unknown) => void): void; exit(): void } }).Tandem;
        tandem.on("ended", (detail) => resolve(JSON.stringify(detail)));
        tandem.exit();
      }),
  );
  expect(reason).toContain("customer_exit");
});

test("what lies under the panel can be reached: it moves aside, and stays there", async ({ customer, session }) => {
  await session("/help");
  const panel = customer.page.getByRole("dialog", { name: "Co-browsing" });
  const corner = await panel.boundingBox();
  const under = { x: (corner?.x ?? 0) + 40, y: (corner?.y ?? 0) + 40 };
  const ours = () =>
    customer.page.evaluate(({ x, y }) => document.elementFromPoint(x, y)?.localName === "tandem-widget", under);
  expect(await ours()).toBe(true);
  await customer.page.getByRole("button", { name: "Move this panel" }).click();
  await expect.poll(ours).toBe(false);
  await customer.open("/catalogue");
  await expect(panel).toBeVisible();
  await expect.poll(ours).toBe(false);
});
