/**
 * A text that the agent edits while the customer's page orders all edits: what the page last said, what was sent and is
 * not answered, and what waits to be sent.
 *
 * At most one change is on its way, so that each is made of a text that the page has had. The page always wins in the end.
 */

import {
  apply,
  between,
  type Change,
  carry,
  compose,
  inverse,
  isNothing,
  nameOf,
  replacing,
} from "./change.ts";

/** How often a change is made anew of a newer text before it is given up. */
const TRIES = 3;
/** Edits that can be undone. */
const UNDO = 100;
/** Typing without such a pause is undone as one, in milliseconds. */
const PAUSE = 800;

export class SharedText {
  #truth: string;
  #sent: Change | null = null;
  #waiting: Change = [];
  /** What the page said since the change was sent. */
  #word: string | null = null;
  #tries = 0;
  #undo: Change[] = [];
  #redo: Change[] = [];
  #edited = Number.NEGATIVE_INFINITY;

  constructor(truth: string) {
    this.#truth = truth;
  }

  /** What the agent sees: all edits made of what the page said. */
  get view(): string {
    return apply(apply(this.#truth, this.#sent ?? []), this.#waiting);
  }

  /** Whether everything was sent and answered. */
  get isSettled(): boolean {
    return this.#sent === null && isNothing(this.#waiting);
  }

  /** Whether something was not sent. */
  get isWaiting(): boolean {
    return !isNothing(this.#waiting);
  }

  /** Whether a change is on its way. */
  get isSent(): boolean {
    return this.#sent !== null;
  }

  /** The agent has made `view` of the text; the caret is at `caret` then, null where the text is replaced as a whole. */
  edited(view: string, caret: number | null, now: number): void {
    const before = this.view;
    if (view === before) return;
    const change = caret === null ? replacing(0, before.length, view) : between(before, view, caret);
    const back = inverse(before, change);
    const last = this.#undo.pop();
    if (last && now - this.#edited < PAUSE) {
      this.#undo.push(compose(back, last));
    } else {
      if (last) this.#undo.push(last);
      this.#undo.push(back);
      if (this.#undo.length > UNDO) this.#undo.shift();
    }
    this.#edited = now;
    this.#redo = [];
    this.#waiting = compose(this.#waiting, change);
  }

  /** Takes the agent's last edit back, or, with `again`, what was taken back. Returns where the caret is then. */
  undo(again = false): number | null {
    const [from, to] = again ? [this.#redo, this.#undo] : [this.#undo, this.#redo];
    const change = from.pop();
    if (!change) return null;
    to.push(inverse(this.view, change));
    this.#edited = Number.NEGATIVE_INFINITY;
    this.#waiting = compose(this.#waiting, change);
    let [at, caret] = [0, 0];
    for (const piece of change) {
      if (typeof piece === "string") at += piece.length;
      else if (piece > 0) {
        at += piece;
        continue;
      }
      caret = at;
    }
    return caret;
  }

  /** What to send now, if anything, and of which text it is a change. */
  send(): { base: number; change: Change } | null {
    if (this.#sent || isNothing(this.#waiting)) return null;
    this.#sent = this.#waiting;
    this.#waiting = [];
    return { base: nameOf(this.#truth), change: this.#sent };
  }

  /** The page says what the text is. Returns how the agent's view changes by that. */
  told(word: string): Change {
    if (this.#sent) {
      // Whether it has the change in it already, only the answer tells.
      this.#word = word;
      return [];
    }
    return this.#rebase(this.#truth, word);
  }

  /** The change was done; what it made was told before. */
  done(): Change {
    if (!this.#sent) return [];
    const expected = apply(this.#truth, this.#sent);
    const word = this.#word ?? this.#truth;
    this.#answered();
    this.#tries = 0;
    return this.#rebase(expected, word);
  }

  /** It was not done. `stale`: because the page did not know the text that it was made of; it is made anew then. */
  refused(stale: boolean): Change {
    const sent = this.#sent;
    if (!sent) return [];
    const before = this.view;
    const word = this.#word ?? this.#truth;
    this.#answered();
    if (stale && ++this.#tries < TRIES) {
      const theirs = between(this.#truth, word);
      const own = carry(sent, theirs, false);
      const rest = carry(this.#waiting, carry(theirs, sent, true), false);
      const change = carry(theirs, compose(sent, this.#waiting), true);
      this.#truth = word;
      this.#waiting = compose(own, rest);
      this.#carryUndo(change);
      return change;
    }
    this.#tries = 0;
    this.#truth = word;
    this.#waiting = [];
    this.#undo = [];
    this.#redo = [];
    return between(before, word);
  }

  #answered(): void {
    this.#sent = null;
    this.#word = null;
  }

  /** The page has `word` where `expected` was. */
  #rebase(expected: string, word: string): Change {
    const theirs = between(expected, word);
    const change = carry(theirs, this.#waiting, true);
    this.#waiting = carry(this.#waiting, theirs, false);
    this.#truth = word;
    this.#carryUndo(change);
    return change;
  }

  /** What undoes something goes on to do so after a change of the view. */
  #carryUndo(change: Change): void {
    if (isNothing(change)) return;
    for (const stack of [this.#undo, this.#redo]) {
      let over = change;
      for (let at = stack.length - 1; at >= 0; at--) {
        const back = stack[at] ?? [];
        stack[at] = carry(back, over, false);
        over = carry(over, back, true);
      }
    }
  }
}
