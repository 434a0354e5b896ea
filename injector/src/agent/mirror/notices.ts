/**
 * Tells the agent what the customer's browser shows over the page: a message that stops it, what is wrong with a field, an
 * open list.
 *
 * It is drawn over the mirror and lets every event through. The options of a list are those of the mirror: what is masked there
 * is masked here.
 */

import { words } from "../words.ts";
import { toOutermost } from "./frames.ts";
import type { Box } from "./selection.ts";
import type { Notice } from "./view-frame.ts";

/** Options of a list that are drawn, around the chosen one. */
const OPTIONS = 20;

/** Makes what is to be seen of a notice; `at` is the control that it belongs to. */
export function drawNotice(document: Document, notice: Notice, at: Element | null): HTMLElement {
  const box = document.createElement("div");
  box.className = "notice";
  const line = (text: string, kind: string): void => {
    const line = document.createElement("p");
    line.className = kind;
    line.dir = "auto";
    line.textContent = text;
    box.append(line);
  };
  switch (notice.kind) {
    case "invalid":
      box.classList.add("notice-bubble");
      line(notice.text || words.browser.invalid, "notice-text");
      break;
    case "choosing":
      box.classList.add("notice-list");
      if (at?.localName !== "select") line(words.browser.choosing, "notice-text");
      else
        for (const { text, chosen } of options(at as HTMLSelectElement))
          line(text, chosen ? "chosen" : "option");
      break;
    default:
      box.classList.add("notice-modal");
      line(words.browser[notice.kind], "notice-title");
      if (notice.text) line(notice.text, "notice-text");
  }
  return box;
}

function options(select: HTMLSelectElement): { text: string; chosen: boolean }[] {
  const first = Math.max(0, Math.min(select.selectedIndex - OPTIONS / 2, select.length - OPTIONS));
  return Array.from(select.options)
    .slice(first, first + OPTIONS)
    .map((option) => ({ text: option.label || option.text, chosen: option.selected }));
}

/** Where a control is, in pixels of the mirror's window. */
export function placeOf(at: Element): Box {
  const { x, bottom, width } = at.getBoundingClientRect();
  return { ...toOutermost(at.ownerDocument, { x, y: bottom }), width, height: 0 };
}
