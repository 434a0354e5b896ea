/**
 * Whose a node is, by its number: `protocol::NodeId::inset` does the same.
 */

import type { NodeId } from "../protocol/words.ts";

/** The first number that no node of the page itself has, and how many each inset may use up. */
const INSETS = 2 ** 31;
const PER_INSET = 2 ** 22;

/** The inset that a node is of; 0 for the page. */
export function insetOf(node: NodeId): number {
  return node < INSETS ? 0 : 1 + Math.floor((node - INSETS) / PER_INSET);
}
