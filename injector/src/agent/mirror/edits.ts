/**
 * Sends edits of editable elements one after the other, each aimed at the text as the page has it.
 *
 * Nothing is changed in the mirror here: the page's answer is the echo. What is typed while an edit is
 * unanswered waits, so that no offset is ever reckoned from a text that has changed already.
 */

import type { Action, NodeId } from "../../protocol/words.ts";
import type { Mirror } from "./mirror.ts";

/** Most text that waits, in UTF-16 units. */
const WAITING = 10_000;

export class Edits {
  readonly #mirror: Mirror;
  readonly #act: (action: Action) => number;
  #sent: { seq: number; node: NodeId; caret: number } | null = null;
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

  /** An event in an editable element. */
  beforeInput(event: InputEvent): void {
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
    const { delete: taken, insert } = this.#waiting;
    this.#waiting = { delete: 0, insert: "" };
    if (caret && (taken > 0 || insert !== "")) {
      const node = this.#mirror.idOf(caret.node);
      if (node !== null) this.#send(node, caret.offset, Math.min(taken, caret.offset), insert);
    }
  }

  #send(node: NodeId, offset: number, taken: number, insert: string): void {
    const seq = this.#act({ kind: "edit", node, offset, delete: taken, insert });
    this.#sent = { seq, node, caret: offset - taken + insert.length };
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
  #putCaret(sent: { node: NodeId; caret: number }): { node: Node; offset: number } | null {
    const node = this.#mirror.find(sent.node);
    const selection = node?.ownerDocument?.getSelection();
    if (!node?.isConnected || !selection) return null;
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

function lastText(node: Node): Text | null {
  const walker = node.ownerDocument?.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  return (walker?.lastChild() as Text | null | undefined) ?? null;
}
