/**
 * How an attribute is told, the page's own and those that only the server's page has.
 */

import type { Writer } from "../wire/writer.ts";

/** Tells what an attribute is now; `null`: there is none. */
export function writeAttribute(out: Writer, id: number, name: string, value: string | null): void {
  out.byte(value === null ? 5 : 4);
  out.uint(id);
  out.word(name);
  if (value !== null) out.string(value);
}
