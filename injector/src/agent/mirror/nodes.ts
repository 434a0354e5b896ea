/**
 * Holds which node of the mirror stands for which node of the customer's page, and builds new ones.
 *
 * Every node of the mirror has an id, and an id names at most one node. What does not fit throws `Unfit`;
 * the mirror then asks for a whole view, so that no half-done change stays.
 */

import type { NodeId } from "../../protocol/words.ts";
import { allowed, setAttribute } from "./attributes.ts";
import { isMasked, mark, ownsTooltip } from "./marks.ts";
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

/** Elements that would load or own a document: a plain box stands for them. */
const BOXED = new Set(["object", "embed", "applet", "frame", "frameset", "portal", "fencedframe"]);

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

export class Nodes {
  readonly #document: Document;
  /** For the styles of the mirror's own in every new shadow root. */
  readonly #onShadowRoot: (root: ShadowRoot) => void;
  readonly #byId = new Map<NodeId, Node>();
  readonly #ids = new WeakMap<Node, NodeId>();

  constructor(document: Document, onShadowRoot: (root: ShadowRoot) => void) {
    this.#document = document;
    this.#onShadowRoot = onShadowRoot;
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

  idOf(node: Node): NodeId | undefined {
    return this.#ids.get(node);
  }

  /** Inserts one subtree; nodes that have one of its ids already go first. */
  insert(parent: NodeId, next: NodeId | null, parts: ViewPart[]): void {
    for (const part of parts) if (part.part !== "end" && this.#byId.has(part.id)) this.remove(part.id);
    const root = this.#build(parts);
    if (root) this.#place(root, parent, next);
  }

  move(id: NodeId, parent: NodeId, next: NodeId | null): void {
    this.#place(this.node(id), parent, next);
  }

  remove(id: NodeId): void {
    const node = this.node(id);
    node.parentNode?.removeChild(node);
    this.#forget(node);
  }

  #place(node: Node, parent: NodeId, next: NodeId | null): void {
    const target = this.node(parent);
    const before = next === null ? null : this.node(next);
    try {
      target.insertBefore(node, before);
    } catch (error) {
      throw new Unfit(String(error));
    }
  }

  /** Builds detached, without recursion: how deep a page is must not matter. */
  #build(parts: ViewPart[]): Node | null {
    let root: Node | null = null;
    const open: Node[] = [];
    for (const part of parts) {
      if (part.part === "end") {
        open.pop();
        continue;
      }
      const parent = open.at(-1);
      if (part.part === "shadow-root") {
        open.push(this.#shadowRoot(part.id, parent as Element));
        continue;
      }
      const node = this.#create(part);
      this.#keep(part.id, node);
      if (parent) parent.appendChild(node);
      else root = node;
      if (part.part === "element") open.push(node);
    }
    return root;
  }

  #create(part: Exclude<ViewPart, { part: "end" | "shadow-root" }>): Node {
    switch (part.part) {
      case "element":
        return this.#element(part);
      case "text":
        return this.#document.createTextNode(part.data);
      case "comment":
        return this.#document.createComment("");
      case "doctype":
        try {
          return this.#document.implementation.createDocumentType(part.name, part.publicId, part.systemId);
        } catch {
          return this.#document.implementation.createDocumentType("html", "", "");
        }
    }
  }

  #element(part: Extract<ViewPart, { part: "element" }>): Element {
    const html = part.namespace === "html";
    const name = html && BOXED.has(part.name) ? "div" : part.name;
    const element = this.#named(NAMESPACES[part.namespace], name);
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
    if (name.toLowerCase() === "title" && ownsTooltip(element)) return;
    const taken = this.#shown(element, name, allowed(element.localName, name, value));
    if (taken !== null) setAttribute(element, name, taken);
    else if (element.hasAttribute(name) && allowed(element.localName, name, "") !== null) {
      // The old value must not stay where the new one is refused.
      element.removeAttribute(name);
    }
    if (name === "type" && element.localName === "input") this.#settle(element);
  }

  /** Bullets are no number and no date: a masked field of such a type would drop them. */
  #shown(element: Element, name: string, value: string | null): string | null {
    const changes = name === "type" && element.localName === "input" && isMasked(element);
    return changes && value !== null && !TEXT_TYPES.has(value.toLowerCase()) ? "text" : value;
  }

  #named(namespace: string, name: string): Element {
    try {
      return this.#document.createElementNS(namespace, name);
    } catch {
      return this.#parsed(name) ?? this.#document.createElement("span");
    }
  }

  /** Names like `foo"bar` are made by parsers only. */
  #parsed(name: string): Element | null {
    if (!/^[a-z][^\s<>/&]*$/i.test(name)) return null;
    const template = this.#document.createElement("template");
    template.innerHTML = `<${name}></${name}>`;
    const element = template.content.firstElementChild;
    if (!element || element.attributes.length > 0 || element.firstChild) return null;
    return this.#document.adoptNode(element);
  }

  #shadowRoot(id: NodeId, host: Element): Node {
    let root: Node = host;
    try {
      const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
      this.#onShadowRoot(shadow);
      root = shadow;
    } catch {
      // An element that can not have one here: its content is better in it than lost.
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
      for (let child = at.firstChild; child; child = child.nextSibling) left.push(child);
    }
  }
}
