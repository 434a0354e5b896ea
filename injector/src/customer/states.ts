/**
 * What the customer points at, presses and has selected: states that CSS can ask for, and the caret.
 *
 * Always the innermost element; what is around it follows from that. Nothing of what is selected is told, only where.
 */

import type { Writer } from "../wire/writer.ts";
import { above, controlKind, isElement } from "./dom.ts";
import type { KnownNodes } from "./known.ts";
import type { Withholding } from "./withhold.ts";

/** The states of one epoch. */
export class States {
  /** Before an epoch nobody has heard of it. */
  #hover: Node | null = [...document.querySelectorAll(":hover")].pop() ?? null;
  /** What the agent's pointer is over. */
  #pointed: Node | null = null;
  #active: Node | null = null;
  #target: Element | null = null;
  #address: string | null = null;
  #states = "0,0,0,0,0";
  /** Where something else may be selected. */
  #selecting: Document | null = document;
  #selection = "0";

  constructor(
    readonly known: KnownNodes,
    readonly withholding: Withholding,
    /** Whether the caret in an element is the agent's: they know. */
    readonly agentHas: (element: Element) => boolean,
  ) {}

  /** The pointer has gone somewhere, or was pressed. */
  pointer({ type, target, relatedTarget, isTrusted }: PointerEvent): void {
    // Those that the page's own scripts make are the agent's too.
    if (!isTrusted && type === "pointerover") this.#pointed = target as Node;
    else if (!isTrusted && type === "pointerout") this.#pointed = relatedTarget && this.#pointed;
    else if (type === "pointerover") this.#hover = target as Node;
    else if (type === "pointerdown") this.#active = target as Node;
    else if (type !== "pointerout") this.#active = null;
    else if (!relatedTarget) this.#hover = null;
  }

  /** Something else may be selected in the document of `target`. */
  select(target: Node): void {
    this.#selecting = target.ownerDocument ?? (target as Document);
  }

  /** Tells what changed. */
  write(out: Writer, focus: Element | null): void {
    if (this.#address !== location.href) {
      this.#address = location.href;
      this.#target = location.hash ? document.querySelector(":target") : null;
    }
    const states = [
      this.#around(this.#hover),
      this.#around(this.#pointed),
      this.#around(this.#active),
      this.known.id(this.#target),
      (focus?.matches(":focus-visible") ? 1 : 0) |
        // Not while another window has it, or a dialog of the browser.
        (focus?.matches(":focus") ? 4 : 0) |
        // Whether states of what is in the top layer end there, only the browser knows.
        ((focus?.ownerDocument === document && isOut(":focus-within")) || (this.#hover && isOut(":hover"))
          ? 2
          : 0),
    ];
    if (`${states}` !== this.#states) {
      this.#states = `${states}`;
      out.byte(66);
      for (const state of states) out.uint(state);
    }
    if (!this.#selecting) return;
    const selection = this.#select(this.#selecting, focus);
    this.#selecting = null;
    if (`${selection}` === this.#selection) return;
    this.#selection = `${selection}`;
    out.byte(67);
    for (const number of selection) out.uint(number);
  }

  /** The number of the innermost known node. */
  #around(node: Node | null): number {
    for (let at = node?.isConnected ? node : null; at; at = above(at)) {
      const id = this.known.id(at);
      if (id) return isElement(at) ? id : 0;
    }
    return 0;
  }

  /** Where the selection begins and ends, or 0. */
  #select(document: Document, focus: Element | null): number[] {
    if (focus && this.agentHas(focus)) return [0];
    const selection = document.getSelection();
    // A selection inside of a field is none of the document's.
    if (focus && controlKind(focus) === "text" && selection?.isCollapsed !== false) {
      const { selectionStart, selectionEnd, selectionDirection } = focus as HTMLInputElement;
      const id = this.known.id(focus);
      if (!id || selectionStart === null || selectionEnd === null || this.withholding.holds(focus))
        return [0];
      const ends = [selectionStart, selectionEnd];
      if (selectionDirection === "backward") ends.reverse();
      return [id, ends[0] ?? 0, id, ends[1] ?? 0];
    }
    const anchor = this.known.id(selection?.anchorNode ?? null);
    const end = this.known.id(selection?.focusNode ?? null);
    if (!selection || !anchor || !end) return [0];
    // A caret that nobody sees.
    const edits = isElement(focus) && (focus as HTMLElement).isContentEditable;
    if (selection.isCollapsed && !edits) return [0];
    if (edits && focus && this.withholding.holds(focus)) return [0];
    return [anchor, selection.anchorOffset, end, selection.focusOffset];
  }
}

/** Whether the page as a whole has no part in a state. */
function isOut(state: string): boolean {
  return !document.documentElement.matches(state);
}
