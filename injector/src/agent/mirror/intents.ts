/**
 * Says what an event of the agent in the mirror is meant to do: type here, choose there, press this key.
 *
 * Pure: looks at elements, changes nothing.
 */

import type { Modifiers, Point, Typed } from "../../protocol/words.ts";
import { boxOwner } from "../../wire/boxes.ts";

/** Keys with a name that are pressed in the page. */
const NAMED =
  /^(Enter|Escape|Tab|Arrow(Up|Down|Left|Right)|Home|End|PageUp|PageDown|Delete|Backspace|Insert|F\d+)$/;
/** With Ctrl or ⌘, in a field: editing, which the field does itself. */
const EDITING = /^([acvxyz]|Backspace|Delete|Arrow\w+|Home|End)$/i;
/** With Ctrl or ⌘, in an editable element: how what is selected looks. */
const FORMATS: Readonly<Record<string, Typed>> = {
  b: "formatBold",
  i: "formatItalic",
  u: "formatUnderline",
};
/** With Ctrl or ⌘: what people expect of their own browser, tabs, windows, loading and zoom, whatever is in it. */
const BROWSERS = /^([tnwrlq0-9+=_-]|Tab|PageUp|PageDown|F4|F5)$/i;

/** Types of `input` that are pressed rather than typed into. */
const PRESSED = new Set(["checkbox", "radio", "button", "submit", "reset", "image", "file", "hidden"]);
/** Types of `input` with a picker or handle of their own. */
const PICKED = new Set(["range", "date", "time", "month", "week", "datetime-local", "color"]);

export function isTextField(element: Element | null): element is HTMLInputElement | HTMLTextAreaElement {
  if (element?.localName === "textarea") return true;
  return element?.localName === "input" && !PRESSED.has((element as HTMLInputElement).type);
}

/** A `select` or an option of one: the browser's own list is used. */
export function isChoice(element: Element | null): boolean {
  const name = element?.localName;
  return name === "select" || ((name === "option" || name === "optgroup") && !!element?.closest("select"));
}

/** The element whose text is edited as a whole, if this is in one. */
export function editable(element: Element | null): Element | null {
  return (
    element?.closest(
      '[contenteditable=""],[contenteditable="true" i],[contenteditable="plaintext-only" i]',
    ) ?? null
  );
}

/** Whether a text can be put in at a place that is pointed at. */
export function takesText(element: HTMLElement | null): boolean {
  return isTextField(element) ? !PICKED.has(element.type) : element?.isContentEditable === true;
}

const TYPED: Readonly<Record<string, Typed>> = {
  insertText: "insertText",
  insertReplacementText: "insertText",
  insertCompositionText: "insertText",
  insertFromComposition: "insertText",
  insertFromYank: "insertFromPaste",
  insertFromPasteAsQuotation: "insertFromPaste",
  insertFromPaste: "insertFromPaste",
  insertFromDrop: "insertFromDrop",
  insertParagraph: "insertParagraph",
  insertLineBreak: "insertLineBreak",
  deleteContent: "deleteContentBackward",
  deleteContentBackward: "deleteContentBackward",
  deleteContentForward: "deleteContentForward",
  deleteWordBackward: "deleteWordBackward",
  deleteWordForward: "deleteWordForward",
  deleteSoftLineBackward: "deleteSoftLineBackward",
  deleteSoftLineForward: "deleteSoftLineForward",
  deleteHardLineBackward: "deleteSoftLineBackward",
  deleteHardLineForward: "deleteSoftLineForward",
  deleteByCut: "deleteByCut",
  deleteByDrag: "deleteByCut",
  formatBold: "formatBold",
  formatItalic: "formatItalic",
  formatUnderline: "formatUnderline",
  historyUndo: "historyUndo",
  historyRedo: "historyRedo",
};

/** What the browser calls a change of text, as it is sent; null for what is not done for an agent. */
export function typedBy(inputType: string): Typed | null {
  return TYPED[inputType] ?? null;
}

/** Whether a key takes back what was typed, or does it again; null when it does neither. */
export function undoes(event: KeyboardEvent): "historyUndo" | "historyRedo" | null {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "historyRedo" : "historyUndo";
  return key === "y" && !event.shiftKey ? "historyRedo" : null;
}

/** What a key makes of what is selected in an editable element, whatever this browser makes of it; null when nothing. */
export function formats({ key, ctrlKey, metaKey, altKey, shiftKey }: KeyboardEvent): Typed | null {
  return (ctrlKey || metaKey) && !altKey && !shiftKey ? (FORMATS[key.toLowerCase()] ?? null) : null;
}

/** What a key does: it is pressed in the page (`page`), nothing (`null`), or something here (`local`). */
export function pressedKey(event: KeyboardEvent, target: Element | null): "page" | "local" | null {
  const { key } = event;
  const typing = isTextField(target) || editable(target) !== null;
  if (event.isComposing) return "local";
  const command = event.ctrlKey || event.metaKey;
  // What types a character although a key is held with it.
  if (typing && key.length === 1 && (event.getModifierState("AltGraph") || (event.altKey && !command)))
    return "local";
  if (command || event.altKey) {
    if (command && (BROWSERS.test(key) || (event.shiftKey && /^[ijc]$/i.test(key)))) return "local";
    // Back and forward, and the window's own menu.
    if (event.altKey && !command && /^(Arrow(Left|Right)|Home|F4| )$/.test(key)) return "local";
    if ((typing || isChoice(target)) && EDITING.test(key)) return "local";
    return isKey(key) ? "page" : null;
  }
  if (/^F(5|11|12)$/.test(key)) return "local";
  if (key === "Tab") return "page";
  if (isChoice(target)) return "local";
  if (!isKey(key)) return null;
  if (!typing) return "page";
  if (key.length === 1 || /^(Backspace|Delete|Insert)$/.test(key)) return "local";
  if (key === "Escape" || /^F\d/.test(key)) return "page";
  const oneLine = target?.localName === "input";
  if (key === "Enter") return oneLine ? "page" : "local";
  const vertical = key === "ArrowUp" || key === "ArrowDown";
  return oneLine && vertical && !isStepped(target as HTMLInputElement) ? "page" : "local";
}

/** Whether arrows mean a change of the value. */
function isStepped({ type }: HTMLInputElement): boolean {
  return type === "number" || PICKED.has(type);
}

/** Whether a key that is not pressed in the page is typed where the caret is, rather than for the browser itself. */
export function isTyped(event: KeyboardEvent, target: Element | null): boolean {
  if (event.isComposing || !(isTextField(target) || editable(target))) return false;
  if (event.ctrlKey || event.metaKey || event.altKey) return event.getModifierState("AltGraph");
  return event.key.length === 1 || /^(Enter|Backspace|Delete|Arrow\w+|Home|End|Page\w+)$/.test(event.key);
}

/** What a key that is typed does; null for one that moves the caret. */
export function inputOf({ key }: KeyboardEvent): Typed | null {
  if (key.length === 1) return "insertText";
  if (key === "Enter") return "insertParagraph";
  if (key === "Backspace") return "deleteContentBackward";
  return key === "Delete" ? "deleteContentForward" : null;
}

function isKey(key: string): boolean {
  return [...key].length === 1 || NAMED.test(key);
}

/** What is held while something else is done. */
export function modifiersOf({ altKey, ctrlKey, metaKey, shiftKey }: KeyboardEvent | MouseEvent): Modifiers {
  return { alt: altKey, ctrl: ctrlKey, meta: metaKey, shift: shiftKey };
}

/** The innermost element at or above `node`, and where the point is in its box, as fractions. */
export function clickTarget(node: Node | null, at: Point): { element: Element; x: number; y: number } | null {
  const element = (node?.nodeType === 1 ? node : (node?.parentNode ?? null)) as Element | null;
  const box = element && boxOwner(element)?.getBoundingClientRect();
  if (!element || !box) return null;
  return {
    element,
    x: fraction((at.x - box.left) / box.width),
    y: fraction((at.y - box.top) / box.height),
  };
}

function fraction(value: number): number {
  return Math.min(1, Math.max(0, value));
}

/** The element an event is really at, also in shadow roots. */
export function innermost(event: Event): HTMLElement | null {
  for (const at of event.composedPath()) {
    if ((at as Node).nodeType === Node.ELEMENT_NODE) return at as HTMLElement;
  }
  return null;
}
