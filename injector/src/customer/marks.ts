/**
 * What of one document the agent does not see, as the server has said: for tooltips, for who may be asked where, and for what the
 * recorder has to measure.
 */

import type { PrivateMark, ToCustomer } from "../protocol/words.ts";
import { above, isElement } from "./dom.ts";
import type { Recorder } from "./recorder.ts";

/** The marks of the running epoch. */
export class Marks {
  readonly #all = new Map<number, PrivateMark>();

  /** `recorder`: of the running epoch. */
  constructor(readonly recorder: () => Recorder | null) {}

  /** The server says what is hidden, and what is not any more. */
  set({ marks, cleared }: Extract<ToCustomer, { type: "private" }>): void {
    for (const node of cleared) this.#all.delete(node);
    for (const mark of marks) this.#all.set(mark.node, mark);
    const ids = new Set<number>();
    const pictured = new Set<number>();
    for (const { node, kind } of this.#all.values()) {
      if (kind !== "masked" && kind !== "shown") ids.add(node);
      if (kind === "pictured") pictured.add(node);
    }
    this.recorder()?.measure(ids, pictured);
  }

  /** The epoch is over. */
  clear(): void {
    this.#all.clear();
  }

  /** Whether `node` is, or is in, something of such a kind. */
  within(node: Node, kinds: RegExp): boolean {
    for (let at: Node | null = node; at; at = above(at)) {
      const kind = this.#of(at)?.kind ?? "";
      if (kinds.test(kind)) return true;
      // What is shown, is so within what is masked by default.
      if (kind === "shown" || kind === "pictured") return false;
    }
    return false;
  }

  /** The elements that are masked or hidden by themselves. */
  *hidden(): Generator<Element> {
    for (const { node, kind } of this.#all.values()) {
      const element = isHidden(kind) ? this.recorder()?.known.node(node) : undefined;
      if (isElement(element)) yield element;
    }
  }

  /** What to tell of an element that is, `usual` where the administrator has not said; null for others. */
  label(element: Element, usual: string): string | null {
    const mark = this.#of(element);
    return mark && isHidden(mark.kind) ? (mark.label ?? usual) : null;
  }

  #of(node: Node): PrivateMark | undefined {
    return this.#all.get(this.recorder()?.known.id(node) ?? 0);
  }
}

function isHidden(kind: PrivateMark["kind"]): boolean {
  return kind === "masked" || kind === "hidden";
}
