/** Address, Back, Forward and Refresh in Write mode; nowhere outside the site, and no file. */
import { rm, writeFile } from "node:fs/promises";
import { anyStyle, expect, lasting as test, put, test as alone } from "./rig.ts";

test.describe.configure({ mode: "default" });

test("not outside the site, and not where the policy forbids", async ({ customer, agent, writing }) => {
  await writing("/help");
  const before = customer.page.url();
  const address = agent.page.getByRole("textbox", { name: "Address" });
  for (const [target, message] of [
    ["https://elsewhere.test/", /not .*site|outside/i],
    ["/logout", /only the customer|not allowed|can not|can’t|disabled/i],
  ] as const) {
    await address.fill(target);
    await address.press("Enter");
    await expect(agent.page.getByText(message).first()).toBeVisible();
  }
  expect(customer.page.url()).toBe(before);
});

test("a link that only a script of the page makes something of is pressed, and followed by nobody off the site", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  const before = customer.page.url();
  await put(customer, agent, `<a id="script" href="javascript:void(said.append('script '))">Script</a> <a id="box" href="https://pictures.test/large.png">Box</a>
    <a id="stopped" href="https://pictures.test/stopped">Stopped</a><a id="plain" href="https://pictures.test/">Plain</a><p id="said"></p>`, `
    box.onclick = (event) => { if (!event.defaultPrevented) said.append("box "); event.preventDefault(); };
    stopped.onclick = (event) => { said.append("stopped "); event.stopImmediatePropagation(); };`);
  const gone: string[] = [];
  customer.page.on("framenavigated", (frame) => gone.push(frame.url()));
  const refused = agent.page.getByText(/not on the customer’s site/i);
  for (const id of ["script", "box"]) await agent.mirror.click(`#${id}`);
  await expect(customer.page.locator("#said")).toHaveText("script box");
  await expect(refused).toHaveCount(0);
  await agent.mirror.click("#plain");
  await expect(refused.first()).toBeVisible();
  await agent.mirror.click("#stopped");
  await expect(customer.page.locator("#said")).toHaveText("script box stopped");
  await agent.page.keyboard.press("Escape");
  await expect.poll(() => agent.mirror.text("#said")).toBe("script box stopped");
  expect([customer.page.url(), gone]).toEqual([before, []]);
});

test("a link in a drawing leads no further than another one", async ({ customer, agent, writing }) => {
  await anyStyle(customer);
  await writing("/help");
  const link = (id: string, address: string) => `<a id="${id}" ${address}><rect id="${id}-area" width="90" height="30" x="${id.length * 100}"/></a>`;
  await put(customer, agent, `<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="1200" height="40">
    ${link("a", 'xlink:href="https://elsewhere.test/"')}${link("bb", 'href="https://elsewhere.test/"')}${link("ccc", 'xlink:href="/story"')}</svg>`);
  const before = customer.page.url();
  const asked: string[] = [];
  customer.page.on("request", (request) => { if (request.url().includes("elsewhere")) asked.push(request.url()); });
  for (const id of ["a", "bb"]) {
    await agent.mirror.click(`#${id}-area`);
    await expect(agent.page.getByText(/not on the customer’s site/i), id).toBeVisible();
    await agent.dismiss(/not on the customer’s site/i);
  }
  expect([customer.page.url(), asked]).toEqual([before, []]);
  await agent.mirror.click("#ccc-area");
  await customer.page.waitForURL("**/story");
});

/** What the agent is told, once, of what was refused. */
const OUTSIDE = /off the customer’s site/i;
const CUSTOMER = /only the customer/i;

for (const how of ["by what the browser tells of its history", "by what was written down of it"]) {
  alone(`back and forward lead only where an agent may go, ${how}`, async ({ customer, agent, writing, demo }) => {
    test.setTimeout(90_000);
    if (how.includes("written")) {
      await customer.page.addInitScript(() => Object.defineProperty(window, "navigation", { value: undefined }));
    }
    const back = agent.page.getByRole("button", { name: "Back", exact: true });
    const forward = agent.page.getByRole("button", { name: "Forward" });
    const file = `${demo.data}/policies/story.toml`;
    const reloads = () => demo.log().split("changed policies are in force").length;
    try {
      await writing("/help");
      // Another site comes before this page.
      await customer.page.goto(`${demo.console}/`);
      await customer.open("/help");
      await expect(agent.mode()).toHaveText("Write");
      await back.click();
      await expect(agent.page.getByText(OUTSIDE).first()).toBeVisible();
      await forward.click();
      await expect(agent.page.getByText(OUTSIDE).first()).toBeVisible();
      expect(customer.page.url()).toMatch(/\/help$/);

      // Between pages of the site, and states of one page.
      const address = agent.page.getByRole("textbox", { name: "Address" });
      await address.fill("/story");
      await address.press("Enter");
      await customer.page.waitForURL("**/story");
      // What the page does before it is written down is not certain, so nobody would be taken there.
      if (how.includes("written")) {
        await customer.page.waitForFunction(() => sessionStorage.getItem("tandem-trail")?.includes("/story"));
      }
      await customer.page.evaluate(() => history.pushState(null, "", "/story?part=2"));
      await expect(address).toHaveValue(/part=2$/);
      await back.click();
      await expect(address).toHaveValue(/\/story$/);
      await back.click();
      await expect(address).toHaveValue(/\/help$/);
      await customer.page.waitForURL("**/help");
      await forward.click();
      await expect(address).toHaveValue(/\/story$/);

      // What is denied by address is denied that way, too.
      await address.fill("/help");
      await address.press("Enter");
      await customer.page.waitForURL("**/help");
      await expect(address).toHaveValue(/\/help$/);
      // Only now: that the file of a test before is gone may be heard of late.
      const before = reloads();
      await writeFile(file, '[[navigate]]\nurls = ["/story**"]\nagent = "denied"\n');
      await expect.poll(reloads).toBeGreaterThan(before);
      await back.click();
      await expect(agent.page.getByText(CUSTOMER).first()).toBeVisible();
      expect(customer.page.url()).toMatch(/\/help$/);
    } finally {
      await rm(file, { force: true });
    }
  });
}

alone("address, back, forward and refresh", async ({ customer, agent, writing }) => {
  await writing("/help");
  const address = agent.page.getByRole("textbox", { name: "Address" });
  await address.fill("/story");
  await address.press("Enter");
  await customer.page.waitForURL("**/story");
  await expect(address).toHaveValue(/\/story$/);
  await agent.page.getByRole("button", { name: "Back", exact: true }).click();
  await customer.page.waitForURL("**/help");
  await expect(address).toHaveValue(/\/help$/);
  await agent.page.getByRole("button", { name: "Forward" }).click();
  await customer.page.waitForURL("**/story");
  await expect(address).toHaveValue(/\/story$/);
  await customer.page.evaluate(() => {
    document.title = "not loaded again";
  });
  await agent.page.getByRole("button", { name: "Refresh" }).click();
  await expect(customer.page).not.toHaveTitle("not loaded again");
  await expect(agent.mode()).toHaveText("Write");
});

alone("no file is saved as an agent's doing, and the customer's own are", async ({ customer, agent, writing }) => {
  test.setTimeout(60_000);
  await writing("/account");
  const saved: string[] = [];
  customer.page.on("download", (download) => saved.push(download.suggestedFilename()));
  // Only the answer says that it is a file; and one that the page makes by itself, after a while.
  await customer.page.evaluate(() => {
    const button = document.createElement("button");
    button.id = "make";
    button.type = "button";
    button.textContent = "Make a file";
    button.onclick = () =>
      setTimeout(() => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob(["made"]));
        link.download = "made.txt";
        if (button.dataset.how) link.dispatchEvent(new MouseEvent("click"));
        else link.click();
        button.dataset.how = "event";
        document.title = `made ${link.download}`;
      }, 50);
    document.querySelector("#list")?.before(button);
  });
  await customer.reveal("#list", agent.mirror);
  const refused = agent.page.getByText(CUSTOMER);
  const answered = customer.page.waitForResponse("**/account/orders");
  await agent.mirror.click("#list");
  expect((await answered).status()).toBe(204);
  await expect(refused.first()).toBeVisible();
  for (const _ of ["click", "event"]) {
    await customer.page.evaluate(() => {
      document.title = "not yet";
    });
    await agent.mirror.click("#make");
    await expect(customer.page).toHaveTitle("made made.txt");
  }
  expect(customer.page.url()).toMatch(/\/account$/);
  expect(saved).toEqual([]);

  // At once after the agent did something.
  const own = customer.page.waitForEvent("download");
  await customer.page.locator("#list").click();
  expect((await own).suggestedFilename()).toBe("orders.csv");
  await agent.mirror.click("h1");
  const made = customer.page.waitForEvent("download");
  await customer.page.locator("#make").click();
  expect((await made).suggestedFilename()).toBe("made.txt");
  expect(saved).toEqual(["orders.csv", "made.txt"]);
});
