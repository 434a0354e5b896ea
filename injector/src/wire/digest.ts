/**
 * A digest of which nodes there are and where: `src/dom/digest.rs` does the same, and the two are compared.
 *
 * It is a sequence in document order: the id of every node, and a mark wherever the walk leaves a parent. Between server
 * and mirrors the texts follow the ids of their nodes.
 */

/** Stands for leaving a parent; no node has this id. */
const LEAVE = 0;

/** A digest being made. */
export class Digest {
  #value = 0;

  /** What to compare. */
  get value(): number {
    return this.#value >>> 0;
  }

  /** The walk comes to the node of this id, or, without one, leaves a parent. */
  add(id: number = LEAVE): void {
    const mixed = Math.imul((this.#value ^ id) + 1, 0x9e3779b1);
    this.#value = mixed ^ (mixed >>> 15);
  }
}
