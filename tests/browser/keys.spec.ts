/** The page hears of the agent's keys what it hears of a keyboard. */
import { expect, lasting as test } from "./rig.ts";
import { desk, valueAt } from "./typing.ts";

test.describe.configure({ mode: "default" });

test("a key of the agent is every event of a key, in order", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, `<input id="k">`);
  await customer.page.evaluate(() => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    for (const type of ["keydown", "keypress", "beforeinput", "input", "keyup"]) {
      document.querySelector("#k")?.addEventListener(type, (event) => {
        const { key, inputType, data } = event as KeyboardEvent & InputEvent;
        heard.push(`${type} ${key ?? inputType} ${data ?? ""}`.trim());
      });
    }
  });
  await agent.mirror.click("#k");
  await agent.page.keyboard.type("ä");
  await expect.poll(() => valueAt(customer, "#k")).toBe("ä");
  await agent.page.keyboard.press("Backspace");
  await expect.poll(() => valueAt(customer, "#k")).toBe("");
  await expect
    .poll(() => customer.page.evaluate(() => (window as unknown as { heard: string[] }).heard))
    .toEqual([
      "keydown ä",
      "keypress ä",
      "beforeinput insertText ä",
      "input insertText ä",
      "keyup ä",
      "keydown Backspace",
      "beforeinput deleteContentBackward",
      "input deleteContentBackward",
      "keyup Backspace",
    ]);
});

test("a mark that the agent types has the numbers of its own key, not those of another one", async ({ customer, agent, writing }) => {
  await writing("/help");
  await desk(customer, agent, `<textarea id="k"></textarea><div id="host" contenteditable="true"></div>`);
  const heard = () => customer.page.evaluate(() => (window as unknown as { heard: string[] }).heard);
  for (const at of ["#k", "#host"]) {
    await customer.page.evaluate((at) => {
      const heard: string[] = [];
      Object.assign(window, { heard });
      for (const type of ["keydown", "keypress"]) {
        document.querySelector(at)?.addEventListener(type, (event) => {
          const { key, code, keyCode } = event as KeyboardEvent;
          heard.push(`${type === "keypress" ? "=" : `${key} ${code}`} ${keyCode}`);
        });
      }
    }, at);
    await agent.mirror.click(at);
    // With keys that, taken for characters, have the numbers of Delete, the arrows, Home and Escape.
    await agent.page.keyboard.type(".'%(A$\n");
    await expect.poll(heard).toEqual([
      ...[". Period 190", "= 46", "' Quote 222", "= 39", "% Digit5 53", "= 37"],
      ...["( Digit9 57", "= 40", "A KeyA 65", "= 65", "$ Digit4 52", "= 36", "Enter Enter 13", "= 13"],
    ]);
  }
});
