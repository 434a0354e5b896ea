/**
 * What the agent types in editable elements: sent one edit after the other, and shown at once where that is safe.
 *
 * An edit is made where the page has the caret after the one before it, so that no place is ever reckoned in a text that
 * has changed. What was shown ahead of the page is taken back before the page's own word is looked at.
 */

import type { Action, Place, Refusal, Spot, Typed } from "../../protocol/words.ts";
import { nameOf } from "../../text/change.ts";
import { setText } from "./controls.ts";
import { editable, typedBy } from "./intents.ts";
import type { Mirror } from "./mirror.ts";

/** Most text that waits, in UTF-16 units, and edits. */
const LONGEST = 40_000;
const MOST = 200;
/** How often an edit is tried at a place that the page has changed meanwhile. */
const TRIES = 3;

/** An edit without its answer. */
type Edit = {
  readonly input: Typed;
  text: string;
  /** Where; it follows what happens around it. Null: where the edit before it ends. */
  readonly range: { anchor: Range; focus: Range } | null;
  seq: number | null;
  tries: number;
};
type At = { node: Node; offset: number };

export class Edits {
  readonly #mirror: Mirror;
  readonly #act: (action: Action) => number;
  readonly #refused: (reason: Refusal) => void;
  /** The first one may be on its way. */
  #edits: Edit[] = [];
  /** What the page says of texts in which more is shown. */
  readonly #truth = new Map<Text, string>();
  /** The agent has put the caret elsewhere since the last edit. */
  #moved = true;
  #composing: Edit["range"] = null;

  constructor(mirror: Mirror, act: (action: Action) => number, refused: (reason: Refusal) => void) {
    this.#mirror = mirror;
    this.#act = act;
    this.#refused = refused;
  }

  /** Whether everything was done. */
  get isSettled(): boolean {
    return this.#edits.length === 0 && !this.#composing;
  }

  clear(): void {
    this.#takeBack();
    this.#edits = [];
    this.#moved = true;
    this.#composing = null;
  }

  /** The agent put the caret elsewhere. */
  caretMoved(): void {
    this.#moved = true;
  }

  /** An input method begins: its text shows at once and can not be prevented. */
  composing(document: Document): void {
    this.#composing = rangeOf(document.getSelection());
    const node = this.#composing?.focus.startContainer;
    if (node?.nodeType === Node.TEXT_NODE) this.#remember(node as Text);
  }

  /** It is done. */
  composed(host: Element, text: string): void {
    const range = this.#composing;
    this.#composing = null;
    for (const node of unknown(host, this.#mirror)) node.remove();
    if (!range || text === "") {
      this.#show();
      return;
    }
    this.#takeBack();
    this.#add({ input: "insertText", text, range, seq: null, tries: 0 });
  }

  /** An event in an editable element. */
  beforeInput(event: InputEvent): void {
    if (event.isComposing || this.#composing) return;
    event.preventDefault();
    const input = typedBy(event.inputType);
    const text = inserted(event);
    if (!input || (input.startsWith("insert") && text === "" && !/Paragraph|Break/.test(input))) return;
    this.do(event.view?.document ?? (event.target as Node).ownerDocument, input, text);
  }

  /** Types at the caret of a document. */
  do(document: Document | null, input: Typed, text: string): void {
    const waits = this.#edits.reduce((sum, edit) => sum + edit.text.length, text.length);
    if (waits > LONGEST || this.#edits.length >= MOST) {
      this.#refused(text.length > LONGEST ? "too_long" : "too_many");
      return;
    }
    const goesOn = this.#edits.length > 0 && !this.#moved;
    const range = goesOn ? null : rangeOf(document?.getSelection() ?? null);
    if (!goesOn && !range) return;
    this.#moved = false;
    const last = this.#edits.at(-1);
    if (goesOn && last?.seq === null && last.input === "insertText" && input === "insertText") {
      last.text += text;
      this.#echo(last, text);
    } else this.#add({ input, text, range, seq: null, tries: 0 });
  }

  /** The page says what a text is. Returns whether to show that now. */
  told(text: Text, data: string): boolean {
    if (!this.#truth.has(text)) return true;
    this.#truth.set(text, data);
    return false;
  }

  /** An action was answered. Returns whether it was an edit. */
  answered(seq: number, refused: Refusal | null, at: Place | null): boolean {
    const [edit] = this.#edits;
    if (!edit || edit.seq !== seq) return false;
    this.#takeBack();
    this.#edits.shift();
    if ((refused === "stale" || refused === "gone") && ++edit.tries < TRIES) {
      edit.seq = null;
      this.#edits.unshift(edit);
    } else if (refused) {
      this.#edits = [];
    }
    const node = at && this.#mirror.find(at.node);
    if (node && !this.#moved) collapse({ node, offset: at.offset });
    this.#show();
    return true;
  }

  /** Where the agent's selection is in editable elements of a document, if everything was done. */
  spots(document: Document): { anchor: Spot; focus: Spot } | null {
    const range = this.isSettled ? rangeOf(document.getSelection()) : null;
    const anchor = range && this.#spot(range.anchor);
    const focus = range && this.#spot(range.focus);
    return anchor && focus && { anchor, focus };
  }

  #add(edit: Edit): void {
    this.#edits.push(edit);
    if (this.#edits.length === 1) this.#show();
    else this.#echo(edit, edit.text);
  }

  /** Sends the first edit if it was not, and shows what all of them will do. */
  #show(): void {
    const [first] = this.#edits;
    if (first && first.seq === null) {
      const document = this.#mirror.document;
      const range = first.range ?? rangeOf(selectionIn(document));
      const anchor = range && this.#spot(range.anchor);
      const focus = range && this.#spot(range.focus);
      if (!anchor || !focus) {
        this.#edits = [];
        return;
      }
      first.seq = this.#act({ kind: "edit", anchor, focus, input: first.input, text: first.text });
      if (first.range) select(first.range);
    }
    for (const edit of this.#edits) if (!this.#echo(edit, edit.text)) break;
  }

  #spot({ startContainer: node, startOffset: offset }: Range): Spot | null {
    const id = this.#mirror.ownId(node);
    if (id === null) return null;
    return { node: id, offset, base: node.nodeType === Node.TEXT_NODE ? nameOf((node as Text).data) : 0 };
  }

  /** Shows what an edit will do, if that is only a change of one text. */
  #echo(edit: Edit, text: string): boolean {
    const ahead = this.#edits.slice(0, this.#edits.indexOf(edit));
    if (ahead.some(({ input }) => !isPlain(input))) return false;
    const selection = selectionIn(this.#mirror.document);
    const node = selection?.focusNode as Text | null | undefined;
    if (!selection || !node || node.nodeType !== Node.TEXT_NODE || selection.anchorNode !== node)
      return false;
    if (!isPlain(edit.input) || text.includes("\n")) return false;
    let [start, end] = [selection.anchorOffset, selection.focusOffset].sort((a, b) => a - b) as [
      number,
      number,
    ];
    if (edit.input !== "insertText" && start === end) {
      if (edit.input === "deleteContentBackward") start -= lastOf(node.data.slice(0, start)).length;
      else end += (node.data.slice(start).match(/^./su)?.[0] ?? "").length;
      if (start === end) return false;
    }
    this.#remember(node);
    node.replaceData(start, end - start, text);
    selection.collapse(node, start + text.length);
    return true;
  }

  #remember(text: Text): void {
    if (!this.#truth.has(text)) this.#truth.set(text, text.data);
  }

  /** Shows nothing but what the page said. */
  #takeBack(): void {
    const truth = [...this.#truth];
    this.#truth.clear();
    for (const [text, data] of truth) setText(text, data);
  }
}

function isPlain(input: Typed): boolean {
  return input === "insertText" || input === "deleteContentBackward" || input === "deleteContentForward";
}

function lastOf(text: string): string {
  return text.match(/.$/su)?.[0] ?? "";
}

/** The selection of the innermost document that has the agent's focus. */
function selectionIn(document: Document): Selection | null {
  let at = document;
  for (let inner = innerDocument(at); inner; inner = innerDocument(at)) at = inner;
  return at.getSelection();
}

function innerDocument(document: Document): Document | null {
  return (document.activeElement as HTMLIFrameElement | null)?.contentDocument ?? null;
}

/** The ends of a selection, as ranges, which follow what happens around them. */
function rangeOf(selection: Selection | null): Edit["range"] {
  const { anchorNode, anchorOffset = 0, focusNode, focusOffset = 0 } = selection ?? {};
  if (!anchorNode || !focusNode || !editable(elementOf(focusNode))) return null;
  return { anchor: placed(anchorNode, anchorOffset), focus: placed(focusNode, focusOffset) };
}

function placed(node: Node, offset: number): Range {
  const range = (node.ownerDocument as Document).createRange();
  range.setStart(node, offset);
  range.collapse(true);
  return range;
}

function select({ anchor, focus }: NonNullable<Edit["range"]>): void {
  const { startContainer, startOffset } = focus;
  startContainer.ownerDocument
    ?.getSelection()
    ?.setBaseAndExtent(anchor.startContainer, anchor.startOffset, startContainer, startOffset);
}

function collapse({ node, offset }: At): void {
  const length = node.nodeType === Node.TEXT_NODE ? (node as Text).length : node.childNodes.length;
  node.ownerDocument?.getSelection()?.collapse(node, Math.min(offset, length));
}

function elementOf(node: Node): Element | null {
  return node.nodeType === Node.ELEMENT_NODE ? (node as Element) : node.parentElement;
}

/** What an input method has put into the mirror by itself. */
function unknown(host: Element, mirror: Mirror): ChildNode[] {
  const walker = host.ownerDocument.createTreeWalker(host, NodeFilter.SHOW_TEXT);
  const found: ChildNode[] = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (mirror.ownId(node) === null) found.push(node as Text);
  }
  return found;
}

function inserted(event: InputEvent): string {
  switch (event.inputType) {
    case "insertParagraph":
    case "insertLineBreak":
      return "";
    default:
      return event.data ?? event.dataTransfer?.getData("text/plain") ?? "";
  }
}
