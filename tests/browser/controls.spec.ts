/** In Pointer mode the agent can only point; in Write mode click, type and choose, but not submit. */
import { rm, writeFile } from "node:fs/promises";
import { expect, lasting as test, test as alone } from "./rig.ts";
import { desk, unanswered } from "./typing.ts";

test.describe.configure({ mode: "default" });

test("in Write mode the agent types, ticks and chooses", async ({ customer, agent, writing }) => {
  await writing("/checkout");
  const form = customer.page.locator("#checkout");
  await form.locator("[name=city]").fill("");
  await expect.poll(() => agent.mirror.value("#checkout [name=city]")).toBe("");
  await agent.mirror.click("#checkout [name=city]");
  await agent.page.keyboard.type("Cambridge, MA", { delay: 15 });
  await expect(form.locator("[name=city]")).toHaveValue("Cambridge, MA");
  await expect.poll(() => agent.mirror.value("#checkout [name=city]")).toBe("Cambridge, MA");
  await agent.page.keyboard.press("Backspace");
  await expect(form.locator("[name=city]")).toHaveValue("Cambridge, M");
  await customer.reveal("#checkout [name=gift]", agent.mirror);
  await agent.mirror.click("#checkout [name=gift]");
  await expect(form.locator("[name=gift]")).toBeChecked();
  await expect.poll(() => agent.mirror.checked("#checkout [name=gift]")).toBe(true);
});

test("the agent's typing reaches the page's scripts like the customer's own", async ({ customer, agent, writing }) => {
  await writing("/checkout");
  await customer.page.locator("#checkout [name=city]").evaluate((field: HTMLInputElement) => {
    field.value = "";
    field.addEventListener("input", () => {
      document.title = `typed ${field.value}`;
    });
  });
  await agent.mirror.click("#checkout [name=city]");
  await agent.page.keyboard.type("abc");
  await expect(customer.page).toHaveTitle("typed abc");
});

test("links work; the page's own buttons work", async ({ customer, agent, writing }) => {
  await writing("/story");
  await customer.reveal("details", agent.mirror);
  await agent.mirror.click("details summary");
  await expect.poll(() => customer.page.locator("details").first().evaluate((d: HTMLDetailsElement) => d.open)).toBe(true);
  await agent.mirror.click("header a[href$='/catalogue']");
  await customer.page.waitForURL("**/catalogue");
  await expect(agent.mode()).toHaveText("Write");
});

test("a submit button does nothing for the agent, unless the policy enables it", async ({ customer, agent, writing }) => {
  await writing("/checkout");
  const button = "#checkout [type=submit]";
  await customer.reveal(button, agent.mirror);
  expect(await agent.mirror.tooltip(button)).toBe("Only the customer can use this");
  await agent.mirror.click(button);
  await expect(agent.page.getByText(/only the customer/i).first()).toBeVisible();
  expect(customer.page.url()).toMatch(/\/checkout$/);

  await customer.page.locator("form.newsletter input[name=email]").fill("ada@example.test");
  await customer.reveal("form.newsletter", agent.mirror);
  await expect.poll(() => agent.mirror.value("form.newsletter input[name=email]")).toBe("ada@example.test");
  const posted = customer.page.waitForRequest((request) => request.method() === "POST" && /newsletter/.test(request.url()));
  await agent.mirror.click("form.newsletter [type=submit]");
  await posted;
  // The agent follows to the page that answers; the test does not leave in the middle of a navigation.
  await customer.page.waitForURL((url) => url.pathname !== "/checkout");
  await expect(agent.page.getByRole("textbox", { name: "Address" })).toHaveValue(customer.page.url());
});

test("a masked field is the customer's alone", async ({ customer, agent, writing }) => {
  await writing("/checkout");
  await customer.reveal("#card-number", agent.mirror);
  await agent.mirror.click("#card-number");
  await agent.page.keyboard.type("4111");
  await expect(agent.page.getByText(/only the customer/i).first()).toBeVisible();
  await expect(customer.page.locator("#card-number")).toHaveValue("");
});

test("the agent scrolls the customer's page", async ({ customer, agent, writing }) => {
  await writing("/story");
  const at = await agent.mirror.middle("h1");
  await agent.page.mouse.move(at.x, at.y);
  await agent.page.mouse.wheel(0, 400);
  await expect.poll(() => customer.page.evaluate(() => Math.round(scrollY))).toBeGreaterThan(100);
});

test("what the agent did to a page that is another one by now is done to nothing of that", async ({ customer, agent, writing }) => {
  const answer = await unanswered(customer);
  await writing("/help");
  await desk(customer, agent, '<button id="aim">Aim</button>');
  await agent.mirror.click("#aim");
  await expect(customer.page.locator("tandem-widget .click")).toBeAttached();
  // For another quirks mode all is told anew, and numbered.
  await customer.page.evaluate(() => {
    document.body.innerHTML = `<button id="last">Last</button><p id="hits"></p>${"<button></button>".repeat(500)}`;
    const hit = (event: Event) => document.querySelector("#hits")?.append(`${(event.target as Element).id || "another"} `);
    document.addEventListener("click", hit, true);
    Object.defineProperty(document, "compatMode", { value: "BackCompat" });
  });
  await expect.poll(() => agent.mirror.text("#hits")).toBe("");
  await agent.mirror.click("#last");
  answer();
  await expect(customer.page.locator("#hits")).toHaveText("last");
});

alone("in Pointer mode nothing happens in the customer's page", async ({ customer, agent, session }) => {
  await session("/checkout");
  await expect(agent.page.getByRole("button", { name: "Back", exact: true })).toBeDisabled();
  await agent.mirror.click("#checkout [name=city]");
  await agent.page.keyboard.type("Nowhere");
  await customer.reveal("#checkout [name=gift]", agent.mirror);
  const circle = customer.page.locator("tandem-widget .click").last().waitFor({ state: "attached" });
  await agent.mirror.click("#checkout [name=gift]");
  // The circle is the click's way to the customer: whatever else the click did would be there as well.
  await circle;
  await expect(customer.page.locator("#checkout [name=gift]")).not.toBeChecked();
  await expect(customer.page.locator("#checkout [name=city]")).not.toHaveValue(/Nowhere/);
});

alone("where all is masked by default, the agent types into what is shown", async ({ customer, agent, demo, writing }) => {
  const file = `${demo.data}/policies/veil.toml`;
  const reloads = () => demo.log().split("changed policies are in force").length;
  const before = reloads();
  try {
    await writeFile(file, 'default = "mask"\nurls = ["/checkout"]\n[[show]]\nselect = "#checkout [name=city]"\n');
    await expect.poll(reloads).toBeGreaterThan(before);
    await writing("/checkout");
    const city = customer.page.locator("#checkout [name=city]");
    await city.fill("");
    await expect.poll(() => agent.mirror.value("#checkout [name=city]")).toBe("");
    await agent.mirror.click("#checkout [name=city]");
    await agent.page.keyboard.type("Leeds");
    await expect(city).toHaveValue("Leeds");
    expect(await agent.mirror.text("h1")).not.toBe(await customer.page.locator("h1").first().textContent());
  } finally {
    await rm(file, { force: true });
  }
});
