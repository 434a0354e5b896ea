/**
 * What the loader and the customer's bundle know of each other.
 *
 * The loader hands it over on the script element that it loads the bundle with, so the page gets no global but `Tandem`.
 */

import type { Words } from "../customer/words.ts";
import type { Look } from "./look.ts";
import type { TandemEvents, TandemStart, TandemState } from "./tandem.d.ts";

/** What the bundle does for the loader. */
export interface Bundle {
  /** Starts a session; resolves with its ID. */
  start(about?: TandemStart): Promise<string>;
  /** Goes on with the session that an earlier page started. */
  resume(sessionId: string): void;
  /** Leaves the session. */
  exit(): void;
}

/** What the loader does for the bundle. */
export interface Bridge extends Part<Bundle> {
  /** What the settings say. */
  readonly look: Look;
  /** What the customer reads, in the language of the page. They are there before the bundle is asked for anything. */
  readonly words: Words;
  /** Loads a part of the bundle that not every page needs, once. */
  load<T>(name: PartName): Promise<T>;
  /** The element and shadow root in which everything of ours is shown. */
  readonly host: HTMLElement;
  readonly root: ShadowRoot;
  /** Remembers the session for later pages; null forgets it. */
  mark(sessionId: string | null): void;
  /** Sets `Tandem.state` and shows our button only while there is no session. */
  become(state: TandemState): void;
  /** Tells the site's developers. */
  emit<E extends keyof TandemEvents>(event: E, detail: TandemEvents[E]): void;
}

/** What a script that was loaded hands over. */
export interface Part<T> {
  /** Takes it, once. */
  provide(part: T): void;
}

/** Scripts of their own, beside the bundle. */
export type PartName = "pictures" | "held" | "acting" | "outlines" | "place" | "sheets" | "echoes" | "asks";

/** The script element of a part. */
export interface PartScript<T, P extends Part<T> = Part<T>> extends HTMLScriptElement {
  tandem?: P;
}

/** The script element of the bundle. */
export type BundleScript = PartScript<Bundle, Bridge>;
