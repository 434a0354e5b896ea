/**
 * What drawings and films show, told as numbers of pictures that the camera has brought.
 *
 * Only what the server has asked to see is ever looked at; the camera is loaded with the first of them.
 */

import type { Writer } from "../wire/writer.ts";
import type { KnownNodes } from "./known.ts";

/** Takes the pictures: `injector/src/pictures`, a script of its own. */
export interface Camera {
  /** Replaces what is looked at. */
  watch(elements: ReadonlySet<Element>): void;
  /** Looks at nothing any more. */
  stop(): void;
}

/** Makes a camera; `taken` is told what an element shows now, 0 where it can not be read. */
export type MakeCamera = (taken: (element: Element, picture: number) => void, pass?: string) => Camera;

/** The pictures of one epoch. */
export class Pictures {
  readonly #new = new Map<Element, number>();
  #watched: ReadonlySet<Element> = new Set();
  #camera: Camera | null = null;
  #asked = false;
  #stopped = false;

  /** `load` brings the camera; `changed` is called when there is something new to write. */
  constructor(
    readonly known: KnownNodes,
    readonly load: () => Promise<MakeCamera>,
    readonly changed: () => void,
  ) {}

  /** Replaces the elements whose pictures are told. */
  watch(elements: ReadonlySet<Element>): void {
    this.#watched = elements;
    for (const element of this.#new.keys()) if (!elements.has(element)) this.#new.delete(element);
    this.#camera?.watch(elements);
    if (this.#asked || elements.size === 0) return;
    this.#asked = true;
    this.load().then(
      (make) => {
        if (this.#stopped) return;
        this.#camera = make((element, picture) => {
          if (!this.#watched.has(element)) return;
          this.#new.set(element, picture);
          this.changed();
        });
        this.#camera.watch(this.#watched);
      },
      () => {
        this.#asked = false;
      },
    );
  }

  /** Stops watching. */
  stop(): void {
    this.#stopped = true;
    this.#camera?.stop();
  }

  /** Tells what changed. */
  write(out: Writer): void {
    for (const [element, picture] of this.#new) {
      const id = this.known.id(element);
      if (!id) continue;
      out.byte(64);
      out.uint(id);
      out.uint(picture);
    }
    this.#new.clear();
  }
}
