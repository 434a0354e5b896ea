/**
 * What the agent types in editable elements: sent one edit after the other, and shown at once where that is safe.
 *
 * An edit is made where the page has the caret after the one before it, so that no place is ever reckoned in a text that
 * has changed. What was shown ahead of the page is taken back before the page's own word is looked at.
 */

import type { Action, NodeId, Place, Refusal, Spot, Typed } from "../../protocol/words.ts";
import { between, follow, nameOf } from "../../text/change.ts";
import { setText } from "./controls.ts";
import { editable, typedBy } from "./intents.ts";
import { refusalOf } from "./marks.ts";
import type { Mirror } from "./mirror.ts";

/** Most text that waits, in UTF-16 units, and edits. */
const LONGEST = 40_000;
const MOST = 200;
/** How often an edit is tried at a place that the page has changed meanwhile. */
const TRIES = 3;

/** The ends of a selection. */
type Reach = { readonly anchor: Range; readonly focus: Range };
/** An edit without its answer. */
type Edit = {
  readonly input: Typed;
  text: string;
  /** Where; it follows what happens around it. Null: where the edit before it ends, which is not known yet. */
  range: Reach | null;
  seq: number | null;
  tries: number;
};
type At = { readonly node: Node; readonly offset: number };
/** What the page said of a text before more was shown in it, what it says now, and where the first edit stood in it. */
type Truth = { readonly before: string; now: string; readonly places: readonly (readonly [Range, number])[] };
/** A place that outlasts the nodes: in a text as it was. */
type Kept = { readonly node: NodeId; readonly offset: number; readonly said: string };
type KeptReach = { readonly anchor: Kept; readonly focus: Kept };
/** What became of an edit, and where it ended in a text of which the page had said this until then. */
type Answer = { readonly refused: Refusal | null; readonly end: At | null; readonly said: string };
/** What an input method began with. */
type Composition = {
  /** The text that it writes in, and what was shown of it. */
  readonly text: Text | null;
  readonly shown: string;
  /** What was selected; null: it goes on where the edit before it ends. */
  readonly selected: { readonly anchor: At; readonly focus: At } | null;
};

export class Edits {
  readonly #mirror: Mirror;
  readonly #act: (action: Action) => number;
  readonly #refused: (reason: Refusal) => void;
  /** The first one may be on its way. */
  #edits: Edit[] = [];
  /** The answer to the first one: it waits while an input method is at work. */
  #answer: Answer | null = null;
  /** Texts in which more is shown than the page said. */
  readonly #truth = new Map<Text, Truth>();
  /** The agent has put the caret elsewhere since the last edit. */
  #moved = true;
  #composing: Composition | null = null;
  /** While the mirror is built anew: the agent's selection, where each edit is, and whether all have a place. */
  #kept: { own: KeptReach | null; places: Map<Edit, KeptReach>; whole: boolean } | null = null;

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
    this.#answer = null;
    this.#kept = null;
  }

  /** Whether something was not sent. */
  get isWaiting(): boolean {
    return this.#composing !== null || this.#edits.some(({ seq }) => seq === null);
  }

  /** A fresh view of the same page comes: its nodes are others with the same numbers. */
  renewing(): void {
    if (this.#kept) return;
    const composition = this.#composing;
    this.#composing = null;
    if (composition?.text) setText(composition.text, composition.shown);
    this.#takeBack();
    this.#settle();
    const own = rangeOf(selectionIn(this.#mirror.document));
    const places = new Map<Edit, KeptReach>();
    let whole = composition === null;
    for (const [at, edit] of this.#edits.entries()) {
      const kept = edit.range && this.#keep(edit.range);
      if (kept) places.set(edit, kept);
      else if (edit.range) {
        this.#edits.length = at;
        whole = false;
      }
    }
    this.#kept = { own: own && this.#keep(own), places, whole };
  }

  /** It is there: all that was typed goes on in it. Returns whether each place is. */
  renewed(): boolean {
    if (!this.#kept) return true;
    const { own, places } = this.#kept;
    let { whole } = this.#kept;
    this.#kept = null;
    for (const [at, edit] of this.#edits.entries()) {
      const kept = places.get(edit);
      edit.range = kept ? this.#found(kept) : null;
      if (!kept || edit.range) continue;
      this.#edits.length = at;
      whole = false;
    }
    const selected = own && this.#found(own);
    if (selected) select(selected);
    this.#show();
    return whole;
  }

  #keep({ anchor, focus }: Reach): KeptReach | null {
    const [from, to] = [anchor, focus].map(({ startContainer, startOffset }) => {
      const node = this.#mirror.ownId(startContainer);
      return node === null ? null : { node, offset: startOffset, said: textOf(startContainer) };
    });
    return from && to ? { anchor: from, focus: to } : null;
  }

  #found({ anchor, focus }: KeptReach): Reach | null {
    const [from, to] = [anchor, focus].map(({ node: id, offset, said }) => {
      const node = this.#mirror.find(id);
      const host = node && elementOf(node);
      if (!node || !editable(host ?? null) || refusalOf(host ?? null)) return null;
      return placed({ node, offset: said ? follow(offset, between(said, textOf(node)), true) : offset });
    });
    return from && to ? { anchor: from, focus: to } : null;
  }

  /** The agent put the caret elsewhere. */
  caretMoved(): void {
    this.#moved = true;
  }

  /** An input method begins: its text shows at once and can not be prevented. */
  composing(document: Document): void {
    const reach = rangeOf(document.getSelection());
    if (!reach) return;
    const goesOn = this.#goesOn;
    this.#moved = false;
    const [anchor, focus] = [placeOf(reach.anchor), placeOf(reach.focus)];
    const text = focus.node.nodeType === Node.TEXT_NODE ? (focus.node as Text) : null;
    if (text) this.#remember(text);
    this.#composing = { text, shown: text?.data ?? "", selected: goesOn ? null : { anchor, focus } };
  }

  /** It is done. */
  composed(host: Element, text: string): void {
    const composition = this.#composing;
    this.#composing = null;
    for (const node of unknown(host, this.#mirror)) node.remove();
    // What it has put in goes first, so that what was selected is there again.
    if (composition?.text) setText(composition.text, composition.shown);
    const selected = composition?.selected;
    const range = selected ? { anchor: placed(selected.anchor), focus: placed(selected.focus) } : null;
    this.#takeBack();
    this.#settle();
    if (composition && text) this.#edits.push({ input: "insertText", text, range, seq: null, tries: 0 });
    this.#show();
  }

  /** An event in an editable element. */
  beforeInput(event: InputEvent): void {
    if (event.isComposing || this.#composing) return;
    event.preventDefault();
    const input = typedBy(event.inputType);
    const text = inserted(event);
    if (!input || (input.startsWith("insert") && text === "" && !/Paragraph|Break/.test(input))) return;
    // The browser has put the caret where the text was dropped.
    if (input === "insertFromDrop") this.#moved = true;
    this.do(event.view?.document ?? (event.target as Node).ownerDocument, input, text);
  }

  /** Types at the caret of a document. */
  do(document: Document | null, input: Typed, text: string): void {
    const waits = this.#edits.reduce((sum, edit) => sum + edit.text.length, text.length);
    if (waits > LONGEST || this.#edits.length >= MOST) {
      this.#refused(text.length > LONGEST ? "too_long" : "too_many");
      return;
    }
    const goesOn = this.#goesOn;
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
    const truth = this.#truth.get(text);
    if (truth) truth.now = data;
    return !truth;
  }

  /** An action was answered. Returns whether it was an edit. */
  answered(seq: number, refused: Refusal | null, at: Place | null): boolean {
    if (this.#edits[0]?.seq !== seq) return false;
    const node = (at && this.#mirror.find(at.node)) ?? null;
    const said = this.#truth.get(node as Text)?.now ?? textOf(node);
    this.#answer = { refused, end: at && node && { node, offset: at.offset }, said };
    // It loses its word when the text around it is changed.
    if (this.#composing) return true;
    this.#takeBack();
    this.#settle();
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

  /** Whether what is typed now stands behind what is not done yet. */
  get #goesOn(): boolean {
    return this.#edits.length > 0 && !this.#moved;
  }

  /** Takes in what the first edit was answered. */
  #settle(): void {
    const answer = this.#answer;
    this.#answer = null;
    const edit = answer && this.#edits.shift();
    if (!edit) return;
    const { refused, end, said } = answer;
    if ((refused === "stale" || refused === "gone") && ++edit.tries < TRIES) {
      edit.seq = null;
      this.#edits.unshift(edit);
    } else if (refused) {
      this.#edits = [];
    }
    if (!end) return;
    const at = { node: end.node, offset: follow(end.offset, between(said, textOf(end.node)), true) };
    const [next] = this.#edits;
    if (next) next.range ??= { anchor: placed(at), focus: placed(at) };
    if (!this.#moved) select({ anchor: placed(at), focus: placed(at) });
  }

  #add(edit: Edit): void {
    this.#edits.push(edit);
    if (this.#edits.length === 1) this.#show();
    else this.#echo(edit, edit.text);
  }

  /** Sends the first edit if it was not, and shows what all of them will do. */
  #show(): void {
    const [first] = this.#edits;
    if (!first) return;
    const own = rangeOf(selectionIn(this.#mirror.document));
    first.range ??= own;
    if (first.seq === null) {
      const anchor = first.range && this.#spot(first.range.anchor);
      const focus = first.range && this.#spot(first.range.focus);
      if (!anchor || !focus) {
        this.#edits = [];
        return;
      }
      first.seq = this.#act({ kind: "edit", anchor, focus, input: first.input, text: first.text });
    }
    for (const edit of this.#edits) {
      if (edit.range) select(edit.range);
      if (!this.#echo(edit, edit.text)) break;
    }
    // Who has gone elsewhere meanwhile stays there.
    if (this.#moved && own) select(own);
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
    if (this.#truth.has(text)) return;
    const { anchor, focus } = this.#edits[0]?.range ?? {};
    const ends = [anchor, focus].filter((end) => end?.startContainer === text) as Range[];
    const places = ends.map((end) => [end, end.startOffset] as const);
    this.#truth.set(text, { before: text.data, now: text.data, places });
  }

  /** Shows nothing but what the page said: its own news come last, so that places in the text follow them. */
  #takeBack(): void {
    const truth = [...this.#truth];
    this.#truth.clear();
    for (const [text, { before, now, places }] of truth) {
      setText(text, before);
      for (const [end, offset] of places) {
        end.setStart(text, offset);
        end.collapse(true);
      }
      setText(text, now);
    }
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
function rangeOf(selection: Selection | null): Reach | null {
  const { anchorNode, anchorOffset = 0, focusNode, focusOffset = 0 } = selection ?? {};
  if (!anchorNode || !focusNode || !editable(elementOf(focusNode))) return null;
  return {
    anchor: placed({ node: anchorNode, offset: anchorOffset }),
    focus: placed({ node: focusNode, offset: focusOffset }),
  };
}

/** What a text says; nothing else says anything. */
function textOf(node: Node | null): string {
  return node?.nodeType === Node.TEXT_NODE ? (node as Text).data : "";
}

function placed({ node, offset }: At): Range {
  const length = node.nodeType === Node.TEXT_NODE ? (node as Text).length : node.childNodes.length;
  const range = (node.ownerDocument as Document).createRange();
  range.setStart(node, Math.min(offset, length));
  range.collapse(true);
  return range;
}

function placeOf({ startContainer: node, startOffset: offset }: Range): At {
  return { node, offset };
}

function select({ anchor, focus }: Reach): void {
  const { startContainer, startOffset } = focus;
  startContainer.ownerDocument
    ?.getSelection()
    ?.setBaseAndExtent(anchor.startContainer, anchor.startOffset, startContainer, startOffset);
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
