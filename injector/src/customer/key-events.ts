/**
 * The events of keys, as a keyboard sends them.
 *
 * Many editors go by the old numbers only, so a mark must never have that of another key: taken for a number, "." would be Delete.
 */

import type { Modifiers } from "../protocol/words.ts";
import { realmOf } from "./realms.ts";

/** A key as it is pressed. */
export interface Stroke {
  readonly key: string;
  /** Where it is on a keyboard, if that is known. */
  readonly code: string;
  readonly modifiers: Modifiers;
}

/** Sends a key event; false if the page has prevented what the key does. */
export function send(target: Element, type: string, { key, code: place, modifiers }: Stroke): boolean {
  const view = realmOf(target);
  const code = place || codeOf(key);
  const charCode = type === "keypress" ? (key === "Enter" ? 13 : key.charCodeAt(0)) : 0;
  const keyCode = charCode || numberOf(key, code);
  return target.dispatchEvent(
    new view.KeyboardEvent(type, {
      key,
      code,
      keyCode,
      charCode,
      which: keyCode,
      altKey: modifiers.alt,
      ctrlKey: modifiers.ctrl,
      metaKey: modifiers.meta,
      shiftKey: modifiers.shift,
      bubbles: true,
      cancelable: true,
      composed: true,
      view,
    } as KeyboardEventInit),
  );
}

/** Where a key is on the keyboard that most pages were written with. */
function codeOf(key: string): string {
  if (/^[a-z]$/i.test(key)) return `Key${key.toUpperCase()}`;
  if (/^\d$/.test(key)) return `Digit${key}`;
  if (key === " ") return "Space";
  if (key.length > 1) return key;
  const digit = ")!@#$%^&*(".indexOf(key);
  if (digit >= 0) return `Digit${digit}`;
  return CODES[";=,-./`[\\]'".indexOf(key)] ?? CODES[':+<_>?~{|}"'.indexOf(key)] ?? "";
}

/** The old number of a key; 0 where it is not known. */
function numberOf(key: string, code: string): number {
  const named = NAMED.indexOf(key);
  if (named >= 0) return NUMBERS[named] ?? 0;
  const numbered = key.match(/^F(\d+)$/);
  if (numbered) return 111 + Number(numbered[1]);
  const place = code.match(/^(?:Key|Digit)(.)$/)?.[1];
  if (place) return place.charCodeAt(0);
  return NUMBERS_OF_CODES[CODES.indexOf(code)] ?? 0;
}

const NAMED = [
  ...["Backspace", "Tab", "Enter", "Escape", " ", "PageUp", "PageDown", "End", "Home"],
  ...["ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown", "Insert", "Delete"],
];
const NUMBERS = [8, 9, 13, 27, 32, 33, 34, 35, 36, 37, 38, 39, 40, 45, 46];
const CODES = [
  ...["Semicolon", "Equal", "Comma", "Minus", "Period", "Slash", "Backquote"],
  ...["BracketLeft", "Backslash", "BracketRight", "Quote"],
];
const NUMBERS_OF_CODES = [186, 187, 188, 189, 190, 191, 192, 219, 220, 221, 222];
