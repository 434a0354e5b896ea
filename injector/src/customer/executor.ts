/**
 * Does what the agent asks for in the page, the way a person would, one action after the other.
 *
 * The server has already allowed it; what only this browser can know is checked here: whether the element is still there, can be
 * used, is not covered, is not our own, and that no form leaves without leave.
 */

import type { Act, Action, Refusal } from "../protocol/words.ts";
import { boxOf, closestAcross, controlKind, elementAt, holds, isElement, type Roots } from "./dom.ts";
import { type At, Editing } from "./editing.ts";
import { guarded } from "./guarded.ts";
import { hook } from "./hooks.ts";
import { changed, linkOf, pressKey } from "./keys.ts";
import { type Realms, realmOf } from "./realms.ts";
import { type Field, Typing } from "./typing.ts";

type ActionOf<K extends Action["kind"]> = Extract<Action, { kind: K }>;

/** Thrown by what can not be done; never leaves this file. */
class Refused {
  constructor(readonly why: Refusal) {}
}

/** What the executor needs of the rest. */
export interface ExecutorContext {
  readonly host: Element;
  readonly roots: Roots;
  readonly realms: Realms;
  /** The node of a number, if the page has it. */
  node(id: number): Node | undefined;
  /** Whether the agent does not see `element`. */
  isPrivate(element: Element): boolean;
  /** The top layer, lowest first. */
  topLayer(): readonly Element[];
  /** The state of a control is to be told, changed or not. */
  retell(element: Element): void;
  /** Sends what the page has become, then the answer, with where the agent's caret is. */
  answer(seq: number, refused: Refusal | null, at: At | null): void;
}

const CLICKABLE_BY_HAND = "input[type=file],a[download]";

/** The executor of one session. */
export class Executor {
  readonly #typing: Typing;
  readonly #editing: Editing;
  /** While an action runs: whether forms may be submitted, and whether one was kept from it. */
  #running: { submit: boolean; blocked: boolean } | null = null;
  #queue: Promise<void> = Promise.resolve();

  constructor(readonly context: ExecutorContext) {
    this.#typing = new Typing(context.roots, context.realms, (element) => context.isPrivate(element));
    this.#editing = new Editing(this.#typing, (id) => context.node(id));
    context.realms.listen("submit", (event) => this.#onSubmit(event), true);
    context.realms.each((realm) => {
      hook(realm.HTMLFormElement.prototype, "submit", { before: () => this.#maySubmit() });
    });
  }

  /** Does one action after those before it. */
  run({ seq, submit, action }: Act): void {
    this.#queue = this.#queue.then(async () => {
      let refused: Refusal | null = null;
      let leave: (() => void) | undefined;
      const running = { submit, blocked: false };
      this.#running = running;
      try {
        leave = await this.#do(action);
      } catch (error) {
        if (!(error instanceof Refused)) console.debug("Tandem:", error);
        refused = error instanceof Refused ? error.why : "not_possible";
      } finally {
        this.#running = null;
      }
      if (running.blocked) refused ??= "disabled";
      // What the page does in microtasks belongs to the action.
      await new Promise((resolve) => setTimeout(resolve));
      guarded(() => this.context.answer(seq, refused, action.kind === "edit" ? this.#editing.caret() : null));
      guarded(() => leave?.());
    });
  }

  /** Leaves what was typed into. */
  stop(): void {
    guarded(() => this.#typing.settle());
    guarded(() => this.#editing.stop());
  }

  #onSubmit(event: Event): void {
    if (this.#maySubmit()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #maySubmit(): boolean {
    if (!this.#running || this.#running.submit) return true;
    this.#running.blocked = true;
    return false;
  }

  /** Does it; what leaves the page is given back, to be done after the answer. */
  async #do(action: Action): Promise<(() => void) | undefined> {
    switch (action.kind) {
      case "click":
        return this.#click(this.#element(action.node), action.x, action.y);
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
        const target = this.#element(action.node);
        const { documentElement, body } = target.ownerDocument;
        if (target !== documentElement && target !== body) this.#typing.enter(target);
        const link = action.key === "Enter" ? linkOf(target) : null;
        if (link) checkLink(link);
        return watchLink(link, () => {
          const { roots, host, topLayer } = this.context;
          pressKey(target, action.key, action.shift, { roots, host, topLayer, typing: this.#typing });
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
        return () => history.back();
      case "forward":
        return () => history.forward();
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

  #click(element: HTMLElement, x: number, y: number): (() => void) | undefined {
    const place = (): [number, number] => {
      const box = element.getBoundingClientRect();
      return [box.left + box.width * x, box.top + box.height * y];
    };
    const view = realmOf(element);
    let [clientX, clientY] = place();
    const { host, roots } = this.context;
    // In the page's own viewport, also of an element in a frame.
    const look = (): Element | null => {
      const box = boxOf(element);
      return elementAt(box.left + box.width * x, box.top + box.height * y, host, roots);
    };
    let found = look();
    const outside = clientX < 0 || clientY < 0 || clientX >= view.innerWidth || clientY >= view.innerHeight;
    if (outside || found?.ownerDocument !== element.ownerDocument) {
      element.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
      [clientX, clientY] = place();
      found = look();
    }
    const hit = found as HTMLElement | null;
    if (!hit) throw new Refused("covered");
    const label = closestAcross(hit, "label") as HTMLLabelElement | null;
    if (!holds(element, hit) && !holds(hit, element) && !(label && label.control === element))
      throw new Refused("covered");
    this.#check(hit);
    if (closestAcross(hit, CLICKABLE_BY_HAND)) throw new Refused("needs_customer");
    const link = linkOf(hit);
    if (link) checkLink(link);

    const at = {
      clientX,
      clientY,
      screenX: clientX,
      screenY: clientY,
      bubbles: true,
      composed: true,
      view,
    };
    const pointer = { ...at, cancelable: true, pointerId: 1, pointerType: "mouse", isPrimary: true };
    const mouse = { ...at, cancelable: true, detail: 1 };
    hit.dispatchEvent(new view.PointerEvent("pointerover", pointer));
    hit.dispatchEvent(new view.PointerEvent("pointerenter", { ...pointer, bubbles: false }));
    hit.dispatchEvent(new view.MouseEvent("mouseover", mouse));
    hit.dispatchEvent(new view.PointerEvent("pointermove", pointer));
    hit.dispatchEvent(new view.MouseEvent("mousemove", mouse));
    const down = hit.dispatchEvent(new view.PointerEvent("pointerdown", { ...pointer, buttons: 1 }));
    if (hit.dispatchEvent(new view.MouseEvent("mousedown", { ...mouse, buttons: 1 })) && down)
      this.#focusFor(hit);
    hit.dispatchEvent(new view.PointerEvent("pointerup", pointer));
    hit.dispatchEvent(new view.MouseEvent("mouseup", mouse));
    if (!hit.isConnected) return undefined;
    return watchLink(link, () =>
      hit.dispatchEvent(new view.PointerEvent("click", { ...pointer, detail: 1 })),
    );
  }

  /** What a mouse button does to the focus. */
  #focusFor(hit: HTMLElement): void {
    for (let at: Element | null = hit; at; at = parent(at)) {
      const element = at as HTMLElement;
      if (element.tabIndex >= 0 || element.hasAttribute("tabindex") || element.isContentEditable) {
        this.#typing.enter(element);
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
      if (this.#typing.keyboard.held || !this.#typing.enter(field) || field.selectionStart === null) return;
      const [start, end] = [Math.min(anchor.offset, focus.offset), Math.max(anchor.offset, focus.offset)];
      field.setSelectionRange(start, end, focus.offset < anchor.offset ? "backward" : "forward");
      return;
    }
    const found = this.#editing.find(anchor, focus);
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
    this.#typing.enter(select);
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
    const document = node.ownerDocument ?? (node as Document);
    const whole = !isElement(node) || node === document.scrollingElement || node === document.documentElement;
    (whole ? document.defaultView : node)?.scrollTo({ left, top, behavior: "instant" });
  }
}

function parent(element: Element): Element | null {
  return element.parentElement ?? ((element.getRootNode() as ShadowRoot).host as Element | undefined) ?? null;
}

/** An address of this site, absolute. */
function resolve(address: string): string {
  let url: URL;
  try {
    url = new URL(address, document.baseURI);
  } catch {
    throw new Refused("not_possible");
  }
  if (url.origin !== location.origin) throw new Refused("outside_site");
  return url.href;
}

function checkLink(link: HTMLAnchorElement): void {
  const { protocol } = link;
  if (protocol === "javascript:") return;
  if (protocol !== "http:" && protocol !== "https:") throw new Refused("needs_customer");
  if (link.origin !== location.origin) throw new Refused("outside_site");
}

/**
 * Runs `work`, which may follow `link`. A link that would open another window, which browsers forbid scripts to do, is followed
 * here instead.
 */
function watchLink(link: HTMLAnchorElement | null, work: () => void): (() => void) | undefined {
  const target = link?.target.toLowerCase();
  if (!link || !target || target === "_self") {
    work();
    return undefined;
  }
  let leave: (() => void) | undefined;
  const { href } = link;
  const view = realmOf(link);
  // A frame of this name: browsers follow that by themselves.
  const named = (window as unknown as Record<string, Window | undefined>)[link.target];
  if (named && named === named.window) {
    work();
    return undefined;
  }
  const last = (event: Event): void => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    leave = () => location.assign(href);
  };
  view.addEventListener("click", last);
  work();
  view.removeEventListener("click", last);
  return leave;
}
