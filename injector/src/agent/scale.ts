/**
 * Reckons how much smaller the customer's page is shown. Never larger than it is.
 */

export type Size = { width: number; height: number };

/** The scale at which `page` fits into `space`: at most 1, at least `least`. */
export function scaleToFit(page: Size, space: Size, least: number): number {
  if (page.width <= 0 || page.height <= 0 || space.width <= 0 || space.height <= 0) return 1;
  return Math.max(least, Math.min(1, space.width / page.width, space.height / page.height));
}

/** How far from the edge of the space `length` begins when it is in the middle. Whole: half a pixel would blur all text. */
export function before(space: number, length: number): number {
  return Math.max(0, Math.floor((space - length) / 2));
}
