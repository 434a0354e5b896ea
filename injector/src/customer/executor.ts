/**
 * Does what the agent asks for in the page, the way a person would, one action after the other.
 *
 * The server has already allowed it; what only this browser can know is checked here: whether the element is still there, can be
 * used, is not covered, is not our own, and that no form leaves without leave.
 */

import type { Act, Action, FromCustomer, Point, Refusal } from "../protocol/words.ts";
import { boxOwner } from "../wire/boxes.ts";
import type { ActingSession } from "./acting.ts";
import { Asking } from "./asking.ts";
import {
  above,
  boxOf,
  closestAcross,
  controlKind,
  elementAt,
  focused,
  holds,
  isElement,
  parentAcross,
  pointIn,
  type Roots,
} from "./dom.ts";
import { Dragging } from "./dragging.ts";
import { type At, Editing } from "./editing.ts";
import { guarded } from "./guarded.ts";
import { Ways } from "./history.ts";
import { HoverStyles } from "./hover-styles.ts";
import { takesText } from "./keyboard.ts";
import { changed, pressKey } from "./keys.ts";
import { checkLink, linkOf, resolve, watchLink } from "./links.ts";
import { type Place, Pointing } from "./pointing.ts";
import { type Realms, realmOf } from "./realms.ts";
import { Refused } from "./refused.ts";
import { BY_HAND, type Kept, Restraint } from "./restraint.ts";
import type { Stage } from "./stage.ts";
import { type Field, Typing } from "./typing.ts";
import { Whereabouts } from "./whereabouts.ts";
import type { Words } from "./words.ts";

type ActionOf<K extends Action["kind"]> = Extract<Action, { kind: K }>;

/** What the executor needs of the rest. */
export interface ExecutorContext {
  readonly host: Element;
  readonly stage: Stage;
  session(): ActingSession | null;
  agentName(): string;
  readonly roots: Roots;
  readonly realms: Realms;
  /** In the customer's language. */
  words(): Words;
  /** Changes when nodes are numbered anew. */
  epoch(): number;
  /** The node of a number, if the page has it. */
  node(id: number): Node | undefined;
  /** Whether the server has it. */
  knows(node: Node): boolean;
  /** Whether the agent does not see `element`. */
  isPrivate(element: Element): boolean;
  /** The top layer, lowest first. */
  topLayer(): readonly Element[];
  /** The state of a control is to be told, changed or not. */
  retell(element: Element): void;
  /** Tells the server. */
  send(message: FromCustomer): void;
  /** Sends what the page has become, then the answer, with where the agent's caret is. */
  answer(seq: number, refused: Refusal | null, at: At | null): void;
  /** Tells of what came of an action after its answer. */
  stopped(reason: Refusal): void;
  /** This sheet of ours is no part of the page. */
  ownSheet(sheet: CSSStyleSheet): void;
}

/** A page that has made something of its own of the wheel scrolls nothing for so long, in milliseconds. */
const WHEEL_TAKEN = 250;
/** So long a key may not know yet where the one before it led, in milliseconds. */
const FOLLOWS = 1000;
const NONE = { alt: false, ctrl: false, meta: false, shift: false } as const;
const RIGHT = { button: 2, count: 1 } as const;
/** What comes many times a second: what a page does later is hardly because of one of them. */
const FLEETING = new Set<Action["kind"]>(["hover", "leave", "drag", "wheel", "scroll"]);

/** The executor of one session. */
export class Executor {
  readonly #typing: Typing;
  readonly #editing: Editing;
  readonly #where: Whereabouts;
  readonly #pointing: Pointing;
  readonly #dragging: Dragging;
  readonly #restraint: Restraint;
  readonly #asking: Asking;
  readonly #hover: HoverStyles;
  /** What keys of the agent have moved the focus from, and where it came to be with the last one. */
  readonly #left = new Set<Element>();
  #arrived: { at: Element | null; when: number } = { at: null, when: Number.NEGATIVE_INFINITY };
  /** What was pressed last to be dragged. */
  #pressed: Element | null = null;
  #wheelTaken = Number.NEGATIVE_INFINITY;
  readonly #ways: Ways;
  #queue: Promise<void> = Promise.resolve();

  constructor(readonly context: ExecutorContext) {
    const { realms, roots, host } = context;
    this.#typing = new Typing(roots, realms, (element) => context.isPrivate(element));
    this.#editing = new Editing(this.#typing, (id) => context.node(id));
    this.#pointing = new Pointing(realms);
    this.#dragging = new Dragging(this.#pointing);
    this.#restraint = new Restraint(
      realms,
      roots,
      context.session,
      () => context.send({ type: "gesture" }),
      (what) => context.stopped(what),
    );
    this.#asking = new Asking(host, realms, () => context.words());
    this.#hover = new HoverStyles((sheet) => context.ownSheet(sheet));
    this.#where = new Whereabouts(context.stage, () => context.agentName());
    this.#ways = new Ways(context.send);
  }

  /** Does one action, which came in this epoch, after those before it. */
  run({ seq, submit, to, action }: Act, epoch: number): void {
    this.#queue = this.#queue.then(async () => {
      let refused: Refusal | null = null;
      let answered = false;
      let leave: (() => void) | undefined;
      const kept = (what: Kept): void => {
        // A form that was held back may be what asks for a hand.
        if (what === "needs_customer") guarded(() => this.#ask(action));
        if (answered) guarded(() => this.context.stopped(what));
        else refused ??= what;
      };
      // A word that the customer has not finished is waited for, and that is theirs alone.
      if (action.kind === "input" || action.kind === "edit") await this.#typing.keyboard.finished();
      const giveBack = this.#typing.keyboard.remember();
      const only = this.#changed(action);
      await this.#restraint.during({ submits: submit, only, kept }, !FLEETING.has(action.kind), async () => {
        try {
          // Numbers of another epoch name other nodes.
          if (this.context.epoch() !== epoch) throw new Refused("gone");
          leave = await this.#do(action, to);
        } catch (error) {
          if (!(error instanceof Refused)) console.debug("Tandem:", error);
          refused = error instanceof Refused ? error.why : "not_possible";
        }
      });
      guarded(giveBack);
      guarded(() => this.#showWhere(action));
      // What the page does in microtasks belongs to the action.
      await new Promise((resolve) => setTimeout(resolve));
      guarded(giveBack);
      answered = true;
      guarded(() => this.context.answer(seq, refused, action.kind === "edit" ? this.#editing.caret() : null));
      guarded(() => leave?.());
      guarded(() => this.#ways.tell());
    });
  }

  /** Tells a server that has not heard it what only this browser knows. */
  tell(): void {
    guarded(() => this.#ways.tell(true));
  }

  /** Lets go of everything: the agent can do nothing any more. */
  stop(): void {
    guarded(() => this.#dragging.letGo());
    guarded(() => this.#leave());
    guarded(() => this.#asking.stop());
    guarded(() => this.#typing.settle());
    guarded(() => this.#editing.stop());
    this.#where.show(null);
  }

  /** Whether the caret in `element` is the agent's. */
  has(element: Element): boolean {
    return this.#where.in === element && this.#typing.keyboard.held !== element;
  }

  /** Shows the customer where the agent is after an action. */
  #showWhere({ kind }: Action): void {
    const element = this.#typing.in;
    if (!element || !takesText(element)) this.#where.show(null);
    else if (kind === "input") this.#where.show(element, { node: element, offset: this.#typing.caret });
    else if (kind === "edit" || kind === "caret") this.#where.show(element, this.#editing.at);
    else this.#where.show(element);
  }

  /** Does it; what leaves the page is given back, to be done after the answer. */
  async #do(action: Action, to: string | null): Promise<(() => void) | undefined> {
    switch (action.kind) {
      case "click":
        return this.#click(action);
      case "menu":
        this.#menu(action);
        return undefined;
      case "hover":
        this.#point(...this.#over(action));
        return undefined;
      case "leave":
        this.#leave();
        return undefined;
      case "press":
        this.#press(action);
        return undefined;
      case "drag":
        this.#dragging.keep();
        this.#dragging.move(...this.#under(action));
        return undefined;
      case "drop":
        this.#drop(action);
        return undefined;
      case "let_go":
        this.#dragging.letGo();
        return undefined;
      case "wheel":
        this.#wheel(action);
        return undefined;
      case "ask":
        this.#asking.show(this.#element(action.node));
        throw new Refused("needs_customer");
      case "input":
        await this.#input(this.#element(action.node), action);
        return undefined;
      case "edit":
        await this.#edit(action);
        return undefined;
      case "caret":
        this.#caret(action);
        return undefined;
      case "select":
        this.#select(this.#element(action.node), action.indexes);
        return undefined;
      case "key": {
        const target = this.#keyTarget(this.#element(action.node), action.key);
        const { documentElement, body } = target.ownerDocument;
        const whole = target === documentElement || target === body;
        if (!whole) this.#typing.enter(target);
        const { key, code, modifiers } = action;
        const link = key === "Enter" ? linkOf(target) : null;
        if (link) checkLink(link, "follow");
        return watchLink(link, () => {
          const { roots, host, topLayer } = this.context;
          pressKey(target, { key, code, modifiers }, { roots, host, topLayer, typing: this.#typing });
          this.#left.add(target);
          this.#arrived = { at: focused(roots), when: performance.now() };
        });
      }
      case "scroll":
        this.#scroll(action.node, action.x, action.y);
        return undefined;
      case "navigate": {
        const url = resolve(action.url);
        return () => location.assign(url);
      }
      case "back":
      case "forward": {
        const way = this.#ways.way(action.kind, to);
        if (!way) throw new Refused("gone");
        return way;
      }
      case "refresh":
        return () => location.reload();
    }
  }

  /** The element that an action is aimed at, if it can be used now. */
  #element(id: number): HTMLElement {
    const node = this.context.node(id);
    const element = isElement(node)
      ? node
      : node?.nodeType === Node.DOCUMENT_NODE
        ? (node as Document).body
        : node?.parentElement;
    // What was in a frame is still in its document when nothing shows that any more.
    if (!element || !holds(document, element)) throw new Refused("gone");
    this.#check(element);
    return element as HTMLElement;
  }

  #check(element: Element): void {
    if (holds(this.context.host, element)) throw new Refused("needs_customer");
    if (this.context.isPrivate(element)) throw new Refused("private");
    if (closestAcross(element, ":disabled,[inert]")) throw new Refused("disabled");
  }

  /** A key that follows fast is aimed at what had the focus before: it is for what has it now. */
  #keyTarget(target: HTMLElement, key: string): HTMLElement {
    const { at, when } = this.#arrived;
    const follows = at !== null && performance.now() - when < FOLLOWS && this.#left.has(target);
    if (!follows || at === target || focused(this.context.roots) !== at) {
      this.#left.clear();
      return target;
    }
    this.#check(at);
    // The server has not judged it: only the way on and the way out are free everywhere.
    if (key !== "Tab" && key !== "Escape") throw new Refused("stale");
    return at as HTMLElement;
  }

  /** Points at an element, at a place in it. */
  #point(element: Element, at: Place): void {
    this.#pointing.move(element, at);
    this.#hover.show(element);
  }

  #leave(): void {
    this.#pointing.leave();
    this.#hover.show(null);
  }

  /** Points where something is to be pressed; what really is there must be what was meant. */
  #aim(action: { node: number; x: number; y: number }, modifiers: Place["modifiers"] = NONE): HTMLElement {
    const element = this.#element(action.node);
    const view = realmOf(element);
    let at = placeIn(element, action);
    let found = this.#look(element, action);
    const outside = at.x < 0 || at.y < 0 || at.x >= view.innerWidth || at.y >= view.innerHeight;
    if (outside || found?.ownerDocument !== element.ownerDocument) {
      element.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
      at = placeIn(element, action);
      found = this.#look(element, action);
    }
    // Nothing else in a label was judged: what presses the label presses its control, as browsers do, and only that.
    const label = found && (closestAcross(found, "label") as HTMLLabelElement | null);
    if (label?.control === element && !holds(element, found)) found = element;
    const hit = this.#judged(found, element);
    this.#point(hit, { ...at, modifiers });
    return hit;
  }

  #click(action: ActionOf<"click">): (() => void) | undefined {
    this.#dragging.letGo();
    const { count } = action;
    const target = this.#element(action.node);
    const link = linkOf(target);
    // A click with a key held would open the link somewhere else.
    const hit = this.#aim(action, link ? NONE : action.modifiers);
    if (closestAcross(hit, BY_HAND)) {
      this.#asking.show(hit);
      throw new Refused("needs_customer");
    }
    const followed = linkOf(hit);
    if (followed) checkLink(followed, "press");
    const button = { button: 0, count } as const;
    const open = this.context.topLayer();
    if (this.#pointing.down(button)) {
      this.#focusFor(hit);
      if (!this.#typing.keyboard.held && !takesText(hit))
        this.#dragging.select(hit, placeIn(target, action), count);
    }
    this.#pointing.up(button);
    dismissBeside(open, hit);
    if (!hit.isConnected) return undefined;
    const leave = watchLink(followed, (first) => this.#pointing.press("click", button, first));
    if (count === 2 && hit.isConnected) this.#pointing.press("dblclick", button);
    return leave;
  }

  #menu(action: ActionOf<"menu">): void {
    this.#dragging.letGo();
    const hit = this.#aim(action);
    if (this.#pointing.down(RIGHT)) this.#focusFor(hit);
    this.#pointing.up(RIGHT);
    this.#pointing.press("auxclick", RIGHT);
    // The browser's own menu opens for a person only.
    if (this.#pointing.press("contextmenu", RIGHT)) throw new Refused("no_menu");
  }

  #press(action: ActionOf<"press">): void {
    const hit = this.#aim(action, action.modifiers);
    const element = this.#element(action.node);
    const at = { ...placeIn(element, action), modifiers: action.modifiers };
    this.#pressed = element;
    const selects = this.#typing.keyboard.held === null;
    if (this.#dragging.press(hit, at, selects)) this.#focusFor(hit);
  }

  #drop(action: ActionOf<"drop">): void {
    if (!this.#dragging.holds) throw new Refused("gone");
    try {
      this.#dragging.drop(...this.#under(action));
    } catch (error) {
      // Something else has come to lie there: the agent is shown what, and may let go over that.
      if (!(error instanceof Refused && error.why === "covered")) this.#dragging.letGo();
      throw error;
    }
  }

  /** What a step of a drag is over: what the server was asked about, or what was pressed, and has come along. */
  #under({ node, at, modifiers }: ActionOf<"drag" | "drop">): [Element, Place] {
    const { host, roots } = this.context;
    const hit = this.#judged(elementAt(at.x, at.y, host, roots), this.#element(node), this.#pressed);
    return [hit, { ...pointIn(hit.ownerDocument, at), modifiers }];
  }

  /** What is at a place in the element that an action is aimed at. */
  #over(action: ActionOf<"hover" | "wheel">): [Element, Place] {
    const element = this.#element(action.node);
    return [this.#judged(this.#look(element, action), element), placeIn(element, action)];
  }

  /** What is at a place in an element, found in the page's own viewport, also of one in a frame. */
  #look(element: Element, { x, y }: Point): Element | null {
    const { host, roots } = this.context;
    const box = boxOf(boxOwner(element) ?? element);
    return elementAt(box.left + box.width * x, box.top + box.height * y, host, roots);
  }

  /** Lets through what lies somewhere if it was judged: what the server knows around it or in it may be less free. */
  #judged(hit: Element | null, ...judged: (Node | null)[]): HTMLElement {
    let known: Node | null = hit;
    while (known && !this.context.knows(known)) known = above(known);
    if (!hit || !judged.includes(known)) throw new Refused("covered");
    this.#check(hit);
    return hit as HTMLElement;
  }

  #wheel(action: ActionOf<"wheel">): void {
    const [hit, place] = this.#over(action);
    const at = { ...place, modifiers: action.modifiers };
    if (this.#pointing.over !== hit) this.#point(hit, at);
    const goes = this.#pointing.wheel(at, action.dx, action.dy);
    this.#wheelTaken = goes ? Number.NEGATIVE_INFINITY : performance.now();
    if (!goes) throw new Refused("prevented");
  }

  /** The form in which an action only changes something, so that it is sent by a script or not at all. */
  #changed(action: Action): Element | null {
    if (!("node" in action) || (action.kind === "key" && action.key === "Enter")) return null;
    const node = this.context.node(action.node);
    const label = isElement(node) ? (closestAcross(node, "label") as HTMLLabelElement | null) : null;
    const control = (label?.control ?? node) as HTMLInputElement | undefined;
    return control && !/^(submit|image|button|reset)$/.test(control.type) ? (control.form ?? null) : null;
  }

  /** Asks the customer to press what an action was aimed at. */
  #ask(action: Action): void {
    const node = "node" in action ? this.context.node(action.node) : null;
    const element = isElement(node) ? node : node?.parentElement;
    const pressed = element && closestAcross(element, "a,button,label,summary,[role=button],input");
    if (element) this.#asking.show(pressed ?? element);
  }

  /** What a mouse button does to the focus. */
  #focusFor(hit: HTMLElement): void {
    for (let at: Element | null = hit; at; at = parentAcross(at)) {
      const element = at as HTMLElement;
      if (element.tabIndex >= 0 || element.hasAttribute("tabindex") || element.isContentEditable) {
        const types = element.isContentEditable || controlKind(element) === "text";
        this.#typing.enter(element, types);
        return;
      }
    }
    this.#typing.settle();
    if (!this.#typing.keyboard.held) (hit.ownerDocument.activeElement as HTMLElement | null)?.blur?.();
  }

  async #input(element: HTMLElement, { base, change, input }: ActionOf<"input">): Promise<void> {
    const field = element as Field;
    if (controlKind(element) !== "text") throw new Refused("not_possible");
    if (field.type === "password") throw new Refused("private");
    if (field.readOnly) throw new Refused("disabled");
    const refused = await this.#typing.type(field, base, change, input);
    this.context.retell(field);
    if (refused) throw new Refused(refused);
  }

  async #edit({ anchor, focus, input, text }: ActionOf<"edit">): Promise<void> {
    for (const { node } of [anchor, focus]) {
      const element = this.#element(node);
      if (!element.isContentEditable) throw new Refused("not_possible");
    }
    const refused = await this.#editing.edit(anchor, focus, input, text);
    if (refused) throw new Refused(refused);
  }

  /** The agent's caret is elsewhere: the page's goes there too, unless the customer is typing. */
  #caret({ anchor, focus }: ActionOf<"caret">): void {
    const element = this.#element(focus.node);
    if (controlKind(element) === "text") {
      const field = element as Field;
      this.#editing.at = { node: field, offset: focus.offset };
      if (this.#typing.keyboard.held || !this.#typing.enter(field) || field.selectionStart === null) return;
      const [start, end] = [Math.min(anchor.offset, focus.offset), Math.max(anchor.offset, focus.offset)];
      field.setSelectionRange(start, end, focus.offset < anchor.offset ? "backward" : "forward");
      return;
    }
    const found = this.#editing.find(anchor, focus);
    if (found) this.#editing.at = found.to;
    if (!found || this.#typing.keyboard.held || !this.#typing.enter(found.host)) return;
    this.#editing.select(found.host, found.from, found.to);
  }

  #select(element: HTMLElement, indexes: readonly number[]): void {
    if (element.localName !== "select") throw new Refused("not_possible");
    const select = element as HTMLSelectElement;
    const wanted = new Set(indexes);
    const options = [...select.options];
    if (
      indexes.some((index) => !options[index] || options[index].disabled) ||
      (!select.multiple && wanted.size > 1)
    ) {
      throw new Refused("not_possible");
    }
    this.#typing.enter(select, false);
    const before = options.map((option) => option.selected).join();
    for (const [index, option] of options.entries()) {
      if (select.multiple || wanted.has(index)) option.selected = wanted.has(index);
    }
    if (options.map((option) => option.selected).join() !== before) changed(select);
    this.context.retell(select);
  }

  #scroll(id: number, left: number, top: number): void {
    const node = this.context.node(id);
    if (!node?.isConnected) throw new Refused("gone");
    if (performance.now() - this.#wheelTaken < WHEEL_TAKEN) throw new Refused("prevented");
    const document = node.ownerDocument ?? (node as Document);
    const whole = !isElement(node) || node === document.scrollingElement || node === document.documentElement;
    (whole ? document.defaultView : node)?.scrollTo({ left, top, behavior: "instant" });
  }
}

/** A place in an element, in the viewport of its document. */
function placeIn(element: Element, { x, y }: { x: number; y: number }): Place {
  const box = (boxOwner(element) ?? element).getBoundingClientRect();
  return { x: box.left + box.width * x, y: box.top + box.height * y };
}

/** HTML, "light dismiss": a press beside what is open closes it. */
function dismissBeside(open: readonly Element[], hit: Element): void {
  for (const element of [...open].reverse() as (HTMLDialogElement & { closedBy?: string })[]) {
    const inside = holds(element, hit) && hit !== element;
    if (inside) return;
    if (element.localName === "dialog" && element.matches(":modal")) {
      if (element.closedBy === "any" && element.open) element.requestClose?.();
      return;
    }
    const invoker = closestAcross(hit, "button[popovertarget],input[popovertarget]");
    const itsOwn = (invoker as HTMLButtonElement | null)?.popoverTargetElement === element;
    if (element.popover && element.popover !== "manual" && !holds(element, hit) && !itsOwn) {
      if (element.matches(":popover-open")) element.hidePopover();
    }
  }
}
