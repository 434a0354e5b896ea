/**
 * Turns what the agent does in the mirror into messages, and keeps the mirror from doing anything by itself.
 *
 * In Pointer mode only the pointer and clicks to show something leave; nothing in the mirror takes the focus,
 * scrolls or changes. In Write mode each act is aimed at a node by its id; what is known to be
 * refused is not sent and the agent is told why. The server checks all of it again.
 */

import type { Action, FromAgent, Mode, NodeId, Place, Point, Refusal } from "../../protocol/words.ts";
import type { Reason } from "../words.ts";
import { scrollerOf } from "./controls.ts";
import { takeDrops } from "./drops.ts";
import { Edits } from "./edits.ts";
import type { Field } from "./field-text.ts";
import { Fields } from "./fields.ts";
import { activeIn, toOutermost } from "./frames.ts";
import {
  clickTarget,
  editable,
  formats,
  innermost,
  inputOf,
  isChoice,
  isTextField,
  isTyped,
  modifiersOf,
  pressedKey,
  undoes,
} from "./intents.ts";
import { refusalOf } from "./marks.ts";
import type { Mirror } from "./mirror.ts";
import { OwnCaret } from "./own-caret.ts";
import { Pointing } from "./pointing.ts";
import { Strokes } from "./strokes.ts";

/** What acting needs of its surroundings. */
export type ActingHost = {
  send(message: FromAgent): void;
  /** Show a circle at once. */
  clicked(at: Point): void;
  refused(reason: Reason): void;
  /** The agent turned the wheel in Pointer mode. */
  wheel(event: WheelEvent): void;
};

/** Least time between two pointer messages, in milliseconds: about 30 a second. */
const POINTER_PAUSE = 33;
/** Clicks in quick succession that are told apart. */
const CLICKS = 3;
/** Actions that set what the mirror shows already; of texts the fields know themselves. */
const SETS = new Set<Action["kind"]>(["select", "scroll"]);
/** The real focus follows the customer's this long after an act that moves it, in milliseconds. */
const FOCUS_FOLLOWS = 1500;

export class Acting {
  readonly #mirror: Mirror;
  readonly #host: ActingHost;
  readonly #edits: Edits;
  readonly #fields: Fields;
  readonly #pointing: Pointing;
  readonly #strokes: Strokes;
  readonly #caret: OwnCaret;
  #document: Document | null = null;
  #mode: Mode = "pointer";
  #seq = 0;
  /** Unanswered actions. */
  readonly #open = new Set<number>();
  #pointer: { at: Point | null; sent: number; timer: ReturnType<typeof setTimeout> | undefined } = {
    at: null,
    sent: Number.NEGATIVE_INFINITY,
    timer: undefined,
  };
  /** Scrollers with something to send in the next animation frame. */
  #scrolled = new Set<Node>();
  #flushing = false;
  #focusIntent = Number.NEGATIVE_INFINITY;
  /** What was typed into last, while no other field had the page's focus. */
  #typedIn: Element | null = null;
  /** What was clicked last and is no field. */
  #pressedLast: NodeId | null = null;

  constructor(mirror: Mirror, host: ActingHost) {
    this.#mirror = mirror;
    this.#host = host;
    const act = (action: Action) => this.act(action);
    const refused = (reason: Refusal) => host.refused(reason);
    this.#edits = new Edits(mirror, act, refused);
    this.#fields = new Fields({
      act,
      refused,
      idOf: (field) => mirror.ownId(field),
      find: (id) => {
        const node = (mirror.find(id) ?? null) as Element | null;
        return isTextField(node) && !refusalOf(node) ? node : null;
      },
      truth: (field) => mirror.valueOf(field),
    });
    this.#pointing = new Pointing(mirror, { act, refused });
    // Told late, the caret would take the focus back from where a key has led.
    const may = (): boolean => this.#mode === "write" && !this.#strokes.areLed;
    this.#caret = new OwnCaret(mirror, this.#edits, this.#fields, act, may);
    const sends = (): void => {
      this.#focusIntent = performance.now();
      this.#flush();
    };
    const again = (event: KeyboardEvent, target: Element | null): void => {
      const active = activeIn(this.#document);
      const typing = isTextField(active) || editable(active) !== null;
      const at = (typing ? null : target) ?? this.#keyTarget(active);
      if (this.#struck(event, at)) this.#type(event, at);
    };
    this.#strokes = new Strokes(mirror, { act, refused, sends, again });
    const edits = this.#edits;
    mirror.ahead = {
      get isSettled() {
        return edits.isSettled;
      },
      text: (text, data) => this.#edits.told(text, data),
      holds: (field) => this.#fields.holds(field),
      field: (field, value) => this.#fields.told(field as Field, value),
    };
  }

  get mode(): Mode {
    return this.#mode;
  }

  set mode(mode: Mode) {
    if (mode === this.#mode) return;
    this.#mode = mode;
    this.#scrolled.clear();
    this.#pointing.clear();
    this.#pressedLast = null;
    this.#strokes.clear();
    if (mode !== "pointer") return;
    this.#blur();
    this.#edits.clear();
    this.#fields.clear(true);
  }

  /** A new connection counts its actions from 1. */
  restart(): void {
    this.#seq = 0;
    this.#open.clear();
    this.#pointing.clear();
    this.#edits.clear();
    this.#fields.clear(true);
    this.#anotherPage();
  }

  /** Whether an action was not answered. */
  awaits(seq: number): boolean {
    return this.#open.has(seq);
  }

  /** Sends an action and returns its number. */
  act(action: Action): number {
    this.#seq += 1;
    if (SETS.has(action.kind) && "node" in action) this.#mirror.answers.sent(this.#seq, action.node);
    this.#open.add(this.#seq);
    this.#host.send({ type: "act", seq: this.#seq, epoch: this.#mirror.epoch, action });
    return this.#seq;
  }

  /** The server answered an action. Returns whether the agent need not hear of it. */
  answered(seq: number, refused: Refusal | null, at: Place | null): boolean {
    this.#open.delete(seq);
    if (this.#caret.answered(seq) || this.#pointing.answered(seq, refused)) return true;
    const field = this.#fields.answered(seq, refused);
    if (field || this.#edits.answered(seq, refused, at)) {
      this.#caret.known(this.#document);
      if (field) this.#followLead(field);
      return refused === "stale";
    }
    // What is scrolled but not sent is newer than the answer: sent first, it holds the page's word back.
    this.#flush();
    const settled = this.#mirror.answers.answered(seq);
    if (settled) this.#mirror.settle(settled, refused !== null);
    this.#followFocus();
    this.#strokes.answered(seq);
    return refused === "prevented" || refused === "stale";
  }

  /** The mirror is about to be built anew. What is typed goes on only where the nodes keep their numbers. */
  renewing(same: boolean): void {
    if (same) {
      this.#flush();
      this.#edits.renewing();
      this.#caret.keep(this.#document);
      return;
    }
    const isLost = this.#edits.isWaiting || this.#fields.isWaiting;
    this.#edits.clear();
    this.#fields.clear();
    this.#anotherPage();
    if (isLost) this.#host.refused("gone");
  }

  /** Listens in a new document of the mirror: opening it has taken the old listeners. */
  attach(document: Document): void {
    this.#document = document;
    this.#scrolled.clear();
    this.#pointing.clear();
    this.listen(document);
    let whole = true;
    this.#caret.putBack(() => {
      whole = this.#fields.renewed();
    });
    if (!this.#edits.renewed() || !whole) this.#host.refused("gone");
  }

  #anotherPage(): void {
    this.#caret.drop();
    this.#pressedLast = null;
    this.#strokes.clear();
  }

  /** Listens in a document of the mirror, that of the page or of a frame. */
  listen(document: Document): void {
    const on = <K extends keyof DocumentEventMap>(type: K, listener: (event: DocumentEventMap[K]) => void) =>
      document.addEventListener(type, listener, { capture: true, passive: false });
    const place = (event: MouseEvent) => toOutermost(document, { x: event.clientX, y: event.clientY });
    on("pointermove", (event) => {
      this.#moved(place(event));
      if (this.#mode === "write") this.#pointing.moved(event, innermost(event));
    });
    on("pointerout", (event) => {
      if (event.relatedTarget !== null) return;
      this.#moved(null);
      if (this.#mode === "write") this.#pointing.left();
    });
    on("pointercancel", () => this.#pointing.letGo());
    on("mouseup", (event) => event.button === 0 && this.#pointing.released(event, innermost(event)));
    on("mousedown", (event) => this.#pressed(event));
    // Nothing else happens to what is disabled.
    on("pointerdown", (event) => {
      if (this.#mode === "write" && innermost(event)?.matches(":disabled")) this.#host.refused("disabled");
    });
    on("click", (event) => this.#clicked(event, place(event)));
    on("contextmenu", (event) => this.#menu(event, place(event)));
    on("keydown", (event) => this.#key(event));
    on("beforeinput", (event) => this.#beforeInput(event));
    on("compositionstart", (event) => this.#composes(event) && this.#edits.composing(document));
    on("compositionend", (event) => this.#composed(event));
    on("input", (event) => this.#input(event));
    on("change", (event) => this.#change(event));
    on("wheel", (event) => this.#wheel(event));
    on("scroll", (event) => this.#scroll(event));
    on("focusin", (event) => this.#focused(event));
    on("focusout", (event) => {
      const field = innermost(event);
      if (isTextField(field)) this.#fields.left(field);
    });
    on("selectionchange", () => this.#selectionChanged());
    for (const type of ["keydown", "pointerdown", "pointerup", "drop"] as const) {
      on(type, () => this.#caret.handMoved());
    }
    for (const type of ["auxclick", "dblclick", "submit", "reset", "cancel"] as const) {
      on(type, (event) => event.preventDefault());
    }
    takeDrops(document, {
      writes: () => this.#mode === "write",
      refused: (reason) => this.#host.refused(reason),
    });
  }

  #moved(at: Point | null): void {
    const pointer = this.#pointer;
    pointer.at = at;
    if (pointer.timer !== undefined) return;
    const wait = pointer.sent + POINTER_PAUSE - performance.now();
    if (wait <= 0) this.#sendPointer();
    else pointer.timer = setTimeout(() => this.#sendPointer(), wait);
  }

  #sendPointer(): void {
    const pointer = this.#pointer;
    pointer.timer = undefined;
    pointer.sent = performance.now();
    this.#host.send(pointer.at ? { type: "pointer", at: pointer.at } : { type: "pointer_left" });
  }

  #pressed(event: MouseEvent): void {
    const target = innermost(event);
    const field = isTextField(target) || isChoice(target) || editable(target) !== null;
    if (this.#mode === "write" && field && event.button === 0 && !refusalOf(target)) {
      this.#caret.moves();
      return;
    }
    event.preventDefault();
    if (this.#mode !== "write") return;
    if (event.button === 0 && !refusalOf(target)) this.#pointing.pressed(event, target);
    // Keys go to the mirror now, but no field of it keeps the caret.
    this.#blur();
    event.view?.focus();
  }

  /** `at`: in the page's viewport. */
  #clicked(event: MouseEvent, at: Point): void {
    event.preventDefault();
    const target = innermost(event);
    // A click made of a key press has no place; the key was sent.
    if (event.detail === 0) return;
    if (this.#pointing.wasDrag) return;
    this.#host.send({ type: "clicked", at });
    this.#host.clicked(at);
    if (this.#mode !== "write") return;
    const reason = refusalOf(target);
    if (reason) {
      this.#host.refused(reason);
      return;
    }
    if (!isChoice(target)) this.#click(event, target);
  }

  /** `at`: in the page's viewport. */
  #menu(event: MouseEvent, at: Point): void {
    const target = innermost(event);
    const field = isTextField(target) || editable(target) !== null;
    // To paste into a field the agent needs their own.
    if (this.#mode === "write" && field && !refusalOf(target)) return;
    event.preventDefault();
    if (this.#mode !== "write") return;
    this.#host.clicked(at);
    this.#host.send({ type: "clicked", at });
    const reason = refusalOf(target);
    if (reason) this.#host.refused(reason);
    else this.#pointing.menu(event, target);
  }

  #click(event: MouseEvent, target: Element | null): void {
    const node = this.#mirror.idOf(target);
    if (node === null) return;
    const aim = clickTarget(this.#mirror.find(node) ?? null, { x: event.clientX, y: event.clientY });
    if (!aim) return;
    // A field that was clicked has the caret already; a label's click brings it elsewhere.
    const typing = isTextField(aim.element) || editable(aim.element) !== null;
    this.#focusIntent = typing ? Number.NEGATIVE_INFINITY : performance.now();
    this.#pressedLast = typing ? null : this.#mirror.idOf(aim.element);
    this.#flush();
    this.#pointing.clicked();
    const seq = this.act({
      kind: "click",
      node: this.#mirror.idOf(aim.element) ?? node,
      x: aim.x,
      y: aim.y,
      count: Math.min(Math.max(event.detail, 1), CLICKS),
      modifiers: modifiersOf(event),
    });
    if (!typing) this.#strokes.pressed(seq);
  }

  #key(event: KeyboardEvent): void {
    if (this.#mode !== "write") {
      if (!event.ctrlKey && !event.metaKey && !event.altKey) event.preventDefault();
      return;
    }
    if (!this.#struck(event, this.#keyTarget(innermost(event)))) event.preventDefault();
  }

  /** A key is pressed on an element. Returns whether that is for this browser. */
  #struck(event: KeyboardEvent, target: Element | null): boolean {
    if (event.key === "Escape" && this.#pointing.isDragging) {
      this.#pointing.letGo();
      return false;
    }
    if (this.#strokes.areLed && isTyped(event, target)) {
      this.#strokes.wait(event, target);
      return false;
    }
    if (this.#undo(event, target) || this.#refusesText(event, target)) return false;
    const pressed = pressedKey(event, target);
    if (pressed === "local") {
      const all = event.key === "a" && (event.ctrlKey || event.metaKey);
      if (all || /^(Arrow|Home$|End$|Page)/.test(event.key)) this.#caret.moves();
      return true;
    }
    // What is held down repeats no faster than the page follows.
    if (pressed && !(event.repeat && this.#strokes.areWaiting)) this.#strokes.strike(event, target);
    return false;
  }

  /** Does what this browser would have done for a key, had the caret been there when it was pressed. */
  #type(event: KeyboardEvent, target: Element | null): void {
    const input = inputOf(event);
    const reason = refusalOf(target);
    if (reason) this.#host.refused(reason);
    if (!input || !target || reason || activeIn(this.#document) !== target) return;
    const text = input === "insertText" ? event.key : "";
    const { ownerDocument } = target;
    if (!isTextField(target)) this.#edits.do(ownerDocument, input, text);
    else if (input === "deleteContentBackward") ownerDocument.execCommand("delete");
    else if (input === "deleteContentForward") ownerDocument.execCommand("forwardDelete");
    else ownerDocument.execCommand("insertText", false, text || "\n");
  }

  /** A field that can only be read says so. */
  #refusesText(event: KeyboardEvent, target: Element | null): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey || !isTextField(target) || !target.readOnly)
      return false;
    if ([...event.key].length > 1 && event.key !== "Backspace" && event.key !== "Delete") return false;
    this.#host.refused("disabled");
    return true;
  }

  /** What the agent typed is taken back here, in fields, or by the page, in its editors, which are told of formats too. */
  #undo(event: KeyboardEvent, target: Element | null): boolean {
    const input = undoes(event);
    const edit = input ?? formats(event);
    if (!edit || refusalOf(target)) return false;
    if (input && isTextField(target)) this.#fields.undo(target, input === "historyRedo");
    else if (!isTextField(target) && editable(target))
      this.#edits.do(target?.ownerDocument ?? null, edit, "");
    else return false;
    return true;
  }

  /** With no field focused in the mirror, keys go to what has the customer's focus, unless that is a field: it is theirs. */
  #keyTarget(target: Element | null): Element | null {
    const document = target?.ownerDocument;
    const isWhole = target === document?.body || target === document?.documentElement;
    if (target && (!isWhole || editable(target))) return target;
    const { focused } = this.#mirror;
    if (focused && !isTextField(focused) && !editable(focused)) return focused;
    const last = this.#pressedLast === null ? null : this.#mirror.find(this.#pressedLast);
    return (last?.isConnected ? (last as Element) : null) ?? target ?? this.#document?.body ?? null;
  }

  #beforeInput(event: InputEvent): void {
    const target = innermost(event);
    const reason = refusalOf(target);
    if (this.#mode !== "write" || reason) {
      event.preventDefault();
      if (reason) this.#host.refused(reason);
      return;
    }
    if (isTextField(target)) {
      // From the browser's own menu: what it would take back, it may not have.
      if (event.inputType.startsWith("history")) {
        event.preventDefault();
        this.#fields.undo(target, event.inputType === "historyRedo");
      }
    } else if (editable(target)) this.#edits.beforeInput(event);
  }

  #composed(event: CompositionEvent): void {
    const target = innermost(event);
    if (isTextField(target)) this.#fields.composed(target);
    else if (target && this.#composes(event)) this.#edits.composed(editable(target) ?? target, event.data);
  }

  #composes(event: CompositionEvent): boolean {
    const target = innermost(event);
    return this.#mode === "write" && !isTextField(target) && editable(target) !== null && !refusalOf(target);
  }

  #input(event: Event): void {
    const target = innermost(event);
    if (this.#mode !== "write" || !isTextField(target) || refusalOf(target)) return;
    this.#focusIntent = Number.NEGATIVE_INFINITY;
    const { focused } = this.#mirror;
    const elsewhere = focused !== target && (isTextField(focused) || editable(focused) !== null);
    this.#typedIn = elsewhere ? null : target;
    this.#fields.typed(target, event as InputEvent);
  }

  #change(event: Event): void {
    const target = innermost(event);
    if (this.#mode !== "write" || target?.localName !== "select") return;
    const reason = refusalOf(target);
    if (reason) {
      this.#host.refused(reason);
      return;
    }
    const node = this.#mirror.idOf(target);
    if (node === null) return;
    const indexes: number[] = [];
    Array.from((target as HTMLSelectElement).options).forEach((option, index) => {
      if (option.selected) indexes.push(index);
    });
    this.act({ kind: "select", node, indexes });
  }

  #wheel(event: WheelEvent): void {
    if (this.#mode === "write") {
      if (this.#pointing.wheel(event, innermost(event))) event.preventDefault();
      return;
    }
    event.preventDefault();
    if (!event.ctrlKey) this.#host.wheel(event);
  }

  #scroll(event: Event): void {
    const target = event.target as Node | null;
    if (!target) return;
    const id = this.#mirror.idOf(target);
    const scroller = scrollerOf(target);
    if (id === null || !scroller) return;
    const wanted = this.#mirror.scrolls.wanted(id);
    const [x, y] = [scroller.scrollLeft, scroller.scrollTop];
    if (Math.abs(x - wanted.x) < 1 && Math.abs(y - wanted.y) < 1) return;
    // Content that is shorter here, or not loaded yet, is no wish of the agent.
    const furthest = {
      x: scroller.scrollWidth - scroller.clientWidth,
      y: scroller.scrollHeight - scroller.clientHeight,
    };
    const clamped = (at: number, want: number, most: number) =>
      Math.abs(at - want) < 1 || (want > at && at >= most - 1);
    if (clamped(x, wanted.x, furthest.x) && clamped(y, wanted.y, furthest.y)) return;
    if (this.#mode !== "write" || refusalOf(target)) {
      if (!this.#mirror.answers.isWaiting(id)) this.#mirror.scrolls.put(id, target);
      return;
    }
    // From now on it is to be there, whatever else changes meanwhile.
    this.#mirror.scrolls.want(id, x, y);
    this.#scrolled.add(target);
    this.#flushSoon();
  }

  #focused(event: FocusEvent): void {
    const target = innermost(event);
    if (this.#mode !== "write" || refusalOf(target)) target?.blur();
  }

  #selectionChanged(): void {
    const document = this.#document;
    if (this.#mode === "write" && document) this.#caret.tellSoon(document);
  }

  /**
   * A page may lead from a field that is full to the next one: the agent goes on there. What was typed into a field before `field`
   * and comes late takes the page's focus back there, which leads nowhere.
   */
  #followLead(field: Element): void {
    const { focused } = this.#mirror;
    if (!focused || focused === field || field !== this.#typedIn || field !== activeIn(this.#document))
      return;
    if (!isTextField(focused)) return;
    this.#typedIn = null;
    this.#focusIntent = performance.now();
    this.#followFocus();
  }

  /** After a click on a label or a Tab the caret goes where the customer's focus went. */
  #followFocus(): void {
    if (this.#mode !== "write" || performance.now() - this.#focusIntent > FOCUS_FOLLOWS) return;
    if (!this.#document?.hasFocus()) return;
    const element = this.#mirror.focused;
    if (!element) return;
    const typed = isTextField(element) || isChoice(element) || editable(element);
    if (!typed || refusalOf(element)) {
      // Keys are for that now, and not for the field before it.
      this.#blur();
      return;
    }
    if (activeIn(this.#document) !== element)
      this.#caret.follow(element as HTMLElement, this.#strokes.areTabbed);
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    requestAnimationFrame(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    for (const target of this.#scrolled) {
      const node = this.#mirror.idOf(target);
      const scroller = scrollerOf(target);
      if (node === null || !scroller) continue;
      const [x, y] = [Math.round(scroller.scrollLeft), Math.round(scroller.scrollTop)];
      this.#mirror.scrolls.want(node, x, y);
      this.act({ kind: "scroll", node, x, y });
    }
    this.#scrolled.clear();
  }

  #blur(): void {
    const active = activeIn(this.#document);
    if (active && active !== active.ownerDocument.body) (active as HTMLElement).blur();
  }
}
