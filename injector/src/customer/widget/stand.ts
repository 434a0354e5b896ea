/**
 * Where the panel stands, as shares of the room that the window has; kept over page loads and for the next session.
 */

import type { Corner } from "../../loader/look.ts";

/** 0 is left or top, 1 right or bottom. */
export interface Share {
  readonly x: number;
  readonly y: number;
}

/** The part of the window in which it can stand, in pixels. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Between the panel and the edge of the window, in pixels. */
export const GAP = 12;
/** Where the browser remembers the place. */
const PLACE = "tandem-place";

/** Puts the panel there; without an area, whatever the sizes of window and panel are and become. */
export function stand({ style }: HTMLElement, { x, y }: Share, area: Area | null = null): void {
  const along = (start: number, room: string, share: number): string =>
    `calc(${start + GAP}px + (${room} - ${2 * GAP}px)*${share})`;
  style.left = along(area?.left ?? 0, area ? `${area.width}px` : "100%", x);
  style.top = along(area?.top ?? 0, area ? `${area.height}px` : "100%", y);
  style.translate = `${-100 * x}% ${-100 * y}%`;
}

/** The place on the page before, or else a corner. */
export function kept(corner: Corner): Share {
  try {
    const [x, y] = (localStorage.getItem(PLACE) ?? "").split(" ").map(Number.parseFloat);
    if (x !== undefined && y !== undefined && x >= 0 && x <= 1 && y >= 0 && y <= 1) return { x, y };
  } catch {
    // A page without storage: it starts in its usual corner again.
  }
  return { x: corner.endsWith("right") ? 1 : 0, y: corner.startsWith("bottom") ? 1 : 0 };
}

/** Remembers the place. */
export function keep({ x, y }: Share): void {
  try {
    localStorage.setItem(PLACE, `${x} ${y}`);
  } catch {
    // As above.
  }
}
