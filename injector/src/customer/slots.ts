/**
 * Slots that a script fills by hand (`slotAssignment: "manual"`): no attribute says what is in which.
 *
 * They are told as slots that are filled by name: each has a name of ours, and what is in it asks for that. That can not wait for a
 * part that is loaded: what is in a masked slot is masked, from the frame on that tells of it.
 */

import type { Writer } from "../wire/writer.ts";
import { writeAttribute } from "./attributes.ts";
import { isElement } from "./dom.ts";
import type { KnownNodes } from "./known.ts";

/** The slots of one epoch. */
export class Slots {
  readonly #roots = new Set<ShadowRoot>();
  readonly #names = new WeakMap<Element, string>();
  #last = 0;
  /** What is told in place of attributes, by the number of the element and the attribute. */
  #told = new Map<string, string>();

  constructor(readonly known: KnownNodes) {}

  /** A new root of the page. */
  fresh(root: Node): void {
    if ((root as ShadowRoot).slotAssignment === "manual") this.#roots.add(root as ShadowRoot);
  }

  /** An attribute was told as the page has it. */
  forget(element: Element, name: string): void {
    if (this.#told.size > 0) this.#told.delete(`${this.known.id(element)} ${name}`);
  }

  /** Tells what changed. */
  write(out: Writer): void {
    const now = new Map<string, string>();
    for (const root of this.#roots) {
      if (!this.known.id(root)) this.#roots.delete(root);
      for (const slot of root.querySelectorAll("slot")) {
        const name = this.#names.get(slot) ?? `tandem-${++this.#last}`;
        this.#names.set(slot, name);
        now.set(`${this.known.id(slot)} name`, name);
        for (const element of slot.assignedElements()) now.set(`${this.known.id(element)} slot`, name);
      }
    }
    for (const key of new Set([...this.#told.keys(), ...now.keys()])) {
      const [id, name = ""] = key.split(" ");
      const element = this.known.node(Number(id));
      if (!isElement(element) || this.#told.get(key) === now.get(key)) continue;
      writeAttribute(out, Number(id), name, now.get(key) ?? element.getAttribute(name));
    }
    this.#told = now;
  }
}
