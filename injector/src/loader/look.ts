/**
 * What the administrator's settings say of the widget: the server puts it around the loader's script (`src/server/assets.rs`).
 */

/** The corner of the window in which the widget first stands. */
export type Corner = "top-left" | "top-right" | "bottom-left" | "bottom-right";

/** All of it. */
export interface Look {
  /** None: below, where lines end. */
  readonly corner: Corner | null;
  /** Of the main buttons, and of the text on them, as CSS. */
  readonly accent: string;
  readonly ink: string;
  /** None: that of the page, or else of the browser. */
  readonly language: string | null;
  /** The origins of the website, where it has several. */
  readonly hosts: readonly string[] | null;
  /** By language: "Co-browse", "Starting…", and what is said when nothing can be reached. */
  readonly words: Readonly<Record<string, readonly [start: string, starting: string, unreachable: string]>>;
}

declare const TANDEM: Look;

/** As it is on this page. */
export const look: Look = TANDEM;

/** The language to speak on this page, of those that there are. */
export function language(): string {
  const wanted = look.language
    ? [look.language]
    : [document.documentElement.lang, ...(navigator.languages ?? [])];
  const known = (tag: string): string | undefined => tag.toLowerCase().split("-")[0];
  return wanted.map(known).find((name) => name && Object.hasOwn(look.words, name)) ?? "en";
}
