/**
 * What the DOM does not hold and people see: address, viewport, focus, top layer, sizes, chosen images.
 *
 * Each is marked by an event and compared with what was last told when the frame is written.
 */

import type { Writer } from "../wire/writer.ts";
import { isElement, matches } from "./dom.ts";
import type { KnownNodes } from "./known.ts";
import { until } from "./until.ts";
import type { Withholding } from "./withhold.ts";

const MOST_IN_TOP_LAYER = 256;
/** Bars of the browser lie over less of the page than this, a keyboard over more; in CSS pixels. */
const KEYBOARD = 120;

/** The surroundings of one epoch. */
export class Surroundings {
  readonly #sizes: ResizeObserver;
  readonly #images = new Set<HTMLImageElement>();
  readonly #sources = new WeakMap<Element, string>();
  readonly #boxes = new Set<Element>();
  readonly #told = new WeakMap<Element, string>();
  #measured = new Map<number, Element>();
  #top: Element[] = [];
  readonly #topCandidates = new Set<Element>();
  #resized = true;
  #url = "";
  #viewport = "";
  #zoomed = "0";
  #focus = 0;
  #layers = "";

  /** `changed` is called when there is something new to write, until the epoch is `over`. */
  constructor(
    readonly known: KnownNodes,
    readonly withholding: Withholding,
    changed: () => void,
    over: AbortSignal,
  ) {
    this.#sizes = new ResizeObserver((entries) => {
      for (const { target } of entries) this.#boxes.add(target);
      this.#resized = true;
      changed();
    });
    const resized = (): void => {
      this.#resized = true;
      changed();
    };
    over.addEventListener("abort", () => this.#sizes.disconnect());
    until(over, window, ["resize"], resized);
    // What the part of the page that is on the screen changes with.
    until(over, visualViewport, ["resize", "scroll"], resized);
    until(over, window, ["popstate", "hashchange"], changed);
  }

  /** Marks what a snapshot has to tell. */
  everything(): void {
    this.#sizes.observe(document.documentElement);
  }

  /** A new element of the page. */
  fresh(element: Element): void {
    if (element.localName === "img") this.#images.add(element as HTMLImageElement);
    if (element.localName === "dialog" || element.hasAttribute("popover")) this.#topCandidates.add(element);
  }

  /** `target` of a load event. */
  markSource(target: Node): void {
    if (isElement(target) && target.localName === "img") this.#images.add(target as HTMLImageElement);
  }

  /** An element that may have come to the top layer, or left it: it comes back as the highest. */
  markTop(element: Element): void {
    if (!layer(element)) {
      this.#top = this.#top.filter((other) => other !== element);
      this.#topCandidates.delete(element);
    }
    this.#topCandidates.add(element);
  }

  /** Replaces the elements whose box is told. */
  measure(ids: ReadonlySet<number>): void {
    for (const [id, element] of this.#measured) if (!ids.has(id)) this.#sizes.unobserve(element);
    const next = new Map<number, Element>();
    for (const id of ids) {
      const node = this.known.node(id);
      if (!isElement(node)) continue;
      next.set(id, node);
      if (this.#measured.has(id)) continue;
      this.#sizes.observe(node, { box: "border-box" });
      this.#boxes.add(node);
    }
    this.#measured = next;
  }

  /** Whether the address has changed without an event. */
  moved(): boolean {
    return location.href !== this.#url;
  }

  /** The page may have got scroll bars, or lost them: no event tells. Forces a layout with the next frame. */
  remeasure(): void {
    this.#resized = true;
  }

  /** The top layer, lowest first. */
  get topLayer(): readonly Element[] {
    return this.#top;
  }

  /** Tells what changed. */
  write(out: Writer, focus: Element | null): void {
    if (this.moved()) {
      this.#url = location.href;
      out.byte(10);
      out.string(this.withholding.echoes.hideInAddress(this.#url));
    }
    // Asking forces a layout, which is never done in between other changes of the page.
    if (this.#resized) {
      this.#writeViewport(out);
      this.#writeZoom(out);
    }
    this.#resized = false;
    this.#writeTop(out);
    const id = this.known.id(focus);
    if (id !== this.#focus) {
      this.#focus = id;
      out.byte(11);
      out.uint(id);
    }
    this.#writeSources(out);
    this.#writeBoxes(out);
  }

  #writeViewport(out: Writer): void {
    const size = [
      document.documentElement?.clientWidth ?? innerWidth,
      viewportHeight(),
      Math.round(devicePixelRatio * 100),
    ];
    if (`${size}` === this.#viewport) return;
    this.#viewport = `${size}`;
    out.byte(9);
    for (const value of size) out.uint(value);
  }

  /** Which part of the viewport is on the screen, where not all of it is. */
  #writeZoom(out: Writer): void {
    if (!visualViewport) return;
    const { scale, width, height, offsetLeft, offsetTop } = visualViewport;
    const part =
      scale > 1.01 || height < viewportHeight() - KEYBOARD
        ? [width, height, offsetLeft, offsetTop].map((length) => Math.max(0, Math.round(length)))
        : [0];
    if (`${part}` === this.#zoomed) return;
    this.#zoomed = `${part}`;
    out.byte(70);
    for (const length of part) out.uint(length);
  }

  #writeTop(out: Writer): void {
    for (const element of this.#topCandidates) {
      if (layer(element) && !this.#top.includes(element)) this.#top.push(element);
    }
    this.#topCandidates.clear();
    if (this.#top.length === 0 && !this.#layers) return;
    this.#top = this.#top.filter((element) => this.known.id(element) && layer(element));
    const top = this.#top.slice(-MOST_IN_TOP_LAYER);
    const layers = top.map((element) => `${this.known.id(element)}${layer(element)}`).join();
    if (layers === this.#layers) return;
    this.#layers = layers;
    out.byte(12);
    out.uint(top.length);
    for (const element of top) {
      out.uint(this.known.id(element));
      out.byte(LAYERS.indexOf(layer(element) ?? "modal"));
    }
  }

  #writeSources(out: Writer): void {
    for (const image of this.#images) {
      const id = this.known.id(image);
      const shown = image.currentSrc === image.src ? "" : image.currentSrc;
      const told = this.#sources.get(image) ?? "";
      if (!id || told === shown) continue;
      this.#sources.set(image, shown);
      out.byte(14);
      out.uint(id);
      out.string(shown || image.src);
    }
    this.#images.clear();
  }

  #writeBoxes(out: Writer): void {
    for (const element of this.#boxes) {
      const id = this.known.id(element);
      if (!this.#measured.has(id)) continue;
      // An element that is no HTMLElement has no offset size.
      const { offsetWidth, offsetHeight } = element as HTMLElement;
      const rect = offsetWidth === undefined ? element.getBoundingClientRect() : undefined;
      const [width, height] = [
        Math.round(rect?.width ?? offsetWidth),
        Math.round(rect?.height ?? offsetHeight),
      ];
      const key = `${id}:${width}:${height}`;
      if (this.#told.get(element) === key) continue;
      this.#told.set(element, key);
      out.byte(13);
      out.uint(id);
      out.uint(width);
      out.uint(height);
    }
    this.#boxes.clear();
  }
}

/** Without scroll bars. */
function viewportHeight(): number {
  const quirky = document.compatMode === "BackCompat" ? document.body : null;
  return (quirky ?? document.documentElement)?.clientHeight ?? innerHeight;
}

/** How an element can be in the top layer. */
const LAYERS = ["modal", "popover", "fullscreen"] as const;

/** How an element is in the top layer, if it is. */
function layer(element: Element): (typeof LAYERS)[number] | null {
  // What fills the screen counts as modal.
  if (matches(element, ":fullscreen")) return "fullscreen";
  if (matches(element, ":modal")) return "modal";
  return matches(element, ":popover-open") ? "popover" : null;
}
