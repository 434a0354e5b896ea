/** Which keys leave as actions, and which stay in the field that the agent types in. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { clickTarget, isTextField, pressedKey } from "./intents.ts";

/** As much of an element as is looked at. */
function element(localName: string, type = "", inside = ""): Element {
  return {
    localName,
    type,
    closest: (list: string) => (inside && list.includes(inside) ? {} : null),
  } as unknown as Element;
}

function key(name: string, modifiers: Partial<KeyboardEvent> = {}): KeyboardEvent {
  return {
    key: name,
    isComposing: false,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    getModifierState: () => false,
    ...modifiers,
  } as KeyboardEvent;
}

const line = element("input", "text");
const area = element("textarea");
const number = element("input", "number");
const button = element("button");
const select = element("select");
const rich = element("p", "", "contenteditable");

test("typing and moving the caret stay in the field", () => {
  for (const field of [line, area, number, rich]) {
    for (const name of ["a", " ", "Backspace", "ArrowLeft", "Home"]) {
      assert.equal(pressedKey(key(name), field), "local", `${name} in ${field.localName}`);
    }
  }
  for (const field of [area, rich]) assert.equal(pressedKey(key("Enter"), field), "local");
  assert.equal(pressedKey(key("ArrowUp"), number), "local");
  assert.equal(pressedKey(key("ArrowDown"), select), "local");
});

test("keys that do something in the page are sent", () => {
  assert.equal(pressedKey(key("Enter"), line), "page");
  assert.equal(pressedKey(key("ArrowDown"), line), "page");
  for (const target of [line, area, rich, button, select, null])
    assert.equal(pressedKey(key("Tab"), target), "page");
  for (const name of ["Escape", "F2"])
    for (const target of [line, area, rich, button, null])
      assert.equal(pressedKey(key(name), target), "page");
  for (const name of [" ", "x", "?", "é", "Delete", "PageDown"])
    assert.equal(pressedKey(key(name), button), "page", name);
  assert.equal(pressedKey(key("Dead"), button), null);
});

test("shortcuts are the site's, but not those of editing in a field and of the agent's own browser", () => {
  const ctrl = { ctrlKey: true };
  for (const name of ["s", "k", "f", "Enter", "z", "Delete"])
    assert.equal(pressedKey(key(name, ctrl), button), "page", name);
  for (const name of ["b", "k", "s", "Enter"])
    for (const field of [line, rich]) assert.equal(pressedKey(key(name, ctrl), field), "page", name);
  for (const name of ["c", "v", "x", "a", "z", "Backspace", "ArrowLeft"])
    for (const field of [line, rich]) assert.equal(pressedKey(key(name, ctrl), field), "local", name);
  for (const name of ["t", "w", "n", "r", "l", "Tab", "1", "+", "-"])
    assert.equal(pressedKey(key(name, ctrl), button), "local", name);
  assert.equal(pressedKey(key("j", { altKey: true }), button), "page");
  assert.equal(pressedKey(key("ArrowLeft", { altKey: true }), button), "local");
  for (const name of ["F5", "F11", "F12"]) assert.equal(pressedKey(key(name), button), "local");
  // What types a character.
  assert.equal(
    pressedKey(key("@", { ctrlKey: true, altKey: true, getModifierState: () => true }), line),
    "local",
  );
  assert.equal(pressedKey(key("ø", { altKey: true }), line), "local");
  assert.equal(pressedKey(key("Enter", { isComposing: true }), line), "local");
});

test("what is pressed is no text field", () => {
  for (const type of ["checkbox", "radio", "submit", "file"])
    assert.equal(isTextField(element("input", type)), false);
  for (const type of ["text", "date", "range", "email"])
    assert.equal(isTextField(element("input", type)), true);
});

test("a click is aimed at the innermost element, by the nearest box", () => {
  const box = (left: number, top: number, width: number, height: number, parentNode: unknown) =>
    ({
      nodeType: 1,
      parentNode,
      getBoundingClientRect: () => ({ left, top, width, height }),
    }) as unknown as Element;
  const outer = box(100, 50, 200, 100, null);
  const empty = box(0, 0, 0, 0, outer);
  const text = { nodeType: 3, parentNode: empty } as unknown as Node;
  assert.deepEqual(clickTarget(text, { x: 150, y: 125 }), { element: empty, x: 0.25, y: 0.75 });
  assert.deepEqual(clickTarget(outer, { x: 90, y: 500 }), { element: outer, x: 0, y: 1 });
  assert.equal(clickTarget(null, { x: 0, y: 0 }), null);
});
