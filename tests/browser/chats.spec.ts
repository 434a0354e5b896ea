/** The demo's chat: co-browsing begins and ends with it, and nobody reads an ID aloud or logs in twice. */
import { expect, test } from "./rig.ts";

for (const ends of ["agent", "customer"] as const) {
  test(`co-browsing starts by itself from a chat, and ends with it when the ${ends} ends it`, async ({ customer, browser, demo }) => {
    const { page } = customer;
    const desk = await (await browser.newContext({ viewport: { width: 1500, height: 900 } })).newPage();
    await desk.goto(/chat desk\s+(http\S+)/.exec(demo.log())?.[1] ?? "");
    await customer.open("/help");
    await page.getByRole("button", { name: "Chat with us" }).click();
    await page.getByLabel("Your message").fill("The form does not go through.");
    await page.getByRole("button", { name: "Send" }).click();

    await desk.getByRole("button", { name: /^Customer \d+$/ }).last().click();
    await expect(desk.getByRole("log")).toContainText("The form does not go through.");
    await desk.getByLabel("Your reply").fill("Let me have a look.");
    await desk.getByLabel("Your reply").press("Enter");
    await desk.getByRole("button", { name: "Offer co-browsing" }).click();

    await expect(page.getByRole("log", { name: "Messages" })).toContainText("Let me have a look.");
    await page.getByRole("button", { name: "Share this page" }).click();
    const panel = page.getByRole("dialog", { name: "Co-browsing" });
    await expect(panel).toContainText("Ann has joined");
    const console_ = desk.frameLocator('iframe[title="Co-browsing"]');
    const mirror = console_.frameLocator('iframe[title="Customer\'s page"]');
    await expect(mirror.getByRole("heading", { name: "Stuck? Call us" })).toBeVisible();
    await expect(console_.getByLabel("Password")).toHaveCount(0);

    // It goes on over pages, and so does the chat.
    await customer.open("/catalogue");
    await expect(mirror.locator("h1")).toHaveText((await page.locator("h1").textContent()) ?? "");
    await expect(page.getByRole("log", { name: "Messages" })).toContainText("Let me have a look.");

    await (ends === "agent" ? desk : page).getByRole("button", { name: "End chat" }).click();
    await expect(page.getByRole("status").filter({ hasText: "ended with your conversation" })).toBeVisible();
    await expect(console_.getByText("The conversation with the customer ended.")).toBeVisible();
    await desk.context().close();
  });
}

test("only the desk's own page speaks for it", async ({ demo, request }) => {
  const desk = /chat desk\s+(http\S+)/.exec(demo.log())?.[1];
  const answer = await request.post(`${desk}/chats/1/say`, { data: { text: "forged" } });
  expect(answer.status()).toBe(409);
});
