/**
 * Types in editable elements: with the selection, the keys and the events that the page's editor expects.
 *
 * Places are those that the agent had; texts that the customer has changed since are followed. What the customer has selected
 * elsewhere is theirs again when the edit is done.
 */

import type { NodeId, Refusal, Spot, Typed } from "../protocol/words.ts";
import { replacing } from "../text/change.ts";
import { History } from "../text/history.ts";
import { above, type Box, boxOf, controlKind, frameOf, isElement, observer, outOf } from "./dom.ts";
import { realmOf } from "./realms.ts";
import { type Field, keyOf, paste, press, STROKES, type Typing } from "./typing.ts";

/** A place in the page. */
export type At = { node: Node; offset: number };

const WORDS: Readonly<Partial<Record<Typed, [direction: string, granularity: string]>>> = {
  deleteWordBackward: ["backward", "word"],
  deleteWordForward: ["forward", "word"],
  deleteSoftLineBackward: ["backward", "lineboundary"],
  deleteSoftLineForward: ["forward", "lineboundary"],
};
const FOCUS = ["focus", "blur", "focusin", "focusout"] as const;

/** The editing of one session. */
export class Editing {
  readonly #texts = new WeakMap<Text, History>();
  #hosts = new WeakSet<Element>();
  readonly #observer = observer((records) => this.#note(records));
  #host: HTMLElement | null = null;
  #at: At | null = null;
  /** The same in an editable element: it follows what the customer types before it. */
  #range: Range | null = null;

  constructor(
    readonly typing: Typing,
    readonly node: (id: NodeId) => Node | undefined,
  ) {}

  /** Where the agent's caret is. */
  get at(): At | null {
    return this.#range ? placeOf(this.#range) : this.#at;
  }

  set at(at: At | null) {
    this.#at = at;
    this.#range = at && hostOf(at.node) ? rangeAt(at.node, at.offset) : null;
  }

  /** Watches nothing any more. */
  stop(): void {
    this.#observer.disconnect();
    this.#hosts = new WeakSet();
    this.at = null;
  }

  /** Does in the editable element what a person at these places would have done. */
  async edit(anchor: Spot, focus: Spot, input: Typed, text: string): Promise<Refusal | null> {
    const { keyboard } = this.typing;
    if (keyboard.held) await keyboard.finished();
    const found = this.find(anchor, focus);
    if (!found) return "stale";
    const { host, from, to } = found;
    const beside = keyboard.heldBeside(host);
    // Browsers and editors know only one: it would take back the customer's words.
    if (keyboard.held && input.startsWith("history")) return "customer_typing";
    this.#host = host;
    const work = async (): Promise<void> => {
      const [first, ...others] = this.#selected(anchor, focus);
      for (const [start, end] of others.reverse()) {
        this.select(host, start, end);
        this.#do(host, "deleteContentBackward", "");
        await editors();
      }
      this.select(host, ...(others.length > 0 && first ? first : ([from, to] as const)));
      if (text && from.node !== to.node) {
        // What lies across lines goes first: not every editor follows both in one.
        this.#do(host, "deleteContentBackward", "");
        await editors();
      }
      for (const piece of input === "insertText" && text.length <= STROKES ? text : [text]) {
        this.#do(host, input, piece);
        await editors();
      }
      this.at = caretIn(host);
    };
    if (keyboard.held) {
      this.typing.settle(host);
      this.typing.in = host;
      await this.#aside(host, beside, to, work);
    } else {
      this.typing.enter(host);
      await work();
      if (this.at) reveal(this.at);
    }
    return null;
  }

  /** The editable element of two places, and where they are now. */
  find(anchor: Spot, focus: Spot): { host: HTMLElement; from: At; to: At } | null {
    this.#note(this.#observer.takeRecords());
    const from = this.#place(anchor);
    const to = this.#place(focus);
    const host = to && hostOf(to.node);
    return from && host && hostOf(from.node) === host ? { host, from, to } : null;
  }

  /** Selects, and lets an editor know that waits to be told. */
  select(host: HTMLElement, from: At, to: At): void {
    const selection = host.ownerDocument.getSelection();
    if (!selection) return;
    const { anchorNode, anchorOffset, focusNode, focusOffset } = selection;
    if (
      anchorNode === from.node &&
      anchorOffset === from.offset &&
      focusNode === to.node &&
      focusOffset === to.offset
    )
      return;
    selection.setBaseAndExtent(from.node, from.offset, to.node, to.offset);
    host.ownerDocument.dispatchEvent(new (realmOf(host).Event)("selectionchange"));
  }

  /** The agent's caret as it is now: editors may have put it elsewhere since, unless the customer has the only one. */
  caret(): At | null {
    if (this.#host && !this.typing.keyboard.held) this.at = caretIn(this.#host) ?? this.at;
    const { at } = this;
    return at?.node.isConnected ? at : null;
  }

  #place({ node: id, offset, base }: Spot): At | null {
    const node = this.node(id);
    if (!node?.isConnected) return null;
    if (node.nodeType !== Node.TEXT_NODE) return { node, offset: Math.min(offset, node.childNodes.length) };
    const text = node as Text;
    // From now on all that it becomes is known, so that an edit which is made anew of it fits.
    const host = hostOf(text);
    if (host) this.#watch(host);
    let history = this.#texts.get(text);
    if (!history) {
      history = new History(text.data);
      this.#texts.set(text, history);
    }
    history.note(text.data);
    const place = history.place(base, offset);
    return place === null ? null : { node, offset: Math.min(place, text.length) };
  }

  /** What is selected in one text, from its beginning: without what the customer has put in there since. */
  #selected(anchor: Spot, focus: Spot): [At, At][] {
    const node = this.node(anchor.node);
    const history = anchor.node === focus.node && this.#texts.get(node as Text);
    if (!node || !history) return [];
    const [start = 0, end = 0] = [anchor.offset, focus.offset].sort((a, b) => a - b);
    const parts: [At, At][] = [];
    let at = 0;
    for (const piece of history.carried(anchor.base, replacing(start, end, "")) ?? []) {
      const next = at + Math.abs(Number(piece));
      if (Number(piece) < 0)
        parts.push([
          { node, offset: at },
          { node, offset: next },
        ]);
      at = next;
    }
    return parts;
  }

  #watch(host: HTMLElement): void {
    if (this.#hosts.has(host)) return;
    this.#hosts.add(host);
    this.#observer.observe(host, { subtree: true, characterData: true, characterDataOldValue: true });
  }

  /** What a text was before each change says what it was after the one before. */
  #note(records: readonly MutationRecord[]): void {
    for (const { target, oldValue } of records) {
      const text = target as Text;
      const history = this.#texts.get(text);
      if (history) history.note(oldValue ?? "");
      else this.#texts.set(text, new History(oldValue ?? ""));
    }
    for (const { target } of records) this.#texts.get(target as Text)?.note((target as Text).data);
  }

  /** Does `work` without the customer losing keyboard and selection for it. */
  async #aside(
    host: HTMLElement,
    beside: HTMLElement | null,
    to: At,
    work: () => Promise<void>,
  ): Promise<void> {
    const selection = host.ownerDocument.getSelection();
    const field = beside && controlKind(beside) === "text" ? (beside as Field) : null;
    const inField = field && ([field.selectionStart, field.selectionEnd, field.selectionDirection] as const);
    // Ranges follow what is edited around them.
    const [anchor, focus] = [
      rangeAt(selection?.anchorNode, selection?.anchorOffset),
      rangeAt(selection?.focusNode, selection?.focusOffset),
    ];
    // What comes in right before something that they have selected is none of it: their next key would take it away.
    const selected = selection?.isCollapsed === false ? selection.getRangeAt(0) : null;
    const isStart = ({ node, offset }: At): boolean =>
      node === selected?.startContainer && offset === selected.startOffset;
    const first = isStart(to) && (anchor && isStart(placeOf(anchor)) ? "anchor" : "focus");
    const view = realmOf(host);
    const { scrollX: left, scrollY: top } = view;
    if (beside) quietly(view, () => host.focus({ preventScroll: true }));
    await work();
    quietly(view, () => beside?.focus({ preventScroll: true }));
    if (field && inField?.[0] != null)
      field.setSelectionRange(inField[0], inField[1], inField[2] ?? undefined);
    else if (anchor && focus && !field) {
      const from = (first === "anchor" && this.at) || placeOf(anchor);
      const end = (first === "focus" && this.at) || placeOf(focus);
      selection?.setBaseAndExtent(from.node, from.offset, end.node, end.offset);
    }
    view.scrollTo({ left, top, behavior: "instant" });
  }

  #do(host: HTMLElement, input: Typed, text: string): void {
    const [key, control] = [...text].length > 1 ? ["", false] : keyOf(input, text);
    const shift = input === "insertLineBreak";
    let goes = !key || press(host, "keydown", key, shift, control);
    if (goes && key && !control && (text || key === "Enter")) goes = press(host, "keypress", key, shift);
    if (goes) {
      if (input === "insertFromPaste" || input === "insertFromDrop") this.#paste(host, text);
      else this.#type(host, input, text);
    }
    if (key) press(host, "keyup", key, shift, control);
  }

  #type(host: HTMLElement, input: Typed, text: string): void {
    const selection = host.ownerDocument.getSelection();
    const reach = WORDS[input];
    if (reach && selection?.isCollapsed) selection.modify("extend", ...reach);
    if (input === "insertText") this.#text(host, text);
    else this.typing.command(host, input, text);
  }

  /** An editor takes what is pasted itself; for a plain element it comes in line by line. */
  #paste(host: HTMLElement, text: string): void {
    const transfer = paste(host, text);
    if (!transfer) return;
    const breaks = /pre|break/.test(spacesAt(host)) ? "insertLineBreak" : "insertParagraph";
    for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
      if (index > 0) this.typing.command(host, breaks, "");
      if (line) this.#text(host, line);
    }
  }

  /** Where styles make one space of several they stay as many as they are, and a tab is four: as browsers paste them. */
  #text(host: HTMLElement, text: string): void {
    const keeps = /pre(?!-line)|break-spaces/.test(spacesAt(host));
    const spaced = text
      .replaceAll("\t", "    ")
      .replace(/ {2,}/g, (run) => run.replace(/ ( ?)/g, "\u00a0$1"));
    this.typing.command(host, "insertText", keeps ? text : spaced);
  }
}

/** Lets editors look at what was done, and at the selection, before anything else happens. */
async function editors(): Promise<void> {
  await null;
  await null;
}

/** Moves the focus without the page hearing of it: it will be back at once. */
function quietly(view: Window, move: () => void): void {
  const mute = (event: Event): void => event.stopImmediatePropagation();
  for (const type of FOCUS) view.addEventListener(type, mute, true);
  move();
  for (const type of FOCUS) view.removeEventListener(type, mute, true);
}

function rangeAt(node: Node | null | undefined, offset = 0): Range | null {
  const range = node?.ownerDocument?.createRange();
  if (!node || !range) return null;
  range.setStart(node, offset);
  range.collapse(true);
  return range;
}

/** Scrolls a place into view, which not every browser does where a script has typed. */
function reveal({ node, offset }: At): void {
  const range = rangeAt(node, offset);
  const child = node.childNodes[offset];
  const beside = isElement(child) ? child : elementOf(node);
  for (let at: Node | null = node; at; at = above(at)) {
    if (!isElement(at)) continue;
    const caret = range?.getClientRects()[0] ?? beside?.getBoundingClientRect();
    if (!caret) return;
    const { left, top, width, height } = outOf(node.ownerDocument as Document, caret);
    const shown = at === at.ownerDocument.scrollingElement ? windowOf(at.ownerDocument) : boxOf(at);
    at.scrollBy({
      left: beyond(left, width, shown.left, shown.width),
      top: beyond(top, height, shown.top, shown.height),
      behavior: "instant",
    });
  }
}

/** How far something is out of what is shown. */
function beyond(at: number, size: number, from: number, room: number): number {
  return Math.min(0, at - from) || Math.max(0, at + size - from - room);
}

/** The window of a document, in the page's own viewport. */
function windowOf(document: Document): Box {
  const frame = frameOf(document);
  return frame ? boxOf(frame) : { left: 0, top: 0, width: innerWidth, height: innerHeight };
}

/** What becomes of spaces at the caret. */
function spacesAt(host: HTMLElement): string {
  const node = caretIn(host)?.node;
  return realmOf(host).getComputedStyle((node && elementOf(node)) ?? host).whiteSpace;
}

function placeOf({ startContainer: node, startOffset: offset }: Range): At {
  return { node, offset };
}

/** The outermost editable element around a node. */
function hostOf(node: Node): HTMLElement | null {
  const element = elementOf(node);
  if (!element?.isContentEditable) return null;
  let host = element;
  while (host.parentElement?.isContentEditable) host = host.parentElement;
  return host;
}

function elementOf(node: Node): HTMLElement | null {
  return node.nodeType === Node.ELEMENT_NODE ? (node as HTMLElement) : node.parentElement;
}

function caretIn(host: HTMLElement): At | null {
  const selection = host.ownerDocument.getSelection();
  const node = selection?.focusNode;
  return node && host.contains(node) ? { node, offset: selection.focusOffset } : null;
}
