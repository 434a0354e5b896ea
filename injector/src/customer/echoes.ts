/**
 * What was typed into withheld fields, for where the page repeats it. What finds it is loaded with the first such field.
 *
 * As long as something is known and can not be found yet, every text counts as a secret, and nothing is to be told.
 */

import type { Finder, MakeFinder } from "../echoes/finder.ts";
import type { Echo, Echoing } from "../protocol/words.ts";

/** Units of the shortest secret. */
const SHORTEST = 4;
/** Values that wait to be remembered; the finder keeps no more either. */
const MOST = 2000;
/** How long to wait after what finds them could not be loaded, in milliseconds. */
const AGAIN = 1000;

/** What is in a field, and whether it may be a password. */
type Typed = readonly [value: string, password: boolean];

/** The values of one session. */
export class Echoes {
  #finder: Finder | null = null;
  #coming: Promise<void> | null = null;
  #echoing: Echoing | null = null;
  #keep: ReadonlySet<string> = new Set();
  /** What was typed before there was a finder: what is in fields now, and what is complete. */
  readonly #typing = new Map<Element, Typed>();
  readonly #typed: Typed[] = [];

  /** `arrived` is told of what the server does not know, once it is known here. */
  constructor(
    readonly load: () => Promise<MakeFinder>,
    readonly arrived: (fresh: Echo[]) => void,
  ) {}

  /** Whether nothing is known that could be found anywhere. */
  get empty(): boolean {
    return this.#finder ? this.#finder.empty : this.ready;
  }

  /** Whether all that is known can be found; if not, what finds it is on its way. */
  get ready(): boolean {
    if (this.#finder) return true;
    if (this.#typing.size + this.#typed.length + (this.#echoing?.known.length ?? 0) === 0) return true;
    this.prepare();
    return false;
  }

  /** Loads what finds the values: there is a field for some. Resolves when that has been tried. */
  prepare(): Promise<void> {
    this.#coming ??= this.load().then(
      (make) => {
        const finder = make();
        const fresh = this.#echoing ? finder.set(this.#echoing) : [];
        for (const typed of this.#typed) fresh.push(...finder.complete(...typed));
        for (const [field, typed] of this.#typing) finder.typing(field, ...typed);
        this.#finder = finder;
        this.arrived(fresh);
      },
      async () => {
        await new Promise((resolve) => setTimeout(resolve, AGAIN));
        this.#coming = null;
      },
    );
    return this.#coming;
  }

  /** Takes what the server knows; what is known here already stays. Returns what a restarted server does not know. */
  set(echoing: Echoing): Echo[] {
    this.#echoing = echoing;
    this.#keep = new Set(echoing.keep);
    return this.#finder?.set(echoing) ?? [];
  }

  /** Whether rules go by an attribute, so that it has to be told as it is: the server hides what is in it. */
  keeps(name: string): boolean {
    return this.#keep.has(name.toLowerCase());
  }

  /** Whether a password may have been typed. */
  get knowPasswords(): boolean {
    return this.#finder?.knowPasswords ?? false;
  }

  /** Whether a value is a password that was typed: the whole of it, not only a part. */
  isPassword(value: string): boolean {
    return this.#finder?.isPassword(value) ?? false;
  }

  /** `field` holds this now, which may be a `password`. */
  typing(field: Element, value: string, password: boolean): void {
    if (this.#finder) this.#finder.typing(field, value, password);
    else if (value.length < SHORTEST) this.#typing.delete(field);
    else this.#typing.set(field, [value, password]);
  }

  /** What was typed is complete, in one field or in all: returns what is new. */
  settle(field?: Element): Echo[] {
    if (this.#finder) return this.#finder.settle(field);
    for (const [at, typed] of this.#typing) {
      if (field && at !== field) continue;
      this.#typing.delete(at);
      if (this.#typed.length < MOST) this.#typed.push(typed);
    }
    return [];
  }

  /** The text with bullets in place of every value that is in it. */
  hide(text: string): string {
    if (this.ready || text.length < SHORTEST) return this.#finder?.hide(text) ?? text;
    return text.replace(/\S/gu, "•");
  }

  /** Query and fragment of an address without values; by what is before them, rules are chosen. */
  hideInAddress(url: string): string {
    const at = url.search(/[?#]/);
    return at < 0 ? url : url.slice(0, at + 1) + this.hide(url.slice(at + 1));
  }
}
