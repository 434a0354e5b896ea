/**
 * Takes the animations of the mirror to where the customer's are, and makes those that scripts have made there.
 *
 * What is told of an element (`injector/src/motion`) is read as the style sheet that it is, and nothing else of it is used. When
 * something began is said by the customer's clock: how far that is from ours follows from what was told at the moment of arrival.
 */

import type { NodeId } from "../../protocol/words.ts";

/** The attribute that tells of it. */
export const MOTION = "data-tandem-motion";

/** Animated elements, animations of one, and UTF-16 units that tell of them: more than a customer's browser tells. */
const MOST = 400;
const MOST_OF_ONE = 32;
const LONGEST = 64 * 1024;
/** How long is what can not follow what it should, in milliseconds. */
const WHOLE = 1000;
/** An animation may be so far from the customer's, in milliseconds. */
const CLOSE = 30;
const NUMBERS = new Set(["delay", "endDelay", "iterationStart", "iterations", "duration"]);
const TIMING = [...NUMBERS, "fill", "direction", "easing"];

/** An animation of the customer's page. */
interface Told {
  readonly pseudo: string;
  /** Of one that a style sheet makes, the declaration that names it. */
  readonly name: string;
  /** What a script made, or what became of one of a style sheet: frames and timing; with the text that said it. */
  readonly made: {
    readonly frames: Keyframe[];
    readonly timing: OptionalEffectTiming;
    readonly text: string;
  } | null;
  /** The scroller that it follows, or what is seen in one. */
  readonly follows: Follows | null;
  /** It has ended before its time. */
  readonly over: boolean;
  /** When it began, by the customer's clock, and how fast it is; or where it stands. */
  readonly start: number | null;
  readonly rate: number;
  readonly at: number;
}

/** What an animation follows, and where it is on the way. */
interface Follows {
  readonly id: NodeId;
  /** Of what is seen: from where on, as CSS has it. */
  readonly inset: string | null;
  readonly axis: ScrollAxis;
  readonly from: string;
  readonly to: string;
  /** Per cent of the way, and how many of them it takes. */
  readonly percent: number;
  readonly of: number;
  readonly still: boolean;
}

interface Moved {
  readonly told: Told[];
  /** What was made here, by the text that said it. */
  readonly made: Map<string, Animation>;
  /** What style sheets have made, by part and name: at its end the browser does not tell of it any more. */
  readonly own: Map<string, Animation>;
}

/** The animations of one mirror. */
export class Motions {
  readonly #all = new Map<Element, Moved>();
  /** How far our clock is ahead of the customer's, and no more than the way here: what came late says more. */
  #ahead = Number.POSITIVE_INFINITY;

  /** Where a whole view may let something begin by itself; null once it is there. */
  #roots: (Document | ShadowRoot)[] | null = [];
  /** Something told of is still to be done. */
  #due = false;
  #frame = 0;
  /** What was stopped here, and not by a style sheet. */
  readonly #stopped = new WeakSet<Animation>();
  /** What was told to be over and is. */
  readonly #done = new WeakSet<Told>();
  /** What was given other keyframes and timing than those of the style sheet: the text that said it. */
  readonly #given = new WeakMap<Animation, string>();

  /** `find` finds nodes by what the page calls them. */
  constructor(readonly find: (id: NodeId) => Node | undefined) {}

  /** Something may begin to move in a root. */
  watch(root: Document | ShadowRoot): void {
    root.addEventListener("animationstart", this.#began, true);
    this.#roots?.push(root);
  }

  /** A whole view is there: transitions that it begins by itself, no change of the page has begun, and the customer sees none of them. */
  begin(): void {
    for (const root of this.#roots ?? [])
      for (const animation of root.getAnimations()) if ("transitionProperty" in animation) animation.cancel();
    this.#roots = null;
    this.#due = true;
  }

  readonly #began = (): void => {
    this.#due = true;
    // Many may begin at once.
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.sync();
    });
  };

  /** The page says how an element is animated; `null`: by nothing any more that it would say. */
  tell(element: Element, css: string | null): void {
    this.#due = true;
    const { told, now } = read(css && css.length <= LONGEST ? css : "");
    if (now && Number.isFinite(now)) this.#ahead = Math.min(this.#ahead, clock() - now);
    const { made, own } = this.#all.get(element) ?? {
      made: new Map<string, Animation>(),
      own: new Map<string, Animation>(),
    };
    const texts = new Set(told.map((one) => one.made?.text));
    for (const [text, animation] of made) {
      if (texts.has(text)) continue;
      animation.cancel();
      made.delete(text);
    }
    if (told.length > 0 && (this.#all.has(element) || this.#all.size < MOST))
      this.#all.set(element, { told, made, own });
    else this.#all.delete(element);
  }

  /** Takes all of them to where they should be. */
  sync(): void {
    if (!this.#due) return;
    this.#due = false;
    for (const [element, moved] of this.#all) {
      if (!element.isConnected) {
        this.#all.delete(element);
        continue;
      }
      const running = element.getAnimations({ subtree: true });
      for (const one of moved.told) {
        try {
          const animation = this.#find(running, element, one, moved) ?? this.#make(element, one, moved);
          if (one.over) this.#end(animation, one);
          else if (animation) this.#put(animation, one);
        } catch {
          // What only a newer browser takes, or none: a page can say anything there.
        }
      }
    }
  }

  /** The animation that stands for it. */
  #find(running: Animation[], element: Element, one: Told, { made, own }: Moved): Animation | undefined {
    const known = one.made && made.get(one.made.text);
    if (known || !one.name) return known ?? undefined;
    const key = `${one.pseudo} ${one.name}`;
    // One that began anew is not the one that was.
    const found = running.find((animation) => isFor(animation, element, one)) ?? own.get(key);
    // A transition that is not there any more is made.
    if (found && !isTransition(one)) own.set(key, found);
    if (found && one.made && this.#given.get(found) !== one.made.text) {
      const effect = found.effect as KeyframeEffect;
      effect.setKeyframes(one.made.frames);
      effect.updateTiming(one.made.timing);
      this.#given.set(found, one.made.text);
    }
    return found;
  }

  #end(animation: Animation | undefined, one: Told): void {
    // One that begins later is another one.
    if (this.#done.has(one)) return;
    this.#done.add(one);
    animation?.cancel();
  }

  #make(element: Element, one: Told, all: Moved): Animation | undefined {
    const { made, pseudo, name } = one;
    // Animations of style sheets begin here too, once their sheets are there.
    if (!made || (name && !isTransition(one))) return undefined;
    const animation = element.animate(made.frames, {
      ...made.timing,
      ...(one.follows && this.#timeline(element, one.follows, made.timing)),
      ...(pseudo && { pseudoElement: pseudo }),
    });
    all.made.set(made.text, animation);
    // Not when it is made: Chromium makes it even if it can not understand them.
    if (one.follows) Object.assign(animation, { rangeStart: one.follows.from, rangeEnd: one.follows.to });
    return animation;
  }

  /** What it follows here; without it, how long it would be. */
  #timeline(
    { ownerDocument }: Element,
    { id, inset, axis }: Follows,
    { duration }: OptionalEffectTiming,
  ): KeyframeAnimationOptions {
    const window = ownerDocument.defaultView as typeof globalThis | null;
    const element = this.find(id) as Element | undefined;
    if (!element || !window?.ScrollTimeline || !window.ViewTimeline)
      return typeof duration === "number" ? {} : { duration: WHOLE, delay: 0, endDelay: 0 };
    const timeline =
      inset === null
        ? new window.ScrollTimeline({ source: element, axis })
        : new window.ViewTimeline({ subject: element, axis, inset });
    return { timeline };
  }

  /** Stops what stands still, or can not follow here, where the customer's is. */
  #follow(animation: Animation, { percent, of, still }: Follows, rate: number): void {
    const can = animation.timeline !== null && "source" in animation.timeline;
    if (can && !still) {
      if (animation.playbackRate !== rate) animation.playbackRate = rate;
      if (this.#stopped.delete(animation) || animation.playState === "idle") animation.play();
      return;
    }
    if (animation.playState !== "paused") {
      this.#stopped.add(animation);
      animation.pause();
    }
    const end = Number(animation.effect?.getComputedTiming().endTime);
    animation.currentTime = can ? CSS.percent(percent) : (end * percent) / of;
  }

  #put(animation: Animation, { start, rate, at, follows }: Told): void {
    if (follows) {
      this.#follow(animation, follows, rate);
      return;
    }
    if (start === null) {
      if (animation.playState !== "paused") {
        this.#stopped.add(animation);
        animation.pause();
      }
      if (Math.abs(Number(animation.currentTime) - at) > 1) animation.currentTime = at;
      return;
    }
    const due = (clock() - this.#ahead - start) * rate;
    if (animation.playbackRate !== rate) animation.playbackRate = rate;
    if (this.#stopped.delete(animation) || animation.playState === "idle") animation.play();
    const end = Number(animation.effect?.getComputedTiming().endTime);
    if (animation.playState === "finished" && (rate < 0 ? due <= 0 : due >= end)) return;
    if (Math.abs(Number(animation.currentTime) - due) > CLOSE) animation.currentTime = due;
  }
}

function clock(): number {
  return performance.timeOrigin + performance.now();
}

function isTransition({ name }: Told): boolean {
  return name.startsWith("transition");
}

/** Whether it is the one that a style sheet makes here too. */
function isFor(animation: Animation, element: Element, { name, pseudo }: Told): boolean {
  const { target, pseudoElement } = animation.effect as KeyframeEffect;
  if (target !== element || (pseudoElement ?? "") !== pseudo) return false;
  const { animationName } = animation as CSSAnimation;
  const { transitionProperty } = animation as CSSTransition;
  return (
    name === (animationName === undefined ? `transition ${transitionProperty}` : `animation ${animationName}`)
  );
}

/** What is told, and when by the customer's clock. */
function read(css: string): { told: Told[]; now: number } {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  const told: Told[] = [];
  let [now, frames, text]: [number, Keyframe[], string] = [0, [], ""];
  for (const rule of sheet.cssRules) {
    if (rule instanceof CSSKeyframesRule) {
      frames = [...rule.cssRules].map((frame) => keyframe(frame as CSSKeyframeRule));
      text = rule.cssText;
    } else if (rule instanceof CSSStyleRule) {
      const { style, selectorText } = rule;
      const value = (name: string): string => style.getPropertyValue(name).trim();
      if (selectorText === "b") {
        now = Number(value("--now"));
        continue;
      }
      if (told.length === MOST_OF_ONE) continue;
      const pseudo = selectorText.slice(1);
      const [animation, property] = [value("animation-name"), value("transition-property")];
      const timing = TIMING.map((name) => [
        name,
        NUMBERS.has(name) ? numberOf(value(`--${name}`)) : value(`--${name}`),
      ]);
      const [follows, what] = readFollows(value);
      const made = text && {
        frames,
        timing: Object.fromEntries(timing),
        text: `${text}${pseudo}${JSON.stringify(timing)}${what}`,
      };
      [frames, text] = [[], ""];
      const start = value("--start");
      told.push({
        pseudo,
        name: animation
          ? `animation ${unescaped(animation)}`
          : property && `transition ${unescaped(property)}`,
        made: made || null,
        follows,
        over: value("--over") !== "",
        start: start ? Number(start) : null,
        rate: Number(value("--rate") || 1),
        at: Number(value("--at") || 0),
      });
    }
  }
  return { told, now };
}

/** What it follows, and the same without where it is. */
function readFollows(value: (name: string) => string): [Follows | null, string] {
  const [source, subject] = [value("--source"), value("--subject")];
  if (!source && !subject) return [null, ""];
  const where = {
    id: Number(source || subject),
    inset: source ? null : value("--inset"),
    axis: value("--axis") as ScrollAxis,
    from: value("--from"),
    to: value("--to"),
  };
  const [percent, of] = [Number(value("--at")), Number(value("--of"))];
  return [{ ...where, percent, of, still: value("--still") !== "" }, JSON.stringify(where)];
}

function numberOf(value: string): number | string {
  const number = Number(value);
  return value === "" || Number.isNaN(number) ? "auto" : number;
}

function keyframe({ keyText, style }: CSSKeyframeRule): Keyframe {
  const frame: Keyframe = { offset: Number.parseFloat(keyText) / 100 };
  for (const name of style) {
    const value = style.getPropertyValue(name);
    if (name === "animation-timing-function") frame.easing = value;
    else if (name === "--composite") frame.composite = value.trim() as CompositeOperation;
    else frame[jsName(name)] = value;
  }
  return frame;
}

/** The name of a property in scripts. */
function jsName(name: string): string {
  if (name.startsWith("--")) return name;
  if (name === "float" || name === "offset") return `css${name[0]?.toUpperCase()}${name.slice(1)}`;
  return name.replace(/-([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
}

/** The name that CSS writes so. */
function unescaped(name: string): string {
  if (/^["']/.test(name)) return name.slice(1, -1);
  return name.replace(/\\([\da-f]{1,6}) ?|\\(.)/gi, (_whole, code: string, letter: string) =>
    code ? String.fromCodePoint(Number.parseInt(code, 16)) : letter,
  );
}
