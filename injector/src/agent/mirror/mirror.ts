/**
 * Keeps the sandboxed frame the same as the view that the server sends.
 *
 * A frame of operations is applied whole, in order and at once. Whatever does not fit (a gap, another epoch,
 * an unknown node) is answered by asking for the whole view; until it comes the mirror stays as it was.
 */

import type { NodeId, Point } from "../../protocol/words.ts";
import { insetOf } from "../../wire/insets.ts";
import { Answers, type Settled } from "./answers.ts";
import { defaultState, Scrolls, setControl, setText, TopLayer } from "./controls.ts";
import { above, type Mode, modeOf, openDocument, toOutermost } from "./frames.ts";
import { isHidden, ownStyles, ownsTooltip, setBox, type Withheld } from "./marks.ts";
import { Media } from "./media.ts";
import { MOTION, Motions } from "./motions.ts";
import { Nodes, Unfit } from "./nodes.ts";
import { type Asked, lookAgain, setPicture } from "./pictures.ts";
import { type Box, clearSelection, lengthOf, type Place, showSelection } from "./selection.ts";
import { Settling } from "./settling.ts";
import { setRules } from "./sheets.ts";
import { StateMarks } from "./states.ts";
import {
  decodeView,
  type End,
  type Notice,
  type ViewControl,
  type ViewFrame,
  type ViewOp,
  type Zoomed,
} from "./view-frame.ts";

/** What the mirror tells the one who shows it. */
export type MirrorEvents = {
  /** It lost its place, or is another page than it should be, and needs the whole view. */
  resync(diverged: boolean): void;
  /** A whole view comes in place of what is there; `same`: of the same page, its nodes have the same numbers. */
  renewing(same: boolean): void;
  /** A whole view is there; listeners that were in the old document are gone. */
  begun(document: Document): void;
  /** A frame in the page has a new document. */
  framed(document: Document): void;
  viewport(width: number, height: number): void;
  location(url: string): void;
  /** Whether nothing of the page is shown. Told with every frame. */
  hidden(is: boolean): void;
  /** What of the page the agent may not see or use. Told a moment after it may have changed. */
  withheld(what: Withheld): void;
  /** Where the customer's caret is, or what is selected in a field, in the mirror's window. */
  caret(boxes: Box[]): void;
  /** What the customer's browser shows over the page, and the control that it belongs to. */
  notice(notice: Notice | null, at: Element | null): void;
  /** Which part of the page is on the customer's screen; null: all of it. */
  zoomed(part: Zoomed | null): void;
};

/** How long to wait for the page's word after an action was done, in milliseconds. */
const TRUTH_COMES = 300;
/** A mirror that can not show a view asks again, but not faster than this, in milliseconds. */
const RESYNC_PAUSE = 1000;
/** How often to look whether it still is what it should be, in milliseconds. */
const LOOK = 1000;
/** How long what is withheld is not counted again, in milliseconds. */
const COUNT = 500;
/** When looking finds something again and again, the longest wait between two repairs, in milliseconds. */
const LONGEST_PAUSE = 300_000;

/** Who shows more than the page has said, of texts and fields. */
export type Ahead = {
  /** Whether every text is what the page says. */
  readonly isSettled: boolean;
  /** The page says what a text is. Returns whether to show that now. */
  text(text: Text, data: string): boolean;
  /** Whether what a field shows is seen to. */
  holds(field: Element): boolean;
  /** The page says what it holds. */
  field(field: Element, value: string): void;
};

export class Mirror {
  /** What the agent types. */
  ahead: Ahead | null = null;
  readonly answers = new Answers();
  readonly scrolls = new Scrolls();
  readonly #growth = new ResizeObserver(() => this.#grown());
  readonly #frame: HTMLIFrameElement;
  readonly #events: MirrorEvents;
  #states = new StateMarks((element) => this.#topLayer.holds(element));
  #media = new Media();
  #motions = this.#newMotions();
  #selection: [End, End] | null = null;
  #selectedIn: Document | null = null;
  #nodes: Nodes | null = null;
  #topLayer = new TopLayer();
  /** The last word of the page on each control. */
  #controls = new WeakMap<Node, ViewControl>();
  readonly #settling = new Settling();
  #boxes = new Map<NodeId, { width: number; height: number }>();
  /** The place in the stream; `null` until a view begins. */
  #place: { epoch: number; next: number } | null = null;
  /** Of the view that is shown: it numbers the nodes. */
  epoch = 0;
  #asked = Number.NEGATIVE_INFINITY;
  #askLater: ReturnType<typeof setTimeout> | undefined;
  /** The digest that the view has, as long as nothing has changed since the server said so. */
  #due: number | null = null;
  #look: ReturnType<typeof setTimeout> | undefined;
  #counting: ReturnType<typeof setTimeout> | undefined;
  #rescrolls = 0;
  #repaired = Number.NEGATIVE_INFINITY;
  #repairPause = RESYNC_PAUSE;

  constructor(frame: HTMLIFrameElement, events: MirrorEvents) {
    this.#frame = frame;
    this.#events = events;
  }

  get document(): Document {
    const document = this.#frame.contentDocument;
    if (!document) throw new Unfit("the frame has no document");
    return document;
  }

  /** The customer's focus. */
  get focused(): Element | null {
    return this.#states.focus;
  }

  /** What the customer has selected, where that is now. */
  get selected(): { anchor: Place; focus: Place } | null {
    const [anchor, focus] = (this.#selection ?? []).map(({ id, offset }) => {
      const node = this.#nodes?.find(id);
      return node?.isConnected ? { node, offset: Math.min(offset, lengthOf(node)) } : null;
    });
    return anchor && focus ? { anchor, focus } : null;
  }

  /** The id of the innermost node at or above this one that the page knows. */
  idOf(node: Node | null): NodeId | null {
    for (let at = node; at; at = above(at)) {
      const id = this.#nodes?.idOf(at);
      if (id !== undefined) return id;
    }
    return null;
  }

  /** The id of this very node. */
  ownId(node: Node): NodeId | null {
    return this.#nodes?.idOf(node) ?? null;
  }

  /** The outermost document that the same script at the customer's tells of: that of the page, or of an inset. */
  teller(document: Document): Document {
    const whose = (node: Node) => insetOf(this.ownId(node) ?? 0);
    for (let at = document; ; ) {
      const frame = above(at);
      if (!frame?.ownerDocument || whose(frame) !== whose(at)) return at;
      at = frame.ownerDocument;
    }
  }

  /** Where a point of one of the page's documents is in the mirror; null if that is not there. */
  place(within: NodeId, at: Point): Point | null {
    const document = this.find(within);
    return document?.nodeType === Node.DOCUMENT_NODE ? toOutermost(document as Document, at) : null;
  }

  /** The page's last word on the value of a field. */
  valueOf(field: HTMLInputElement | HTMLTextAreaElement): string {
    return this.#controls.get(field)?.value ?? field.defaultValue;
  }

  find(id: NodeId): Node | undefined {
    return this.#nodes?.find(id);
  }

  /** Applies one binary message. Never throws. */
  receive(bytes: Uint8Array): void {
    try {
      this.#apply(decodeView(bytes));
    } catch (error) {
      console.debug("Tandem:", error);
      this.#lose();
    }
  }

  /** Whether it waits for a whole view. */
  get isLost(): boolean {
    return this.#place === null;
  }

  /** A new connection: what comes next is a whole view. */
  restart(): void {
    this.#place = null;
    this.#due = null;
    this.answers.clear();
  }

  /** The last action on a node was answered. */
  settle({ node, told }: Settled, refused: boolean): void {
    if (refused) this.scrolls.refused(node);
    if (told || refused) {
      this.showTruth(node);
      return;
    }
    // Done, and not a word: what was typed may be on its way, or the page did not take it.
    setTimeout(() => this.showTruth(node), TRUTH_COMES);
  }

  /** Shows the page's last word on a control or scroller. */
  showTruth(id: NodeId): void {
    const node = this.#nodes?.find(id);
    if (!node || this.answers.isWaiting(id)) return;
    this.scrolls.put(id, node);
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    const element = node as Element;
    const state = this.#controls.get(node);
    this.#setControl(element, state ?? defaultState(element));
  }

  #setControl(element: Element, state: ViewControl): void {
    const { value, ...rest } = state;
    setControl(element, this.ahead?.holds(element) ? rest : state);
  }

  /** Compares what is there with what the server said should be; looks again later, as long as nothing changes. */
  #verify(): void {
    clearTimeout(this.#look);
    if (this.#due === null || !this.#frame.isConnected) return;
    this.#look = setTimeout(() => this.#verify(), LOOK);
    const settled = this.answers.isIdle && this.ahead?.isSettled !== false;
    const is = settled ? (this.#nodes?.digest() ?? null) : null;
    if (is === null || is === this.#due) return;
    const now = performance.now();
    if (now < this.#repaired + this.#repairPause) return;
    // If repairing does not help, something is wrong with us, and doing it all the time would make it worse.
    const again = now < this.#repaired + LONGEST_PAUSE;
    this.#repairPause = again ? Math.min(this.#repairPause * 2, LONGEST_PAUSE) : RESYNC_PAUSE;
    this.#repaired = now;
    this.#lose(true);
  }

  #lose(diverged = false): void {
    this.#place = null;
    this.#due = null;
    const wait = this.#asked + RESYNC_PAUSE - performance.now();
    clearTimeout(this.#askLater);
    const ask = () => {
      this.#asked = performance.now();
      this.#events.resync(diverged);
    };
    if (wait <= 0) ask();
    else this.#askLater = setTimeout(ask, wait);
  }

  #apply(frame: ViewFrame): void {
    const first = frame.ops[0];
    if (first?.op === "begin") {
      clearTimeout(this.#askLater);
      this.#events.renewing(frame.epoch === this.epoch);
      const parts = frame.ops.flatMap((op) => (op.op === "insert" ? op.parts.slice(0, 1) : []));
      this.#begin(modeOf(first.quirks, parts));
    } else {
      // Lost already: what was asked for comes.
      if (!this.#place) return;
      if (frame.epoch !== this.#place.epoch || frame.seq !== this.#place.next) throw new Unfit("a gap");
    }
    this.epoch = frame.epoch;
    this.#place = { epoch: frame.epoch, next: frame.seq + 1 };
    this.#due = null;
    let tree = false;
    for (const op of frame.ops) {
      if (op.op !== "begin") this.#operation(op);
      tree ||= op.op === "insert" || op.op === "move" || op.op === "remove";
    }
    this.#settle();
    this.#nodes?.settle();
    if (tree && !this.#topLayer.isEmpty) this.#topLayer.restore();
    if (tree || first?.op === "begin") this.#count();
    // What moves, or is shown in another way, forgets where it was.
    this.#rescrolls ||= requestAnimationFrame(() => this.#rescroll());
    this.#events.hidden(isHidden(this.document.documentElement));
    this.#media.look();
    if (first?.op === "begin") this.#motions.begin();
    this.#motions.sync();
    this.#select();
    if (first?.op !== "begin") return;
    this.#watchGrowth(this.document);
    this.#events.begun(this.document);
  }

  /** Counts what is withheld, not more often than somebody can read. */
  #count(): void {
    this.#counting ??= setTimeout(() => {
      this.#counting = undefined;
      if (this.#nodes && this.#frame.isConnected) this.#events.withheld(this.#nodes.withheld());
    }, COUNT);
  }

  /** What was said of controls holds, whatever the browser made of the changes around them. */
  #settle(): void {
    for (const element of this.#settling.take()) {
      const [id, state] = [this.ownId(element), this.#controls.get(element)];
      if (id !== null && state && !(isList(element) && this.answers.isWaiting(id)))
        this.#setControl(element, state);
    }
  }

  #begin(mode: Mode): void {
    const document = this.document;
    this.#growth.disconnect();
    this.#media = new Media();
    this.#motions = this.#newMotions();
    const sheets = new WeakMap<Document, CSSStyleSheet>();
    const asked: Asked = new WeakMap();
    const open = (at: Document, mode: Mode, styles: string): void => {
      const sheet = openDocument(at, mode, styles);
      if (sheet) sheets.set(at, sheet);
      const loaded = ({ target }: Event): void => {
        lookAgain(target as Element, asked);
        this.#grown();
      };
      at.addEventListener("load", loaded, true);
      this.#media.add(at);
      this.#motions.watch(at);
      at.addEventListener("scroll", () => this.#select(), { capture: true, passive: true });
    };
    open(document, mode, ownStyles("page"));
    this.#nodes = new Nodes(document, mode, {
      shadowRoot: (root) => {
        const sheet = sheets.get(root.ownerDocument);
        root.adoptedStyleSheets = sheet ? [sheet] : [];
        this.#media.add(root);
        this.#motions.watch(root);
      },
      motion: (element, css) => this.#motions.tell(element, css),
      open: (at, mode) => {
        open(at, mode, ownStyles("frame"));
        this.#events.framed(at);
      },
      filled: (at) => this.#watchGrowth(at),
    });
    this.#topLayer = new TopLayer();
    this.#controls = new WeakMap();
    this.#boxes = new Map();
    this.scrolls.clear();
    this.#states = new StateMarks((element) => this.#topLayer.holds(element));
    this.#selection = null;
    this.#events.notice(null, null);
    this.#events.zoomed(null);
    this.answers.clear();
  }

  #newMotions(): Motions {
    return new Motions((id) => this.#nodes?.find(id));
  }

  /** Documents grow when styles and pictures come. */
  #watchGrowth(document: Document): void {
    for (const element of [document.documentElement, document.body]) {
      if (element) this.#growth.observe(element);
    }
  }

  /** An image or a sheet came, or the page grew: only now may it be long enough to be scrolled where it should be. */
  #grown(): void {
    this.#media.look();
    this.#rescroll();
    for (const [id, { width, height }] of this.#boxes) {
      const node = this.#nodes?.find(id);
      if (node) setBox(node as Element, width, height);
      else this.#boxes.delete(id);
    }
  }

  #rescroll(): void {
    cancelAnimationFrame(this.#rescrolls);
    this.#rescrolls = 0;
    for (const id of this.scrolls.ids) {
      const node = this.#nodes?.find(id);
      if (node && !this.answers.isWaiting(id)) this.scrolls.put(id, node);
    }
  }

  #operation(op: Exclude<ViewOp, { op: "begin" }>): void {
    const nodes = this.#nodes;
    if (!nodes) throw new Unfit("nothing has begun");
    switch (op.op) {
      case "insert":
        // What is new has the size that it has by itself until something else is said.
        for (const part of op.parts) if (part.part === "element") this.#boxes.delete(part.id);
        nodes.insert(op.parent, op.next, op.parts);
        this.#settling.touch(nodes.node(op.parent));
        return;
      case "move":
        this.#settling.touch(nodes.node(op.id).parentNode);
        nodes.move(op.id, op.parent, op.next);
        this.#settling.moved(nodes.node(op.id));
        return;
      case "remove":
        this.#settling.touch(nodes.node(op.id).parentNode);
        nodes.remove(op.id);
        return;
      case "set-attribute":
        this.#settling.touch(nodes.node(op.id));
        nodes.setAttribute(nodes.element(op.id), op.name, op.value);
        this.#rebox(op.id, op.name);
        return;
      case "remove-attribute": {
        const element = nodes.element(op.id);
        if (op.name === "title" && ownsTooltip(element)) return;
        if (op.name === MOTION) this.#motions.tell(element, null);
        this.#settling.touch(element);
        nodes.removeAttribute(element, op.name);
        this.#rebox(op.id, op.name);
        return;
      }
      case "text": {
        const text = nodes.node(op.id) as CharacterData;
        this.#settling.touch(text);
        if (this.ahead?.text(text as Text, op.data) !== false) setText(text, op.data);
        nodes.restyled(text.parentNode);
        return;
      }
      case "control": {
        const element = nodes.element(op.id);
        this.#controls.set(element, { ...this.#controls.get(element), ...op.state });
        // What is chosen in a list scrolls it; the customer's may be scrolled elsewhere.
        if (isList(element)) this.scrolls.hold(op.id);
        else this.#settling.touch(element);
        if (op.state.value !== undefined) this.ahead?.field(element, op.state.value);
        // What the agent has chosen in a list is seen before the page knows it; what they type, `ahead` sees to.
        if (this.answers.told(op.id) || !isList(element)) this.#setControl(element, op.state);
        return;
      }
      case "scroll": {
        const node = nodes.node(op.id);
        this.scrolls.tell(op.id, op.x, op.y);
        if (this.answers.told(op.id)) this.scrolls.put(op.id, node);
        return;
      }
      case "viewport":
        this.#events.viewport(op.width, op.height);
        this.#media.ratio = op.ratio;
        return;
      case "location":
        this.#events.location(op.url);
        return;
      case "focus": {
        const node = op.id === null ? undefined : nodes.find(op.id);
        this.#states.focus = node?.nodeType === Node.ELEMENT_NODE ? (node as Element) : null;
        return;
      }
      case "top-layer":
        this.#topLayer.show(
          op.entries.map((entry) => ({ entry, element: nodes.element(entry.id) as HTMLElement })),
        );
        this.#states.mark();
        return;
      case "check":
        this.#due = op.digest;
        this.#verify();
        return;
      case "box":
        this.#boxes.set(op.id, { width: op.width, height: op.height });
        setBox(nodes.element(op.id), op.width, op.height);
        return;
      case "picture":
        setPicture(nodes.element(op.id), op.url);
        return;
      case "sheet":
        setRules(nodes.element(op.id), op.css);
        return;
      case "states": {
        const { hover, pointed, active, target } = op.states;
        const element = (id: NodeId | null) => (id === null ? null : nodes.element(id));
        this.#states.show({
          ...op.states,
          hover: element(hover),
          pointed: element(pointed),
          active: element(active),
          target: element(target),
        });
        return;
      }
      case "selection":
        this.#selection = op.anchor && op.focus && [op.anchor, op.focus];
        return;
      case "media":
        this.#media.bits = op.features;
        // What the browser itself colours follows the frame.
        this.#frame.style.colorScheme = this.#media.isDark ? "dark" : "light";
        return;
      case "zoom":
        this.#events.zoomed(op.zoomed);
        return;
      case "notice": {
        const at = op.notice?.at ?? null;
        this.#events.notice(op.notice, at === null ? null : nodes.element(at));
        return;
      }
    }
  }

  /** Shows the customer's selection where it is now. */
  #select(): void {
    const { selected } = this;
    if (this.#selectedIn) clearSelection(this.#selectedIn);
    this.#selectedIn = selected?.anchor.node.ownerDocument ?? null;
    this.#events.caret(selected ? showSelection(selected.anchor, selected.focus) : []);
  }

  /** A new `style` of the page has taken the size that the box had. */
  #rebox(id: NodeId, attribute: string): void {
    const box = attribute === "style" ? this.#boxes.get(id) : undefined;
    const node = box && this.#nodes?.find(id);
    if (box && node) setBox(node as Element, box.width, box.height);
  }
}

function isList(element: Element): boolean {
  return element.localName === "select";
}
