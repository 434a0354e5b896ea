/** Reloads, second windows and other tabs lose nothing. */
import { expect, test } from "./rig.ts";

test("the agent's reload brings the page back", async ({ customer, agent, session }) => {
  await session("/help");
  const heading = await agent.mirror.text("h1");
  await agent.page.reload();
  await expect.poll(() => agent.mirror.text("h1")).toBe(heading);
  await customer.page.evaluate(() => document.querySelector("h1")?.append(" and more"));
  await expect.poll(() => agent.mirror.text("h1")).toBe(`${heading} and more`);
});

test("a link with the session ID leads the agent to it", async ({ customer, agent }) => {
  await customer.open("/help");
  const id = await customer.start();
  await agent.page.goto(`${customer.demo.site}/?tandem=${id}`);
  expect(agent.page.url()).toBe(`${customer.demo.console}/session/${id}`);
  await agent.page.getByLabel("Username").fill("agent");
  await agent.page.getByLabel("Password").fill(agent.demo.password);
  await agent.page.getByRole("button", { name: "Log in" }).click();
  await expect.poll(() => agent.mirror.text("h1")).toBeTruthy();
});

test("the customer's other tab is shown when it is the one in use", async ({ customer, agent, session }) => {
  await session("/help");
  const other = await customer.page.context().newPage();
  await other.goto(`${customer.demo.site}/story`);
  await expect(agent.page.getByRole("textbox", { name: "Address" })).toHaveValue(/\/story$/);
  await other.close();
});
