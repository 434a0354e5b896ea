/** Administrators see the rules in force, how often each matches, and mistakes in files that are not taken. */
import { readFile, writeFile } from "node:fs/promises";
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
  await page.goto(`${demo.console}/admin`);
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
  await expect(shop).toBeVisible();
  await context.close();

  // An agent who types the address learns nothing.
  await agent.page.goto(`${demo.console}/admin`);
  await expect(agent.page.getByRole("alert")).toHaveText("Only administrators can see this.");
  await expect(agent.page.getByRole("table")).toHaveCount(0);
});
