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
  /** The page's last word on the value of a field. */
  truth(field: Field): string;
  refused(reason: Refusal): void;
};

/** What the page says of a field: what it holds, or what became of the change that was sent. */
type Said = { readonly word: string } | { readonly refused: Refusal | null };
type Known = {
  readonly text: SharedText;
  input: Typed;
  /** What was said while an input method was at work. */
  later: Said[];
};

export class Fields {
  readonly #context: FieldContext;
  #texts = new Map<Field, Known>();
  readonly #sent = new Map<number, Field>();
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

  /** Whether nothing of a field is on its way. */
  isSettled(field: Field): boolean {
    return this.#texts.get(field)?.text.isSettled !== false && this.#composing !== field;
  }

  /** The value of a field has changed here. */
  typed(field: Field, event: InputEvent): void {
    const shared = this.#shared(field);
    shared.input = typedBy(event.inputType) ?? "insertText";
    if (event.isComposing) this.#composing = field;
    else this.#edited(field);
  }

  /** An input method is done with a field. */
  composed(field: Field): void {
    if (this.#composing !== field) return;
    this.#composing = null;
    const shared = this.#shared(field);
    shared.input = "insertText";
    this.#edited(field);
    const { later } = shared;
    shared.later = [];
    for (const said of later) this.#hear(field, said);
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

  /** An action was answered. Returns whether it was typing here. */
  answered(seq: number, refused: Refusal | null): boolean {
    const field = this.#sent.get(seq);
    if (!field) return false;
    this.#sent.delete(seq);
    this.#hear(field, { refused });
    return true;
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

  #shared(field: Field): Known {
    let shared = this.#texts.get(field);
    if (!shared) {
      for (const known of this.#texts.keys()) if (!known.isConnected) this.#texts.delete(known);
      shared = { text: new SharedText(this.#context.truth(field)), input: "insertText", later: [] };
      this.#texts.set(field, shared);
    }
    return shared;
  }

  #edited(field: Field): void {
    const { text } = this.#shared(field);
    if (field.value.length - text.view.length > LONGEST) {
      put(field, text.view, []);
      this.#context.refused("too_long");
      return;
    }
    // Half a number has no value yet.
    if (field.validity.badInput) return;
    const caret = isWhole(field) ? null : caretOf(field);
    text.edited(field.value, caret, performance.now());
    this.#send(field);
  }

  #send(field: Field): void {
    const shared = this.#texts.get(field);
    const node = this.#context.idOf(field);
    if (!shared || node === null || this.#composing === field) return;
    const sent = shared.text.send();
    if (!sent) return;
    const { base, change } = sent;
    this.#sent.set(
      this.#context.act({ kind: "input", node, base, change: [...change], input: shared.input }),
      field,
    );
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
