/**
 * Puts the customer's states on the mirror: what they hover, press and focus, and where the address leads.
 *
 * The styles of the page ask for attributes instead of pseudo-classes, so the agent's own pointer and focus change nothing.
 */

import { OWN } from "./attributes.ts";
import { above } from "./frames.ts";

/** As told; the innermost elements. */
export type States<T> = {
  hover: T | null;
  /** What the agent points at. */
  pointed: T | null;
  active: T | null;
  target: T | null;
  /** Whether the window has the focus too. */
  focused: boolean;
  focusVisible: boolean;
  /** Whether what is around an element of the top layer has no part in the states of what is in it, in the customer's browser. */
  bounded: boolean;
};

/** The states of one document. */
export class StateMarks {
  readonly #marked = new Map<string, Set<Element>>();
  #states: States<Element> = {
    hover: null,
    pointed: null,
    active: null,
    target: null,
    focused: false,
    focusVisible: false,
    bounded: false,
  };
  #focus: Element | null = null;

  constructor(readonly isOnTop: (element: Element) => boolean) {}

  /** The customer's focus. */
  get focus(): Element | null {
    return this.#focus;
  }

  set focus(element: Element | null) {
    this.#focus = element;
    this.mark();
  }

  /** Replaces all states but the focus. */
  show(states: States<Element>): void {
    this.#states = states;
    this.mark();
  }

  /** Again, when the top layer has changed. */
  mark(): void {
    const { hover, pointed, active, target, focused, focusVisible, bounded } = this.#states;
    // The body has the focus when nothing has; where it is typed into, browsers draw nothing around it.
    const focus = !focused || this.#focus?.localName === "body" ? null : this.#focus;
    const ends = (element: Element) => bounded && this.isOnTop(element);
    this.#put(OWN.hover, [...around(hover, ends), ...around(pointed, ends)]);
    this.#put(OWN.active, around(active, ends));
    this.#put(OWN.focusWithin, within(focus, ends));
    this.#put(OWN.target, target ? [target] : []);
    this.#put(OWN.focus, withHosts(focus));
    this.#put(OWN.focusVisible, focus && focusVisible ? [focus] : []);
  }

  #put(attribute: string, elements: Iterable<Element>): void {
    const now = new Set(elements);
    for (const element of this.#marked.get(attribute) ?? []) {
      if (!now.has(element)) element.removeAttribute(attribute);
    }
    for (const element of now) element.setAttribute(attribute, "");
    this.#marked.set(attribute, now);
  }
}

/** Where a state ends. */
type Ends = (element: Element) => boolean;

/** An element and all that it is in, through slots, shadow roots and frames. */
function* around(element: Element | null, ends: Ends): Generator<Element> {
  for (let at = element; at; at = above(at.ownerDocument) as Element | null) yield* within(at, ends);
}

/** The same in its document only: a frame has no part in the focus of what is in it. */
function* within(element: Element | null, ends: Ends): Generator<Element> {
  for (let at: Node | null = element; at && at.nodeType !== Node.DOCUMENT_NODE; ) {
    if (at.nodeType === Node.ELEMENT_NODE) {
      yield at as Element;
      if (ends(at as Element)) return;
    }
    at = (at as Element).assignedSlot ?? above(at);
  }
}

/** An element and the hosts of the shadow roots that it is in: they have the focus with it. */
function* withHosts(element: Element | null): Generator<Element> {
  for (let at = element; at; at = (at.getRootNode() as Partial<ShadowRoot>).host ?? null) yield at;
}

const VALIDITY: readonly [bit: number, attribute: string][] = [
  [1, OWN.invalid],
  [2, OWN.valid],
  [4, OWN.userInvalid],
  [8, OWN.userValid],
  [16, OWN.autofill],
];
/** Something is typed there that makes no value. */
const HALF = 32;
/** It stands for what browsers tell no script. */
const UNTOLD = "…";

/** Puts on a control, and on the forms and field sets that it is in, what the customer's browser thinks of it. */
export function setValidity(element: Element, bits: number): void {
  for (const [bit, attribute] of VALIDITY) element.toggleAttribute(attribute, (bits & bit) !== 0);
  if (element.localName === "input") markHalf(element as HTMLInputElement, (bits & HALF) !== 0);
  const { form } = element as HTMLInputElement;
  const owners: Element[] = form ? [form] : [];
  for (let at = element.closest("fieldset"); at; at = at.parentElement?.closest("fieldset") ?? null)
    owners.push(at);
  for (const owner of owners) {
    const controls = Array.from((owner as HTMLFormElement).elements);
    const invalid = controls.some(
      (control) => control.localName !== "fieldset" && control.hasAttribute(OWN.invalid),
    );
    owner.toggleAttribute(OWN.invalid, invalid);
    owner.toggleAttribute(OWN.valid, !invalid);
  }
}

/** Shows that there is more in a field than its value, which then is none: in place of what it would ask for. */
function markHalf(field: HTMLInputElement, half: boolean): void {
  const own = field.getAttribute(OWN.prompt);
  if (half === (own !== null)) return;
  if (half) {
    field.setAttribute(OWN.prompt, field.placeholder);
    field.placeholder = UNTOLD;
    return;
  }
  field.removeAttribute(OWN.prompt);
  if (field.placeholder !== UNTOLD) return;
  if (own) field.placeholder = own;
  else field.removeAttribute("placeholder");
}
