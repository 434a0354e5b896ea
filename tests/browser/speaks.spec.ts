/** The console speaks the agent's language, in its direction, and everybody can use it. */
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "./rig.ts";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Nothing on the page is hard to use; the customer's page in it is the site's. */
async function accessible(page: Page): Promise<void> {
  // Legacy: in the page itself, or it opens another one each time to put frames together.
  const found = await new AxeBuilder({ page }).exclude("iframe").withTags(TAGS).setLegacyMode(true).analyze();
  expect(found.violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
}

for (const [locale, password, logIn, id, start, exit, frame] of [
  ["de-CH", "Passwort", "Anmelden", "Sitzungs-ID", "Co-Browsing beginnen", "Sitzung beenden", "Seite des Kunden"],
  ["fr-CA", "Mot de passe", "Se connecter", "Code de session", "Commencer la co-navigation", "Quitter la session", "Page du client"],
  ["es", "Contraseña", "Iniciar sesión", "Código de sesión", "Empezar a navegar juntos", "Salir de la sesión", "Página del cliente"],
  ["ar-EG", "كلمة المرور", "تسجيل الدخول", "رمز الجلسة", "بدء التصفح المشترك", "إنهاء الجلسة", "صفحة العميل"],
] as const) {
  test(`in ${locale}`, async ({ browser, customer, demo }) => {
    // In one language of either direction: words alone change nothing of that.
    const everybody = locale === "de-CH" || locale === "ar-EG" ? accessible : async (): Promise<void> => {};
    await customer.open("/help");
    const session = await customer.start();
    const page = await (await browser.newContext({ locale, reducedMotion: "reduce" })).newPage();
    await page.goto(demo.console);
    await expect(page.locator("html")).toHaveAttribute("lang", locale.slice(0, 2));
    await expect(page.locator("html")).toHaveAttribute("dir", locale.startsWith("ar") ? "rtl" : "ltr");
    await everybody(page);
    await page.locator("input[name=username]").fill("agent");
    await page.getByLabel(password).fill(demo.password);
    await page.getByRole("button", { name: logIn }).click();
    await page.getByLabel(id).fill(session);
    await everybody(page);
    await page.getByRole("button", { name: start }).click();
    await expect(page.frameLocator(`iframe[title="${frame}"]`).locator("h1")).toBeVisible();
    await everybody(page);
    await page.getByRole("button", { name: exit }).click();
    await expect(page.getByRole("button", { name: exit })).toBeHidden();
    await everybody(page);
    await page.context().close();
  });
}

for (const [locale, colorScheme, title] of [
  ["en", "light", "Administration"],
  ["ar", "dark", "الإدارة"],
  ["de", null, "Administration"],
  ["fr", null, "Administration"],
  ["es", null, "Administración"],
] as const) {
  test(`administrators' pages in ${locale}`, async ({ browser, demo, session }) => {
    if (colorScheme) await session("/account");
    const page = await (await browser.newContext({ locale, colorScheme, reducedMotion: "reduce" })).newPage();
    await page.goto(`${demo.console}/admin/agents`);
    await page.locator("input[name=username]").fill("admin");
    await page.locator("input[name=password]").fill(demo.password);
    await page.keyboard.press("Enter");
    // All are checked once in either scheme and direction; words alone change nothing of that.
    for (const name of colorScheme ? ["agents", "", "policies", "health"] : ["agents"]) {
      await page.locator(`nav a[href="/admin${name && `/${name}`}"]`).click();
      await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
      await expect(page.locator(".policy-file, .panel").first()).toBeVisible();
      if (colorScheme) await accessible(page);
    }
    await page.context().close();
  });
}
