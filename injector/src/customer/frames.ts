/**
 * The frames of the page whose documents this script can reach, and which document of each was told.
 *
 * Nothing of a document is told before the server has said which of its typed values must not leave. What can not be reached
 * may join the session by itself, if it is of the site.
 */

import { inFrame } from "./dom.ts";
import type { Outlet } from "./recorder.ts";
import type { Withholding } from "./withhold.ts";

const NAMES = new Set(["iframe", "frame", "object"]);

/** A document as it was told. */
interface Told {
  readonly document: Document;
  readonly mode: string;
  url: string;
}

/** The frames of one epoch. */
export class Frames {
  readonly #all = new Set<Element>();
  readonly #told = new Map<Element, Told>();
  readonly #asked = new Set<string>();

  /** `outlet` is told of addresses that the server has said nothing about, and of frames that can not be reached. */
  constructor(
    readonly withholding: Withholding,
    readonly outlet: Pick<Outlet, "ask" | "foreign">,
  ) {}

  /** A new element of the page. */
  add(element: Element): void {
    if (NAMES.has(element.localName)) this.#all.add(element);
  }

  /** An element that is gone. */
  delete(element: Element): void {
    this.#all.delete(element);
    this.#told.delete(element);
  }

  /** The document that was told of a frame. */
  of(element: Element): Document | null {
    return this.#told.size > 0 ? (this.#told.get(element)?.document ?? null) : null;
  }

  /** The document that a frame shows now, if it may be told; it counts as told from now on. */
  enter(element: Element): Document | null {
    const document = NAMES.has(element.localName) ? this.#now(element) : null;
    if (document) this.#told.set(element, { document, mode: document.compatMode, url: document.URL });
    else this.#told.delete(element);
    return document;
  }

  /** The frames that show another document than was told, or none any more. */
  changed(): Element[] {
    return [...this.#all].filter((element) => {
      const told = this.#told.get(element);
      const now = this.#now(element);
      return now !== (told?.document ?? null) || (told && now?.compatMode !== told.mode);
    });
  }

  /** The documents with another address than was told; this counts as told from now on. */
  *moved(): Generator<Document> {
    for (const told of this.#told.values()) {
      if (told.document.URL === told.url) continue;
      told.url = told.document.URL;
      yield told.document;
    }
  }

  /** Whether there is a frame: what it shows changes without an event. */
  get any(): boolean {
    return this.#all.size > 0;
  }

  #now(element: Element): Document | null {
    const document = inFrame(element);
    if (!document) {
      this.outlet.foreign(element);
      return null;
    }
    const unknown = this.withholding.unknown(document);
    if (unknown === null) return document;
    if (!this.#asked.has(unknown)) {
      this.#asked.add(unknown);
      this.outlet.ask(unknown);
    }
    // What was told already stays: of what is typed there nothing leaves meanwhile.
    return this.of(element) === document ? document : null;
  }
}
