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

export class Fields {
  readonly #context: FieldContext;
  #texts = new Map<Field, { text: SharedText; input: Typed; word: string | null }>();
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
    this.#shared(field).input = "insertText";
    this.#edited(field);
    const shared = this.#texts.get(field);
    if (shared?.word == null) return;
    const { word } = shared;
    shared.word = null;
    this.told(field, word);
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
    const shared = this.#texts.get(field);
    if (!shared) return;
    if (this.#composing === field) {
      shared.word = value;
    } else {
      const change = shared.text.told(value);
      put(field, shared.text.view, change);
    }
  }

  /** An action was answered. Returns whether it was typing here. */
  answered(seq: number, refused: Refusal | null): boolean {
    const field = this.#sent.get(seq);
    if (!field) return false;
    this.#sent.delete(seq);
    const shared = this.#texts.get(field);
    if (!shared) return true;
    const change = refused ? shared.text.refused(refused === "stale") : shared.text.done();
    if (this.#composing !== field) put(field, shared.text.view, change);
    this.#send(field);
    return true;
  }

  #shared(field: Field): { text: SharedText; input: Typed; word: string | null } {
    let shared = this.#texts.get(field);
    if (!shared) {
      for (const known of this.#texts.keys()) if (!known.isConnected) this.#texts.delete(known);
      shared = { text: new SharedText(this.#context.truth(field)), input: "insertText", word: null };
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
