import { expect, test } from "./rig.ts";
const OUT = process.env.LOOK ?? "/tmp/look";
test("look", async ({ customer, agent, session }) => {
  test.setTimeout(120_000);
  const id = await session("/checkout");
  const form = customer.page.locator("#checkout");
  await form.locator("[name=city]").fill("Cambridge");
  await form.locator("[name=card-number]").fill("4111111111111111");
  await customer.page.mouse.move(500, 400);
  await agent.page.mouse.move(700, 500);
  await agent.page.mouse.move(705, 505);
  await agent.page.waitForTimeout(700);
  await customer.page.screenshot({ path: `${OUT}/c-checkout.png` });
  await agent.page.screenshot({ path: `${OUT}/a-checkout.png` });
  await agent.requestWrite();
  await agent.page.waitForTimeout(500);
  await customer.page.screenshot({ path: `${OUT}/c-consent.png` });
  await customer.allow();
  await agent.page.waitForTimeout(500);
  await agent.page.screenshot({ path: `${OUT}/a-write.png` });
  await customer.page.screenshot({ path: `${OUT}/c-write.png` });
  for (const path of ["/account", "/story", "/catalogue", "/app/live", "/"]) {
    await customer.open(path);
    await customer.page.waitForTimeout(1200);
    const name = path.replaceAll("/", "") || "home";
    await customer.page.screenshot({ path: `${OUT}/c-${name}.png` });
    await agent.page.screenshot({ path: `${OUT}/a-${name}.png` });
  }
  await customer.page.locator("tandem-widget").getByRole("button", { name: "Exit session" }).first().click();
  await agent.page.waitForTimeout(600);
  await customer.page.screenshot({ path: `${OUT}/c-ended.png` });
  await agent.page.screenshot({ path: `${OUT}/a-ended.png` });
});
