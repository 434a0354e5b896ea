/**
 * Sends edits of editable elements one after the other, each aimed at the text as the page has it.
 *
 * Nothing is changed in the mirror here: the page's answer is the echo. What is typed while an edit is
 * unanswered waits, so that no offset is ever reckoned from a text that has changed already.
 */

import type { Action, NodeId } from "../../protocol/words.ts";
import { editable } from "./intents.ts";
import type { Mirror } from "./mirror.ts";

/** Most text that waits, in UTF-16 units. */
const WAITING = 10_000;

/** An edit without its answer. */
type Sent = { seq: number; node: NodeId; caret: number; broke: boolean };

export class Edits {
  readonly #mirror: Mirror;
  readonly #act: (action: Action) => number;
  #sent: Sent | null = null;
  /** Where an input method began. */
  #composed: { node: NodeId; offset: number } | null = null;
  /** Relative to the caret after the edit that is on its way. */
  #waiting = { delete: 0, insert: "" };

  constructor(mirror: Mirror, act: (action: Action) => number) {
    this.#mirror = mirror;
    this.#act = act;
  }

  clear(): void {
    this.#sent = null;
    this.#waiting = { delete: 0, insert: "" };
  }

  /** The agent put the caret elsewhere. */
  caretMoved(): void {
    this.clear();
  }

  /** An input method begins: its text shows at once and can not be prevented. */
  composing(document: Document): void {
    const selection = document.getSelection();
    const node = selection?.focusNode ? this.#mirror.idOf(selection.focusNode) : null;
    this.#composed = selection && node !== null ? { node, offset: selection.focusOffset } : null;
  }

  /** It is done; the page's answer replaces what was shown. */
  composed(insert: string): void {
    const at = this.#composed;
    this.#composed = null;
    if (!at || insert === "") return;
    if (this.#sent) this.#wait(insert, false);
    else this.#send(at.node, at.offset, 0, insert);
  }

  /** An event in an editable element. */
  beforeInput(event: InputEvent): void {
    if (event.isComposing) return;
    event.preventDefault();
    const insert = inserted(event);
    const deletes = event.inputType.startsWith("delete");
    if (insert === "" && !deletes) return;
    if (this.#sent) {
      this.#wait(insert, deletes);
      return;
    }
    const range = event.getTargetRanges()[0];
    if (!range) return;
    const one = range.startContainer === range.endContainer;
    const node = this.#mirror.idOf(range.endContainer);
    if (node === null) return;
    const taken = one ? range.endOffset - range.startOffset : range.endOffset;
    this.#send(node, range.endOffset, taken, insert);
  }

  /** An action was answered; perhaps the edit that others wait for. */
  answered(seq: number, refused: boolean): void {
    const sent = this.#sent;
    if (sent?.seq !== seq) return;
    this.#sent = null;
    if (refused) {
      this.clear();
      return;
    }
    const caret = this.#putCaret(sent);
    const { delete: taken, insert: all } = this.#waiting;
    const insert = firstLine(all);
    this.#waiting = { delete: 0, insert: all.slice(insert.length) };
    if (caret && (taken > 0 || insert !== "")) {
      const node = this.#mirror.idOf(caret.node);
      if (node !== null) this.#send(node, caret.offset, Math.min(taken, caret.offset), insert);
    }
  }

  #send(node: NodeId, offset: number, taken: number, insert: string): void {
    const line = firstLine(insert);
    this.#waiting.insert = insert.slice(line.length) + this.#waiting.insert;
    const seq = this.#act({ kind: "edit", node, offset, delete: taken, insert: line });
    this.#sent = { seq, node, caret: offset - taken + line.length, broke: line === "\n" };
  }

  #wait(insert: string, deletes: boolean): void {
    const waiting = this.#waiting;
    if (waiting.insert.length + insert.length > WAITING) return;
    if (insert === "" && deletes) {
      if (waiting.insert === "") waiting.delete += 1;
      else waiting.insert = waiting.insert.slice(0, -1);
    } else waiting.insert += insert;
  }

  /** Puts the caret where the page's should be now, as far as the mirror can know. */
  #putCaret(sent: Sent): { node: Node; offset: number } | null {
    const node = this.#mirror.find(sent.node);
    const selection = node?.ownerDocument?.getSelection();
    if (!node?.isConnected || !selection) return null;
    const line = sent.broke ? nextLine(node) : null;
    if (line) {
      selection.collapse(line.node, line.offset);
      return line;
    }
    const text = node.nodeType === Node.TEXT_NODE ? (node as Text) : lastText(node);
    if (!text) return null;
    const offset = text === node ? Math.min(sent.caret, text.length) : text.length;
    selection.collapse(text, offset);
    return { node: text, offset };
  }
}

function inserted(event: InputEvent): string {
  switch (event.inputType) {
    case "insertParagraph":
    case "insertLineBreak":
      return "\n";
    case "insertFromPaste":
    case "insertFromDrop":
      return event.dataTransfer?.getData("text/plain") ?? "";
    default:
      return event.data ?? "";
  }
}

/** As much as one edit takes: a line break goes by itself. */
function firstLine(text: string): string {
  const end = text.indexOf("\n");
  return end < 0 ? text : text.slice(0, Math.max(end, 1));
}

/** Where the line after the one with `node` starts. */
function nextLine(node: Node): { node: Node; offset: number } | null {
  const host = editable(node.nodeType === Node.ELEMENT_NODE ? (node as Element) : node.parentElement);
  const walker = host?.ownerDocument.createTreeWalker(host, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  if (!walker) return null;
  walker.currentNode = node;
  for (let at = walker.nextNode(); at; at = walker.nextNode()) {
    if (at.nodeType === Node.TEXT_NODE) return { node: at, offset: 0 };
    const parent = at.parentNode;
    if ((at as Element).localName === "br" && parent) {
      return { node: parent, offset: Array.prototype.indexOf.call(parent.childNodes, at) };
    }
  }
  return null;
}

function lastText(node: Node): Text | null {
  const walker = node.ownerDocument?.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  return (walker?.lastChild() as Text | null | undefined) ?? null;
}
