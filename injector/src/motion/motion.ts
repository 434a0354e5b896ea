/**
 * How far the animations of the page are, told as an attribute of each animated element that the page does not have.
 *
 * The attribute is a style sheet: a rule for each animation, of the element or of a part of it (`a::before`), that says when it began,
 * by the customer's clock, or where it stands still. Those of style sheets are named, and run in the mirror by themselves; those of
 * scripts come with their keyframes. So the server needs to know of them only what it knows of all CSS.
 */

import { writeAttribute } from "../customer/attributes.ts";
import { isElement } from "../customer/dom.ts";
import type { KnownNodes } from "../customer/known.ts";
import type { Withholding } from "../customer/withhold.ts";
import type { Writer } from "../wire/writer.ts";

/** What the part hands over. */
export type MakeMotion = (known: KnownNodes, withholding: Withholding, changed: () => void) => Motion;

/** The attribute. */
export const MOTION = "data-tandem-motion";
/**
 * How often the page is looked at, in milliseconds: when something is known to have begun or changed, when the page changes, and
 * when it does not, for it costs a frame.
 */
const LOOK = 100;
const CHANGES = 500;
const RESTS = 5000;
/** Animated elements that are told; animations of one, keyframes of one of those, and UTF-16 units of all that. */
const MOST = 200;
const MOST_OF_ONE = 16;
const MOST_KEYFRAMES = 100;
const LONGEST = 16 * 1024;
/** What began so little later is not told again, in milliseconds. */
const SAME = 30;
/** So often the clock is told by itself to who begins to look: the first time much else comes with it, and takes its time. */
const CLOCKS = 3;

/** The animations of one epoch. */
export class Motion {
  readonly #roots = new Set<Document | ShadowRoot>();
  readonly #told = new Map<Element, { id: number; css: string }>();
  /** Transitions that ran before anybody looked: no change will start them in the mirror. */
  readonly #early = new WeakSet<Animation>();
  readonly #starts = new WeakMap<Animation, number>();
  #due = false;
  /** The page has changed, and was not looked at. */
  #passed = false;
  #anew = false;
  #clocks = CLOCKS;
  #looked = Number.NEGATIVE_INFINITY;
  #later: ReturnType<typeof setTimeout> | undefined;

  /** `changed` is called when there may be something new to write. */
  constructor(
    readonly known: KnownNodes,
    readonly withholding: Withholding,
    readonly changed: () => void,
  ) {}

  /** Something may move in a root, or otherwise than before. */
  note(node: Node): void {
    const root = node as Document | ShadowRoot;
    if (!this.#roots.has(root)) {
      this.#roots.add(root);
      for (const animation of root.getAnimations()) this.#early.add(animation);
    }
    this.#due = true;
    const wait = this.#looked + LOOK - performance.now();
    if (wait <= 0) this.changed();
    else {
      this.#later ??= setTimeout(() => {
        this.#later = undefined;
        this.changed();
      }, wait);
    }
  }

  /** Stops watching. */
  stop(): void {
    clearTimeout(this.#later);
  }

  /** All is told anew. */
  anew(): void {
    this.#anew = this.#due = true;
    this.#clocks = CLOCKS;
    this.changed();
  }

  /** Whether it is time to look. */
  moved(): boolean {
    const wait = this.#clocks > 0 || this.#passed ? CHANGES : RESTS;
    this.#due ||= this.#told.size > 0 && performance.now() - this.#looked > wait;
    return this.#due;
  }

  /** Tells what changed. */
  write(out: Writer): void {
    const now = performance.now();
    const wait = this.#due ? LOOK : this.#told.size > 0 ? CHANGES : Number.POSITIVE_INFINITY;
    this.#passed = now - this.#looked < wait;
    if (this.#passed) return;
    this.#looked = now;
    this.#due = false;
    const found = this.#look();
    for (const [element, { id }] of this.#told) {
      if (found.has(element) && this.known.id(element) === id) continue;
      this.#told.delete(element);
      if (this.known.id(element) !== id) continue;
      writeAttribute(out, id, MOTION, null);
    }
    let told = false;
    const clock = `b{--now:${Math.round(performance.timeOrigin + now)}}`;
    const tell = (element: Element, css: string): void => {
      const id = this.known.id(element);
      this.#told.set(element, { id, css });
      writeAttribute(out, id, MOTION, this.withholding.attribute(element, MOTION, css + clock));
      told = true;
    };
    for (const [element, css] of found)
      if (this.#anew || this.#told.get(element)?.css !== css) tell(element, css);
    this.#anew = false;
    const [first] = found;
    if (!told && first && this.#clocks > 0) {
      this.#clocks--;
      tell(...first);
    }
  }

  /** What to say of each animated element that the server knows. */
  #look(): Map<Element, string> {
    const all = new Map<Element, Animation[]>();
    for (const root of this.#roots) {
      if (!this.known.id(root)) this.#roots.delete(root);
      for (const animation of new Set(root.getAnimations())) {
        const { target } = (animation.effect ?? {}) as Partial<KeyframeEffect>;
        if (!isElement(target) || !this.known.id(target)) continue;
        const of = all.get(target) ?? [];
        if (of.includes(animation)) continue;
        if (of.length === 0 && all.size === MOST) continue;
        if (of.length < MOST_OF_ONE) of.push(animation);
        all.set(target, of);
      }
    }
    const found = new Map<Element, string>();
    for (const [element, animations] of all) {
      const css = animations.map((animation) => this.#ruleOf(animation, element)).join("");
      if (css && css.length <= LONGEST) found.set(element, css);
    }
    return found;
  }

  #ruleOf(animation: Animation, element: Element): string {
    const { timeline, playState, currentTime, playbackRate } = animation;
    const { ownerDocument: document } = element;
    const effect = animation.effect as KeyframeEffect;
    // What follows a scroller does so in the mirror too.
    if (timeline !== document.timeline || playState === "idle") return "";
    const { animationName } = animation as CSSAnimation;
    if ("transitionProperty" in animation && !this.#early.has(animation)) return "";
    const at =
      playState === "paused" || playbackRate === 0
        ? `--at:${Math.round(Number(currentTime))}`
        : `--start:${this.#startOf(animation, document)};--rate:${playbackRate}`;
    const selector = `a${effect.pseudoElement ?? ""}`;
    if (animationName !== undefined) return `${selector}{animation-name:${CSS.escape(animationName)};${at}}`;
    const frames = effect.getKeyframes();
    if (frames.length === 0 || frames.length > MOST_KEYFRAMES) return "";
    const timing = Object.entries(effect.getTiming()).map(([name, value]) => `--${name}:${value};`);
    const keyframes = frames.map((frame) => keyframe(frame, effect.composite));
    return `@keyframes a{${keyframes.join("")}}${selector}{${timing.join("")}${at}}`;
  }

  /** When it began, by the customer's clock. Before its first frame browsers do not say it: it begins now. */
  #startOf(animation: Animation, document: Document): number {
    const { startTime, currentTime, playbackRate } = animation;
    const began = startTime ?? Number(document.timeline.currentTime) - Number(currentTime) / playbackRate;
    const start = Math.round((document.defaultView?.performance.timeOrigin ?? 0) + Number(began));
    const told = this.#starts.get(animation) ?? Number.NEGATIVE_INFINITY;
    if (Math.abs(start - told) < SAME) return told;
    this.#starts.set(animation, start);
    return start;
  }
}

/** A keyframe as CSS has it. */
function keyframe(
  { offset, computedOffset, easing, composite, ...styles }: ComputedKeyframe,
  usual: string,
): string {
  const declarations = Object.entries(styles).map(([name, value]) => `${propertyOf(name)}:${value};`);
  const how = composite === "auto" ? usual : composite;
  return `${Number(computedOffset) * 100}%{${declarations.join("")}animation-timing-function:${easing};--composite:${how}}`;
}

/** The name of a property in CSS. */
function propertyOf(name: string): string {
  if (name.startsWith("--")) return name;
  if (name === "cssFloat" || name === "cssOffset") return name.slice(3).toLowerCase();
  const css = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return css.startsWith("webkit-") ? `-${css}` : css;
}
