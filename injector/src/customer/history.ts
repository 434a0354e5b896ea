/**
 * Where Back and Forward of this tab lead, so that the server can judge that before an agent may go there.
 *
 * The Navigation API tells. Where a browser has none, what happened since the agent was allowed to act is written down,
 * and whatever is not certain counts as unknown: nobody is taken to where nobody knows.
 */

import type { FromCustomer } from "../protocol/words.ts";
import { guarded } from "./guarded.ts";
import { hook } from "./hooks.ts";

/** A way through the history. */
export type Way = "back" | "forward";

/** What is used of the Navigation API. */
interface Navigation extends EventTarget {
  readonly currentEntry: { readonly index: number } | null;
  entries(): ReadonlyArray<{ readonly url: string | null }>;
  back(): Partial<Record<"committed" | "finished", Promise<unknown>>>;
  forward(): Partial<Record<"committed" | "finished", Promise<unknown>>>;
}

/** The history of this tab. */
export class Ways {
  readonly #navigation = (window as { navigation?: Navigation }).navigation;
  readonly #trail = this.#navigation ? null : new Trail();
  #told = "";

  /** Tells by `send`, now and when it changes. */
  constructor(readonly send: (message: FromCustomer) => void) {
    const tell = (): void => guarded(() => this.tell());
    this.#navigation?.addEventListener("currententrychange", tell);
    for (const event of ["popstate", "hashchange", "pageshow"]) addEventListener(event, tell);
    // No event tells of these.
    for (const name of ["pushState", "replaceState"])
      if (this.#trail) hook(History.prototype, name, { after: tell });
    this.tell();
  }

  /** Tells where they lead, if that is something else than before or is to be told `anew`. */
  tell(anew = false): void {
    const [back, forward] = [this.#to("back"), this.#to("forward")];
    const told = JSON.stringify([back, forward]);
    if (told === this.#told && !anew) return;
    this.#told = told;
    this.send({ type: "neighbours", back, forward });
  }

  /** How to go there, if it still leads to `url`. */
  way(way: Way, url: string | null): (() => void) | null {
    if (url === null || this.#to(way) !== url) return null;
    return () => {
      if (!this.#navigation) {
        this.#trail?.going(way);
        history[way]();
        return;
      }
      // Of this page alone: what its frames did is not counted.
      const { committed, finished } = this.#navigation[way]();
      committed?.catch(() => {});
      finished?.catch(() => {});
    };
  }

  #to(way: Way): string | null {
    if (this.#trail) return this.#trail.to(way);
    const index = this.#navigation?.currentEntry?.index ?? -1;
    const url = index < 0 ? null : this.#navigation?.entries()[index + STEP[way]]?.url;
    return url ?? null;
  }
}

const STEP = { back: -1, forward: 1 } as const;
/** Where the tab keeps what it knows of its history. */
const KEPT = "tandem-trail";
/** How long a page may take to come, in milliseconds, and still be where Back led to. */
const COMES = 10_000;

/** What is known of a tab's history: places in a row that have nothing unknown between them. */
interface Known {
  places: string[];
  at: number;
  /** Of the whole history, then. */
  length: number;
  going?: { step: number; since: number };
}

/** The history as far as it is certain. */
class Trail {
  constructor() {
    const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    this.#follow(entry?.type === "navigate");
  }

  /** Where a way leads. */
  to(way: Way): string | null {
    const { places, at } = this.#follow(true);
    return places[at + STEP[way]] ?? null;
  }

  /** That way is taken now. */
  going(way: Way): void {
    const known = this.#follow(true);
    keep({ ...known, going: { step: STEP[way], since: Date.now() } });
  }

  /** Brings what is known up to where the page is now. `onward`: it may be a step onward. */
  #follow(onward: boolean): Known {
    const { href } = location;
    const { length } = history;
    const before = kept();
    let now: Known = { places: [href], at: 0, length };
    if (before) {
      const { places, at, going } = before;
      const arrived = going && Date.now() - going.since < COMES && places[at + going.step] === href;
      // What comes after a new step is cut off.
      const next = before.length - (places.length - 1 - at) + 1;
      if (arrived && length === before.length) now = { places, at: at + going.step, length };
      else if (places[at] === href && length === before.length) now = before;
      else if (onward && length === next)
        now = { places: [...places.slice(0, at + 1), href], at: at + 1, length };
    }
    keep(now);
    return now;
  }
}

function kept(): Known | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Known | null;
  } catch {
    return null;
  }
}

function keep(known: Known): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(known));
  } catch {
    // A tab without storage knows nothing of before.
  }
}
