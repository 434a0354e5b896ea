/** Editors and forms of frameworks take the agent's typing as their own user's: their state is asked, not their elements. */
import { bundle } from "./editors/bundle.ts";
import { type Agent, anyStyle, type Customer, expect, test } from "./rig.ts";

async function mount(name: string, customer: Customer, agent: Agent): Promise<void> {
  await customer.page.evaluate(await bundle(name));
  await customer.page.evaluate(() => scrollTo(0, 0));
  await expect.poll(() => agent.mirror.text("#desk")).not.toBeNull();
}

const known = (customer: Customer): Promise<string> =>
  customer.page.evaluate(() => (window as unknown as { known: () => string }).known());

for (const editor of ["prosemirror", "quill", "codemirror", "lexical", "slate"]) {
  test(`${editor} takes what the agent types, deletes, breaks, selects, pastes and takes back`, async ({ customer, agent, writing }) => {
    await anyStyle(customer);
    await writing("/help");
    await mount(editor, customer, agent);
    const keys = agent.page.keyboard;
    const becomes = async (text: string, what: string): Promise<void> => {
      await expect.poll(async () => (await known(customer)).replaceAll("\u00a0", " "), what).toBe(text);
    };
    await expect.poll(() => agent.mirror.size(".editor")).not.toBeNull();
    await agent.mirror.click(".editor");
    await keys.type("Hello word", { delay: 10 });
    await becomes("Hello word", "typed");
    await keys.press("Backspace");
    await keys.type("ld");
    await becomes("Hello world", "deleted and typed");
    await keys.press("Enter");
    await keys.type("second");
    await becomes("Hello world\nsecond", "a line break");
    await expect.poll(() => agent.mirror.text(".editor")).toMatch(/Hello world\s*second/);
    await keys.press("Shift+Home");
    await keys.type("2nd");
    await becomes("Hello world\n2nd", "selected and replaced");
    await agent.page.evaluate(() => navigator.clipboard.writeText("pasted  in\tthe\n  lines"));
    await keys.press("Control+v");
    await becomes("Hello world\n2ndpasted  in\tthe\n  lines", "pasted");
    await keys.press("Control+z");
    // How much an editor takes back at once is its own affair.
    await expect.poll(() => known(customer), "taken back").not.toContain("pasted");
    await keys.press("Control+a");
    await keys.type("x");
    await becomes("x", "all replaced");
    await expect.poll(() => agent.mirror.text(".editor")).toBe("x");
  });
}

test("React, Vue, Svelte and Angular control what the agent types", async ({ customer, agent, writing }) => {
  test.setTimeout(60_000);
  await anyStyle(customer);
  await writing("/help");
  for (const framework of ["react", "vue", "svelte", "angular"]) {
    await mount(framework, customer, agent);
    await expect.poll(() => agent.mirror.value("#notes"), framework).toBe("");
    for (const [id, typed] of [["name", "Ada"], ["digits", "1a2b"], ["notes", "two\nlines"]] as const) {
      await agent.mirror.click(`#${id}`);
      await agent.page.keyboard.type(typed, { delay: 10 });
    }
    await expect.poll(() => known(customer), framework).toBe("ADA|12|two\nlines");
    await expect.poll(() => agent.mirror.value("#name"), framework).toBe("ADA");
    await expect.poll(() => agent.mirror.value("#digits"), framework).toBe("12");
    await agent.mirror.click("#name");
    await agent.page.keyboard.press("End");
    await agent.page.keyboard.press("Backspace");
    await expect.poll(() => known(customer), framework).toBe("AD|12|two\nlines");
    await customer.page.evaluate(() => document.querySelector("#desk")?.remove());
    await expect.poll(() => agent.mirror.text("#desk"), framework).toBeNull();
  }
});
