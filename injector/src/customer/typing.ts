/**
 * Changes the text of fields and editable elements as typing does: with the events that a page expects, and its right to refuse.
 */

import { difference } from "./difference.ts";
import { realmOf } from "./realms.ts";

type Field = HTMLInputElement | HTMLTextAreaElement;

/** Longest deletion in an editable element. */
const LONGEST = 2000;

/** The typing of one session. */
export class Typing {
  /** A field whose text was changed and which has not been told so by a `change` event. */
  #unsettled: Field | null = null;
  /** Whether this browser sends `beforeinput` itself when a script edits. */
  #nativeBefore = false;

  /** The field that was typed into before is left: it gets its `change` event. */
  settle(next: Element | null = null): void {
    const field = this.#unsettled;
    if (!field || field === next) return;
    if (next || field.ownerDocument.activeElement !== field) field.blur();
    // Where the browser counts our edits as the user's, leaving the field has sent the event already.
    if (this.#unsettled === field)
      field.dispatchEvent(new (realmOf(field).Event)("change", { bubbles: true }));
    this.#unsettled = null;
  }

  /** Makes `value` the text of a field; the page may make something else of it. */
  setValue(field: Field, value: string, caret: number): void {
    this.settle(field);
    field.focus({ preventScroll: true });
    const wanted = field.maxLength >= 0 ? value.slice(0, field.maxLength) : value;
    if (field.value === wanted) {
      place(field, caret);
      return;
    }
    this.#unsettled = field;
    field.addEventListener(
      "change",
      () => {
        if (this.#unsettled === field) this.#unsettled = null;
      },
      { once: true },
    );
    let { start, end, insert } = difference(field.value, wanted, caret);
    const ranged = field.selectionStart !== null;
    if (!ranged) [start, end, insert] = [0, field.value.length, wanted];
    const key =
      insert.length === 1 && start === end ? insert : start === end - 1 && !insert ? "Backspace" : "";
    if (key && !press(field, "keydown", key)) return;
    const before = field.value;
    if (ranged) field.setSelectionRange(start, end);
    else if (typeof field.select === "function") field.select();
    const refused = !this.#edit(field, insert ? "insertText" : "deleteContentBackward", insert);
    if (!refused && field.value === before && isPlain(field)) setDirectly(field, wanted, insert);
    else if (!refused && !isPlain(field)) setDirectly(field, wanted, insert);
    if (key) press(field, "keyup", key);
    if (field.value === wanted) place(field, caret);
  }

  /** Puts text in place of the selection of an editable element. */
  edit(host: HTMLElement, node: Node, offset: number, remove: number, insert: string): void {
    this.settle(host);
    host.focus({ preventScroll: true });
    const selection = host.ownerDocument.getSelection();
    if (!selection) return;
    selection.collapse(node, Math.min(offset, lengthOf(node)));
    if (remove > 0 && node.nodeType === Node.TEXT_NODE && remove <= offset) {
      selection.setBaseAndExtent(node, offset - remove, node, Math.min(offset, lengthOf(node)));
    } else {
      for (let count = Math.min(remove, LONGEST); count > 0; count--) {
        selection.modify("extend", "backward", "character");
      }
    }
    if (insert === "\n") this.#edit(host, "insertParagraph", "");
    else if (insert) this.#edit(host, "insertText", insert);
    else if (remove > 0) this.#edit(host, "deleteContentBackward", "");
  }

  /** A line break where the caret is. */
  newLine(field: HTMLElement): void {
    if (field.localName === "textarea") {
      if (field !== this.#unsettled) this.settle(field);
      this.#unsettled = field as HTMLTextAreaElement;
      this.#edit(field, "insertLineBreak", "\n");
    } else {
      this.#edit(field, "insertParagraph", "");
    }
  }

  /** One edit at the selection: false if the page has taken it over. */
  #edit(target: HTMLElement, inputType: string, data: string): boolean {
    if (!this.#nativeBefore) {
      const before = new (realmOf(target).InputEvent)("beforeinput", {
        inputType,
        data: data && inputType === "insertText" ? data : null,
        bubbles: true,
        cancelable: true,
        composed: true,
      });
      if (!target.dispatchEvent(before)) return false;
    }
    const notice = (event: Event): void => {
      if (event.isTrusted) this.#nativeBefore = true;
    };
    const document = target.ownerDocument;
    document.addEventListener("beforeinput", notice, { capture: true });
    switch (inputType) {
      case "insertParagraph":
        document.execCommand("insertParagraph");
        break;
      case "deleteContentBackward":
        document.execCommand("delete");
        break;
      default:
        document.execCommand("insertText", false, data);
    }
    document.removeEventListener("beforeinput", notice, { capture: true });
    return true;
  }
}

/** Sets a value past what frameworks put over the property, and says so. */
export function setDirectly(field: Field, value: string, data: string): void {
  const realm = realmOf(field);
  const owner = field.localName === "textarea" ? realm.HTMLTextAreaElement : realm.HTMLInputElement;
  Object.getOwnPropertyDescriptor(owner.prototype, "value")?.set?.call(field, value);
  field.dispatchEvent(
    new realm.InputEvent("input", { bubbles: true, composed: true, inputType: "insertText", data }),
  );
}

/** Sends a key event; false if the page has prevented what the key does. */
export function press(target: Element, type: string, key: string, shiftKey = false): boolean {
  const keyCode = CODES[key] ?? key.toUpperCase().charCodeAt(0);
  const code = CODES[key]
    ? key
    : /[a-z]/i.test(key)
      ? `Key${key.toUpperCase()}`
      : /\d/.test(key)
        ? `Digit${key}`
        : "";
  const init = {
    key,
    code,
    keyCode,
    which: keyCode,
    shiftKey,
    bubbles: true,
    cancelable: true,
    composed: true,
  };
  const view = realmOf(target);
  return target.dispatchEvent(new view.KeyboardEvent(type, { ...init, view }));
}

/** Old key codes, which many widgets still read. */
const CODES: Readonly<Record<string, number>> = {
  Backspace: 8,
  Tab: 9,
  Enter: 13,
  Escape: 27,
  PageUp: 33,
  PageDown: 34,
  End: 35,
  Home: 36,
  ArrowLeft: 37,
  ArrowUp: 38,
  ArrowRight: 39,
  ArrowDown: 40,
};

const PLAIN = new Set(["text", "search", "url", "tel", "email", "number", "textarea"]);

/** Whether text can be typed into a field letter by letter; the others are set as a whole. */
function isPlain(field: Field): boolean {
  return PLAIN.has(field.type);
}

function place(field: Field, caret: number): void {
  if (field.selectionStart !== null) field.setSelectionRange(caret, caret);
}

function lengthOf(node: Node): number {
  return node.nodeType === Node.TEXT_NODE ? (node as Text).length : node.childNodes.length;
}
