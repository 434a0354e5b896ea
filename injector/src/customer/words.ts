/**
 * What the customer reads: one table for each language in `src/words/customer`, sent by the server with the administrator's
 * changes. A new text is a new key in each of them.
 */

import type { EndReason } from "../protocol/words.ts";
import type english from "../words/customer/en.json";

/** The texts of a language. */
export type Table = typeof english & { readonly ended: Readonly<Record<EndReason, string>> };

/** As the server sends them. */
export type Words = Table & {
  /** Theirs. */
  readonly language: string;
  /** What the company wants to be accepted before a session starts. */
  readonly terms: Terms | null;
};

/** The company's terms. */
export interface Terms {
  /** Theirs, which may be another one. */
  readonly language: string;
  readonly text: string | null;
  /** An address, or a path on the site. */
  readonly link: string | null;
}

/** Puts values into the places of a text: `{agent}`. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (place, name: string) => `${values[name] ?? place}`);
}

/** The form of a text that goes with a number. */
export function plural(forms: Readonly<Record<string, string>>, count: number, language: string): string {
  return forms[new Intl.PluralRules(language).select(count)] ?? forms.other ?? "";
}
