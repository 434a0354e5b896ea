/**
 * Takes pictures of canvases and videos that people see, when they have changed, one at a time and not too often.
 *
 * What is sent is bounded in pixels, in pictures a second and in bytes a second; the same picture is sent once.
 */

import { guarded } from "../customer/guarded.ts";
import type { Camera } from "../customer/pictures.ts";

/** Shortest time between two pictures of one element, in milliseconds. */
const PACE = 300;
/** How long a drawing rests before it counts as done, in milliseconds. */
const REST = 1000;
/** How often to look at what is drawn where no hook sees it, in milliseconds. */
const UNSEEN = 1500;
/** Largest picture, in pixels. */
const PIXELS = 1_500_000;
/** Bytes a second, on average. */
const BYTES = 250_000;
/** A drawing that changes all the time and is larger than this, in bytes, is told less exactly until it rests. */
const LARGE = 64 * 1024;
/** Elements that are looked at. */
const MOST = 64;

type Source = HTMLCanvasElement | HTMLVideoElement;

/** What is known of an element. */
interface Subject {
  seen: boolean;
  dirty: boolean;
  /** Its size on the screen, in CSS pixels. */
  width: number;
  height: number;
  /** When it was last drawn, and last taken. */
  drawn: number;
  taken: number;
  /** Bytes and hash of the last picture; null when it could not be read. */
  size: number;
  hash: number | null | undefined;
  /** The last picture is not exact. */
  rough: boolean;
  /** A copy of what would be gone by now. */
  copy: HTMLCanvasElement | null;
  copying: boolean;
  /** It is drawn by a worker. */
  elsewhere: boolean;
}

/** See {@link Camera}. */
export class Darkroom implements Camera {
  readonly #subjects = new Map<Element, Subject>();
  readonly #eyes: IntersectionObserver;
  readonly #sizes: ResizeObserver;
  readonly #offscreen = new WeakSet<Element>();
  #busy = false;
  #stopped = false;
  #free = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `pass` opens the way to the session where the customer's cookie does not. */
  constructor(
    readonly taken: (element: Element, picture: number) => void,
    readonly pass = "1",
  ) {
    this.#eyes = new IntersectionObserver((entries) => guarded(() => this.#looked(entries)), {
      rootMargin: "64px",
    });
    this.#sizes = new ResizeObserver((entries) => guarded(() => this.#resized(entries)));
    document.addEventListener("visibilitychange", this.#soon);
  }

  watch(elements: ReadonlySet<Element>): void {
    for (const element of [...this.#subjects.keys()]) {
      if (elements.has(element)) continue;
      this.#subjects.delete(element);
      this.#eyes.unobserve(element);
      this.#sizes.unobserve(element);
      for (const event of FILM) element.removeEventListener(event, this.#film);
    }
    for (const element of elements) {
      if (this.#subjects.has(element) || this.#subjects.size >= MOST) continue;
      this.#subjects.set(element, {
        seen: false,
        dirty: true,
        width: 0,
        height: 0,
        drawn: 0,
        taken: Number.NEGATIVE_INFINITY,
        size: 0,
        hash: undefined,
        rough: false,
        copy: null,
        copying: false,
        elsewhere: this.#offscreen.has(element),
      });
      this.#eyes.observe(element);
      this.#sizes.observe(element);
      for (const event of FILM) element.addEventListener(event, this.#film);
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#soon);
    this.watch(new Set());
    this.#eyes.disconnect();
    this.#sizes.disconnect();
  }

  /** Something was drawn; `fleeting`: it can be read only until the frame is shown. */
  drawn(canvas: Element | OffscreenCanvas, fleeting: boolean): void {
    const subject = this.#subjects.get(canvas as Element);
    if (!subject) return;
    subject.dirty = true;
    subject.drawn = performance.now();
    if (!fleeting) {
      subject.copy = null;
      this.#soon();
    } else if (!subject.copying && subject.seen) {
      subject.copying = true;
      // After what the page draws in this turn, before the browser takes it away.
      queueMicrotask(() =>
        guarded(() => {
          subject.copying = false;
          subject.copy = copyOf(canvas as HTMLCanvasElement, subject);
          this.#soon();
        }),
      );
    }
  }

  /** A worker draws it from now on. */
  elsewhere(canvas: HTMLCanvasElement): void {
    this.#offscreen.add(canvas);
    const subject = this.#subjects.get(canvas);
    if (subject) subject.elsewhere = true;
    this.#soon();
  }

  readonly #film = (event: Event): void => {
    const subject = this.#subjects.get(event.currentTarget as Element);
    if (!subject) return;
    subject.dirty = true;
    this.#soon();
  };

  #looked(entries: IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const subject = this.#subjects.get(target);
      if (!subject) continue;
      subject.seen = isIntersecting;
      // A busy browser says so late: the size of then may be told as that of now.
      measure(subject, target);
    }
    this.#soon();
  }

  /** What was taken smaller, or of nothing yet, is not what is shown now. */
  #resized(entries: ResizeObserverEntry[]): void {
    for (const { target } of entries) {
      const subject = this.#subjects.get(target);
      if (!subject) continue;
      measure(subject, target);
      subject.dirty = true;
    }
    this.#soon();
  }

  /** Sets the timer for what is due next. */
  readonly #soon = (): void => {
    if (this.#busy || this.#stopped || document.hidden || this.#timer !== undefined) return;
    let at = Number.POSITIVE_INFINITY;
    for (const [element, subject] of this.#subjects) at = Math.min(at, this.#due(element, subject));
    if (at === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        guarded(() => this.#next());
      },
      Math.max(0, at - performance.now()),
    );
  };

  /** When an element is to be looked at. */
  #due(element: Element, subject: Subject): number {
    if (!subject.seen) return Number.POSITIVE_INFINITY;
    const free = Math.max(this.#free, subject.taken + PACE);
    if (subject.dirty || plays(element)) return free;
    if (subject.rough) return Math.max(free, subject.drawn + REST);
    // What was drawn before anybody looked is drawn by nobody knows whom.
    const unseen = element.localName === "canvas" && (subject.elsewhere || subject.drawn === 0);
    return unseen ? subject.taken + UNSEEN : Number.POSITIVE_INFINITY;
  }

  #next(): void {
    if (this.#busy || this.#stopped || document.hidden) return;
    const now = performance.now();
    let first: [Element, Subject] | null = null;
    for (const entry of this.#subjects) {
      if (this.#due(...entry) <= now && (!first || entry[1].taken < first[1].taken)) first = entry;
    }
    if (first) {
      this.#busy = true;
      const [element, subject] = first;
      subject.dirty = false;
      subject.taken = now;
      this.#take(element as Source, subject)
        .catch(() => {
          subject.dirty = true;
          this.#free = performance.now() + UNSEEN;
        })
        .finally(() => {
          this.#busy = false;
          this.#soon();
        });
    } else this.#soon();
  }

  async #take(element: Source, subject: Subject): Promise<void> {
    const film = isFilm(element);
    if (film && !shows(element)) return;
    const lively = film || (performance.now() - subject.drawn < REST && subject.size > LARGE);
    subject.rough = lively && !film;
    let blob: Blob | null;
    try {
      blob = await develop(subject.copy ?? copyOf(element, subject), lively);
    } catch {
      // The site's own scripts may not read it either.
      this.#tell(element, subject, null, 0);
      return;
    }
    if (!blob) return;
    const bytes = new Uint8Array(await blob.arrayBuffer());
    subject.size = bytes.length;
    const hash = hashOf(bytes);
    if (hash === subject.hash || !this.#subjects.has(element)) return;
    this.#free = performance.now() + (bytes.length * 1000) / BYTES;
    const answer = await fetch("/.tandem/session/picture", {
      method: "POST",
      headers: { Tandem: this.pass, "Content-Type": blob.type },
      body: bytes,
    });
    if (!answer.ok) throw new Error("not taken");
    this.#tell(element, subject, hash, (await answer.json()) as number);
  }

  #tell(element: Element, subject: Subject, hash: number | null, picture: number): void {
    if (subject.hash === hash || this.#subjects.get(element) !== subject) return;
    subject.hash = hash;
    this.taken(element, picture);
  }
}

/** Notes how large it is on the screen. */
function measure(subject: Subject, element: Element): void {
  const { width, height } = element.getBoundingClientRect();
  subject.width = width;
  subject.height = height;
}

const FILM = ["loadeddata", "seeked", "play", "pause", "ended", "emptied"] as const;

function isFilm(element: Element): element is HTMLVideoElement {
  return element.localName === "video";
}

function plays(element: Element): boolean {
  return isFilm(element) && !element.paused && !element.ended;
}

/** Whether a video shows one of its frames: before it is played, the poster. */
function shows(film: HTMLVideoElement): boolean {
  const untouched = film.paused && film.currentTime === 0 && film.played.length === 0;
  return film.readyState >= 2 && film.videoWidth > 0 && !(untouched && film.poster);
}

/** What is there now, no larger than it is shown. */
function copyOf(source: Source, { width, height }: Subject): HTMLCanvasElement {
  const [from, down] = isFilm(source)
    ? [source.videoWidth, source.videoHeight]
    : [source.width, source.height];
  const ratio = Math.min(devicePixelRatio, 2);
  const scale = Math.min(
    1,
    Math.max((width * ratio) / from, (height * ratio) / down),
    Math.sqrt(PIXELS / (from * down)),
  );
  const copy = document.createElement("canvas");
  copy.width = Math.max(1, Math.round(from * scale));
  copy.height = Math.max(1, Math.round(down * scale));
  const context = copy.getContext("2d");
  if (context && from > 0 && down > 0) {
    context.imageSmoothingQuality = "high";
    context.drawImage(source, 0, 0, copy.width, copy.height);
  }
  return copy;
}

/** Throws where the picture has something of another origin in it. */
function develop(copy: HTMLCanvasElement, lively: boolean): Promise<Blob | null> {
  return new Promise((resolve) => {
    if (lively) copy.toBlob(resolve, "image/webp", 0.8);
    else copy.toBlob(resolve, "image/png");
  });
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
