/** The session follows the customer from tab to tab, and stops to look while the customer pauses. */
import { expect, test } from "./rig.ts";

test("new tabs stay in the session, and the agent sees the one that the customer looks at", async ({ customer, agent, session }) => {
  await session("/help");
  const tabs = agent.page.getByRole("list", { name: "Customer’s tabs" }).getByRole("listitem");
  await expect(tabs).toHaveCount(1);
  const first = (await tabs.first().textContent()) ?? "";
  expect(first).toBe(await customer.page.title());

  const [opened] = await Promise.all([
    customer.page.context().waitForEvent("page"),
    customer.page.evaluate(() => window.open("/story", "_blank")),
  ]);
  await expect(agent.page.getByRole("textbox", { name: "Address" })).toHaveValue(/\/story$/);
  await expect(tabs).toHaveCount(2);
  await expect(tabs.nth(1)).toHaveText(await opened.title());
  await expect(tabs.nth(1)).toHaveAttribute("aria-current", "true");
  await expect(agent.page.getByRole("log")).toContainText("another tab");
  await opened.evaluate(() => document.querySelector("h1")?.append(" in the second tab"));
  await expect.poll(() => agent.mirror.text("h1")).toMatch(/ in the second tab$/);
  await customer.page.evaluate(() => document.querySelector("h1")?.append(" in the first tab"));

  await opened.close();
  await customer.page.bringToFront();
  await customer.page.evaluate(() => dispatchEvent(new Event("focus")));
  await expect(agent.page.getByRole("textbox", { name: "Address" })).toHaveValue(/\/help$/);
  await expect.poll(() => agent.mirror.text("h1")).toMatch(/ in the first tab$/);
  await expect(tabs).toHaveCount(1, { timeout: 12_000 });
});

test("tabs that were open before come into the session with their next page, or at the press of the button", async ({ customer, agent }) => {
  const [other, third] = [await customer.page.context().newPage(), await customer.page.context().newPage()];
  for (const page of [other, third]) await page.goto(`${customer.demo.site}/story`);
  await customer.open("/help");
  const id = await customer.start();
  await other.bringToFront();
  await other.getByRole("button", { name: "Co-browse" }).click();
  await expect(other.getByLabel("Session ID")).toHaveText(id);
  await third.goto(`${customer.demo.site}/help`);
  await expect(third.getByLabel("Session ID")).toHaveText(id);
  await customer.page.bringToFront();
  await agent.logIn();
  await agent.join(id);
  await customer.page.getByRole("button", { name: "Exit session" }).click();
  await expect(other.getByRole("button", { name: "Co-browse" })).toBeVisible();
  await expect(agent.page.getByText(/session (has )?ended/i).first()).toBeVisible();
});

test("nothing leaves the browser while the customer pauses, on this page and the next", async ({ customer, agent, session }) => {
  await session("/help");
  const sent: Array<string | Buffer> = [];
  customer.page.on("websocket", (socket) => {
    sent.push(socket.url());
    socket.on("framesent", (frame) => sent.push(frame.payload));
  });
  await customer.page.getByRole("button", { name: "Pause sharing" }).click();
  await expect(agent.page.getByText("The customer has paused sharing").first()).toBeVisible();
  await expect(agent.page.getByRole("textbox", { name: "Address" })).toHaveValue("");
  sent.length = 0;
  await customer.open("/catalogue?secret=canary");
  await expect(customer.page.getByRole("button", { name: "Resume sharing" })).toBeVisible();
  await customer.page.mouse.move(20, 20);
  await customer.page.mouse.click(300, 300);
  expect(sent.filter((frame) => typeof frame !== "string")).toEqual([]);
  expect(sent.join("\n")).not.toMatch(/canary|catalogue|pointer|clicked/);
  await customer.page.getByRole("button", { name: "Resume sharing" }).click();
  await expect(agent.page.getByRole("textbox", { name: "Address" })).toHaveValue(/\/catalogue\?/);
  await expect(agent.page.getByText("The customer has paused sharing")).toBeHidden();
});

test("each side sees a countdown while the other is away", async ({ customer, agent, session }) => {
  await session("/help");
  await customer.page.goto("about:blank");
  const alert = agent.page.getByRole("alert");
  await expect(alert).toContainText("closed the page or went to another website");
  await expect(alert.getByRole("timer")).toHaveText(/^4:\d\d$/);
  await customer.open("/help");
  await expect(alert).toBeHidden();
  await expect.poll(() => agent.mirror.text("h1")).toBeTruthy();
  await agent.page.goto("about:blank");
  const panel = customer.page.getByRole("dialog", { name: "Co-browsing" });
  await expect(panel.getByRole("status").first()).toContainText("has closed the window");
  await expect(panel.getByRole("timer")).toHaveText(/^2:\d\d$/);
});

test("the agent sees at a glance that a connection is slow", async ({ customer, agent, session }) => {
  let tell = (_customer: boolean, _agent: boolean): void => undefined;
  await agent.page.routeWebSocket(/\/socket$/, (socket) => {
    let last = { type: "status", status: {} };
    socket.connectToServer().onMessage((message) => {
      if (typeof message === "string" && message.includes('"type":"status"')) last = JSON.parse(message);
      socket.send(message);
    });
    tell = (customerSlow, agentSlow) =>
      socket.send(JSON.stringify({ ...last, status: { ...last.status, customerSlow, agentSlow } }));
  });
  await session("/help");
  const presence = agent.page.getByRole("status", { name: "Customer", exact: true });
  const own = agent.page.getByText("Your connection is slow");
  await expect(presence).toHaveText("Customer here");
  await expect(own).toBeHidden();
  tell(true, false);
  await expect(presence).toHaveText("Slow connection");
  await expect(own).toBeHidden();
  tell(true, true);
  await expect(own).toBeVisible();
  await agent.page.screenshot({ path: "results/slow.png" });
  tell(false, false);
  await expect(presence).toHaveText("Customer here");
  await expect(own).toBeHidden();
});
