/** Administrators see the rules in force, how often each matches, and mistakes in files that are not taken. */
import { readFile, writeFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, test } from "./rig.ts";

test("an administrator sees what each rule matches, and a mistake with its place", async ({
  agent,
  browser,
  demo,
  session,
}) => {
  await session("/account");
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto(`${demo.console}/admin/policies`);
  await page.getByLabel("Username").fill("admin");
  await page.getByLabel("Password").fill(demo.password);
  await page.getByRole("button", { name: "Log in" }).click();

  const shop = page.getByRole("region", { name: "shop.toml" });
  const ssn = shop.getByRole("row").filter({ hasText: "#ssn" });
  await expect(ssn.getByRole("cell").last()).toHaveText(/^[1-9]\d*$/);
  await expect(page.getByRole("region", { name: "default.toml" })).toBeVisible();

  const file = `${demo.data}/policies/shop.toml`;
  const good = await readFile(file, "utf8");
  try {
    await writeFile(file, `${good}\n[[mask]]\nselect = "p >"\n`);
    const alert = page.getByRole("alert").filter({ hasText: "mistakes" });
    await expect(alert).toContainText("the selector can not be read");
    await expect(alert).toContainText(/shop\.toml:\d+:\d+/);
    await expect(alert.locator("pre")).toContainText('select = "p >"');
    await expect(ssn).toBeVisible();
    await page.screenshot({ path: "results/admin.png", fullPage: true });
  } finally {
    await writeFile(file, good);
  }
  await expect(page.getByRole("alert")).toHaveCount(0);
  await page.getByRole("button", { name: "To the console" }).click();
  await expect(page.getByLabel("Session ID")).toBeVisible();
  await page.getByRole("button", { name: "Administration" }).click();
  await page.getByRole("link", { name: "Policies" }).click();
  await expect(shop).toBeVisible();
  await context.close();

  // An agent who types the address learns nothing.
  await agent.page.goto(`${demo.console}/admin`);
  await expect(agent.page.getByRole("alert")).toHaveText("Only administrators can see this.");
  await expect(agent.page.getByRole("table")).toHaveCount(0);
});

test("an administrator sees the live sessions and ends one", async ({
  agent,
  browser,
  customer,
  demo,
  session,
}) => {
  const id = await session("/account?mail=ada");
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  // A page of the console runs under its strict policy: nothing is refused, nothing fails.
  const refused: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") refused.push(message.text());
  });
  await page.goto(`${demo.console}/admin`);
  await page.getByLabel("Username").fill("admin");
  await page.getByLabel("Password").fill(demo.password);
  await page.getByRole("button", { name: "Log in" }).click();

  const row = page.getByRole("row").filter({ hasText: id });
  await expect(row).toContainText("Pointer");
  await expect(row).toContainText("agent");
  await expect(row).toContainText("/account");
  await expect(row).not.toContainText("mail=ada");
  await look(page, "sessions");

  await row.getByRole("button", { name: `End ${id}` }).click();
  const dialog = page.getByRole("dialog", { name: `End session ${id}?` });
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await row.getByRole("button", { name: `End ${id}` }).click();
  await page.screenshot({ path: "results/admin-confirm.png" });
  await dialog.getByRole("button", { name: "End" }).click();
  await expect(row).toHaveCount(0);
  await expect(agent.page.getByText("An administrator ended the session.")).toBeVisible();
  await expect(customer.page.locator("tandem-widget")).toContainText(/administrator/i);

  await page.getByRole("link", { name: "Health" }).click();
  await expect(page.getByRole("definition").first()).toHaveText(/^\d+\.\d+/);
  await look(page, "health");
  // The login itself is asked for before there is one.
  expect(refused.filter((text) => !text.includes("401"))).toEqual([]);
  await context.close();
});

test("an administrator ends the logins of an agent", async ({ agent, browser, demo }) => {
  await agent.logIn();
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(`${demo.console}/admin/agents`);
  await page.getByLabel("Username").fill("admin");
  await page.getByLabel("Password").fill(demo.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await look(page, "agents");
  await page.getByRole("button", { name: "Log out agent" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Log out" }).click();
  await expect(page.getByRole("button", { name: "Log out agent" })).toBeDisabled();
  await agent.page.reload();
  await expect(agent.page.getByLabel("Username")).toBeVisible();
  await context.close();
});

test("an agent chooses among the sessions that wait, where they are listed", async ({ agent, customer }) => {
  await customer.open("/");
  const id = await customer.start();
  // The demo does not list them; what the server says where it does is tested there.
  await agent.page.route("**/console/waiting", (route) =>
    route.fulfill({
      json: {
        sessions: [
          {
            sessionId: id,
            age: 130,
            agentName: null,
            interactionId: "chat-4711",
            metadata: { queue: "sales", language: "German" },
          },
        ],
      },
    }),
  );
  await agent.logIn();
  const list = agent.page.getByRole("region", { name: "Customers who wait" });
  await expect(list).toContainText("for 2 min");
  await expect(list).toContainText("queue: sales");
  await look(agent.page, "waiting");
  await list.getByRole("button", { name: `Join ${id}` }).click();
  await expect(agent.page.getByRole("status", { name: "Mode" })).toHaveText("Pointer");
});

/** Pictures to look at: light and wide, dark and narrow. */
async function look(page: Page, name: string): Promise<void> {
  const size = page.viewportSize();
  for (const [width, colorScheme] of [[1280, "light"], [800, "dark"]] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await page.screenshot({ path: `results/admin-${name}-${colorScheme}.png`, animations: "disabled" });
  }
  await page.emulateMedia({ colorScheme: null });
  if (size) await page.setViewportSize(size);
}
