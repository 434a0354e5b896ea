/**
 * What the agent types in text fields: shown at once, sent as changes, and made to fit what the page makes of it.
 *
 * While an input method is at work in a field, nothing of it is sent and nothing of the page is shown there.
 */

import type { Action, NodeId, Refusal, Typed } from "../../protocol/words.ts";
import type { Change } from "../../text/change.ts";
import { SharedText } from "../../text/shared-text.ts";
import { type Field, showText } from "./field-text.ts";
import { typedBy } from "./intents.ts";

/** Most text that is sent at once, in UTF-16 units. */
const LONGEST = 40_000;

/** What fields need of the mirror. */
export type FieldContext = {
  act(action: Action): number;
  idOf(field: Field): NodeId | null;
  /** The field with this id, if it may be typed in. */
  find(id: NodeId): Field | null;
  /** The page's last word on the value of a field. */
  truth(field: Field): string;
  refused(reason: Refusal): void;
};

/** What the page says of a field: what it holds, or what became of the change that was sent. */
type Said = { readonly word: string } | { readonly refused: Refusal | null };
type Known = {
  readonly node: NodeId;
  /** Another element after a fresh view. */
  field: Field;
  readonly text: SharedText;
  input: Typed;
  /** What was said while an input method was at work. */
  later: Said[];
};

export class Fields {
  readonly #context: FieldContext;
  readonly #texts = new Map<Field, Known>();
  readonly #sent = new Map<number, Known>();
  #composing: Field | null = null;

  constructor(context: FieldContext) {
    this.#context = context;
  }

  /** Forgets everything; with `show`, what was typed and not sent goes from the screen too. */
  clear(show = false): void {
    for (const [field] of show ? this.#texts : []) put(field, this.#context.truth(field), []);
    this.#texts.clear();
    this.#sent.clear();
    this.#composing = null;
  }

  /** A fresh view of the same page is there: all that was typed goes on in it. Returns whether each field is. */
  renewed(): boolean {
    // What an input method was at is broken off.
    if (this.#composing) this.composed(this.#composing);
    const all = [...this.#texts.values()];
    this.#texts.clear();
    let whole = true;
    for (const known of all) {
      const field = this.#context.find(known.node);
      if (field) {
        known.field = field;
        this.#texts.set(field, known);
        this.#hear(field, { word: this.#context.truth(field) });
      } else whole &&= known.text.isSettled;
    }
    return whole;
  }

  /** Whether something was not sent. */
  get isWaiting(): boolean {
    return [...this.#texts.values()].some(({ text }) => text.isWaiting);
  }

  /** Whether nothing of a field is on its way. */
  isSettled(field: Field): boolean {
    return this.#texts.get(field)?.text.isSettled !== false && this.#composing !== field;
  }

  /** The value of a field has changed here. */
  typed(field: Field, event: InputEvent): void {
    const shared = this.#shared(field);
    if (!shared) return;
    shared.input = typedBy(event.inputType) ?? "insertText";
    if (event.isComposing) this.#composing = field;
    else this.#edited(field);
  }

  /** An input method is done with a field. */
  composed(field: Field): void {
    if (this.#composing !== field) return;
    this.#composing = null;
    const shared = this.#shared(field);
    if (!shared) return;
    shared.input = "insertText";
    this.#edited(field);
    const { later } = shared;
    shared.later = [];
    for (const said of later) this.#hear(field, said);
  }

  /** The agent has left a field: half a number is not the page's. */
  left(field: Field): void {
    if (field.validity.badInput && this.#texts.has(field)) field.value = this.#context.truth(field);
  }

  /** Takes back, or does again, what the agent typed. Returns whether there was anything. */
  undo(field: Field, again: boolean): boolean {
    const shared = this.#texts.get(field);
    const caret = shared?.text.undo(again);
    if (!shared || caret == null) return false;
    shared.input = again ? "historyRedo" : "historyUndo";
    put(field, shared.text.view, []);
    if (field.selectionStart !== null) field.setSelectionRange(caret, caret);
    this.#send(field);
    return true;
  }

  /** Whether what a field shows is seen to here. */
  holds(field: Element): boolean {
    return this.#texts.has(field as Field);
  }

  /** The page says what a field holds. */
  told(field: Field, value: string): void {
    this.#hear(field, { word: value });
  }

  /** An action was answered. Returns the field if it was typing in one. */
  answered(seq: number, refused: Refusal | null): Field | null {
    const known = this.#sent.get(seq);
    if (!known) return null;
    this.#sent.delete(seq);
    this.#hear(known.field, { refused });
    return known.field;
  }

  /** Everything in the order in which it was said; what is composed is a change of what was shown when that began. */
  #hear(field: Field, said: Said): void {
    const shared = this.#texts.get(field);
    if (!shared) return;
    const { text, later } = shared;
    if (this.#composing === field) {
      const last = later.at(-1);
      // One change is on its way: there is a word before its answer and one after it, at most.
      if (last && "word" in said && "word" in last) later.pop();
      later.push(said);
      return;
    }
    let change: Change;
    if ("word" in said) change = text.told(said.word);
    else change = said.refused ? text.refused(said.refused === "stale") : text.done();
    put(field, text.view, change);
    this.#send(field);
  }

  /** Nothing is known of a field that the page does not have. */
  #shared(field: Field): Known | null {
    const known = this.#texts.get(field);
    if (known) return known;
    for (const other of this.#texts.keys()) if (!other.isConnected) this.#texts.delete(other);
    const node = this.#context.idOf(field);
    if (node === null) return null;
    const text = new SharedText(this.#context.truth(field));
    const shared: Known = { node, field, text, input: "insertText", later: [] };
    this.#texts.set(field, shared);
    return shared;
  }

  #edited(field: Field): void {
    const text = this.#shared(field)?.text;
    if (!text) return;
    if (field.value.length - text.view.length > LONGEST) {
      put(field, text.view, []);
      this.#context.refused("too_long");
      return;
    }
    const caret = isWhole(field) ? null : caretOf(field);
    text.edited(field.value, caret, performance.now());
    this.#send(field);
  }

  #send(field: Field): void {
    const shared = this.#texts.get(field);
    if (!shared || this.#composing === field) return;
    const sent = shared.text.send();
    if (!sent) return;
    const { base, change } = sent;
    const { node, input } = shared;
    this.#sent.set(this.#context.act({ kind: "input", node, base, change: [...change], input }), shared);
  }
}

/** Shows a text in a field, unless half a number is being typed there. */
function put(field: Field, view: string, change: Change): void {
  if (field.value !== view && !field.validity.badInput) showText(field, view, change);
}

/** Whether a change of the field replaces its value: a date, half of one person and half of another, is none. */
function isWhole({ type }: Field): boolean {
  return !/^(text|search|url|tel|email|password|textarea)$/.test(type);
}

function caretOf(field: Field): number {
  return field.selectionEnd ?? field.value.length;
}
