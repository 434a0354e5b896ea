/**
 * Keys that the agent presses: each is sent after what those before it do, which may lead elsewhere.
 */

import type { Action, Modifiers, NodeId, Refusal } from "../../protocol/words.ts";
import { editable, isTextField } from "./intents.ts";
import { refusalOf } from "./marks.ts";
import type { Mirror } from "./mirror.ts";

/** So many keys wait for what those before them do. */
const MOST_WAITING = 32;

/** A key as it was pressed. */
export type Stroke = { key: string; code: string; modifiers: Modifiers };
/** A key, and what it is for if those before it leave the focus where it is. */
type Waiting = { stroke: Stroke; target: NodeId | null };

/** What strokes need of their surroundings. */
export type StrokesHost = {
  act(action: Action): number;
  refused(reason: Refusal): void;
  /** One is about to be sent. */
  sends(): void;
};

export class Strokes {
  readonly #mirror: Mirror;
  readonly #host: StrokesHost;
  /** The unanswered key, and what had the focus before it. */
  #sent: { seq: number; key: string; focused: NodeId | null } | null = null;
  /** Those after it: where it moves the focus they are for that. */
  #waiting: Waiting[] = [];

  constructor(mirror: Mirror, host: StrokesHost) {
    this.#mirror = mirror;
    this.#host = host;
  }

  /** Forgets what was not sent. */
  clear(): void {
    this.#sent = null;
    this.#waiting = [];
  }

  get areWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** A key was pressed, for this element. */
  strike(stroke: Stroke, target: Element | null): void {
    // Among what is typed keys keep their place, but Tab leads away from it.
    const typed = isTextField(target) || editable(target) !== null;
    if (this.#sent && (!typed || this.#sent.key === "Tab")) {
      if (this.#waiting.length < MOST_WAITING)
        this.#waiting.push({ stroke, target: this.#mirror.idOf(target) });
      return;
    }
    // The way on and the way out are free.
    const reason = /^(Tab|Escape)$/.test(stroke.key) ? null : refusalOf(target);
    if (reason) {
      this.#host.refused(reason);
      return;
    }
    const node = this.#mirror.idOf(target);
    if (node === null) return;
    this.#host.sends();
    const focused = this.#mirror.idOf(this.#mirror.focused);
    this.#sent = { seq: this.#host.act({ kind: "key", node, ...stroke }), key: stroke.key, focused };
  }

  /** An action was answered: if it was the key, those after it go on. */
  answered(seq: number): void {
    if (seq !== this.#sent?.seq) return;
    const waiting = this.#waiting;
    const { focused } = this.#mirror;
    const stays = this.#mirror.idOf(focused) === this.#sent.focused;
    const find = (id: NodeId | null) => ((id && this.#mirror.find(id)) ?? null) as Element | null;
    this.clear();
    for (const { stroke, target } of waiting) this.strike(stroke, stays ? find(target) : focused);
  }
}
