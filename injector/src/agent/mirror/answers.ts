/**
 * Knows which of the agent's actions are unanswered, so that older news of the page do not undo them on screen.
 *
 * What the page says of a node with unanswered actions is older than what the agent sees there, and is held
 * back; when the last one is answered the page's word is shown. So the page always wins in the end.
 */

import type { NodeId } from "../../protocol/words.ts";

/** The last action on a node was answered: show the page's word. */
export type Settled = {
  node: NodeId;
  /** Whether the page has said anything of the node since the first of the actions. */
  told: boolean;
};

export class Answers {
  readonly #open = new Map<number, NodeId>();
  readonly #waiting = new Map<NodeId, { count: number; told: boolean }>();

  /** An action on `node` is on its way. */
  sent(seq: number, node: NodeId): void {
    this.#open.set(seq, node);
    const waiting = this.#waiting.get(node);
    if (waiting) waiting.count += 1;
    else this.#waiting.set(node, { count: 1, told: false });
  }

  /** The page says how the node is. Returns whether to show that now. */
  told(node: NodeId): boolean {
    const waiting = this.#waiting.get(node);
    if (waiting) waiting.told = true;
    return waiting === undefined;
  }

  /** An action was done or refused. */
  answered(seq: number): Settled | null {
    const node = this.#open.get(seq);
    if (node === undefined) return null;
    this.#open.delete(seq);
    const waiting = this.#waiting.get(node);
    if (!waiting) return null;
    waiting.count -= 1;
    if (waiting.count > 0) return null;
    this.#waiting.delete(node);
    return { node, told: waiting.told };
  }

  /** Whether no action is unanswered. */
  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  isWaiting(node: NodeId): boolean {
    return this.#waiting.has(node);
  }

  /** Nothing will be answered any more: the connection or the document is another. */
  clear(): void {
    this.#open.clear();
    this.#waiting.clear();
  }
}
