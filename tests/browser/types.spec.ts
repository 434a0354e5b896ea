/** Both type at once: nothing is lost, nobody's keyboard is taken, and the page hears of it as of any typing. */
import type { Page } from "@playwright/test";
import { expect, test } from "./rig.ts";
import { desk, unanswered, valueAt } from "./typing.ts";

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
});

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

test("each sees where the other one is", async ({ customer, agent, writing }) => {
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
    await agent.page.keyboard.type("new");
    await expect.poll(() => agent.mirror.text(editor)).toBe("new");
    await expect.poll(() => customer.page.evaluate(() =>
      (document.querySelector<HTMLIFrameElement>("#frame")?.contentDocument?.body ?? document.querySelector<HTMLElement>("#host"))?.textContent)).toBe("new");
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
