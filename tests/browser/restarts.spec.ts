/** A server that ends, in whatever way, ends no session: both go on by themselves once it is back. */
import { expect, startDemo, test as base } from "./rig.ts";

/** A server of its own for each test, which the test may stop. */
const test = base.extend<object, { demo: Awaited<ReturnType<typeof startDemo>> }>({
  demo: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright wants the pattern
    async ({}, use) => {
      const demo = await startDemo();
      await use(demo);
      await demo.stop("SIGKILL");
    },
    { scope: "worker" },
  ],
});

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  test(`after ${signal} and a new start both see the same page within two seconds`, async ({ customer, agent, demo, session }) => {
    await session("/help");
    await agent.requestWrite();
    await customer.allow();
    await expect(agent.mode()).toHaveText("Write");
    await demo.stop(signal);
    await expect(agent.page.getByRole("alert")).toContainText(/reconnect/i);
    const panel = customer.page.getByRole("dialog", { name: "Co-browsing" });
    await expect(panel.getByRole("status")).toContainText(signal === "SIGTERM" ? "being restarted" : "connection was lost");
    await expect(panel.getByRole("timer")).toHaveText(/^4:\d\d$/);
    await expect(agent.page.getByRole("timer")).toHaveText(/^2:\d\d$/);
    await customer.page.evaluate(() => document.querySelector("h1")?.append(" and more"));

    await demo.start();
    const back = Date.now();
    await expect.poll(() => agent.mirror.text("h1"), { intervals: [20] }).toMatch(/ and more$/);
    expect(Date.now() - back).toBeLessThan(2000);
    await expect(agent.mode()).toHaveText("Pointer");
    await customer.allow();
    await expect(agent.mode()).toHaveText("Write");
    await agent.page.getByRole("textbox", { name: "Address" }).fill(`${demo.site}/story`);
    await agent.page.keyboard.press("Enter");
    await customer.page.waitForURL(/\/story$/);
  });
}

test("an agent's login outlives the server", async ({ agent, demo }) => {
  await agent.logIn();
  await expect(agent.page.getByLabel("Session ID")).toBeVisible();
  await demo.stop("SIGKILL");
  await demo.start();
  await agent.page.reload();
  await expect(agent.page.getByLabel("Session ID")).toBeVisible();
});
