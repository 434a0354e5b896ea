/**
 * Reports the page: once as a whole for each epoch, then what changes, once a frame.
 *
 * Nothing is read, observed or sent before the server asks; an epoch that can not go on is given up as a whole.
 */

import type { MakeMotion } from "../motion/motion.ts";
import type { Echo } from "../protocol/words.ts";
import type { MakeSheets } from "../sheets/sheets.ts";
import { Writer } from "../wire/writer.ts";
import { Changes, type ChangesContext } from "./changes.ts";
import { Checks } from "./checks.ts";
import { Controls } from "./controls.ts";
import { awaitDefinition } from "./custom.ts";
import { focused, inFrame, isElement, observer, type Roots } from "./dom.ts";
import { Frames } from "./frames.ts";
import { guarded } from "./guarded.ts";
import { DEEPEST, depthOf, KnownNodes } from "./known.ts";
import { Media } from "./media.ts";
import { Moving } from "./moving.ts";
import type { Notices, NoticeWriter } from "./notices.ts";
import { Pace } from "./pace.ts";
import { type MakeCamera, Pictures } from "./pictures.ts";
import type { Realms } from "./realms.ts";
import { Restyling } from "./restyling.ts";
import { Scrolls } from "./scrolls.ts";
import type { Extras, Restyled } from "./sheet-hooks.ts";
import { Slots } from "./slots.ts";
import { timeOf } from "./sounds.ts";
import { States } from "./states.ts";
import { Surroundings } from "./surroundings.ts";
import { isTyped, type Withholding } from "./withhold.ts";

/** More than this many bytes waiting to leave: changes wait, and merge. */
const CONGESTED = 256 * 1024;
/** How often to look for what no event tells, in milliseconds. */
const SWEEP = 500;
/** In which of them to look at all of a form control. */
const WHOLE = 4;
/** When no frame is painted, in milliseconds. */
const UNPAINTED = 60;
const OBSERVED: MutationObserverInit = {
  subtree: true,
  childList: true,
  attributes: true,
  attributeOldValue: true,
  characterData: true,
};
const EVENTS = [
  "input",
  "change",
  "reset",
  "focusin",
  "focusout",
  "scroll",
  "load",
  "toggle",
  "fullscreenchange",
  "pointerover",
  "pointerout",
  "pointerdown",
  "pointerup",
  "pointercancel",
  "selectionchange",
  "invalid",
  "timeupdate",
  "seeked",
  "animationstart",
  "transitionrun",
] as const;

/** Where frames go. */
export interface Outlet {
  /** Bytes that wait to leave. */
  readonly waiting: number;
  /** Tells hashes of what was typed into withheld fields. */
  typed(echoes: Echo[]): void;
  /** Asks by which rules typed values of documents of this address are withheld. */
  ask(url: string): void;
  /** Told of a frame of the page whose document this script can not reach, again and again. */
  foreign(frame: Element): void;
  /** Sends one frame. */
  frame(bytes: Uint8Array<ArrayBuffer>): void;
  /** Brings a part that not every page needs. */
  load<K extends keyof RecorderParts>(name: K): Promise<RecorderParts[K]>;
  /** The epoch can not go on: the server must ask for another one. */
  lost(): void;
}

/** What is loaded once a page needs it. */
export interface RecorderParts {
  /** Takes pictures of drawings and films. */
  readonly pictures: MakeCamera;
  /** Tells rules that scripts made. */
  readonly sheets: MakeSheets;
  /** Tells how far animations are. */
  readonly motion: MakeMotion;
}

/** What is there from the first frame on. */
export interface ReadyParts {
  /** Finds what the server holds already. */
  readonly held?: ((known: KnownNodes) => ReadonlyMap<Node, number>) | undefined;
}

/** What epochs have in common. */
export interface Page {
  readonly roots: Roots;
  readonly realms: Realms;
  readonly extras: Extras;
  readonly notices: Notices;
  /** Whether the caret in an element is the agent's. */
  agentHas(element: Element): boolean;
}

/** One epoch of the page. */
export class Recorder {
  readonly known: KnownNodes;
  readonly #changes: Changes;
  readonly #controls: Controls;
  readonly #around: Surroundings;
  readonly #scrolls: Scrolls;
  readonly #sheets: Restyling;
  readonly #pictures: Pictures;
  readonly #moving: Moving;
  readonly #slots: Slots;
  readonly #checks: Checks;
  readonly #states: States;
  readonly #over = new AbortController();
  readonly #media = new Media(() => this.schedule(), this.#over.signal);
  readonly #notices: NoticeWriter;
  readonly #observer: MutationObserver;
  /** What is listened to; of documents, with the root element that they had then. */
  readonly #observed = new Map<Document | ShadowRoot, Element | null>();
  readonly #frames: Frames;
  /** A document of a frame, or a shadow root, was told in this turn. */
  #entered = false;
  readonly #sweeper: ReturnType<typeof setInterval>;
  #sweeps = 0;
  /** Of the document: it can become another one by `document.write`. */
  readonly #mode = document.compatMode;
  readonly #context: ChangesContext;
  readonly #pace = new Pace();
  /** The frame that is being written, in as many tasks as it takes. */
  #out: Writer | null = null;
  /** The first node that is new in it. */
  #first: number;
  /** Whether it is to say what a part of the page should be. */
  #checking = false;
  /** Its length without anything in it. */
  #empty = 0;
  #seq = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #surveyor: ReturnType<typeof setTimeout> | undefined;
  /** The first node whose scroll position is still to be read, or 0. */
  #unsurveyed = 0;
  #frame = 0;

  /** Sends the page and starts to watch it. `first`: the number of the document. */
  constructor(
    readonly epoch: number,
    readonly page: Page,
    readonly withholding: Withholding,
    readonly outlet: Outlet,
    parts: ReadyParts = {},
    first = 1,
  ) {
    this.#first = first + 1;
    this.#frames = new Frames(withholding, outlet);
    this.known = new KnownNodes(document, page.roots, this.#frames, first);
    this.#checks = new Checks(this.known, (host) => {
      if (depthOf(host) + 1 < DEEPEST) this.attached(host);
    });
    this.#controls = new Controls(this.known, withholding);
    this.#around = new Surroundings(this.known, withholding, () => this.schedule(), this.#over.signal);
    this.#scrolls = new Scrolls(this.known);
    this.#sheets = new Restyling(
      this.known,
      page.extras,
      () => outlet.load("sheets"),
      () => this.schedule(),
    );
    this.#states = new States(this.known, withholding, (element) => page.agentHas(element));
    this.#notices = page.notices.begin(this.known, withholding, {
      flush: () => this.flush(),
      focus: () => focused(page.roots),
    });
    this.#pictures = new Pictures(
      this.known,
      () => outlet.load("pictures"),
      () => this.schedule(),
    );
    this.#moving = new Moving(
      this.known,
      withholding,
      () => outlet.load("motion"),
      () => this.schedule(),
    );
    this.#slots = new Slots(this.known);
    this.#sheets.fresh(document);
    this.#context = {
      known: this.known,
      withholding,
      pace: this.#pace,
      unfinished: (node, from) => this.#changes.unfinished(node, from),
      fresh: (node) => this.#fresh(node),
      gone: (node) => this.#gone(node),
      entered: () => {
        this.#entered = true;
      },
      attributeChanged: (element, name) => {
        this.#controls.mark(element);
        this.#slots.forget(element, name);
        if (name === "open") this.#around.markTop(element);
      },
    };
    this.#changes = new Changes(this.#context);
    this.#observer = observer((records) => guarded(() => this.#mutated(records)));
    this.#observe(document);
    this.#sweeper = setInterval(() => guarded(() => this.#sweep()), SWEEP);

    // What was typed before the page is shared may be repeated in it.
    withholding.learnAll(document);
    this.#learned();

    // Of what the server holds it must not change before all is told.
    this.#context.held = parts.held?.(this.known);
    this.#out = this.#begin();
    this.#out.byte(15);
    this.#out.byte(this.#mode === "BackCompat" ? 1 : 0);
    this.#changes.unfinished(this.known.top, document.firstChild);
    this.#around.everything();
    this.#scrolls.mark(document);
    this.#entered = true;
    this.#flush(!this.#context.held?.size);
  }

  /** Stops watching, for good. */
  stop(): void {
    this.#over.abort();
    this.#observer.disconnect();
    this.#pictures.stop();
    this.#notices.stop();
    this.#moving.stop();
    clearInterval(this.#sweeper);
    clearTimeout(this.#timer);
    clearTimeout(this.#surveyor);
    cancelAnimationFrame(this.#frame);
    for (const root of this.#observed.keys()) this.#listen(root, false);
    this.known.clear();
  }

  /** A control may be in another state. */
  markControl(element: Element): void {
    this.#controls.mark(element);
    this.schedule();
  }

  /** The state of a control is to be told again. */
  retell(element: Element): void {
    this.#controls.retell(element);
  }

  /** An element may have come to, or left, the top layer. */
  markTop(element: Element): void {
    this.#around.markTop(element);
    this.schedule();
  }

  /** A script has changed style rules. */
  restyled(how: Restyled, what: object): void {
    this.#sheets.note(how, what);
    this.schedule();
  }

  /** Something in a root moves otherwise than before: `what` a script did something to. */
  moves(root: Node, what?: object): void {
    this.#moving.note(root, what);
  }

  /** Somebody may see the page who did not. */
  joined(): void {
    this.#moving.anew(this.#observed.keys());
  }

  /** A shadow root was attached. */
  attached(host: Element): void {
    this.#changes.attached(host);
    this.schedule();
  }

  /** The server has said anew what is withheld. */
  judged(): void {
    this.#changes.retell((_, node) => isTyped(node.parentNode));
    this.#controls.sweep(true);
    this.schedule();
  }

  /** What was typed into a withheld field, or all of them, is complete: it is private from now on wherever it is. */
  settle(field?: Element): void {
    this.#controls.learn();
    const { withholding } = this;
    const host = field?.closest("[contenteditable]");
    if (host && withholding.holds(host, true))
      withholding.echoes.typing(host, host.textContent ?? "", withholding.isPassword(host));
    if (host && host !== field) this.#learned(host);
    this.#learned(field);
  }

  /** Looks for passwords that the page shows in another field than the one they were typed into. */
  #discover(): void {
    if (!this.withholding.echoes.knowPasswords) return;
    const found = [...this.#controls.discover()];
    for (const host of new Set(this.#changes.edited())) if (this.withholding.discover(host)) found.push(host);
    for (const element of found) this.#changes.secret(element);
    if (found.length > 0) this.#controls.learn();
  }

  #learned(field?: Element): void {
    const echoes = this.withholding.echoes.settle(field);
    if (echoes.length === 0) return;
    this.outlet.typed(echoes);
    this.repeated();
  }

  /** More is known of what was typed: what shows it is told anew. */
  repeated(): void {
    this.#changes.retell((text) => this.withholding.echoes.hide(text) !== text);
    this.schedule();
  }

  /** The elements whose box is to be told, and those among them that are shown as pictures. */
  measure(ids: ReadonlySet<number>, pictured: ReadonlySet<number>): void {
    this.#around.measure(ids);
    this.#pictures.watch(new Set([...pictured].map((id) => this.known.node(id)).filter(isElement)));
    this.schedule();
  }

  /** The top layer, lowest first. */
  get topLayer(): readonly Element[] {
    return this.#around.topLayer;
  }

  /** Flushes with the next frame, or `soon`. */
  schedule(soon = false): void {
    if (this.#timer !== undefined) return;
    const due = () => {
      clearTimeout(this.#timer);
      cancelAnimationFrame(this.#frame);
      this.#timer = undefined;
      if (this.outlet.waiting > CONGESTED) this.schedule();
      // What nobody sees can not stutter, and its timers are slow.
      else this.#flush(!document.hidden);
    };
    this.#timer = setTimeout(due, soon ? 0 : UNPAINTED);
    if (!soon && !document.hidden) this.#frame = requestAnimationFrame(due);
  }

  /** Sends what has changed until now. */
  flush(): void {
    this.#flush(false);
  }

  /** The same, in several tasks if one would not be `short`; with `check` also what a part of the page should be. */
  #flush(short: boolean, check = false): void {
    try {
      if (document.compatMode !== this.#mode) throw new Error("another quirks mode");
      this.#changes.mark(this.#observer.takeRecords());
      for (const [root, html] of this.#observed) {
        // A document that is written anew loses its listeners.
        if ((root as Document).documentElement !== html && root.nodeType === 9) this.#listen(root, true);
      }
      this.#controls.learn();
      if (!this.withholding.echoes.ready) {
        this.#context.held = undefined;
        this.schedule();
        return;
      }
      this.#discover();
      this.#out ??= this.#begin();
      const out = this.#out;
      this.#pace.begin(short);
      this.#checking ||= check;
      if (!this.#changes.write(out)) {
        this.schedule(true);
        return;
      }
      this.#out = null;
      this.#pace.done();
      if (this.#entered) this.survey(this.#first);
      this.#entered = false;
      this.#first = this.known.next;
      this.#writeState(out);
      if (out.length > this.#empty) this.#checks.changed();
      if (this.#checking) this.#checks.write(out);
      this.#checking = false;
      if (out.length > this.#empty) this.#send(out);
      this.#context.held = undefined;
    } catch (error) {
      console.debug("Tandem:", error);
      this.stop();
      this.outlet.lost();
    }
  }

  #begin(): Writer {
    const out = new Writer();
    out.uint(this.epoch);
    out.uint(this.#seq);
    this.#empty = out.length;
    return out;
  }

  #send(out: Writer): void {
    this.#seq++;
    this.outlet.frame(out.finish());
  }

  #writeState(out: Writer): void {
    this.#sheets.write(out);
    this.#slots.write(out);
    this.#controls.write(out);
    const focus = focused(this.page.roots);
    this.#around.write(out, focus);
    this.#scrolls.write(out);
    this.#pictures.write(out);
    this.#media.write(out);
    this.#moving.write(out);
    this.#states.write(out, focus);
    this.#notices.write(out);
  }

  #mutated(records: readonly MutationRecord[]): void {
    this.#changes.mark(records);
    this.schedule();
  }

  #sweep(): void {
    if (this.#checks.due) this.#around.remeasure();
    // Each of them looks, whatever the others found.
    const found = [
      this.#controls.sweep(++this.#sweeps % WHOLE === 0),
      this.#sheets.moved(),
      this.#around.moved(),
      this.#checks.due && this.#scrolls.moved(),
      this.#frames.any,
      this.#notices.moved(),
      this.#moving.moved(),
    ];
    if (this.#checks.due && this.outlet.waiting <= CONGESTED) this.#flush(true, true);
    else if (found.includes(true)) this.schedule();
  }

  /** Looks what is scrolled among the nodes from this number on, in short tasks. */
  survey(from = this.known.top.id): void {
    this.#unsurveyed = Math.min(from, this.#unsurveyed || from);
    this.#surveyor ??= setTimeout(() =>
      guarded(() => {
        const next = this.#scrolls.survey(this.#unsurveyed);
        this.#moving.look(this.#observed.keys());
        if (this.#scrolls.any) this.schedule();
        this.#surveyor = undefined;
        this.#unsurveyed = 0;
        if (next) this.survey(next);
      }),
    );
  }

  #fresh(node: Element | ShadowRoot | Document): void {
    this.#sheets.fresh(node);
    if (!isElement(node)) {
      this.#slots.fresh(node);
      this.#observe(node);
      // What was scrolled in it before was not heard.
      this.#entered = true;
      if (node.nodeType !== Node.DOCUMENT_NODE) return;
      // What was typed there before may be repeated in it, and what is around it.
      this.withholding.learnAll(node as Document);
      this.#learned();
      return;
    }
    this.#frames.add(node);
    awaitDefinition(node, this.#defined);
    this.#controls.add(node);
    if (node.localName === "option") {
      const select = node.closest("select");
      if (select) this.#controls.mark(select);
    }
    this.#around.fresh(node);
  }

  readonly #defined = (element: Element): void => {
    this.#changes.defined(element);
    this.schedule();
  };

  #gone(node: Element | Document): void {
    this.#sheets.gone(node);
    if (isElement(node)) {
      this.#controls.delete(node);
      this.#frames.delete(node);
      const root = this.page.roots.of(node);
      if (root) this.#observed.delete(root);
    } else {
      this.#listen(node, false);
      this.#observed.delete(node);
    }
  }

  #observe(root: Document | ShadowRoot): void {
    this.#observer.observe(root, OBSERVED);
    this.#listen(root, true);
  }

  #listen(root: Document | ShadowRoot, on: boolean): void {
    if (on) {
      const { documentElement } = root as Document;
      this.#observed.set(root, documentElement ?? null);
      if (root.nodeType === Node.DOCUMENT_NODE) this.page.realms.enter(root as Document);
    }
    for (const event of EVENTS) {
      if (on) root.addEventListener(event, this.#heard, true);
      else root.removeEventListener(event, this.#heard, true);
    }
  }

  readonly #heard = (event: Event): void => {
    guarded(() => {
      const target = event.target as Node;
      switch (event.type) {
        case "scroll":
          this.#scrolls.mark(target);
          break;
        case "load": {
          this.#around.markSource(target);
          // A new frame tells at once that it is empty, before the script goes on that made it and what is in it.
          const inner = isElement(target) && inFrame(target);
          if (inner) this.page.realms.enter(inner);
          break;
        }
        case "pointerover":
        case "pointerout":
        case "pointerdown":
        case "pointerup":
        case "pointercancel":
          this.#states.pointer(event as PointerEvent);
          break;
        case "timeupdate":
        case "seeked":
          // Films are told as pictures, and most of them play all the time.
          if (!isElement(target) || timeOf(target) === null) return;
          this.#changes.timed(target);
          break;
        case "transitionrun":
        case "animationstart":
          this.#moving.note(target.getRootNode());
          break;
        case "selectionchange":
          this.#states.select(target);
          break;
        case "invalid":
          this.#notices.invalid(event);
          this.#controls.mark(target as Element);
          break;
        case "fullscreenchange":
        case "toggle":
          if (isElement(target)) this.#around.markTop(target);
          break;
        case "reset":
          // The controls have their old values only after the event.
          setTimeout(() => guarded(() => this.#sweep()));
          break;
        case "focusout":
          if (!isElement(target)) break;
          this.settle(target);
          this.#controls.mark(target);
          break;
        case "input":
        case "change":
          if (isElement(target)) this.#controls.mark(target);
          if (isElement(target) && event.type === "change") this.settle(target);
          // One radio button changes the others.
          if ((target as HTMLInputElement).type === "radio") this.#controls.sweep(false);
      }
      this.schedule();
    });
  };
}
