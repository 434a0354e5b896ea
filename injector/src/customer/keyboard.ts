/**
 * Knows where the customer types, so that the agent takes neither the keyboard nor an unfinished word from them.
 *
 * Only real gestures count: what the agent does here is no sign of the customer.
 */

import { controlKind, focused, isElement, type Roots } from "./dom.ts";
import type { Realms } from "./realms.ts";

/** A field is the customer's for so long after their last key or press in it, in milliseconds. */
const HELD = 8000;
/** A word that an input method has not finished is waited for so long, in milliseconds. */
const UNFINISHED = 5000;

/** The customer's keyboard. */
export class Keyboard {
  #at = Number.NEGATIVE_INFINITY;
  #used: Node | null = null;
  #composing = false;
  #finished: (() => void) | null = null;

  constructor(
    readonly roots: Roots,
    realms: Realms,
  ) {
    const use = (event: Event): void => {
      if (!event.isTrusted) return;
      this.#used = event.composedPath()[0] as Node;
      this.#at = performance.now();
    };
    const composes = (event: Event): void => {
      const begins = event.type === "compositionstart";
      // Chromium does not call the end its own.
      if (begins && !event.isTrusted) return;
      this.#composing = begins;
      if (!this.#composing) setTimeout(() => this.#finished?.());
    };
    // What they have just done was not heard, since this is loaded late.
    if (navigator.userActivation?.isActive) {
      this.#used = focused(roots);
      this.#at = performance.now();
    }
    for (const type of ["keydown", "pointerdown", "compositionupdate"] as const) realms.listen(type, use);
    for (const type of ["compositionstart", "compositionend"] as const) realms.listen(type, composes);
  }

  /** The field or editable element in which the customer types, or has just put the caret. */
  get held(): HTMLElement | null {
    if (performance.now() - this.#at > HELD) return null;
    const element = focused(this.roots);
    if (!element || !this.#used || !takesText(element)) return null;
    // A press on something else that did not take the focus is no typing.
    return holdsText(element, this.#used) ? (element as HTMLElement) : null;
  }

  /** The same, when it is another one than `element`. */
  heldBeside(element: Element): HTMLElement | null {
    const { held } = this;
    return held && held !== element ? held : null;
  }

  /** Remembers where the customer types; the answer gives that back if it was taken. */
  remember(): () => void {
    const { held } = this;
    if (!held) return () => {};
    const caret = caretOf(held);
    return () => {
      if (!held.isConnected || focused(this.roots) === held) return;
      held.focus({ preventScroll: true });
      caret();
    };
  }

  /** Waits until no word is unfinished, but not for ever. */
  async finished(): Promise<void> {
    if (!this.#composing || !this.held) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, UNFINISHED);
      this.#finished = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#finished = null;
  }
}

/** Whether a person can type in an element. */
export function takesText(element: Element): boolean {
  return controlKind(element) === "text" || (element as HTMLElement).isContentEditable;
}

/** Whether `inner` is in `element`, or in what labels it. */
function holdsText(element: Element, inner: Node): boolean {
  if (element.contains(inner)) return true;
  const labels = (element as HTMLInputElement).labels ?? [];
  return isElement(inner) && [...labels].some((label) => label.contains(inner));
}

/** Puts the caret of a field, or what is selected in it, back. */
function caretOf(field: HTMLElement): () => void {
  if (field.isContentEditable) {
    const selection = field.ownerDocument.getSelection();
    const { anchorNode, anchorOffset, focusNode, focusOffset } = selection ?? {};
    if (!anchorNode || !focusNode) return () => {};
    return () => {
      if (anchorNode.isConnected && focusNode.isConnected)
        selection?.setBaseAndExtent(anchorNode, anchorOffset ?? 0, focusNode, focusOffset ?? 0);
    };
  }
  const { selectionStart, selectionEnd, selectionDirection } = field as HTMLInputElement;
  return () => {
    if (selectionStart === null) return;
    (field as HTMLInputElement).setSelectionRange(selectionStart, selectionEnd, selectionDirection ?? "none");
  };
}
