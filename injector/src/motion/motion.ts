/**
 * How far the animations of the page are, told as an attribute of each animated element that the page does not have.
 *
 * The attribute is a style sheet: a rule for each animation, of the element or of a part of it (`a::before`), that says when it began,
 * by the customer's clock, or where it stands still, or which scroller it follows, or that it is over before its time. Those of
 * style sheets are named, and run in the mirror by themselves; those of scripts come with their keyframes, and so do transitions,
 * which the mirror may not begin, and what a script gives one of a style sheet. So the server needs to know of them only what it knows
 * of all CSS.
 */

import { writeAttribute } from "../customer/attributes.ts";
import { isElement } from "../customer/dom.ts";
import type { KnownNodes } from "../customer/known.ts";
import type { Withholding } from "../customer/withhold.ts";
import type { Writer } from "../wire/writer.ts";

/** What the part hands over. `early` is what was noted before: what scripts did something to, and in which root. */
export type MakeMotion = (
  known: KnownNodes,
  withholding: Withholding,
  changed: () => void,
  early: ReadonlyMap<object, Node>,
) => Motion;

/** An animation that a style sheet makes. */
type Styled = Partial<Pick<CSSAnimation, "animationName"> & Pick<CSSTransition, "transitionProperty">> &
  Animation;

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
/** A transition that is over so soon is not told, in milliseconds: the mirror's own will do. */
const SOON = 500;
/** What began so little later is not told again, in milliseconds. */
const SAME = 30;
/** So often the clock is told by itself to who begins to look: the first time much else comes with it, and takes its time. */
const CLOCKS = 3;

/** Which part of a timeline it follows. */
type Ranged = Partial<Record<"rangeStart" | "rangeEnd", TimelineRangeOffset | string>>;

/** What scripts have done to animations of style sheets, in all epochs. */
export class Touched {
  /** Whose keyframes or timing are not those of the sheet any more. */
  readonly effects = new WeakSet<object>();
  /** What has ended, before its time too, and until when a mirror's would go on, by the page's clock. */
  readonly ended = new Map<Styled, number>();
}

/** The animations of one epoch. */
export class Motion {
  readonly #roots = new Set<Document | ShadowRoot>();
  readonly #told = new Map<Element, { id: number; css: string }>();
  /** Transitions that are told, or not. Those are that ran before anybody looked, long ones, and what a script does something to. */
  readonly #telling = new WeakMap<object, boolean>();
  /** What timelines of elements that are seen would be without an inset. */
  readonly #usual = new WeakMap<ViewTimeline, ViewTimeline>();
  readonly #starts = new WeakMap<Animation, number>();
  /** Those of style sheets that were there when the page was looked at. */
  #named = new Set<Styled>();
  /** Whether something told has not ended. */
  #runs = false;
  #due = false;
  /** The page has changed, and was not looked at. */
  #passed = false;
  #anew = false;
  #clocks = CLOCKS;
  #looked = Number.NEGATIVE_INFINITY;
  #later: ReturnType<typeof setTimeout> | undefined;

  /** `changed` is called when there may be something new to write. */
  constructor(
    readonly touched: Touched,
    readonly known: KnownNodes,
    readonly withholding: Withholding,
    readonly changed: () => void,
    early: ReadonlyMap<object, Node>,
  ) {
    for (const [what, root] of early) this.note(root, what);
  }

  /** Something may move in a root, or otherwise than before: `what` a script did something to. */
  note(node: Node, what: object): void {
    const root = node as Document | ShadowRoot;
    if (!this.#roots.has(root)) {
      this.#roots.add(root);
      this.#tellAll(root);
    }
    if (what !== node) this.#touch(what);
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

  /** A script did something to an animation, or to an effect. */
  #touch(what: object): void {
    this.#telling.set(what, true);
    const { effects } = this.touched;
    if (!("playState" in what)) effects.add(what);
    else if (isStyled(what as Animation)) {
      const end = Number((what as Animation).effect?.getComputedTiming().endTime);
      this.#end(what as Animation, performance.now() + end);
    }
  }

  #end(animation: Styled, until: number): void {
    const { ended } = this.touched;
    ended.delete(animation);
    ended.set(animation, until);
    for (const first of ended.keys()) if (ended.size > MOST) ended.delete(first);
  }

  /** All that moves now is told: no change will begin it in the mirror. */
  #tellAll(root: Document | ShadowRoot): void {
    for (const animation of root.getAnimations()) this.#telling.set(animation, true);
  }

  /** Stops watching. */
  stop(): void {
    clearTimeout(this.#later);
  }

  /** All is told anew. */
  anew(): void {
    this.#anew = this.#due = true;
    this.#clocks = CLOCKS;
    for (const root of this.#roots) this.#tellAll(root);
    this.changed();
  }

  /** Whether it is time to look. */
  moved(): boolean {
    const wait = this.#runs && (this.#clocks > 0 || this.#passed) ? CHANGES : RESTS;
    this.#due ||= this.#told.size > 0 && performance.now() - this.#looked > wait;
    return this.#due;
  }

  /** Tells what changed. */
  write(out: Writer): void {
    const now = performance.now();
    const wait = this.#due ? LOOK : this.#runs ? CHANGES : Number.POSITIVE_INFINITY;
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
    const named = new Set([...all.values()].flat().filter((one: Styled) => one.animationName !== undefined));
    // A mirror that shows the element anew would begin it once more.
    for (const one of this.#named) if (!named.has(one)) this.#end(one, Number.POSITIVE_INFINITY);
    this.#named = named;
    this.#runs = all.size > 0;
    const ended = this.#ended(all);
    const found = new Map<Element, string>();
    for (const [element, animations] of all) {
      const rules = animations.map((animation) =>
        ended.has(animation) ? over(animation) : this.#ruleOf(animation, element),
      );
      const css = rules.join("");
      if (css && css.length <= LONGEST) found.set(element, css);
    }
    return found;
  }

  /** What has ended and may not have in a mirror; adds it to all that is animated. */
  #ended(all: Map<Element, Animation[]>): Set<Animation> {
    const found = new Set<Animation>();
    const { ended } = this.touched;
    for (const [animation, until] of ended) {
      const { target, pseudoElement } = (animation.effect ?? {}) as Partial<KeyframeEffect>;
      const of = (isElement(target) && all.get(target)) || [];
      if (
        !isElement(target) ||
        !this.known.id(target) ||
        performance.now() > until ||
        of.some((one) => startOfRule(one) === startOfRule(animation)) ||
        !isNamed(animation, target, pseudoElement)
      ) {
        ended.delete(animation);
      } else if (of.length > 0 || all.size < MOST) {
        all.set(target, [...of, animation]);
        found.add(animation);
      }
    }
    return found;
  }

  #ruleOf(animation: Animation, element: Element): string {
    const { timeline, playState, currentTime, playbackRate } = animation;
    const { ownerDocument: document } = element;
    const effect = animation.effect as KeyframeEffect;
    const follows = timeline !== document.timeline;
    const { animationName, transitionProperty } = animation as Styled;
    // What follows a scroller by a style sheet does so in the mirror too.
    if (playState === "idle" || (follows && isStyled(animation) && !this.#telling.get(animation))) return "";
    if (transitionProperty !== undefined && !this.#tells(animation, effect)) return "";
    const at = follows
      ? this.#follows(animation, document)
      : playState === "paused" || playbackRate === 0
        ? `--at:${Math.round(Number(currentTime))}`
        : `--start:${this.#startOf(animation, document)};--rate:${playbackRate}`;
    if (!at) return "";
    const start = startOfRule(animation);
    if (animationName !== undefined && !this.touched.effects.has(effect)) return `${start}${at}}`;
    const frames = effect.getKeyframes();
    if (frames.length === 0 || frames.length > MOST_KEYFRAMES) return "";
    const timing = Object.entries(effect.getTiming()).map(([name, value]) => `--${name}:${value};`);
    const keyframes = frames.map((frame) => keyframe(frame, effect.composite));
    return `@keyframes a{${keyframes.join("")}}${start}${timing.join("")}${at}}`;
  }

  /** Which scroller it follows, or what is seen in one, and where it is; nothing if the server does not know that. */
  #follows(animation: Animation & Ranged, { defaultView }: Document): string {
    const { currentTime, playState, playbackRate, rangeStart, rangeEnd } = animation;
    const timeline = animation.timeline as ViewTimeline | null;
    // Of a scroller's timeline there is no subject.
    if (!timeline) return "";
    const { subject, source, axis } = timeline as ViewTimeline & Partial<Pick<ViewTimeline, "subject">>;
    const id = this.known.id(subject ?? source);
    if (!id) return "";
    let what = `--source:${id}`;
    if (subject) {
      // How far in it begins and ends is only to be had by comparing.
      const usual = this.#usual.get(timeline) ?? new (defaultView ?? window).ViewTimeline({ subject, axis });
      this.#usual.set(timeline, usual);
      const start = pixels(usual.endOffset) - pixels(timeline.endOffset);
      what = `--subject:${id};--inset:${start}px ${pixels(timeline.startOffset) - pixels(usual.startOffset)}px`;
    }
    const end = pixels((animation.effect as KeyframeEffect).getComputedTiming().endTime as CSSUnitValue);
    const still = playState === "paused" ? ";--still:1" : "";
    return `${what};--axis:${axis};--from:${range(rangeStart)};--to:${range(rangeEnd)};--rate:${playbackRate};--at:${pixels(currentTime).toFixed(1)};--of:${end}${still}`;
  }

  /** Whether a transition is told. */
  #tells(transition: Animation, effect: KeyframeEffect): boolean {
    let tells = this.#telling.get(effect) ?? this.#telling.get(transition);
    if (tells === undefined) {
      tells = Number(effect.getComputedTiming().endTime) - Number(transition.currentTime) > SOON;
      this.#telling.set(transition, tells);
    }
    return tells;
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

function isStyled({ animationName, transitionProperty }: Styled): boolean {
  return (animationName ?? transitionProperty) !== undefined;
}

/** The rule of an animation, until after what names it. */
function startOfRule(animation: Animation): string {
  const { animationName, transitionProperty } = animation as Styled;
  const { pseudoElement } = animation.effect as KeyframeEffect;
  const name =
    animationName === undefined
      ? transitionProperty && `transition-property:${CSS.escape(transitionProperty)};`
      : `animation-name:${CSS.escape(animationName)};`;
  return `a${pseudoElement ?? ""}{${name ?? ""}`;
}

/** Where a range begins or ends, as CSS has it. */
function range(edge: TimelineRangeOffset | string | undefined): string {
  if (typeof edge !== "object") return edge ?? "normal";
  return `${edge.rangeName === "none" ? "" : edge.rangeName} ${edge.offset}`;
}

/** The number of a length or percentage. */
function pixels(value: CSSNumberish | null): number {
  return Math.round(((value as CSSUnitValue | null)?.value ?? 0) * 100) / 100;
}

/** That it is over. */
function over(animation: Animation): string {
  return `${startOfRule(animation)}--over:1}`;
}

/** Whether a style sheet says that there is such an animation. */
function isNamed({ animationName }: Styled, element: Element, part?: string | null): boolean {
  if (animationName === undefined) return true;
  const names = getComputedStyle(element, part).animationName.split(", ");
  return names.includes(animationName) || names.includes(CSS.escape(animationName));
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
