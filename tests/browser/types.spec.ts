/** Both type at once: nothing is lost, and the page has the last word. */
import { expect, put, lasting as test } from "./rig.ts";
import { desk, unanswered, valueAt } from "./typing.ts";

test.describe.configure({ mode: "default" });

for (const [kind, html] of [
  ["an input", '<input id="both" value="start">'],
  ["a textarea", '<textarea id="both" rows="4">start</textarea>'],
  ["an editable element", '<div id="both" contenteditable="true">start</div>'],
] as const) {
  test(`both type at once in ${kind} and nothing is lost`, async ({ customer, agent, writing }) => {
    await writing("/help");
    await desk(customer, agent, html);
    await customer.page.locator("#both").click();
    await customer.page.keyboard.press("Home");
    await agent.mirror.click("#both");
    await agent.page.keyboard.press("End");
    const [theirs, own] = ["the quick brown fox jumps over", "PACK MY BOX WITH FIVE JUGS"];
    await Promise.all([
      customer.page.keyboard.type(theirs, { delay: 12 }),
      agent.page.keyboard.type(own, { delay: 15 }),
    ]);
    const text = (whole: string) => whole.replaceAll("\u00a0", " ");
    const all = async () => text(await valueAt(customer, "#both"));
    await expect.poll(all).toMatch(/JUGS/);
    await expect.poll(async () => (await all()).replace(/[^A-Z]/g, "")).toBe(own.replace(/[^A-Z]/g, ""));
    expect((await all()).replace("start", "").replace(/[^a-z]/g, "")).toBe(theirs.replace(/[^a-z]/g, ""));
    await expect.poll(async () => text((await agent.mirror.value("#both")) ?? (await agent.mirror.text("#both")) ?? "")).toBe(await all());
    // The customer goes on where they were.
    await customer.page.keyboard.type("!");
    await expect.poll(all).toMatch(/over!/);
  });
}

for (const [kind, html] of [
  ["a field", '<input id="both" value="abcdefghij">'],
  ["an editable element", '<div id="both" contenteditable="true">abcdefghij</div>'],
] as const) {
  test(`what either types in ${kind} stays, whatever the other has selected or takes back`, async ({ customer, agent, writing }) => {
    await writing("/help");
    await desk(customer, agent, html);
    const becomes = (text: string) => expect.poll(() => valueAt(customer, "#both")).toBe(text);
    const { keyboard } = customer.page;
    await agent.mirror.click("#both");
    await agent.page.keyboard.press("Control+a");
    await agent.page.keyboard.press("ArrowLeft");
    // The agent puts something in right before what the customer has selected, who types over that.
    await customer.page.locator("#both").click();
    await keyboard.press("Control+a");
    await agent.page.keyboard.type("1");
    await becomes("1abcdefghij");
    await keyboard.type("new");
    await becomes("1new");
    await expect.poll(async () => (await agent.mirror.value("#both")) ?? agent.mirror.text("#both")).toBe("1new");
    // The agent types over everything while the customer, of whom nothing is heard yet, puts something into it.
    await agent.page.keyboard.press("Control+a");
    await customer.page.route("**/hold", async (route) => {
      await agent.page.keyboard.type("N");
      await route.fulfill({ body: "" });
    });
    await customer.page.evaluate(() => {
      const request = new XMLHttpRequest();
      request.open("GET", "/hold", false);
      request.send();
      const both = document.querySelector("#both") as HTMLInputElement;
      if (both.localName === "input") both.setRangeText("!", 2, 2);
      else (both.firstChild as Text).insertData(2, "!");
      both.dispatchEvent(new InputEvent("input", { bubbles: true }));
    });
    await becomes("N!");
    // Of an editable element browsers know only one undo for both.
    await keyboard.type("?");
    const both = await valueAt(customer, "#both");
    await agent.page.keyboard.press("Control+z");
    if (kind === "a field") await expect.poll(() => valueAt(customer, "#both")).toMatch(/^1?new!\?$/);
    else {
      await expect(agent.page.getByText(/customer is typing/i).first()).toBeVisible();
      expect(await valueAt(customer, "#both")).toBe(both);
    }
  });
}

test("what comes late into the field before takes no key from the next one", async ({ customer, agent, writing }) => {
  await writing("/help");
  await put(customer, agent, "<input id=one><br><input id=two>");
  await customer.page.evaluate(() => {
    // A page that is busy for a while with the first letter.
    const busy = () => {
      for (const end = performance.now() + 400; performance.now() < end; );
    };
    document.querySelector("#one")?.addEventListener("input", busy, { once: true });
  });
  await agent.mirror.click("#one");
  await agent.page.keyboard.type("ab");
  await agent.mirror.click("#two");
  const text = "what is typed goes on here";
  await agent.page.keyboard.type(text, { delay: 30 });
  await expect.poll(() => customer.page.inputValue("#two")).toBe(text);
  expect(await customer.page.inputValue("#one")).toBe("ab");
});

test("what a field becomes before the agent's click is answered is seen, and stays", async ({ customer, agent, writing }) => {
  const answer = await unanswered(customer);
  await writing("/help");
  await desk(customer, agent, '<input id="typed" value="start"><input id="cleared" value="start"><textarea id="lines">start</textarea>');
  for (const [field, becomes, end] of [["#typed", "the start", "the startP"], ["#cleared", "", "P"], ["#lines", "new", "newP"]] as const) {
    await agent.mirror.click(field);
    await agent.page.keyboard.press("End");
    await customer.page.locator(field).evaluate((element: HTMLInputElement, value) => {
      element.value = value;
    }, becomes);
    await expect.poll(() => agent.mirror.value(field)).toBe(becomes);
    await agent.page.keyboard.type("P");
    await expect.poll(() => agent.mirror.value(field)).toBe(end);
  }
  answer();
  for (const [field, end] of [["#typed", "the startP"], ["#cleared", "P"], ["#lines", "newP"]] as const) {
    await expect.poll(() => valueAt(customer, field)).toBe(end);
    await expect.poll(() => agent.mirror.value(field)).toBe(end);
  }
});

test("a text that the page goes on changing takes what the agent types", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, '<div id="both" contenteditable="true">start</div>');
  await agent.mirror.click("#both");
  await agent.page.keyboard.press("End");
  await customer.page.locator("#both").evaluate((host) => {
    setInterval(() => (host.firstChild as Text).insertData(0, "."), 10);
  });
  await expect.poll(() => agent.mirror.text("#both")).toMatch(/^\.+start$/);
  await agent.page.keyboard.type("ABC", { delay: 20 });
  await expect.poll(() => valueAt(customer, "#both")).toMatch(/^\.+startABC$/);
  await expect.poll(() => agent.mirror.text("#both")).toMatch(/^\.+startABC$/);
});

test("colours, dates and ranges that the agent sets", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(
    customer,
    agent,
    '<input id="colour" type="color" value="#102030"><input id="day" type="date" value="2025-01-31"><input id="range" type="range" min="0" max="10" value="3">',
  );
  await customer.page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    for (const type of ["input", "change"]) {
      document.addEventListener(type, ({ target }) => {
        const { id, value } = target as HTMLInputElement;
        heard.push(`${type} ${id} ${value}`);
      });
    }
  });
  const mirror = agent.page.frameLocator('iframe[title="Customer\'s page"]');
  // What a palette does: the browser sets the value, then says so.
  for (const [id, value] of [["colour", "#ff8000"], ["day", "2026-02-28"], ["range", "7"]] as const) {
    await mirror.locator(`#${id}`).fill(value);
    await expect.poll(() => valueAt(customer, `#${id}`)).toBe(value);
    await expect
      .poll(() => customer.page.evaluate(() => (window as unknown as { heard: string[] }).heard))
      .toEqual(expect.arrayContaining([`input ${id} ${value}`, `change ${id} ${value}`]));
    await expect.poll(() => agent.mirror.value(`#${id}`)).toBe(value);
  }
  await agent.mirror.click("#range");
  await expect.poll(() => valueAt(customer, "#range")).toBe("5");
  // A date of which a part is taken away is none any more.
  await mirror.locator("#day").focus();
  await agent.page.keyboard.press("Backspace");
  await expect.poll(() => valueAt(customer, "#day")).toBe("");
  await agent.page.keyboard.type("3");
  await expect.poll(() => valueAt(customer, "#day")).toBe("2026-03-28");
});

test("half a number is seen to be there, and is no number", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, '<input id="some" type="number" placeholder="how many"><input id="next">');
  const some = customer.page.locator("#some");
  const prompt = async () => /placeholder="([^"]*)"/.exec((await agent.mirror.html("#some")) ?? "")?.[1];
  await some.pressSequentially("12e");
  await expect.poll(prompt).toBe("…");
  expect(await agent.mirror.value("#some")).toBe("");
  await some.press("3");
  await expect.poll(() => agent.mirror.value("#some")).toBe("12e3");
  expect(await prompt()).toBe("how many");
  // What the agent has typed so is on their own screen only, until they go elsewhere.
  const mirrored = agent.page.frameLocator('iframe[title="Customer\'s page"]').locator("#some");
  const halfTyped = () => mirrored.evaluate((field: HTMLInputElement) => field.validity.badInput);
  await some.fill("");
  await customer.page.locator("#next").click();
  await agent.mirror.click("#some");
  await agent.page.keyboard.type("-");
  await expect.poll(halfTyped).toBe(true);
  await agent.page.keyboard.type("5");
  await expect.poll(() => valueAt(customer, "#some")).toBe("-5");
  await agent.page.keyboard.type("e");
  await expect.poll(() => valueAt(customer, "#some")).toBe("");
  await expect.poll(halfTyped).toBe(true);
  await agent.mirror.click("#next");
  await expect.poll(halfTyped).toBe(false);
  expect(await agent.mirror.value("#some")).toBe("");
});

test("the page has the last word: formatters, filters, limits; what can not be typed into says so", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(
    customer,
    agent,
    `<input id="card"><input id="digits"><input id="short" maxlength="5"><input id="number" type="number">
     <input id="mail" type="email"><input id="date" type="date"><input id="fixed" readonly value="fixed"><input id="off" disabled value="off">`,
  );
  await customer.page.evaluate(() => {
    const field = (id: string) => document.querySelector(`#${id}`) as HTMLInputElement;
    field("card").addEventListener("input", () => {
      field("card").value = field("card").value.replace(/\D/g, "").replace(/(\d{4})(?=\d)/g, "$1 ");
    });
    field("digits").addEventListener("keypress", (event) => /\d/.test((event as KeyboardEvent).key) || event.preventDefault());
  });
  for (const [id, typed, value] of [
    ["card", "123456789", "1234 5678 9"],
    ["digits", "1a2b3", "123"],
    ["short", "abcdefgh", "abcde"],
    ["number", "12.5", "12.5"],
    ["mail", "ada@example.test", "ada@example.test"],
  ] as const) {
    await agent.mirror.click(`#${id}`);
    await agent.page.keyboard.type(typed, { delay: 5 });
    await expect.poll(() => valueAt(customer, `#${id}`), id).toBe(value);
    await expect.poll(() => agent.mirror.value(`#${id}`), id).toBe(value);
  }
  await agent.mirror.click("#date");
  await agent.page.keyboard.type("12312026");
  await expect.poll(() => valueAt(customer, "#date")).toBe("2026-12-31");
  for (const id of ["fixed", "off"]) {
    await agent.mirror.click(`#${id}`);
    await agent.page.keyboard.type("x");
    await expect(agent.page.getByText(/only the customer/i).first()).toBeVisible();
    expect(await valueAt(customer, `#${id}`)).toBe(id);
  }
});

test("the agent selects, replaces, pastes and takes back, and the customer's words stay", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, `<textarea id="t" rows="5">one two three</textarea><div id="e" contenteditable="true">four five six</div>`);
  const keys = agent.page.keyboard;
  await agent.mirror.click("#t");
  await keys.press("Control+Home");
  for (let n = 0; n < 3; n++) await keys.press("Shift+ArrowRight");
  await keys.type("eins");
  await expect.poll(() => valueAt(customer, "#t")).toBe("eins two three");
  await customer.page.locator("#t").press("End");
  await customer.page.keyboard.type(" and more");
  await expect.poll(() => agent.mirror.value("#t")).toBe("eins two three and more");
  await keys.press("Control+z");
  await expect.poll(() => valueAt(customer, "#t")).toBe("one two three and more");
  await keys.press("Control+y");
  await expect.poll(() => valueAt(customer, "#t")).toBe("eins two three and more");
  await agent.page.evaluate(() => navigator.clipboard.writeText("line 1\nline 2\n"));
  await keys.press("Control+Home");
  await keys.press("Control+v");
  await expect.poll(() => valueAt(customer, "#t")).toBe("line 1\nline 2\neins two three and more");
  await keys.press("Control+a");
  await keys.press("Delete");
  await expect.poll(() => valueAt(customer, "#t")).toBe("");

  await agent.mirror.click("#e");
  await keys.press("Home");
  for (let n = 0; n < 4; n++) await keys.press("Shift+ArrowRight");
  await keys.type("vier");
  await expect.poll(() => valueAt(customer, "#e")).toBe("vier five six");
  await keys.press("Control+Backspace");
  await expect.poll(() => valueAt(customer, "#e")).toMatch(/^\s?five six$/);
  await keys.press("End");
  await keys.press("Enter");
  await keys.type("next");
  await expect.poll(() => customer.page.locator("#e").evaluate((e: HTMLElement) => e.innerText.trim())).toMatch(/five six\n+next/);
  await expect.poll(() => agent.mirror.text("#e")).toMatch(/five six ?next/);

  // Too much at once is refused as a whole.
  await agent.page.evaluate(() => navigator.clipboard.writeText("x".repeat(50_000)));
  await agent.mirror.click("#t");
  await keys.press("Control+v");
  await expect(agent.page.getByText(/too much text/i).first()).toBeVisible();
  expect(await valueAt(customer, "#t")).toBe("");
  expect(await agent.mirror.value("#t")).toBe("");
});

test("what the agent pastes into an editable element keeps its spaces and lines, and comes into view", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, `<div id="normal" contenteditable="true"></div><div id="pre" contenteditable="true"></div>`);
  await customer.page.evaluate(() => {
    for (const { id, style } of document.querySelectorAll<HTMLElement>("#normal, #pre")) {
      style.cssText = `height: 60px; overflow: auto; white-space: ${id === "pre" ? "pre-wrap" : "normal"}`;
    }
  });
  const keys = agent.page.keyboard;
  for (const [id, html] of [
    ["normal", "a&nbsp; b&nbsp; &nbsp;c&nbsp; &nbsp; d<div>&nbsp; e</div>"],
    ["pre", "a  b   c\td\n  e"],
  ] as const) {
    const editor = customer.page.locator(`#${id}`);
    await agent.mirror.click(`#${id}`);
    await agent.page.evaluate(() => navigator.clipboard.writeText("a  b   c\td\n  e"));
    await keys.press("Control+v");
    await expect.poll(() => editor.innerHTML(), id).toBe(html);
    await agent.page.evaluate(() => navigator.clipboard.writeText("\nmore".repeat(30)));
    await keys.press("Control+v");
    const below = () => editor.evaluate((e) => e.scrollHeight - e.clientHeight - e.scrollTop);
    await expect.poll(() => editor.textContent()).toMatch(/(\n?more){30}$/);
    await expect.poll(below, id).toBeLessThan(10);
    await expect.poll(() => agent.mirror.scrollTop(`#${id}`)).toBeGreaterThan(300);
    await editor.evaluate((e) => e.scrollTo(0, 0));
    await expect.poll(() => agent.mirror.scrollTop(`#${id}`)).toBe(0);
    await keys.type("!");
    await expect.poll(below, id).toBeLessThan(10);
  }
});
