/**
 * Shows a text in a field of the mirror: caret and selection, which are the agent's own, stay where they are in the text.
 */

import { type Change, follow } from "../../text/change.ts";

export type Field = HTMLInputElement | HTMLTextAreaElement;

/** `change` is what makes `text` of what the field shows. */
export function showText(field: Field, text: string, change: Change): void {
  const { selectionStart, selectionEnd, selectionDirection, scrollTop, scrollLeft } = field;
  field.value = text;
  if (selectionStart === null || selectionEnd === null) return;
  const [start, end] = [selectionStart, selectionEnd].map((place) => follow(place, change, true));
  field.setSelectionRange(start ?? 0, end ?? 0, selectionDirection ?? undefined);
  field.scrollTop = scrollTop;
  field.scrollLeft = scrollLeft;
}
