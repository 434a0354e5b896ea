/**
 * The one replacement that makes a text of another: what an edit of a field comes down to.
 */

/** Units from `start` to `end` of the old text become `insert`. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly insert: string;
}

/**
 * The shortest replacement that makes `after` of `before`, in UTF-16 units and never through a surrogate pair.
 * Among equals the one that ends at `caret` in the new text.
 */
export function difference(before: string, after: string, caret: number): Replacement {
  const shorter = Math.min(before.length, after.length);
  // What is behind the caret stays behind it, as far as the texts allow.
  let back = 0;
  const behind = Math.min(shorter, Math.max(0, after.length - caret));
  while (back < behind && unit(before, -1 - back) === unit(after, -1 - back)) back++;
  let start = 0;
  while (start < shorter - back && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  while (back < shorter - start && unit(before, -1 - back) === unit(after, -1 - back)) back++;
  if (start > 0 && high(before.charCodeAt(start - 1))) start--;
  if (back > 0 && low(before.charCodeAt(before.length - back))) back--;
  return { start, end: before.length - back, insert: after.slice(start, after.length - back) };
}

function unit(text: string, fromEnd: number): number {
  return text.charCodeAt(text.length + fromEnd);
}

function high(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

function low(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}
