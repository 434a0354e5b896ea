/**
 * The state of form controls, which the DOM does not show: values, checks, choices.
 *
 * Only what changed since it was last told is told, and never what is withheld.
 */

import type { Writer } from "../wire/writer.ts";
import { controlKind } from "./dom.ts";
import type { KnownNodes } from "./known.ts";
import type { Withholding } from "./withhold.ts";

const MOST_CHOICES = 10_000;

/** The controls of one epoch. */
export class Controls {
  readonly #all = new Set<Element>();
  readonly #dirty = new Set<Element>();
  /** What was last told, in short. */
  readonly #told = new WeakMap<Element, string>();
  readonly #learned = new WeakMap<Element, string>();

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

  /** Marks every control. */
  sweep(): boolean {
    for (const element of this.#all) {
      if (this.#state(element) !== this.#told.get(element)) this.#dirty.add(element);
    }
    return this.#dirty.size > 0;
  }

  /** Looks at what is being typed into withheld fields, before anything is told that may repeat it. */
  learn(): void {
    const { withholding } = this;
    for (const element of this.#dirty) {
      if (controlKind(element) !== "text" || !withholding.holds(element, true)) continue;
      const { value } = element as HTMLInputElement;
      if (value === this.#learned.get(element)) continue;
      this.#learned.set(element, value);
      withholding.echoes.typing(element, value);
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
      out.byte(7);
      out.uint(id);
      out.byte(state.charCodeAt(0));
      const rest = state.slice(1);
      switch (state.charCodeAt(0)) {
        case 1:
          out.string(rest);
          break;
        case 2:
          out.uint(Number(rest));
          break;
        case 32: {
          const indexes = rest ? rest.split(",").slice(0, MOST_CHOICES) : [];
          out.uint(indexes.length);
          for (const index of indexes) out.uint(Number(index));
        }
      }
    }
    this.#dirty.clear();
  }

  /** The state in short: the flags of the wire as one character, then the value. */
  #state(element: Element): string {
    const held = this.withholding.holds(element);
    switch (controlKind(element)) {
      case "text": {
        const { value } = element as HTMLInputElement;
        return held
          ? `\x02${this.withholding.length(element, value)}`
          : `\x01${this.withholding.echoes.hide(value)}`;
      }
      case "check": {
        const { checked, indeterminate } = element as HTMLInputElement;
        return held ? "" : String.fromCharCode(4 + (indeterminate ? 16 : 0) + (checked ? 8 : 0));
      }
      case "select":
        return held
          ? ""
          : ` ${Array.from((element as HTMLSelectElement).selectedOptions, (option) => option.index).join()}`;
      default:
        return "";
    }
  }
}
