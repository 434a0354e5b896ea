/** Each one's caret and selection stay where they belong in the text, and each sees where the other one is. */
import { expect, lasting as test, test as alone } from "./rig.ts";
import { desk, unanswered, valueAt } from "./typing.ts";

test.describe.configure({ mode: "default" });

test("the agent's caret stays where it is in the text when the customer types before it", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, '<input id="both" value="start"><textarea id="lines">start</textarea>');
  for (const field of ["#both", "#lines"]) {
    await agent.mirror.click(field);
    await agent.page.keyboard.press("End");
    await customer.page.locator(field).click();
    await customer.page.keyboard.press("Home");
    await customer.page.keyboard.type("ab ");
    await expect.poll(() => agent.mirror.value(field)).toBe("ab start");
    await agent.page.keyboard.type("X");
    await expect.poll(() => valueAt(customer, field)).toBe("ab startX");
  }
});

test("what the agent typed before they put the caret elsewhere stays where it was typed", async ({ customer, agent, writing }) => {
  const answer = await unanswered(customer);
  await writing("/help");
  await desk(customer, agent, '<div id="both" contenteditable="true">start</div>');
  await agent.mirror.click("#both");
  await agent.page.keyboard.press("End");
  await agent.page.keyboard.type("ab");
  await agent.page.keyboard.press("Backspace");
  await agent.page.keyboard.press("Home");
  answer();
  await expect.poll(() => valueAt(customer, "#both")).toBe("starta");
  await expect.poll(() => agent.mirror.text("#both")).toBe("starta");
  await agent.page.keyboard.type("c");
  await expect.poll(() => valueAt(customer, "#both")).toBe("cstarta");
});

test("the customer's caret stays where they have put it before the agent could do anything", async ({ customer, agent, writing }) => {
  const answer = await unanswered(customer);
  await writing("/help");
  await desk(customer, agent, '<input id="both" value="start">');
  await customer.page.locator("#both").click();
  await customer.page.keyboard.press("Home");
  await agent.mirror.click("#both");
  await agent.page.keyboard.press("End");
  await agent.page.keyboard.type("P");
  answer();
  await expect.poll(() => valueAt(customer, "#both")).toBe("startP");
  await customer.page.keyboard.type("re");
  expect(await valueAt(customer, "#both")).toBe("restartP");
});

alone("each sees where the other one is", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, `<input id="a" value="hello"><textarea id="b" rows="3"></textarea><div style="height:2000px"></div>`);
  const where = customer.page.locator("tandem-widget .whereabouts");
  const outline = where.locator("div").first();
  await expect(where).toHaveCount(0);
  await agent.mirror.click("#b");
  await agent.page.keyboard.type("one two");
  await expect(where).toContainText("agent");
  // Around the field, with a caret behind what was typed, also when the page moves.
  const around = async () => {
    const [field, box] = [await customer.page.locator("#b").boundingBox(), await outline.boundingBox()];
    return field && box ? [box.x - field.x, box.y - field.y, box.width - field.width].map(Math.round) : null;
  };
  await expect.poll(around).toEqual([-3, -3, 6]);
  const caret = async () => (await where.locator("div").nth(1).boundingBox())?.x ?? 0;
  const left = await caret();
  await agent.page.keyboard.press("Home");
  await expect.poll(caret).toBeLessThan(left - 20);
  await customer.page.evaluate(() => scrollTo(0, 40));
  await expect.poll(around).toEqual([-3, -3, 6]);
  expect(await customer.page.locator("#b").evaluate((field) => field.outerHTML)).toBe('<textarea id="b" rows="3"></textarea>');

  // The agent's own caret is not drawn as the customer's; the customer's has their name.
  const theirs = agent.page.locator(".overlay .caret");
  await expect(theirs).toHaveCount(0);
  await customer.page.locator("#a").click();
  await customer.page.keyboard.type("x");
  await expect(theirs).toHaveAttribute("data-name", "Customer");
  await agent.page.keyboard.type("more");
  await expect(where).toBeVisible();
  expect(await customer.page.evaluate(() => document.activeElement?.id)).toBe("a");

  await customer.page.getByRole("button", { name: "Take back control" }).click();
  await expect(where).toHaveCount(0);
});

for (const [where, html, editor] of [
  ["an editable element", '<div id="host" contenteditable="true"><p>some words</p></div>', "#host"],
  ["the document of a frame", '<iframe id="frame" srcdoc="<body contenteditable=true><p>some words</p></body>"></iframe>', "#frame >>> body"],
] as const) {
  test(`what the agent has selected in ${where} is not drawn as the customer's`, async ({ customer, agent, writing }) => {
    await writing("/help");
    await desk(customer, agent, html);
    await expect.poll(() => agent.mirror.text(editor)).toBe("some words");
    await agent.mirror.click(`${editor.replace(" >>> body", " >>> p").replace("#host", "#host p")}`);
    await agent.page.keyboard.press("End");
    await agent.page.keyboard.type("!");
    await expect.poll(() => agent.mirror.text(editor)).toBe("some words!");
    await agent.page.keyboard.press("Control+a");
    const selected = () => customer.page.evaluate(() => (document.querySelector<HTMLIFrameElement>("#frame")?.contentWindow ?? window).getSelection()?.toString().trim());
    await expect.poll(selected).toBe("some words!");
    await customer.page.evaluate(() => document.querySelector("#desk")?.append("next"));
    await expect.poll(() => agent.mirror.text("#desk")).toMatch(/next$/);
    expect(await agent.page.evaluate((editor) => {
      const mirror = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]');
      const frame = mirror?.contentDocument?.querySelector<HTMLIFrameElement>("#frame");
      const view = (editor.includes(">>>") ? frame : mirror)?.contentWindow as (Window & typeof globalThis) | null | undefined;
      return view?.CSS.highlights.size;
    }, editor)).toBe(0);
  });
}

test("what can not be selected is not drawn as selected", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, '<p id="first">first</p><p id="between">between</p><p id="last">last</p>');
  await customer.page.evaluate(() => {
    document.querySelector<HTMLElement>("#between")?.style.setProperty("user-select", "none");
    const [first, last] = [document.querySelector("#first"), document.querySelector("#last")];
    getSelection()?.setBaseAndExtent(first?.firstChild as Text, 2, last?.firstChild as Text, 3);
  });
  const drawn = () => agent.page.evaluate(() => {
    const mirror = document.querySelector<HTMLIFrameElement>('iframe[title="Customer\'s page"]')?.contentWindow as (Window & typeof globalThis) | null | undefined;
    return [...(mirror?.CSS.highlights.values() ?? [])].flatMap((highlight) => [...highlight].map(String));
  });
  await expect.poll(drawn).toEqual(["rst", "las"]);
});
