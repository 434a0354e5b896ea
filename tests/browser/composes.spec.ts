/** Words and letters that are composed, by input methods and dead keys of either, come out as they were meant. */
import type { Page } from "@playwright/test";
import { expect, lasting as test } from "./rig.ts";
import { desk, unanswered, valueAt } from "./typing.ts";

test.describe.configure({ mode: "default" });

/** What an input method shows before it is sure, in the middle of the keys. */
async function compose(page: Page, states: readonly string[], text: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  for (const state of states) {
    await session.send("Input.imeSetComposition", { text: state, selectionStart: state.length, selectionEnd: state.length });
  }
  if (text) await session.send("Input.insertText", { text });
  await session.detach();
}

for (const [kind, html] of [
  ["an input", '<input id="ime">'],
  ["an editable element", '<div id="ime" contenteditable="true" style="min-height:1em"></div>'],
] as const) {
  test(`input methods of both compose in ${kind}`, async ({ customer, agent, writing }) => {
    await writing("/help");
    await desk(customer, agent, html);
    const shown = async () => (await agent.mirror.value("#ime")) ?? (await agent.mirror.text("#ime"));
    await agent.mirror.click("#ime");
    await compose(agent.page, ["に", "にほ", "にほん"], "日本");
    await expect.poll(() => valueAt(customer, "#ime")).toBe("日本");
    await expect.poll(shown).toBe("日本");

    // What the customer is not sure of yet is seen, too.
    await customer.page.locator("#ime").click();
    await customer.page.keyboard.press("End");
    await compose(customer.page, ["ご"], "");
    await expect.poll(shown).toBe("日本ご");
    await compose(customer.page, [], "語");
    await expect.poll(shown).toBe("日本語");
    expect(await valueAt(customer, "#ime")).toBe("日本語");

    // And the agent's goes on after it.
    await agent.mirror.click("#ime");
    await agent.page.keyboard.press("End");
    await compose(agent.page, ["を"], "を");
    await expect.poll(() => valueAt(customer, "#ime")).toBe("日本語を");
    await expect.poll(shown).toBe("日本語を");
  });
}

for (const [kind, html] of [
  ["an input", '<input id="ime" value="start">'],
  ["an editable element", '<div id="ime" contenteditable="true">start</div>'],
] as const) {
  for (const when of ["before", "after"] as const) {
    test(`a word that the agent composes stays behind the letter typed before it, answered ${when} the word is finished, in ${kind}`, async ({ customer, agent, writing }) => {
      const go = await unanswered(customer);
      await writing("/help");
      await desk(customer, agent, `${html}<p id="mark">0</p>`);
      const shown = async () => (await agent.mirror.value("#ime")) ?? (await agent.mirror.text("#ime"));
      /** The page's answer, and all that it has said until then, is with the agent. */
      const answered = async () => {
        go();
        await expect.poll(() => valueAt(customer, "#ime")).toContain("P");
        await customer.page.evaluate(() => {
          const [field, mark] = [document.querySelector("#ime") as HTMLElement, document.querySelector("#mark") as HTMLElement];
          if ("value" in field) field.value = `re-${field.value}`;
          else (field.firstChild as Text).insertData(0, "re-");
          mark.textContent = "1";
        });
        await expect.poll(() => agent.mirror.text("#mark")).toBe("1");
      };
      await agent.mirror.click("#ime");
      await agent.page.keyboard.press("End");
      await agent.page.keyboard.type("P");
      await compose(agent.page, ["に", "にほ"], "");
      await expect.poll(shown).toMatch(/startPにほ$/);
      if (when === "before") await answered();
      await compose(agent.page, ["にほん"], "日本");
      await expect.poll(shown).toMatch(/startP日本$/);
      if (when === "after") await answered();
      await agent.page.keyboard.type("Q");
      await expect.poll(() => valueAt(customer, "#ime")).toBe("re-startP日本Q");
      await expect.poll(shown).toBe("re-startP日本Q");
    });
  }
}

test("a word that is composed over a selection replaces it", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, '<input id="field" value="one two"><div id="host" contenteditable="true">one two</div>');
  for (const id of ["#field", "#host"]) {
    await agent.mirror.click(id);
    await agent.page.keyboard.press("End");
    for (let n = 0; n < 3; n++) await agent.page.keyboard.press("Shift+ArrowLeft");
    await compose(agent.page, ["に"], "日本");
    await expect.poll(() => valueAt(customer, id)).toBe("one 日本");
    await agent.page.keyboard.type("!");
    await expect.poll(() => valueAt(customer, id)).toBe("one 日本!");
  }
});

test("dead keys of the agent make one letter, whether their system composes it or not", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, '<input id="k"><div id="e" contenteditable="true" style="min-height:1em"></div>');
  const session = await agent.page.context().newCDPSession(agent.page);
  const press = async (key: string, code: string, text?: string) => {
    await session.send("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", key, code, text });
    return () => session.send("Input.dispatchKeyEvent", { type: "keyUp", key, code });
  };
  const shown = async (id: string) => (await agent.mirror.value(id)) ?? (await agent.mirror.text(id));
  for (const id of ["#k", "#e"]) {
    await agent.mirror.click(id);
    // As on Linux and Windows: nothing is seen before the second key.
    await (await press("Dead", "BracketLeft"))();
    await (await press("ê", "KeyE", "ê"))();
    await expect.poll(() => valueAt(customer, id)).toBe("ê");
    // The letter is the page's by now, and the caret behind it.
    await expect.poll(() => agent.mirror.caret(id)).toBe(1);
    // As on a Mac: the accent is there, and goes into the letter.
    const accent = await press("Dead", "BracketLeft");
    await session.send("Input.imeSetComposition", { text: "^", selectionStart: 1, selectionEnd: 1 });
    await accent();
    await expect.poll(() => shown(id)).toBe("ê^");
    const letter = await press("ô", "KeyO");
    await session.send("Input.insertText", { text: "ô" });
    await letter();
    await expect.poll(() => valueAt(customer, id)).toBe("êô");
    await expect.poll(() => shown(id)).toBe("êô");
    // And no key was left behind.
    await agent.page.keyboard.type("n");
    await expect.poll(() => valueAt(customer, id)).toBe("êôn");
  }
});
