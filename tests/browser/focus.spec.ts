/** What is typed is for what has the focus then, and nobody's keyboard is taken. */
import { expect, lasting as test } from "./rig.ts";
import { desk, unanswered, valueAt } from "./typing.ts";

test.describe.configure({ mode: "default" });

for (const [press, into] of [
  ["#line", "#hidden"],
  ["#label", "#name"],
  ["#tool", "#host"],
  ["Tab", "#next"],
] as const) {
  test(`what is typed right after the agent has pressed ${press} is for what has the focus then`, async ({ customer, agent, writing }) => {
    const answer = await unanswered(customer);
    await writing("/help");
    await desk(customer, agent, `<p id="line">A line</p><textarea id="hidden"></textarea><button type="button" id="tool">Tool</button>
      <div id="host" contenteditable="true"></div><label id="label" for="name">Name</label><input id="name"><input id="next" value="old">`);
    await customer.page.evaluate(() => {
      // As an editor does whose lines are no field.
      for (const [pressed, focused] of [["line", "hidden"], ["tool", "host"]] as const) {
        document.getElementById(pressed)?.addEventListener("mousedown", (event) => {
          event.preventDefault();
          document.getElementById(focused)?.focus();
        });
      }
    });
    await agent.mirror.click(press === "Tab" ? "#name" : press);
    if (press === "Tab") await agent.page.keyboard.press("Tab");
    await agent.page.keyboard.type("abx");
    await agent.page.keyboard.press("Backspace");
    await agent.page.keyboard.type("c");
    answer();
    await expect.poll(() => valueAt(customer, into)).toBe("abc");
    await agent.page.keyboard.type("d");
    await expect.poll(() => valueAt(customer, into)).toBe("abcd");
    if (press === "Tab") expect(await valueAt(customer, "#name")).toBe("");
  });
}

test("while the customer types, the agent types elsewhere and takes neither focus, caret nor scroll", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(
    customer,
    agent,
    `<input id="a" value="12345678"><input id="b"><textarea id="c"></textarea><div id="d" contenteditable="true">x</div>`,
  );
  await customer.page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    for (const type of ["focus", "blur", "change", "input"]) {
      document.addEventListener(type, (event) => heard.push(`${type} ${(event.target as Element).id}`), true);
    }
  });
  await customer.page.locator("#a").click();
  await customer.page.keyboard.press("Home");
  for (let n = 0; n < 3; n++) await customer.page.keyboard.press("ArrowRight");
  await customer.page.evaluate(() => (window as unknown as { heard: string[] }).heard.splice(0));
  for (const [id, typed] of [["b", "one"], ["c", "two"], ["d", "three"]] as const) {
    await agent.mirror.click(`#${id}`);
    await agent.page.keyboard.type(typed);
    await expect.poll(() => valueAt(customer, `#${id}`)).toContain(typed);
    await customer.page.keyboard.type("-");
  }
  expect(await valueAt(customer, "#a")).toBe("123---45678");
  const state = await customer.page.evaluate(() => ({
    focus: document.activeElement?.id,
    caret: (document.querySelector("#a") as HTMLInputElement).selectionStart,
    scroll: scrollY,
    heard: (window as unknown as { heard: string[] }).heard,
  }));
  expect(state).toMatchObject({ focus: "a", caret: 6, scroll: 0 });
  // Who validates when a field is left hears that the agent came, typed and left.
  const b = state.heard.filter((event) => event.endsWith(" b"));
  expect(b).toEqual(["focus b", "input b", "input b", "input b", "change b", "blur b"]);
  expect(state.heard.filter((event) => event === "blur a" || event === "focus a")).toEqual([]);
});

for (const [where, html, editor] of [
  ["an editable element", '<div id="host" contenteditable="true">old</div>', "#host"],
  ["the document of a frame", '<iframe id="frame" srcdoc="<body contenteditable=true>old</body>"></iframe>', "#frame >>> body"],
] as const) {
  test(`a button of an editor leaves the keyboard in ${where}, and what is selected`, async ({ customer, agent, writing }) => {
    await writing("/help");
    await desk(customer, agent, `${html}<button type="button" id="tool">Tool</button>`);
    await customer.page.locator("#tool").evaluate((tool) => tool.addEventListener("mousedown", (event) => event.preventDefault()));
    const selected = () => customer.page.evaluate(() => (document.querySelector<HTMLIFrameElement>("#frame")?.contentWindow ?? window).getSelection()?.toString());
    const focused = () => agent.page.evaluate(() => {
      const mirror = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]')?.contentDocument;
      return (mirror?.querySelector<HTMLIFrameElement>("#frame")?.contentDocument ?? mirror)?.hasFocus();
    });
    await expect.poll(() => agent.mirror.text(editor)).toBe("old");
    await agent.mirror.click(editor);
    await agent.page.keyboard.press("Control+a");
    await expect.poll(selected).toBe("old");
    await agent.mirror.click("#tool");
    // What is selected is grey in a document that has not the focus.
    await expect.poll(focused).toBe(true);
    await agent.page.keyboard.type("newer");
    await expect.poll(() => agent.mirror.text(editor)).toBe("newer");
    // The same for what is typed before the press is answered, by a page that takes its time.
    await customer.page.locator("#tool").evaluate((tool) => tool.addEventListener("mousedown", () => {
      const end = performance.now() + 200;
      while (performance.now() < end) {}
    }));
    await agent.page.keyboard.press("Control+a");
    await expect.poll(selected).toBe("newer");
    await agent.mirror.click("#tool");
    await agent.page.keyboard.type("new");
    await expect.poll(() => agent.mirror.text(editor)).toBe("new");
    await expect.poll(() => customer.page.evaluate(() =>
      (document.querySelector<HTMLIFrameElement>("#frame")?.contentDocument?.body ?? document.querySelector<HTMLElement>("#host"))?.textContent)).toBe("new");
  });
}

test("a customer who types in the document of a frame keeps focus and caret there", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, '<input id="other"><iframe id="frame" srcdoc="<body contenteditable=true>words</body>"></iframe>');
  await expect.poll(() => agent.mirror.text("#frame >>> body")).toBe("words");
  await customer.page.frameLocator("#frame").locator("body").click();
  await customer.page.keyboard.press("Home");
  await customer.page.keyboard.type("my ");
  await agent.mirror.click("#other");
  await agent.page.keyboard.type("agent");
  await expect.poll(() => valueAt(customer, "#other")).toBe("agent");
  await customer.page.keyboard.type("own ");
  await expect.poll(() => agent.mirror.text("#frame >>> body")).toBe("my own words");
});

test("Tab selects what is in a line, and leaves a text of several lines as it is", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, '<button type="button" id="on">on</button><input id="line" value="old"><textarea id="lines">kept</textarea>');
  await agent.mirror.click("#on");
  await agent.page.keyboard.press("Tab");
  await agent.page.keyboard.type("new");
  await expect(customer.page.locator("#line")).toHaveValue("new");
  await agent.page.keyboard.press("Tab");
  await expect(customer.page.locator("#lines")).toBeFocused();
  await agent.page.keyboard.type("and ");
  await expect(customer.page.locator("#lines")).toHaveValue("and kept");
});

test("a ring is where a keyboard has led, and not where the agent has pressed", async ({ customer, agent, writing }) => {
  await writing("/help");
  // Nobody has pressed anything there yet: browsers then take what a script does for a keyboard's.
  await customer.page.reload();
  await desk(customer, agent, '<button type="button" id="one">one</button><button type="button" id="two">two</button><input id="name">');
  const focused = () =>
    customer.page.evaluate(() => `${document.activeElement?.id} ${document.activeElement?.matches(":focus-visible")}`);
  await agent.mirror.click("#one");
  await expect.poll(focused).toBe("one false");
  await agent.page.keyboard.press("Tab");
  await expect.poll(focused).toBe("two true");
  await agent.mirror.click("#one");
  await expect.poll(focused).toBe("one false");
  await agent.mirror.click("#name");
  await expect.poll(focused).toBe("name true");
});

test("typing goes on in the field that the page leads to, and not in the customer's", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, `${["a", "b", "c"].map((id) => `<input id="${id}" maxlength="1" size="1">`).join("")}<input id="theirs"><input id="ours">`);
  await customer.page.evaluate(() => {
    const fields = [...document.querySelectorAll<HTMLInputElement>("#desk input")].slice(0, 3);
    for (const [at, field] of fields.entries()) field.addEventListener("input", () => fields[at + 1]?.focus());
  });
  await agent.mirror.click("#a");
  for (const [id, digit, next] of [["a", "1", "b"], ["b", "2", "c"], ["c", "3", "c"]] as const) {
    await agent.page.keyboard.type(digit);
    await expect(customer.page.locator(`#${id}`)).toHaveValue(digit);
    await expect.poll(() => agent.page.frameLocator('iframe[title="Customer\'s page"]').locator(":focus").getAttribute("id")).toBe(next);
  }
  await agent.mirror.click("#ours");
  await agent.page.keyboard.type("x");
  await expect(customer.page.locator("#ours")).toHaveValue("x");
  await customer.page.click("#theirs");
  await customer.page.keyboard.type("mine");
  await expect.poll(() => agent.mirror.value("#theirs")).toBe("mine");
  await agent.page.keyboard.type("yz");
  await expect(customer.page.locator("#ours")).toHaveValue("xyz");
  await expect(customer.page.locator("#theirs")).toHaveValue("mine");
});
