/** Fields that the tests of typing put into the page, and what becomes of the typing. */
import { type Agent, type Customer, expect } from "./rig.ts";

/** Puts fields of the test's own into the page, on both screens. */
export async function desk(customer: Customer, agent: Agent, html: string): Promise<void> {
  await customer.page.evaluate((html) => {
    const desk = document.createElement("section");
    desk.id = "desk";
    desk.innerHTML = html;
    document.querySelector("main")?.prepend(desk);
    scrollTo(0, 0);
  }, html);
  await expect.poll(() => agent.mirror.text("#desk")).not.toBeNull();
}

/** Keeps the agent's actions unanswered until what comes back is called. */
export async function unanswered({ page }: Customer): Promise<() => void> {
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  await page.route("**/.tandem/part/acting.js*", async (route) => {
    await gate;
    await route.continue();
  });
  return go;
}

export const valueAt = (customer: Customer, selector: string): Promise<string> =>
  customer.page.locator(selector).evaluate((field: HTMLInputElement) => field.value ?? field.textContent ?? "");
