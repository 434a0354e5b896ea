/**
 * The agent's own caret and selection: told to the customer, and kept where it is while the mirror is built anew.
 */

import type { Action, NodeId, Spot } from "../../protocol/words.ts";
import { between, follow } from "../../text/change.ts";
import type { Edits } from "./edits.ts";
import type { Field } from "./field-text.ts";
import type { Fields } from "./fields.ts";
import { activeIn } from "./frames.ts";
import { editable, isTextField } from "./intents.ts";
import { refusalOf } from "./marks.ts";
import type { Mirror } from "./mirror.ts";

/** Least time between two places that are told, in milliseconds. */
const PAUSE = 120;
/** How long after a gesture the caret moves by that, in milliseconds. */
const FOLLOWS = 1000;

/** Both ends of a selection. */
type Spots = { anchor: Spot; focus: Spot };
/** What has the focus, and of a field what is selected in which text. */
type Kept = {
  node: NodeId;
  said: string;
  start: number | null;
  end: number | null;
  direction: Field["selectionDirection"];
};

export class OwnCaret {
  readonly #mirror: Mirror;
  readonly #edits: Edits;
  readonly #fields: Fields;
  readonly #act: (action: Action) => number;
  /** Whether it may be told. */
  readonly #may: () => boolean;
  /** As last told, and the unanswered actions that tell it. */
  #told = "";
  readonly #telling = new Set<number>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The agent has put it elsewhere, and that was not told: what they typed before is not answered yet. */
  #owed = false;
  /** When the agent's hand last moved it. */
  #hand = Number.NEGATIVE_INFINITY;
  /** While the mirror is built anew. */
  #kept: Kept | null = null;

  constructor(
    mirror: Mirror,
    edits: Edits,
    fields: Fields,
    act: (action: Action) => number,
    may: () => boolean,
  ) {
    this.#may = may;
    this.#mirror = mirror;
    this.#edits = edits;
    this.#fields = fields;
    this.#act = act;
  }

  /** The agent does something: what moves the caret for a while is that. */
  handMoved(): void {
    this.#hand = performance.now();
  }

  /** The agent puts it elsewhere. */
  moves(): void {
    this.#edits.caretMoved();
    this.#owed = true;
  }

  /** Tells where it is a little later, if that may be told then. */
  tellSoon(document: Document | null): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (!this.#owed && performance.now() - this.#hand > FOLLOWS) return;
      const spots = this.#spots(document);
      const said = JSON.stringify(spots) ?? "";
      if (!spots || !this.#may()) return;
      this.#owed = false;
      if (said === this.#told) return;
      this.#told = said;
      this.#telling.add(this.#act({ kind: "caret", ...spots }));
    }, PAUSE);
  }

  /** The page knows from the typing itself where it is, unless it was put elsewhere since. */
  known(document: Document | null): void {
    if (this.#owed) this.tellSoon(document);
    else this.#told = JSON.stringify(this.#spots(document)) ?? "";
  }

  /** An action was answered. Returns whether it told of the caret. */
  answered(seq: number): boolean {
    return this.#telling.delete(seq);
  }

  /** Goes to what has the page's focus, and selects there what the page has selected; `all`, in a field, where it has not said. */
  follow(element: HTMLElement, all: boolean): void {
    element.focus({ preventScroll: true });
    const { anchor, focus } = this.#mirror.selected ?? {};
    const isInside = anchor && focus && element.contains(anchor.node) && element.contains(focus.node);
    if (!isTextField(element)) {
      if (isInside)
        element.ownerDocument
          .getSelection()
          ?.setBaseAndExtent(anchor.node, anchor.offset, focus.node, focus.offset);
    } else if (isInside) {
      const [start, end] = [anchor.offset, focus.offset].sort((a, b) => a - b) as [number, number];
      const direction = start === anchor.offset ? "forward" : "backward";
      if (element.selectionStart !== null) element.setSelectionRange(start, end, direction);
    } else if (all && element.localName === "input") element.select();
    this.known(this.#mirror.document);
  }

  /** Keeps it, if the agent is in the mirror, until it is put back. */
  keep(document: Document | null): void {
    if (this.#kept || !document?.hasFocus()) return;
    const active = activeIn(document);
    const node = active && this.#mirror.ownId(active);
    if (!active || node === null) return;
    const field = isTextField(active) ? active : null;
    const { value: said = "", selectionStart: start = null, selectionEnd: end = null } = field ?? {};
    this.#kept = { node, said, start, end, direction: field?.selectionDirection ?? null };
  }

  /** Forgets what it kept. */
  drop(): void {
    this.#kept = null;
  }

  /** Gives the focus back. `fill` is called then, and what is selected in the field follows what it makes of the text. */
  putBack(fill: () => void): void {
    const kept = this.#kept;
    this.#kept = null;
    const focused = kept && ((this.#mirror.find(kept.node) ?? null) as HTMLElement | null);
    if (focused && !refusalOf(focused)) focused.focus({ preventScroll: true });
    fill();
    if (!isTextField(focused) || kept?.start == null || kept.end == null || focused.selectionStart === null)
      return;
    const change = between(kept.said, focused.value);
    const [start, end] = [kept.start, kept.end].map((at) => follow(at, change, true));
    focused.setSelectionRange(start ?? 0, end ?? 0, kept.direction ?? undefined);
  }

  /** Where it is, if that is in something to type into. */
  #spots(document: Document | null): Spots | null {
    const active = activeIn(document);
    if (!active || refusalOf(active)) return null;
    if (!isTextField(active)) return editable(active) ? this.#edits.spots(active.ownerDocument) : null;
    const node = this.#mirror.ownId(active);
    const { selectionStart: start, selectionEnd: end, selectionDirection } = active;
    if (node === null || start === null || end === null || !this.#fields.isSettled(active)) return null;
    const [from, to] = selectionDirection === "backward" ? [end, start] : [start, end];
    return { anchor: { node, offset: from, base: 0 }, focus: { node, offset: to, base: 0 } };
  }
}
