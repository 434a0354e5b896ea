/**
 * Reads session IDs as people type them and shows them in groups of three.
 *
 * The server decides whether an ID names a session; here only its shape is looked at.
 */

const SHAPE = /^[A-HJKMNP-TV-Z2-9]{9}$/;
const SEPARATORS = /[\s\-._–—]/g;

/** The ID as it is shown and sent (`7KQ-M9X-D4R`), or `null` when the text can be none. */
export function parseSessionId(text: string): string | null {
  const bare = text.replace(SEPARATORS, "").toUpperCase();
  return SHAPE.test(bare) ? groups(bare) : null;
}

/** What a textbox shows while an ID is typed: upper case, in groups; nothing that was typed is lost. */
export function groupWhileTyping(text: string): string {
  return groups(text.replace(SEPARATORS, "").toUpperCase());
}

function groups(bare: string): string {
  return bare.match(/.{1,3}/gu)?.join("-") ?? "";
}
