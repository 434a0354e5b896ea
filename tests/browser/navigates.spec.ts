/** Address, Back, Forward and Refresh in Write mode; nowhere outside the site. */
import { expect, test } from "./rig.ts";

test("address, back, forward and refresh", async ({ customer, agent, writing }) => {
  await writing("/help");
  const address = agent.page.getByRole("textbox", { name: "Address" });
  await address.fill("/story");
  await address.press("Enter");
  await customer.page.waitForURL("**/story");
  await expect(address).toHaveValue(/\/story$/);
  await agent.page.getByRole("button", { name: "Back", exact: true }).click();
  await customer.page.waitForURL("**/help");
  await expect(address).toHaveValue(/\/help$/);
  await agent.page.getByRole("button", { name: "Forward" }).click();
  await customer.page.waitForURL("**/story");
  await expect(address).toHaveValue(/\/story$/);
  await customer.page.evaluate(() => {
    document.title = "not loaded again";
  });
  await agent.page.getByRole("button", { name: "Refresh" }).click();
  await expect(customer.page).not.toHaveTitle("not loaded again");
  await expect(agent.mode()).toHaveText("Write");
});

test("not outside the site, and not where the policy forbids", async ({ customer, agent, writing }) => {
  await writing("/help");
  const before = customer.page.url();
  const address = agent.page.getByRole("textbox", { name: "Address" });
  for (const [target, message] of [
    ["https://elsewhere.test/", /not .*site|outside/i],
    ["/logout", /only the customer|not allowed|can not|can’t|disabled/i],
  ] as const) {
    await address.fill(target);
    await address.press("Enter");
    await expect(agent.page.getByText(message).first()).toBeVisible();
  }
  expect(customer.page.url()).toBe(before);
});
