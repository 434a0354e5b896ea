/** The console speaks the agent's language. */
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test } from "./rig.ts";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

for (const [locale, password, logIn, id, start, exit, frame] of [
  ["de-CH", "Passwort", "Anmelden", "Sitzungs-ID", "Co-Browsing beginnen", "Sitzung beenden", "Seite des Kunden"],
  ["fr-CA", "Mot de passe", "Se connecter", "Code de session", "Commencer la co-navigation", "Quitter la session", "Page du client"],
  ["es", "Contraseña", "Iniciar sesión", "Código de sesión", "Empezar a navegar juntos", "Salir de la sesión", "Página del cliente"],
] as const) {
  test(`in ${locale}`, async ({ browser, customer, demo }) => {
    await customer.open("/help");
    const session = await customer.start();
    const page = await (await browser.newContext({ locale, reducedMotion: "reduce" })).newPage();
    const accessible = async () => {
      const found = await new AxeBuilder({ page }).exclude("iframe").withTags(TAGS).analyze();
      expect(found.violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
    };
    await page.goto(demo.console);
    await expect(page.locator("html")).toHaveAttribute("lang", locale.slice(0, 2));
    await accessible();
    await page.locator("input[name=username]").fill("agent");
    await page.getByLabel(password).fill(demo.password);
    await page.getByRole("button", { name: logIn }).click();
    await page.getByLabel(id).fill(session);
    await accessible();
    await page.getByRole("button", { name: start }).click();
    await expect(page.frameLocator(`iframe[title="${frame}"]`).locator("h1")).toBeVisible();
    await accessible();
    await page.getByRole("button", { name: exit }).click();
    await expect(page.getByRole("button", { name: exit })).toBeHidden();
    await accessible();
    await page.context().close();
  });
}
