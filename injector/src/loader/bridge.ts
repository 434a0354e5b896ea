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
export type PartName =
  | "pictures"
  | "held"
  | "acting"
  | "reread"
  | "hand"
  | "outlines"
  | "place"
  | "sheets"
  | "motion"
  | "echoes"
  | "asks"
  | "farewell"
  | "depth"
  | "frames";

/** What is said between a page and the document of another host in a frame of it: nothing that anybody may not know, but for
 * the ticket, which only goes to hosts of the site. */
export type FrameWord =
  /** The page is shared: who is there, in the frame of this number? */
  | { readonly tandem: "who"; readonly frame: number }
  /** A document with our loader; whether it has joined as that frame. */
  | { readonly tandem: "here"; readonly joined: boolean }
  /** It has made way for another one: a browser does not say any more from where it speaks. */
  | { readonly tandem: "gone"; readonly frame: number }
  /** It may join the session; and whether it outlines what is hidden there from the agent. */
  | { readonly tandem: "join"; readonly ticket: string; readonly outline: boolean }
  /** From now on it outlines that, or does not. */
  | { readonly tandem: "outline"; readonly on: boolean }
  | Deed;

/** Who does what happens next, in the window that says it and in all that it speaks to. */
export type Deed =
  /** An agent, whose action may have forms submitted, or not. */
  | { readonly tandem: "acts"; readonly submits: boolean }
  /** The customer, who has pressed something. */
  | { readonly tandem: "hand" };

/** Hears what a page of the site around this document says. */
export type HearPage = (word: FrameWord, page: Window, origin: string) => void;

/** What the loader does for the part in a frame. */
export interface InsetBridge extends Part<HearPage> {
  readonly look: Look;
  /** Loads a part that not every document needs, once. */
  load<T>(name: PartName): Promise<T>;
  /** What the customer reads. */
  words(): Promise<Words>;
}

/** The script element of a part. */
export interface PartScript<T, P extends Part<T> = Part<T>> extends HTMLScriptElement {
  tandem?: P;
}

/** The script element of the bundle. */
export type BundleScript = PartScript<Bundle, Bridge>;
