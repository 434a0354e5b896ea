/** What the policy masks or hides is in nothing that the agent's browser gets, and the customer sees what that is. */
import { rm, writeFile } from "node:fs/promises";
import { Customer, expect, lasting as test, plain, put, test as alone } from "./rig.ts";

test.describe.configure({ mode: "default" });

const TYPED = { password: "hunter2-canary", card: "4111111111111111", code: "737373", once: "918273" };

test("a hidden element is a grey box of its size", async ({ customer, agent, session }) => {
  await session("/account");
  const own = await customer.page.locator(".balance").first().evaluate((element) => {
    const box = element.getBoundingClientRect();
    return { width: Math.round(box.width), height: Math.round(box.height) };
  });
  await expect.poll(() => agent.mirror.size(".balance")).toEqual(own);
});

test("the agent sees at a glance how much they do not see and can not use", async ({ customer, agent, session }) => {
  await session("/account");
  const unseen = agent.page.getByTitle("only the customer sees");
  await expect(unseen).toHaveText("4 private");
  await expect(agent.page.getByTitle("only the customer can use")).toHaveText("3 off");
  await customer.page.locator("#ssn").evaluate((element) => element.remove());
  await expect(unseen).toHaveText("3 private");
});

test("the customer sees by a tooltip what is hidden", async ({ customer, session }) => {
  await session("/account");
  const tooltip = customer.page.locator("tandem-widget [role=tooltip]");
  await expect(tooltip).toBeHidden();
  await customer.page.locator("#new-password").focus();
  await expect(tooltip).toBeVisible();
  await expect(tooltip).toContainText(/hidden from the agent/i);
  await customer.page.locator("#ssn").hover();
  await expect(tooltip).toBeVisible();
});

test("a switch shows the customer all that is hidden, and only the customer", async ({ customer, agent, session }) => {
  await session("/account");
  const outlines = customer.page.locator("tandem-widget .outline");
  const toggle = customer.page.getByRole("switch", { name: "Show what is hidden" });
  await expect(outlines).toHaveCount(0);
  await toggle.check();
  const boxes = () =>
    outlines.evaluateAll((all) =>
      all.map((one) => one.getBoundingClientRect()).map(({ x, y }) => `${Math.round(x)},${Math.round(y)}`),
    );
  const of = (selector: string) =>
    customer.page
      .locator(selector)
      .first()
      .evaluate((element) => element.getBoundingClientRect())
      .then(({ x, y }) => `${Math.round(x)},${Math.round(y)}`);
  for (const hidden of ["#ssn", ".balance", "#new-password"]) {
    await customer.page.locator(hidden).first().scrollIntoViewIfNeeded();
    await expect.poll(async () => (await boxes()).includes(await of(hidden)), { message: hidden }).toBe(true);
  }
  expect(await boxes()).not.toContain(await of("h1"));
  expect(await agent.mirror.html(".outline")).toBe(null);
  await toggle.uncheck();
  await expect(outlines).toHaveCount(0);
});

test("the keyboard reaches the tooltip and the switch", async ({ customer, session }) => {
  await session("/account");
  const toggle = customer.page.getByRole("switch", { name: "Show what is hidden" });
  await toggle.focus();
  await customer.page.keyboard.press("Space");
  await expect(customer.page.locator("tandem-widget .outline").first()).toBeVisible();
  await customer.page.keyboard.press("Space");
  await expect(customer.page.locator("tandem-widget .outline")).toHaveCount(0);
  await customer.page.locator("#new-password").focus();
  await expect(customer.page.locator("tandem-widget [role=tooltip]")).toBeVisible();
});

alone("no secret is in any byte that the agent's browser gets", async ({ customer, agent, session, demo }) => {
  const received: Buffer[] = [];
  agent.page.on("websocket", (socket) => socket.on("framereceived", (frame) => received.push(plain(frame.payload))));
  agent.page.on("response", async (response) => {
    const body = await response.body().catch(() => Buffer.alloc(0));
    received.push(Buffer.from(response.url()), body);
  });
  const sent: Buffer[] = [];
  customer.page.on("websocket", (socket) => socket.on("framesent", (frame) => sent.push(plain(frame.payload))));

  await session("/account");
  await customer.page.locator("#new-password").fill(TYPED.password);
  await expect.poll(() => agent.mirror.value("#new-password")).toBe("••••••••");
  // A password that is shown stays a password.
  await customer.page.locator("#new-password").evaluate((field: HTMLInputElement) => {
    field.type = "text";
  });
  await customer.page.locator("#new-password").pressSequentially("x");
  expect(await agent.mirror.text("#ssn")).toMatch(/^•+$/);
  expect(await agent.mirror.text(".balance")).toBe("");

  await customer.open("/checkout");
  const form = customer.page.locator("#checkout");
  await form.locator("[name=card-number]").fill(TYPED.card);
  await form.locator("[name=card-code]").fill(TYPED.code);
  await form.locator("[name=one-time-code]").fill(TYPED.once);
  await form.locator("[name=city]").fill("Seen by all");
  await expect.poll(() => agent.mirror.value("#checkout [name=city]")).toBe("Seen by all");
  expect(await agent.mirror.value("#card-number")).toMatch(/^•+$/);

  const agentGot = Buffer.concat(received);
  const customerSent = Buffer.concat(sent);
  expect(agentGot.includes("Seen by all"), "the search finds what is there").toBe(true);
  for (const secret of [...Object.values(TYPED), "987-65-4320", "1,284.07"]) {
    expect(agentGot.includes(secret), `${secret} at the agent`).toBe(false);
    expect(demo.log().includes(secret), `${secret} in the log`).toBe(false);
  }
  // The first wall: what is typed does not even leave the customer's browser.
  for (const typed of Object.values(TYPED)) {
    expect(customerSent.includes(typed), `${typed} sent`).toBe(false);
  }
});

alone("what is typed into a withheld field leaves the browser nowhere, also where the page repeats it", async ({
  customer,
  agent,
  session,
}) => {
  // The first wall alone: what the customer's browser sends is looked at, whatever the server makes of it.
  const sent: Buffer[] = [];
  customer.page.on("websocket", (socket) => socket.on("framesent", (frame) => sent.push(plain(frame.payload))));
  const secret = "4929 1234 5678 9011";
  const bare = secret.replaceAll(" ", "");
  await session("/checkout");
  // A page that repeats what is typed as it is typed.
  await customer.page.evaluate(() => {
    const field = document.querySelector<HTMLInputElement>("[name=card-number]");
    const echo = document.createElement("p");
    echo.id = "echo";
    document.body.append(echo);
    field?.addEventListener("input", () => {
      echo.textContent = `You pay with ${field.value}`;
      echo.title = field.value;
      echo.setAttribute("aria-label", field.value.replaceAll(" ", "-"));
      document.title = `Pay with ${field.value}`;
      const city = document.querySelector<HTMLInputElement>("[name=city]");
      if (city) city.value = field.value;
    });
  });
  await customer.page.locator("[name=card-number]").pressSequentially(secret);
  await customer.page.locator("[name=card-code]").focus();
  await customer.page.evaluate((bare) => {
    history.pushState(null, "", `?card=${bare}`);
    document.body.insertAdjacentHTML("beforeend", `<p id=late>Late ${bare}</p>`);
  }, bare);
  await expect.poll(() => agent.mirror.text("#late")).toMatch(/^Late •+$/);
  expect(await agent.mirror.text("#echo")).toMatch(/^You pay with [• ]+$/);
  // And on a page that another one leads to.
  await customer.open("/");
  await customer.page.evaluate((secret) => {
    document.body.insertAdjacentHTML("beforeend", `<p id=next>Thank you for ${secret}</p>`);
  }, secret);
  await expect.poll(() => agent.mirror.text("#next")).toMatch(/^Thank you for [• ]+$/);
  const all = Buffer.concat(sent);
  expect(all.includes("Thank you for"), "the search finds what is there").toBe(true);
  for (const part of [secret, bare, secret.replaceAll(" ", "-"), "4929 1234 5678", "56789011"]) {
    expect(all.includes(part), part).toBe(false);
  }
});

alone("nothing of the page leaves while what finds typed values is still on its way", async ({ customer, agent, session }) => {
  const { page } = customer;
  const sent: Buffer[] = [];
  page.on("websocket", (socket) => socket.on("framesent", (frame) => sent.push(plain(frame.payload))));
  let come = (): void => {};
  const late = new Promise<void>((resolve) => {
    come = resolve;
  });
  const asked = page.waitForRequest("**/.tandem/part/echoes.js*");
  await page.route("**/.tandem/part/echoes.js*", async (route) => {
    await late;
    await route.continue();
  });
  await session("/help");
  await put(customer, agent, `<input id="secret" data-tandem="mask"><p id="echo"></p><p id="other"></p>`);
  await asked;
  await page.locator("#secret").pressSequentially("hunter22");
  // It is complete, gone from the field, and only the page still shows it.
  await page.locator("#secret").blur();
  await page.locator("#secret").fill("");
  await page.evaluate(() => {
    for (const [id, text] of [["echo", "Hello hunter22"], ["other", "came later"]] as const) {
      const shown = document.querySelector(`#${id}`);
      if (shown) shown.textContent = text;
    }
  });
  // Messages go on, after all frames that there are.
  await page.mouse.move(300, 300);
  await expect.poll(() => Buffer.concat(sent).includes('"pointer"')).toBe(true);
  expect(Buffer.concat(sent).includes("came later")).toBe(false);
  come();
  await expect.poll(() => agent.mirror.text("#other")).toBe("came later");
  expect(await agent.mirror.text("#echo")).toBe("Hello ••••••••");
  await expect.poll(() => Buffer.concat(sent).includes('"typed"')).toBe(true);
  expect(Buffer.concat(sent).includes("hunter22")).toBe(false);
});

alone("on a private page the agent reads that it is one, and gets nothing of it", async ({
  customer,
  agent,
  session,
  demo,
}) => {
  const told: string[] = [];
  agent.page.on("websocket", (socket) =>
    socket.on("framereceived", (frame) => told.push(plain(frame.payload).toString("latin1"))),
  );
  await session("/help");
  const reloads = () => demo.log().split("changed policies are in force").length;
  const before = reloads();
  const file = `${demo.data}/policies/private.toml`;
  const veil = agent.page.getByText("The customer is on a private page");
  try {
    await writeFile(file, '[[pause]]\nurls = ["/story"]\n');
    await expect.poll(reloads).toBeGreaterThan(before);
    await expect(veil).toBeHidden();
    const title = await customer.page.locator("h1").textContent();
    await customer.open("/story");
    await expect(veil).toBeVisible();
    const status = customer.page.getByRole("dialog", { name: "Co-browsing" }).getByRole("status").first();
    await expect(status).toHaveText("This page is private. agent sees nothing of it.");
    const since = told.length;
    await customer.page.mouse.move(300, 300);
    await customer.page.mouse.click(320, 340);
    await customer.page.evaluate(() => document.body.append("CANARY-ON-A-PRIVATE-PAGE"));
    const tooltip = customer.page.locator("tandem-widget [role=tooltip]");
    await expect(tooltip).toContainText(/hidden from the agent/i);
    await expect(agent.page.getByRole("textbox", { name: "Address" })).not.toHaveValue(/story/);
    const heard = told.slice(since).join("\n");
    for (const secret of ["CANARY-ON-A", '"type":"clicked"', "/story"]) expect(heard).not.toContain(secret);
    await customer.open("/help");
    await expect(veil).toBeHidden();
    await expect(status).toHaveText("agent has joined and now sees this page.");
    await expect.poll(() => agent.mirror.text("h1")).toBe(title?.replace(/\s+/g, " ").trim());
  } finally {
    await rm(file, { force: true });
  }
});

alone("where the customer points and clicks on what is hidden is told to nobody", async ({ customer, agent, session }) => {
  const told: string[] = [];
  agent.page.on("websocket", (socket) =>
    socket.on("framereceived", (frame) => told.push(plain(frame.payload).toString("latin1"))),
  );
  await session("/account");
  const heard = () => told.filter((text) => text.startsWith('{"type":"clicked"')).length;
  await customer.page.locator(".balance").first().click();
  expect(heard()).toBe(0);
  await customer.page.locator("h1").first().click();
  await expect.poll(heard).toBe(1);
});

alone("what the site keeps out of the page tells nothing of clicks and boxes in it", async ({ customer, agent, session }) => {
  const told: string[] = [];
  agent.page.on("websocket", (socket) =>
    socket.on("framereceived", (frame) => told.push(plain(frame.payload).toString("latin1"))),
  );
  const CANARY = "kept-out-8174";
  customer.page.on("dialog", (dialog) => dialog.accept());
  await session("/help");
  await customer.page.evaluate((canary) => {
    const apart = document.createElement("div");
    apart.dataset.tandem = "ignore";
    apart.innerHTML = `<button type="button" id="key">7</button><form><input id="amount" required></form><iframe></iframe>`;
    document.querySelector("main")?.prepend(apart);
    const inner = apart.querySelector("iframe")?.contentWindow as Window;
    inner.document.body.innerHTML = "<button>8</button>";
    const amount = apart.querySelector("input") as HTMLInputElement;
    amount.setCustomValidity(canary);
    amount.reportValidity();
    inner.alert(canary);
  }, CANARY);
  await customer.page.click("#key");
  await customer.page.frameLocator("main iframe").first().locator("button").click();
  const heard = () => told.filter((text) => text.startsWith('{"type":"clicked"')).length;
  await customer.page.locator("h1").first().click();
  await expect.poll(heard).toBe(1);
  await customer.page.evaluate(() => alert("Of the page"));
  await expect.poll(() => told.some((text) => text.includes("Of the page"))).toBe(true);
  expect(told.filter((text) => text.includes(CANARY))).toEqual([]);
  expect(heard()).toBe(1);
});

alone("on a touch screen, a tap shows the tooltip and a tap elsewhere takes it away", async ({ browser, agent, demo }) => {
  const context = await browser.newContext({ hasTouch: true, viewport: { width: 900, height: 760 } });
  const customer = new Customer(await context.newPage(), demo);
  await customer.logIn();
  await customer.open("/account");
  const id = await customer.start();
  await agent.logIn();
  await agent.join(id);
  const tooltip = customer.page.locator("tandem-widget [role=tooltip]");
  for (const hidden of ["#ssn", ".balance", "#new-password"]) {
    await expect(async () => {
      await customer.page.locator(hidden).first().tap();
      await expect(tooltip).toBeVisible({ timeout: 500 });
    }).toPass();
    await expect(tooltip).toContainText(/agent/i);
    await customer.page.locator("h1").first().tap();
    await expect(tooltip).toBeHidden();
  }
  await context.close();
});
