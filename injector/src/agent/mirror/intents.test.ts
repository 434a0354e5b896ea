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
  assert.equal(pressedKey(key("Enter"), line), "Enter");
  assert.equal(pressedKey(key("ArrowDown"), line), "ArrowDown");
  for (const target of [line, area, rich, button, select, null])
    assert.equal(pressedKey(key("Tab"), target), "Tab");
  for (const target of [line, area, rich, button, null])
    assert.equal(pressedKey(key("Escape"), target), "Escape");
  assert.equal(pressedKey(key(" "), button), "Space");
  assert.equal(pressedKey(key("PageDown"), null), "PageDown");
});

test("letters outside of fields do nothing, shortcuts are the agent's own", () => {
  assert.equal(pressedKey(key("x"), button), null);
  assert.equal(pressedKey(key("Tab", { ctrlKey: true }), button), "local");
  assert.equal(pressedKey(key("Enter", { isComposing: true }), line), "local");
});

test("what is pressed is no text field", () => {
  for (const type of ["checkbox", "radio", "submit", "file"])
    assert.equal(isTextField(element("input", type)), false);
  for (const type of ["text", "date", "range", "email"])
    assert.equal(isTextField(element("input", type)), true);
});

test("a click is aimed at the innermost element with a box", () => {
  const box = (left: number, top: number, width: number, height: number, parentNode: unknown) =>
    ({
      nodeType: 1,
      parentNode,
      getBoundingClientRect: () => ({ left, top, width, height }),
    }) as unknown as Element;
  const outer = box(100, 50, 200, 100, null);
  const empty = box(0, 0, 0, 0, outer);
  const text = { nodeType: 3, parentNode: empty } as unknown as Node;
  assert.deepEqual(clickTarget(text, { x: 150, y: 125 }), { element: outer, x: 0.25, y: 0.75 });
  assert.deepEqual(clickTarget(outer, { x: 90, y: 500 }), { element: outer, x: 0, y: 1 });
  assert.equal(clickTarget(null, { x: 0, y: 0 }), null);
});
