/**
 * Where the panel stands, as shares of the room that the window has; kept over page loads and for the next session.
 */

import type { Corner } from "../../loader/look.ts";
import { remembered } from "../storage.ts";

/** 0 is left or top, 1 right or bottom. */
export interface Share {
  readonly x: number;
  readonly y: number;
}

/** Between the panel and the edge of the window, in pixels. */
export const GAP = 12;
/** Where the browser remembers the place. */
export const PLACE = "tandem-place";

/** Puts the panel there, whatever the sizes of window and panel are and become. */
export function stand({ style }: HTMLElement, { x, y }: Share): void {
  const along = (share: number): string => `calc(${GAP}px + (100% - ${2 * GAP}px)*${share})`;
  style.left = along(x);
  style.top = along(y);
  style.translate = `${-100 * x}% ${-100 * y}%`;
}

/** The place on the page before, or else a corner. */
export function kept(corner: Corner): Share {
  const [x, y] = (remembered("localStorage", PLACE) ?? "").split(" ").map(Number.parseFloat);
  if (x !== undefined && y !== undefined && x >= 0 && x <= 1 && y >= 0 && y <= 1) return { x, y };
  return { x: corner.endsWith("right") ? 1 : 0, y: corner.startsWith("bottom") ? 1 : 0 };
}
