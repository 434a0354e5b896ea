/**
 * Holds which node of the mirror stands for which node of the customer's page, and builds new ones.
 *
 * Every node of the mirror has an id, and an id names at most one node. What does not fit throws `Unfit`;
 * the mirror then asks for a whole view, so that no half-done change stays.
 */

import type { NodeId } from "../../protocol/words.ts";
import { Digest } from "../../wire/digest.ts";
import { AdoptedSheets } from "./adopted.ts";
import { allowed, DEFINED, define, removeAttribute, seek, setAttribute, TIME } from "./attributes.ts";
import { above, type Mode, modeOf, SANDBOX } from "./frames.ts";
import { countWithheld, isMasked, mark, ownsTooltip, type Withheld } from "./marks.ts";
import { MOTION } from "./motions.ts";
import type { Namespace, ViewPart } from "./view-frame.ts";

/** An operation that does not fit the mirror. */
export class Unfit extends Error {
  override readonly name = "Unfit";
}

const NAMESPACES: Record<Namespace, string> = {
  html: "http://www.w3.org/1999/xhtml",
  svg: "http://www.w3.org/2000/svg",
  mathml: "http://www.w3.org/1998/Math/MathML",
};

/** Elements that would load something: a plain box stands for them, or a frame where they show a document. */
const BOXED = new Set(["object", "embed", "applet", "portal", "fencedframe"]);
/** Elements that show a document. */
const FRAMES = new Set(["iframe", "frame"]);

/** Types of `input` that keep any text as their value. */
const TEXT_TYPES = new Set([
  "",
  "text",
  "search",
  "tel",
  "url",
  "email",
  "password",
  "hidden",
  "button",
  "submit",
  "reset",
  "checkbox",
  "radio",
  "image",
  "file",
]);

const DOCUMENT: NodeId = 1;

/** What nodes need of the mirror. */
export type NodesHost = {
  /** A new shadow root needs the mirror's own styles. */
  shadowRoot(root: ShadowRoot): void;
  /** Empties the document of a frame and gives it its mode. */
  open(document: Document, mode: Mode): void;
  /** How an element is animated. */
  motion(element: Element, css: string): void;
  /** The document of a frame is there, with all that is in it. */
  filled(document: Document): void;
};

/** What a frame is to show once its element is in the page: before that it has no document. */
type Content = { frame: Element; parts: ViewPart[] };

/** What a frame shows. */
type Shown = { id: NodeId; document: Document; mode: Mode };

export class Nodes {
  readonly #mode: Mode;
  readonly #host: NodesHost;
  readonly #byId = new Map<NodeId, Node>();
  readonly #ids = new WeakMap<Node, NodeId>();
  /** Outer frames come before those in them. */
  readonly #framed = new Map<Element, Shown>();
  readonly #contents: Content[] = [];
  readonly #adopted = new AdoptedSheets();
  /** The `details` that are open: where the mirror is on the way from one state to the next, those of one name close each other. */
  readonly #disclosed = new Set<Element>();
  /** Something could not be put where the page has it. */
  #bent = false;

  /** `mode`: that of the page's own document. */
  constructor(document: Document, mode: Mode, host: NodesHost) {
    this.#mode = mode;
    this.#host = host;
    this.#keep(DOCUMENT, document);
  }

  /** The node with this id. */
  node(id: NodeId): Node {
    const node = this.#byId.get(id);
    if (!node) throw new Unfit(`no node ${id}`);
    return node;
  }

  /** The element with this id. */
  element(id: NodeId): Element {
    const node = this.node(id);
    if (node.nodeType !== Node.ELEMENT_NODE) throw new Unfit(`node ${id} is no element`);
    return node as Element;
  }

  find(id: NodeId): Node | undefined {
    return this.#byId.get(id);
  }

  /** What the agent may not see or use, in all documents and shadow roots. */
  withheld(): Withheld {
    const all = { private: 0, off: 0 };
    const documents = [
      this.node(DOCUMENT) as Document,
      ...[...this.#framed.values()].map((shown) => shown.document),
    ];
    for (const root of documents.flatMap((document) => [document, ...shadowRoots(document)])) {
      const count = countWithheld(root);
      all.private += count.private;
      all.off += count.off;
    }
    return all;
  }

  idOf(node: Node): NodeId | undefined {
    return this.#ids.get(node);
  }

  /** Inserts one subtree; nodes that have one of its ids already go first. */
  insert(parent: NodeId, next: NodeId | null, parts: ViewPart[]): void {
    for (const part of parts) if (part.part !== "end" && this.#byId.has(part.id)) this.remove(part.id);
    if (parts[0]?.part === "doctype" && !this.#keepsMode(parts, parent))
      throw new Unfit("a doctype of another mode");
    if (parts[0]?.part === "document") this.#contents.push({ frame: this.element(parent), parts });
    else
      for (const root of this.#build(parts, documentOf(this.node(parent)))) this.#place(root, parent, next);
    for (let content = this.#contents.shift(); content; content = this.#contents.shift()) this.#fill(content);
  }

  /** Where a document is written anew its doctype may say another mode, and often nothing else does: a mode comes with a whole view. */
  #keepsMode(parts: readonly ViewPart[], document: NodeId): boolean {
    const shown = [...this.#framed.values()].find(({ id }) => id === document);
    const mode = shown?.mode ?? this.#mode;
    return modeOf(mode === "quirks", parts) === mode;
  }

  move(id: NodeId, parent: NodeId, next: NodeId | null): void {
    const node = this.node(id);
    const before = node.ownerDocument;
    // Where a frame is taken elsewhere it loses its document: what is in it moves to the new one.
    const frames = [...this.#framed].filter(([frame]) => isWithin(frame, node));
    const carried = frames.map(([frame, shown]) => ({ frame, shown, nodes: [...shown.document.childNodes] }));
    this.#place(node, parent, next);
    // A sheet is of one document.
    if (node.ownerDocument !== before && isElement(node)) this.#dress(node);
    for (const { frame, shown, nodes } of carried) {
      if ((frame as HTMLIFrameElement).contentDocument === shown.document) continue;
      const document = this.#open(frame, shown.id, shown.mode);
      for (const inner of nodes) document.appendChild(inner);
      this.#dress(document);
      this.#host.filled(document);
    }
  }

  #dress(within: ParentNode): void {
    for (const root of shadowRoots(within)) {
      this.#host.shadowRoot(root);
      this.#adopted.again(root);
    }
  }

  /** The text of a style element may be another one. */
  restyled(element: Node | null): void {
    this.#adopted.changed(element);
  }

  /** After a frame: makes the sheets that shadow roots have adopted, and opens what is open. */
  settle(): void {
    this.#adopted.make();
    for (const details of this.#disclosed)
      if (!details.hasAttribute("open")) details.setAttribute("open", "");
  }

  remove(id: NodeId): void {
    const node = this.node(id);
    this.#forget(node);
    this.#adopted.remove(node);
    this.#adopted.changed(node.parentNode);
    if (node.nodeType === Node.DOCUMENT_NODE) (node as Document).replaceChildren();
    else node.parentNode?.removeChild(node);
  }

  #fill({ frame, parts }: Content): void {
    const [first] = parts;
    if (first?.part !== "document") return;
    const inner = parts.slice(1, -1);
    const document = this.#open(frame, first.id, modeOf(first.quirks, inner));
    for (const root of this.#build(inner, document)) document.appendChild(root);
    this.#host.filled(document);
  }

  #open(frame: Element, id: NodeId, mode: Mode): Document {
    // Not in the page, so nobody sees it: the ids must be known all the same.
    const document =
      (frame as HTMLIFrameElement).contentDocument ?? frame.ownerDocument.implementation.createHTMLDocument();
    this.#host.open(document, mode);
    this.#framed.delete(frame);
    this.#framed.set(frame, { id, document, mode });
    this.#keep(id, document);
    return document;
  }

  /** The digest of what is there now; none where it can not be what the page has. */
  digest(): number | null {
    if (this.#bent) return null;
    const digest = new Digest();
    digest.add(DOCUMENT);
    for (let at: Node | null = this.node(DOCUMENT); at; ) {
      let next = this.#first(at);
      while (at && !next) {
        next = this.#after(at);
        if (next) break;
        at = this.#outer(at);
        if (at) digest.add();
      }
      at = next;
      if (!at) break;
      digest.add(this.#ids.get(at));
      if (at.nodeType === Node.TEXT_NODE && !isStyle(at.parentElement)) addText(digest, at as Text);
    }
    return digest.value;
  }

  /** Its first child of the page; a shadow root, or the document of a frame, comes before all others. */
  #first(node: Node): Node | null {
    const root = (node as Element).shadowRoot ?? this.#framed.get(node as Element)?.document;
    if (root && this.#ids.has(root)) return root;
    return this.#known(node.firstChild) ?? this.#adopted.of(node) ?? null;
  }

  #after(node: Node): Node | null {
    const parent = node.parentNode;
    if (parent) return this.#known(node.nextSibling) ?? this.#adopted.of(parent) ?? null;
    return this.#adopted.rootOf(node) ? null : this.#known(this.#outer(node)?.firstChild ?? null);
  }

  /** What it is in; of a document also if its frame is not shown. */
  #outer(node: Node): Node | null {
    for (const [frame, { document }] of this.#framed) if (document === node) return frame;
    return this.#adopted.rootOf(node) ?? above(node);
  }

  #known(node: Node | null): Node | null {
    let at = node;
    while (at && !this.#ids.has(at)) at = at.nextSibling;
    return at;
  }

  #place(node: Node, parent: NodeId, next: NodeId | null): void {
    const target = this.node(parent);
    const before = next === null ? null : this.node(next);
    if (this.#adopted.take(node, target)) return;
    this.#adopted.changed(target);
    try {
      target.insertBefore(node, before && this.#adopted.rootOf(before) ? null : before);
    } catch (error) {
      throw new Unfit(String(error));
    }
  }

  /** Builds subtrees detached, without recursion: how deep a page is must not matter. */
  #build(parts: ViewPart[], document: Document): Node[] {
    const roots: Node[] = [];
    const open: Node[] = [];
    for (let at = 0; at < parts.length; at++) {
      const part = parts[at] as ViewPart;
      if (part.part === "end") {
        open.pop();
        continue;
      }
      const parent = open.at(-1);
      if (part.part === "shadow-root") {
        open.push(this.#shadowRoot(part.id, parent as Element));
        continue;
      }
      if (part.part === "document") {
        const end = endOf(parts, at);
        this.#contents.push({ frame: parent as Element, parts: parts.slice(at, end + 1) });
        at = end;
        continue;
      }
      const node = this.#create(part, document, parts[at + 1]?.part === "document");
      this.#keep(part.id, node);
      if (!parent) roots.push(node);
      else if (!this.#adopted.take(node, parent)) parent.appendChild(node);
      if (part.part === "element") open.push(node);
    }
    return roots;
  }

  #create(
    part: Exclude<ViewPart, { part: "end" | "shadow-root" | "document" }>,
    document: Document,
    framed: boolean,
  ): Node {
    switch (part.part) {
      case "element":
        return this.#element(part, document, framed);
      case "text":
        return document.createTextNode(part.data);
      case "comment":
        return document.createComment("");
      case "doctype":
        try {
          return document.implementation.createDocumentType(part.name, part.publicId, part.systemId);
        } catch {
          return document.implementation.createDocumentType("html", "", "");
        }
    }
  }

  #element(part: Extract<ViewPart, { part: "element" }>, document: Document, framed: boolean): Element {
    const html = part.namespace === "html";
    const name = html && BOXED.has(part.name) ? (framed ? "iframe" : "div") : part.name;
    const element = named(document, NAMESPACES[part.namespace], name);
    if (html && FRAMES.has(name)) element.setAttribute("sandbox", SANDBOX);
    // Only frames have a border by themselves.
    if (name !== part.name) element.setAttribute("frameborder", "0");
    mark(element, part.name, part.marks);
    for (const [attribute, value] of part.attributes) this.setAttribute(element, attribute, value);
    if (html) this.#settle(element);
    return element;
  }

  /** Sets what the mirror needs whatever the page says. */
  #settle(element: Element): void {
    switch (element.localName) {
      case "script":
        element.setAttribute("type", "application/x-inert");
        break;
      case "input": {
        const type = (element.getAttribute("type") ?? "").toLowerCase();
        // The agent's browser must not offer what it has saved of the agent.
        element.setAttribute("autocomplete", type === "password" ? "new-password" : "off");
        break;
      }
      case "textarea":
        element.setAttribute("autocomplete", "off");
        break;
      case "video":
      case "audio":
        (element as HTMLMediaElement).muted = true;
        break;
    }
  }

  /** Sets an attribute of the page, as far as the mirror takes it over. */
  setAttribute(element: Element, name: string, value: string): void {
    if (name === "open" && element.localName === "details") this.#disclosed.add(element);
    if (name.toLowerCase() === "title" && ownsTooltip(element)) return;
    if (name === DEFINED) {
      define(element);
      return;
    }
    if (name === MOTION) {
      this.#host.motion(element, value);
      return;
    }
    if (name === TIME) {
      seek(element, value);
      return;
    }
    const taken = this.#shown(element, name, allowed(element.localName, name, value));
    if (taken !== null && name === "type" && element.localName === "input") setType(element, taken);
    else if (taken !== null) setAttribute(element, name, taken);
    else if (element.hasAttribute(name) && allowed(element.localName, name, "") !== null) {
      // The old value must not stay where the new one is refused.
      element.removeAttribute(name);
    }
    if (name === "type" && element.localName === "input") this.#settle(element);
  }

  /** Removes an attribute of the page. */
  removeAttribute(element: Element, name: string): void {
    if (name === "open") this.#disclosed.delete(element);
    removeAttribute(element, name);
  }

  /** Bullets are no number and no date: a masked field of such a type would drop them. */
  #shown(element: Element, name: string, value: string | null): string | null {
    const changes = name === "type" && element.localName === "input" && isMasked(element);
    return changes && value !== null && !TEXT_TYPES.has(value.toLowerCase()) ? "text" : value;
  }

  #shadowRoot(id: NodeId, host: Element): Node {
    let root: Node = host;
    try {
      const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
      this.#host.shadowRoot(shadow);
      root = shadow;
    } catch {
      // An element that can not have one here: its content is better in it than lost.
      this.#bent = true;
    }
    this.#byId.set(id, root);
    if (root !== host) this.#ids.set(root, id);
    return root;
  }

  #keep(id: NodeId, node: Node): void {
    this.#byId.set(id, node);
    this.#ids.set(node, id);
  }

  #forget(node: Node): void {
    const left: Node[] = [node];
    for (let at = left.pop(); at; at = left.pop()) {
      const id = this.#ids.get(at);
      // A node with this id may have taken its place already.
      if (id !== undefined && this.#byId.get(id) === at) this.#byId.delete(id);
      const shadow = (at as Element).shadowRoot;
      if (shadow) left.push(shadow);
      const adopted = this.#adopted.of(at);
      if (adopted) left.push(adopted);
      const shown = this.#framed.get(at as Element);
      if (shown) left.push(shown.document);
      this.#framed.delete(at as Element);
      this.#disclosed.delete(at as Element);
      for (let child = at.firstChild; child; child = child.nextSibling) left.push(child);
    }
  }
}

function isElement(node: Node): node is Element {
  return node.nodeType === Node.ELEMENT_NODE;
}

function isStyle(element: Element | null): boolean {
  return element?.localName.toLowerCase() === "style";
}

function addText(digest: Digest, { data }: Text): void {
  for (let at = 0; at < data.length; at++) digest.add(data.charCodeAt(at));
}

/** Index of the end of the subtree that begins at `start`. */
function endOf(parts: ViewPart[], start: number): number {
  let depth = 0;
  for (let at = start; at < parts.length; at++) {
    const kind = parts[at]?.part;
    if (kind === "element" || kind === "shadow-root" || kind === "document") depth += 1;
    else if (kind === "end") depth -= 1;
    if (depth === 0) return at;
  }
  throw new Unfit("a subtree is not closed");
}

function documentOf(node: Node): Document {
  return node.ownerDocument ?? (node as Document);
}

function isWithin(inner: Node, outer: Node): boolean {
  for (let at: Node | null = inner; at; at = above(at)) if (at === outer) return true;
  return false;
}

/** Every shadow root in a document or an element, out of frames. */
function shadowRoots(within: ParentNode): ShadowRoot[] {
  const found: ShadowRoot[] = [];
  const own = (within as Element).shadowRoot;
  if (own) found.push(own);
  const left: ParentNode[] = own ? [within, own] : [within];
  for (let root = left.pop(); root; root = left.pop()) {
    for (const { shadowRoot } of root.querySelectorAll("*")) {
      if (!shadowRoot) continue;
      found.push(shadowRoot);
      left.push(shadowRoot);
    }
  }
  return found;
}

/** A field that becomes a button keeps its value as its attribute; here the page's own word on that comes by itself. */
function setType(input: Element, type: string): void {
  const value = input.getAttribute("value");
  setAttribute(input, "type", type);
  if (value === null) input.removeAttribute("value");
  else if (input.getAttribute("value") !== value) input.setAttribute("value", value);
}

function named(document: Document, namespace: string, name: string): Element {
  try {
    // Parsers do not split names like `o:p`, and styles ask for the whole of them.
    if (namespace === NAMESPACES.html && name.includes(":")) return document.createElement(name);
    return document.createElementNS(namespace, name);
  } catch {
    return parsed(document, name) ?? document.createElement("span");
  }
}

/** Names like `foo"bar` are made by parsers only. */
function parsed(document: Document, name: string): Element | null {
  if (!/^[a-z][^\s<>/&]*$/i.test(name)) return null;
  const template = document.createElement("template");
  template.innerHTML = `<${name}></${name}>`;
  const element = template.content.firstElementChild;
  if (!element || element.attributes.length > 0 || element.firstChild) return null;
  return document.adoptNode(element);
}
