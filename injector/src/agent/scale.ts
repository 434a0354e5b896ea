/**
 * Reckons how much smaller the customer's page is shown. Never larger than it is.
 */

export type Size = { width: number; height: number };

/** The scale at which `page` fits into `space`: at most 1, at least `least`. */
export function scaleToFit(page: Size, space: Size, least: number): number {
  if (page.width <= 0 || page.height <= 0 || space.width <= 0 || space.height <= 0) return 1;
  return Math.max(least, Math.min(1, space.width / page.width, space.height / page.height));
}

/**
 * How far from the edge of the space `length` begins when it is in the middle. Where a pixel of CSS and one of the screen, of which
 * `density` are one of CSS, begin together, if there is such a place nearby: elsewhere text is blurred, or lines are not where the
 * customer has them.
 */
export function before(edge: number, space: number, length: number, density: number): number {
  const middle = Math.floor(edge + (space - length) / 2);
  const isWhole = (at: number) => Math.abs(at * density - Math.round(at * density)) < 0.01;
  const near = Array.from({ length: NEARBY }, (_, by) => middle - by).find(isWhole);
  return Math.max(0, (near ?? middle) - edge);
}

/** In CSS pixels: enough for screens of 1.1, where browsers zoom so. */
const NEARBY = 10;
