/**
 * Changes the text of fields as typing does: with the events that a page expects, and its right to refuse.
 *
 * A change was made of the text as the agent had it; what the customer has typed since stays. Where the customer is typing,
 * neither focus nor caret is taken from them: what happens elsewhere then happens without the focus.
 */

import type { Refusal, Typed } from "../protocol/words.ts";
import { apply, type Change, follow } from "../text/change.ts";
import { difference } from "../text/difference.ts";
import { History } from "../text/history.ts";
import { controlKind, isElement, type Roots } from "./dom.ts";
import { send } from "./key-events.ts";
import { Keyboard } from "./keyboard.ts";
import { type Realms, realmOf } from "./realms.ts";

export type Field = HTMLInputElement | HTMLTextAreaElement;

/** So many characters that came at once are still typed one by one. */
export const STROKES = 24;

/** The typing of one session. */
export class Typing {
  readonly keyboard: Keyboard;
  /** A field whose text was changed and which has not been told so by a `change` event. */
  #unsettled: Field | null = null;
  /** Where the agent is, and in a field at which place. */
  in: HTMLElement | null = null;
  caret = 0;
  /** What has the agent's focus while the customer has the browser's. */
  #aside: HTMLElement | null = null;
  /** Whether this browser sends `beforeinput` itself when a script edits. */
  #nativeBefore = false;
  readonly #histories = new WeakMap<Field, History>();

  /** `isPrivate`: what the agent does not see is not remembered. */
  constructor(roots: Roots, realms: Realms, isPrivate: (element: Element) => boolean) {
    this.keyboard = new Keyboard(roots, realms);
    const note = (event: Event): void => {
      const field = event.composedPath()[0] as Element;
      if (isElement(field) && controlKind(field) === "text" && !isPrivate(field))
        this.#history(field as Field);
    };
    for (const type of ["focusin", "beforeinput", "input"] as const) realms.listen(type, note);
  }

  /** The field that was typed into before is left: it gets its `change` event. */
  settle(next: Element | null = null): void {
    if (this.in !== next) this.in = null;
    const aside = this.#aside;
    const field = this.#unsettled;
    if (field && field !== next) {
      this.#unsettled = null;
      // Who else types there will leave it some time.
      if (this.keyboard.held !== field) {
        let told = false;
        const hear = (): void => {
          told = true;
        };
        field.addEventListener("change", hear);
        const { activeElement } = field.getRootNode() as Document | ShadowRoot;
        if (activeElement === field) field.blur();
        field.removeEventListener("change", hear);
        // Where the browser counts our edits as the user's, leaving the field has sent the event already.
        if (!told) field.dispatchEvent(new (realmOf(field).Event)("change", { bubbles: true }));
      }
    }
    if (!aside || aside === next) return;
    this.#aside = null;
    tellFocus(aside, "blur");
    tellFocus(aside, "focusout");
  }

  /**
   * The agent goes to an element: with the focus, unless the customer is typing elsewhere. Returns whether with it.
   * `focusVisible`: whether with a ring, as browsers draw it for keys; left to them they would go by what the customer did last.
   */
  enter(element: HTMLElement, focusVisible = true): boolean {
    this.settle(element);
    this.in = element;
    if (!this.keyboard.heldBeside(element)) {
      this.#aside = null;
      element.focus({ preventScroll: true, focusVisible });
      return true;
    }
    if (this.#aside !== element) {
      tellFocus(element, "focus");
      tellFocus(element, "focusin");
      this.#aside = element;
    }
    return false;
  }

  /** Makes a change of a field's text; the page may make something else of it. */
  async type(field: Field, base: number, change: Change, input: Typed): Promise<Refusal | null> {
    if (this.keyboard.held === field) await this.keyboard.finished();
    if (!field.isConnected) return "gone";
    const history = this.#history(field);
    const whole = !PLAIN.has(field.type);
    const wanted = whole ? change : history.carried(base, change);
    if (!wanted) return "stale";
    const focus = this.enter(field);
    const theirs = this.keyboard.held === field ? selectionOf(field) : null;
    if (whole) {
      // A date, a colour or a slider is chosen, not typed: each choice is a whole one.
      const before = field.value;
      this.#replace(field, fit(field, wanted), input, focus);
      if (field.value !== before)
        field.dispatchEvent(new (realmOf(field).Event)("change", { bubbles: true }));
      return null;
    }
    this.#unsettled = field;
    if (selectionOf(field) === null) this.#replace(field, fit(field, wanted), input, focus);
    else {
      const work = (): void => this.#strokes(field, fit(field, wanted), input, focus);
      if (theirs) keepingScroll(field, work);
      else work();
    }
    this.caret = selectionOf(field)?.[1] ?? field.value.length;
    if (theirs) {
      // What comes in right before something that they have selected is none of it: their next key would take it away.
      const [start, end] = theirs;
      field.setSelectionRange(follow(start, wanted, start < end), follow(end, wanted, false));
    }
    this.#history(field);
    return null;
  }

  /** A line break where the caret is. */
  newLine(field: HTMLElement): void {
    if (field.localName === "textarea") {
      if (field !== this.#unsettled) this.settle(field);
      this.#unsettled = field as HTMLTextAreaElement;
      this.command(field, "insertLineBreak", "\n");
    } else {
      this.command(field, "insertParagraph", "");
    }
  }

  /** One edit at the selection: false if the page has taken it over. */
  command(target: HTMLElement, input: string, text: string, transfer: DataTransfer | null = null): boolean {
    if (!this.#nativeBefore && !this.#before(target, input, text, transfer)) return false;
    const notice = (event: Event): void => {
      if (event.isTrusted) this.#nativeBefore = true;
    };
    const document = target.ownerDocument;
    document.addEventListener("beforeinput", notice, { capture: true });
    const name = (target.isContentEditable || !text) && COMMANDS[input] ? COMMANDS[input] : "insertText";
    document.execCommand(name, false, name === "insertText" ? text : undefined);
    document.removeEventListener("beforeinput", notice, { capture: true });
    return true;
  }

  #before(target: HTMLElement, input: string, text: string, transfer: DataTransfer | null): boolean {
    const selection = target.ownerDocument.getSelection();
    const range = selection?.rangeCount && target.isContentEditable ? selection.getRangeAt(0) : null;
    const view = realmOf(target);
    return target.dispatchEvent(
      new view.InputEvent("beforeinput", {
        inputType: input,
        data: text && !transfer ? text : null,
        dataTransfer: transfer,
        targetRanges: range ? [new view.StaticRange(range)] : [],
        bubbles: true,
        cancelable: true,
        composed: true,
        view,
      }),
    );
  }

  /** The history of a field, with what it holds now. */
  #history(field: Field): History {
    let history = this.#histories.get(field);
    if (history) {
      history.note(field.value, selectionOf(field)?.[1]);
    } else {
      history = new History(field.value);
      this.#histories.set(field, history);
    }
    return history;
  }

  /** Changes a text piece by piece, from the end, and short ones key by key. */
  #strokes(field: Field, change: Change, input: Typed, focus: boolean): void {
    const edits: { start: number; end: number; insert: string }[] = [];
    let at = 0;
    let insert = "";
    for (const piece of [...change, 0]) {
      if (typeof piece === "string") insert = piece;
      else if (piece < 0 || insert) {
        edits.push({ start: at, end: at + Math.max(0, -piece), insert });
        insert = "";
      }
      if (typeof piece === "number") at += Math.abs(piece);
    }
    const [only] = edits;
    const typed = input === "insertText" || input === "insertLineBreak";
    if (edits.length === 1 && only && typed && only.insert.length <= STROKES) {
      let { start, end } = only;
      for (const char of only.insert || [""]) {
        this.#stroke(field, start, end, char, "insertText", focus);
        start = end = selectionOf(field)?.[1] ?? field.value.length;
      }
      return;
    }
    for (const { start, end, insert } of edits.reverse())
      this.#stroke(field, start, end, insert, input, focus);
  }

  /** Presses a key, or does at once what no single key does. */
  #stroke(field: Field, start: number, end: number, insert: string, input: Typed, focus: boolean): void {
    const [key, control] = insert && [...insert].length > 1 ? ["", false] : keyOf(input, insert);
    let goes = !key || press(field, "keydown", key, false, control);
    if (goes && key && (insert || key === "Enter")) goes = press(field, "keypress", key);
    const transfer = goes && insert && input.startsWith("insertFrom") ? paste(field, insert) : null;
    if (goes && transfer !== false) {
      field.setSelectionRange(start, end);
      const before = field.value;
      const name = insert
        ? insert === "\n"
          ? "insertLineBreak"
          : input
        : start < end
          ? "deleteContentBackward"
          : "";
      if (focus && name) {
        const taken = !this.command(field, name, insert, null);
        // A browser that does not edit by command.
        if (!taken && field.value === before) setRange(field, start, end, insert, name);
      } else if (name && this.#before(field, name, insert, null)) setRange(field, start, end, insert, name);
    }
    if (key) press(field, "keyup", key, false, control);
  }

  /** Fields without places in their text are set as a whole. */
  #replace(field: Field, change: Change, input: Typed, focus: boolean): void {
    const whole = !PLAIN.has(field.type);
    const came = change.filter((piece) => typeof piece === "string").join("");
    const value = whole ? came : apply(field.value, change);
    if (value === field.value) return;
    const { start, end, insert } = difference(field.value, value, value.length);
    const [key] =
      whole || [...insert].length > 1 || (!insert && end - start !== 1) ? [""] : keyOf(input, insert);
    let goes = !key || press(field, "keydown", key);
    if (goes && key && insert) goes = press(field, "keypress", key);
    if (goes) {
      const before = field.value;
      if (focus && PLAIN.has(field.type)) {
        field.select();
        if (
          this.command(field, value ? "insertText" : "deleteContentBackward", value) &&
          field.value === before
        )
          setDirectly(field, value, insert);
      } else if (this.#before(field, value ? "insertText" : "deleteContentBackward", insert, null)) {
        setDirectly(field, value, insert);
      }
    }
    if (key) press(field, "keyup", key);
  }
}

/** Gives a page the chance to take a pasted text itself: false if it did. */
export function paste(target: HTMLElement, text: string): DataTransfer | false {
  const view = realmOf(target);
  const clipboardData = new view.DataTransfer();
  clipboardData.setData("text/plain", text);
  const event = new view.ClipboardEvent("paste", { bubbles: true, cancelable: true, composed: true });
  // Firefox takes none from a script.
  Object.defineProperty(event, "clipboardData", { value: clipboardData });
  return target.dispatchEvent(event) && clipboardData;
}

/** Sets a value past what frameworks put over the property, and says so. */
export function setDirectly(field: Field, value: string, data: string): void {
  const realm = realmOf(field);
  const owner = field.localName === "textarea" ? realm.HTMLTextAreaElement : realm.HTMLInputElement;
  Object.getOwnPropertyDescriptor(owner.prototype, "value")?.set?.call(field, value);
  tellInput(field, "insertText", data);
}

/** Changes a part of the text, and says so. */
function setRange(field: Field, start: number, end: number, insert: string, input: string): void {
  field.setRangeText(insert, start, end, "end");
  tellInput(field, input, insert || null);
}

function tellInput(field: Field, inputType: string, data: string | null): void {
  const { InputEvent } = realmOf(field);
  field.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true, inputType, data }));
}

function tellFocus(element: Element, type: "focus" | "blur" | "focusin" | "focusout"): void {
  const { FocusEvent } = realmOf(element);
  element.dispatchEvent(
    new FocusEvent(type, { bubbles: type.startsWith("focus") && type.length > 5, composed: true }),
  );
}

/** Sends a key event of typing; false if the page has prevented what the key does. */
export function press(target: Element, type: string, key: string, shift = false, ctrl = false): boolean {
  return send(target, type, { key, code: "", modifiers: { alt: false, ctrl, meta: false, shift } });
}

/** The key that does this, and whether with the control key; none where no single key does. */
export function keyOf(input: Typed, text: string): [key: string, control: boolean] {
  if (input === "insertText") return [text === "\n" ? "Enter" : text, false];
  return [KEYS[input] ?? "", /Word|history|format/.test(input)];
}

const KEYS: Readonly<Partial<Record<Typed, string>>> = {
  insertParagraph: "Enter",
  insertLineBreak: "Enter",
  deleteContentBackward: "Backspace",
  deleteWordBackward: "Backspace",
  deleteContentForward: "Delete",
  deleteWordForward: "Delete",
  historyUndo: "z",
  historyRedo: "y",
  formatBold: "b",
  formatItalic: "i",
  formatUnderline: "u",
};

/** What the browser calls it. */
const COMMANDS: Readonly<Record<string, string>> = {
  insertParagraph: "insertParagraph",
  insertLineBreak: "insertLineBreak",
  deleteContentBackward: "delete",
  deleteWordBackward: "delete",
  deleteSoftLineBackward: "delete",
  deleteByCut: "delete",
  deleteContentForward: "forwardDelete",
  deleteWordForward: "forwardDelete",
  deleteSoftLineForward: "forwardDelete",
  formatBold: "bold",
  formatItalic: "italic",
  formatUnderline: "underline",
  historyUndo: "undo",
  historyRedo: "redo",
};

/** Whether text can be typed into a field letter by letter; the others are set as a whole. */
const PLAIN = new Set(["text", "search", "url", "tel", "email", "textarea"]);

/** What is selected in a field, if it has places in its text. */
function selectionOf(field: Field): [start: number, end: number] | null {
  const { selectionStart, selectionEnd } = field;
  return selectionStart === null || selectionEnd === null ? null : [selectionStart, selectionEnd];
}

/** A change without what a field has no room for. */
function fit(field: Field, change: Change): Change {
  const { maxLength, value } = field;
  const over = maxLength < 0 ? 0 : apply(value, change).length - Math.max(maxLength, value.length);
  if (over <= 0) return change;
  const pieces = [...change];
  for (let at = pieces.length - 1, left = over; at >= 0 && left > 0; at--) {
    const piece = pieces[at];
    if (typeof piece !== "string") continue;
    pieces[at] = piece.slice(0, Math.max(0, piece.length - left));
    left -= piece.length;
  }
  return pieces;
}

/** Does something in a field that would bring it into view, and leaves everything where it is. */
function keepingScroll(field: Element, work: () => void): void {
  const before: [Element, number, number][] = [];
  for (let at: Element | null = field; at; at = at.parentElement) {
    before.push([at, at.scrollLeft, at.scrollTop]);
  }
  work();
  for (const [element, left, top] of before) {
    if (element.scrollLeft !== left || element.scrollTop !== top)
      element.scrollTo({ left, top, behavior: "instant" });
  }
}
