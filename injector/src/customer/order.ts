/**
 * Which of some siblings can stay where the server has them while the others are moved around them: as many as possible.
 */

import type { Known } from "./known.ts";

/** `at` of those that stay. */
export const STAYS = 0;
/** And of those that are to be moved. */
export const MOVES = -1;
/** And of what is forgotten. */
export const GONE = -2;

/** Takes siblings in the page's order with `at` as the server has them, from 1 on; says of each whether it stays. */
export function settle(siblings: ReadonlyArray<Pick<Known, "at">>): void {
  // The longest rising run: by its length, the index of the lowest that such a run can end with.
  const ends: number[] = [];
  const before: number[] = [];
  siblings.forEach(({ at }, index) => {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((siblings[ends[middle] as number] as { at: number }).at < at) low = middle + 1;
      else high = middle;
    }
    before.push(ends[low - 1] ?? -1);
    ends[low] = index;
  });
  let stays = ends.at(-1) ?? -1;
  for (let index = siblings.length - 1; index >= 0; index--) {
    const one = siblings[index] as { at: number };
    one.at = index === stays ? STAYS : MOVES;
    if (index === stays) stays = before[index] as number;
  }
}
