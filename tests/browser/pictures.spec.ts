/** Takes the pictures of the README: `TANDEM_PICTURES=../../docs/pictures npx playwright test pictures`. */
import { expect, test } from "./rig.ts";

const folder = process.env.TANDEM_PICTURES;

test("pictures of both sides", async ({ customer, agent, session }) => {
  test.skip(!folder, "only when asked for");
  await session("/account");
  await customer.page.mouse.move(390, 330);
  await agent.page.mouse.move(770, 470);
  await agent.page.mouse.move(775, 475);
  await expect(customer.page.locator("tandem-widget .agent")).toBeVisible();
  await expect(agent.page.locator(".pointer")).toBeVisible();
  await expect.poll(() => agent.mirror.text("#ssn")).toContain("•");
  await agent.page.setViewportSize({ width: 1180, height: 860 });
  await agent.page.mouse.move(560, 500);
  await agent.page.mouse.move(565, 505);
  await customer.page.screenshot({ path: `${folder}/customer.png` });
  await agent.page.screenshot({ path: `${folder}/agent.png` });
});
