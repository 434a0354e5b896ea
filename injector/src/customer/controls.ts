/**
 * The state of form controls, which the DOM does not show: values, checks, choices.
 *
 * Only what changed since it was last told is told, and never what is withheld.
 */

import type { Writer } from "../wire/writer.ts";
import { controlKind, matches } from "./dom.ts";
import type { KnownNodes } from "./known.ts";
import type { Withholding } from "./withhold.ts";

const MOST_CHOICES = 10_000;

/** The controls of one epoch. */
export class Controls {
  readonly #all = new Set<Element>();
  readonly #dirty = new Set<Element>();
  /** What was last told, in short. */
  readonly #told = new WeakMap<Element, string>();
  /** What was in it when it was last looked at. */
  readonly #seen = new WeakMap<Element, string>();

  constructor(
    readonly known: KnownNodes,
    readonly withholding: Withholding,
  ) {}

  /** A new element of the page. */
  add(element: Element): void {
    if (!controlKind(element)) return;
    this.#all.add(element);
    this.#dirty.add(element);
  }

  /** An element that is gone. */
  delete(element: Element): void {
    this.#all.delete(element);
    this.#dirty.delete(element);
    this.#told.delete(element);
  }

  /** `element` may be in another state. */
  mark(element: Element): void {
    if (controlKind(element)) this.#dirty.add(element);
  }

  /** The state of `element` is to be told even if it has not changed. */
  retell(element: Element): void {
    this.#told.delete(element);
    this.mark(element);
  }

  /** Marks every control that has something else in it; only a `whole` look sees what else became of it, and is dear. */
  sweep(whole: boolean): boolean {
    for (const element of this.#all) {
      const { value, checked, indeterminate, selectedIndex, multiple } = element as HTMLInputElement &
        HTMLSelectElement;
      const seen = `${checked}${indeterminate}${selectedIndex}${value}`;
      const other = seen !== this.#seen.get(element);
      if (other) this.#seen.set(element, seen);
      if (other || ((whole || multiple) && this.#state(element) !== this.#told.get(element)))
        this.#dirty.add(element);
    }
    return this.#dirty.size > 0;
  }

  /** Looks at what is being typed into withheld fields, before anything is told that may repeat it. */
  learn(): void {
    for (const element of this.#dirty) this.withholding.learn(element);
  }

  /** Fields that are found to hold a password now. */
  *discover(): Generator<Element> {
    for (const element of this.#dirty) {
      if (this.withholding.discover(element)) {
        this.retell(element);
        yield element;
      }
    }
  }

  /** Tells what changed. */
  write(out: Writer): void {
    for (const element of this.#dirty) {
      const id = this.known.id(element);
      const state = this.#state(element);
      if (!id || state === this.#told.get(element)) continue;
      this.#told.set(element, state);
      this.#all.add(element);
      // A control that is withheld and holds no value: nothing of it is told.
      if (state === "") continue;
      const flags = state.charCodeAt(0);
      const rest = state.slice(2);
      out.byte(7);
      out.uint(id);
      out.byte(flags);
      if (flags & 1) out.string(rest);
      if (flags & 2) out.uint(Number(rest));
      if (flags & 32) {
        const indexes = rest ? rest.split(",").slice(0, MOST_CHOICES) : [];
        out.uint(indexes.length);
        for (const index of indexes) out.uint(Number(index));
      }
      out.byte(state.charCodeAt(1));
    }
    this.#dirty.clear();
  }

  /** The state in short: the flags of the wire and what the browser thinks of it as one character each, then the value. */
  #state(element: Element): string {
    const held = this.withholding.holds(element);
    const state = (flags: number, value: string | number = ""): string =>
      `${String.fromCharCode(flags | 64)}${String.fromCharCode(validity(element))}${value}`;
    const text = (value: string): string => {
      const { echoes } = this.withholding;
      if (!held) return state(1, echoes.hide(value));
      echoes.prepare();
      return state(2, this.withholding.length(element, value));
    };
    switch (controlKind(element)) {
      case "text":
        return text((element as HTMLInputElement).value);
      case "file":
        return text(Array.from((element as HTMLInputElement).files ?? [], ({ name }) => name).join("/"));
      case "check": {
        const { checked, indeterminate } = element as HTMLInputElement;
        return held ? "" : state(4 + (indeterminate ? 16 : 0) + (checked ? 8 : 0));
      }
      case "select":
        return held
          ? ""
          : state(
              32,
              Array.from((element as HTMLSelectElement).selectedOptions, (option) => option.index).join(),
            );
      default:
        return "";
    }
  }
}

/** What the browser thinks of a control, as bits. */
function validity(element: Element): number {
  // Most are like this, and each question has its price.
  if (matches(element, ":valid:not(:is(:user-invalid,:user-valid,:autofill))")) return 2;
  const { willValidate, validity } = element as HTMLInputElement;
  let bits = willValidate ? (validity.valid ? 2 : 1) : 0;
  if (validity?.badInput) bits |= 32;
  if (willValidate && matches(element, ":user-invalid")) bits |= 4;
  if (willValidate && matches(element, ":user-valid")) bits |= 8;
  if (matches(element, ":autofill")) bits |= 16;
  return bits;
}
