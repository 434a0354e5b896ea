/**
 * Keys that the agent presses: each is for what has the focus when the page has done what came before it, which may lead elsewhere.
 */

import type { Action, NodeId, Refusal } from "../../protocol/words.ts";
import { editable, isTextField, modifiersOf } from "./intents.ts";
import { refusalOf } from "./marks.ts";
import type { Mirror } from "./mirror.ts";

/** So many keys wait for what comes before them. */
const MOST_WAITING = 200;

/** A key, and what it is for if what comes before it leaves the focus where it is. */
type Waiting = { event: KeyboardEvent; target: NodeId | null };
/** A key or a press that is not answered, what had the focus before it, and whether what is typed after it may be for another place. */
type Sent = { seq: number; focused: NodeId | null; leads: boolean; isTab: boolean };

/** What strokes need of their surroundings. */
export type StrokesHost = {
  act(action: Action): number;
  refused(reason: Refusal): void;
  /** One is about to be sent. */
  sends(): void;
  /** One has waited: it is pressed again, on this element, or null: where the focus is now. */
  again(event: KeyboardEvent, target: Element | null): void;
};

export class Strokes {
  readonly #mirror: Mirror;
  readonly #host: StrokesHost;
  #sent: Sent | null = null;
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

  /** Whether it is not known yet where what is typed now belongs. */
  get areLed(): boolean {
    return this.#sent?.leads === true;
  }

  /** Whether it is Tab that led to where the focus is. */
  get areTabbed(): boolean {
    return this.#sent?.isTab === true;
  }

  /** Something was pressed with the pointer that may take the focus. */
  pressed(seq: number): void {
    this.#sent = { seq, focused: this.#focused, leads: true, isTab: false };
  }

  /** A key waits. */
  wait(event: KeyboardEvent, target: Element | null): void {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push({ event, target: this.#mirror.idOf(target) });
    else this.#host.refused("too_many");
  }

  /** A key was pressed, for this element. */
  strike(event: KeyboardEvent, target: Element | null): void {
    // Among what is typed keys keep their place, unless that may be elsewhere.
    const typed = isTextField(target) || editable(target) !== null;
    if (this.#sent && (!typed || this.#sent.leads)) {
      this.wait(event, target);
      return;
    }
    const { key, code } = event;
    // The way on and the way out are free.
    const reason = /^(Tab|Escape)$/.test(key) ? null : refusalOf(target);
    if (reason) {
      this.#host.refused(reason);
      return;
    }
    const node = this.#mirror.idOf(target);
    if (node === null) return;
    this.#host.sends();
    const focused = this.#focused;
    const seq = this.#host.act({ kind: "key", node, key, code, modifiers: modifiersOf(event) });
    const isTab = key === "Tab";
    this.#sent = { seq, focused, leads: isTab, isTab };
  }

  /** An action was answered: if it was that, the keys after it go on. */
  answered(seq: number): void {
    if (seq !== this.#sent?.seq) return;
    const waiting = this.#waiting;
    const stays = this.#focused === this.#sent.focused;
    const find = (id: NodeId | null) => ((id && this.#mirror.find(id)) ?? null) as Element | null;
    this.clear();
    for (const { event, target } of waiting) this.#host.again(event, stays ? find(target) : null);
  }

  get #focused(): NodeId | null {
    return this.#mirror.idOf(this.#mirror.focused);
  }
}
