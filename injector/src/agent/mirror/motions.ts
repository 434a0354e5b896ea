/**
 * Takes the animations of the mirror to where the customer's are, and makes those that scripts have made there.
 *
 * What is told of an element (`injector/src/motion`) is read as the style sheet that it is, and nothing else of it is used. When
 * something began is said by the customer's clock: how far that is from ours follows from what was told at the moment of arrival.
 */

/** The attribute that tells of it. */
export const MOTION = "data-tandem-motion";

/** An animation may be so far from the customer's, in milliseconds. */
const CLOSE = 30;
const NUMBERS = new Set(["delay", "endDelay", "iterationStart", "iterations", "duration"]);
const TIMING = [...NUMBERS, "fill", "direction", "easing"];

/** An animation of the customer's page. */
interface Told {
  readonly pseudo: string;
  /** Of one that a style sheet makes. */
  readonly name: string;
  /** What a script made: frames and timing; with the text that said it. */
  readonly made: {
    readonly frames: Keyframe[];
    readonly timing: KeyframeEffectOptions;
    readonly text: string;
  } | null;
  /** When it began, by the customer's clock, and how fast it is; or where it stands. */
  readonly start: number | null;
  readonly rate: number;
  readonly at: number;
}

interface Moved {
  readonly told: Told[];
  readonly made: Map<string, Animation>;
}

/** The animations of one mirror. */
export class Motions {
  readonly #all = new Map<Element, Moved>();
  /** How far our clock is ahead of the customer's, and no more than the way here: what came late says more. */
  #ahead = Number.POSITIVE_INFINITY;

  /** Something told of is still to be done. */
  #due = false;
  #frame = 0;
  /** What was stopped here, and not by a style sheet. */
  readonly #stopped = new WeakSet<Animation>();

  /** Something may begin to move in a root. */
  watch(root: Document | ShadowRoot): void {
    root.addEventListener("animationstart", this.#began, true);
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
    const { told, now } = read(css ?? "");
    if (now && Number.isFinite(now)) this.#ahead = Math.min(this.#ahead, clock() - now);
    const made = this.#all.get(element)?.made ?? new Map<string, Animation>();
    const texts = new Set(told.map((one) => one.made?.text));
    for (const [text, animation] of made) {
      if (texts.has(text)) continue;
      animation.cancel();
      made.delete(text);
    }
    if (told.length > 0) this.#all.set(element, { told, made });
    else this.#all.delete(element);
  }

  /** Takes all of them to where they should be. */
  sync(): void {
    if (!this.#due) return;
    this.#due = false;
    for (const [element, { told, made }] of this.#all) {
      if (!element.isConnected) {
        this.#all.delete(element);
        continue;
      }
      const running = element.getAnimations({ subtree: true });
      for (const one of told) {
        try {
          const animation = one.made ? this.#make(element, one, made) : find(running, element, one);
          if (animation) this.#put(animation, one);
        } catch {
          // What only a newer browser takes, or none: a page can say anything there.
        }
      }
    }
  }

  #make(element: Element, { made, pseudo }: Told, all: Map<string, Animation>): Animation | null {
    if (!made) return null;
    const known = all.get(made.text);
    if (known) return known;
    const animation = element.animate(
      made.frames,
      pseudo ? { ...made.timing, pseudoElement: pseudo } : made.timing,
    );
    all.set(made.text, animation);
    return animation;
  }

  #put(animation: Animation, { start, rate, at }: Told): void {
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
    if (this.#stopped.delete(animation)) animation.play();
    if (animation.playState === "finished" && due >= Number(animation.effect?.getComputedTiming().endTime))
      return;
    if (Math.abs(Number(animation.currentTime) - due) > CLOSE) animation.currentTime = due;
  }
}

function clock(): number {
  return performance.timeOrigin + performance.now();
}

/** The animation that a style sheet makes here too. */
function find(running: Animation[], element: Element, { name, pseudo }: Told): Animation | undefined {
  return running.find((animation) => {
    const { target, pseudoElement } = animation.effect as KeyframeEffect;
    return (
      target === element &&
      (pseudoElement ?? "") === pseudo &&
      (animation as CSSAnimation).animationName === name
    );
  });
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
      const [name, pseudo] = [value("animation-name"), selectorText.slice(1)];
      const timing = TIMING.map((name) => [
        name,
        NUMBERS.has(name) ? numberOf(value(`--${name}`)) : value(`--${name}`),
      ]);
      const made = name
        ? null
        : { frames, timing: Object.fromEntries(timing), text: `${text}${pseudo}${JSON.stringify(timing)}` };
      const start = value("--start");
      told.push({
        pseudo,
        name: name && unescaped(name),
        made,
        start: start ? Number(start) : null,
        rate: Number(value("--rate") || 1),
        at: Number(value("--at") || 0),
      });
    }
  }
  return { told, now };
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
