/**
 * Decodes the frames of a view: the counterpart of `protocol::view` on the server.
 *
 * Checks the format (kinds, nesting, depth), not whether the operations fit the mirror.
 */

import { MAX_DEPTH, type NodeId } from "../../protocol/words.ts";
import { Malformed, Reader } from "../../wire/reader.ts";
import type { States } from "./states.ts";

export type ViewFrame = { epoch: number; seq: number; ops: ViewOp[] };

export type ViewOp =
  | { op: "insert"; parent: NodeId; next: NodeId | null; parts: ViewPart[] }
  | { op: "move"; id: NodeId; parent: NodeId; next: NodeId | null }
  | { op: "remove"; id: NodeId }
  | { op: "set-attribute"; id: NodeId; name: string; value: string }
  | { op: "remove-attribute"; id: NodeId; name: string }
  | { op: "text"; id: NodeId; data: string }
  | { op: "control"; id: NodeId; state: ViewControl }
  | { op: "scroll"; id: NodeId; x: number; y: number }
  | { op: "viewport"; width: number; height: number; ratio: number }
  | { op: "location"; url: string }
  | { op: "focus"; id: NodeId | null }
  | { op: "top-layer"; entries: TopLayerEntry[] }
  | { op: "box"; id: NodeId; width: number; height: number }
  | { op: "begin"; quirks: boolean }
  | { op: "picture"; id: NodeId; url: string }
  | { op: "check"; digest: number }
  | { op: "sheet"; id: NodeId; css: string | null }
  | { op: "states"; states: States<NodeId> }
  | { op: "selection"; anchor: End | null; focus: End | null }
  | { op: "notice"; notice: Notice | null }
  | { op: "media"; features: number }
  | { op: "zoom"; zoomed: Zoomed | null };

/** The part of the viewport that is on the customer's screen. */
export type Zoomed = { x: number; y: number; width: number; height: number };

/** One end of a selection. */
export type End = { id: NodeId; offset: number };

const NOTICES = ["alert", "confirm", "prompt", "print", "leave", "invalid", "choosing"] as const;

/** What the customer's browser shows over the page. */
export type Notice = { kind: (typeof NOTICES)[number]; at: NodeId | null; text: string };

/** A piece of one subtree in document order; elements, shadow roots and documents of frames are closed by an `end`. */
export type ViewPart =
  | {
      part: "element";
      id: NodeId;
      marks: Marks;
      namespace: Namespace;
      name: string;
      attributes: [name: string, value: string][];
    }
  | { part: "text"; id: NodeId; data: string }
  | { part: "comment"; id: NodeId }
  | { part: "doctype"; id: NodeId; name: string; publicId: string; systemId: string }
  | { part: "shadow-root"; id: NodeId }
  | { part: "document"; id: NodeId; quirks: boolean }
  | { part: "end" };

export type Namespace = "html" | "svg" | "mathml";
export type TopLayerEntry = { id: NodeId; kind: "modal" | "popover" | "fullscreen" };
export type ViewControl = {
  value?: string;
  checked?: boolean;
  /** Told with `checked`: a box that is neither may be checked or not beneath. */
  indeterminate?: boolean;
  selected?: number[];
  validity?: number;
};

/** What the mirror must say about an element. */
export type Marks = { masked: boolean; hidden: boolean; disabled: boolean; placeholder: boolean };

/** Reads one frame, or throws {@link Malformed}. */
export function decodeView(bytes: Uint8Array): ViewFrame {
  const reader = new Reader(bytes);
  const frame: ViewFrame = { epoch: reader.uint(), seq: reader.uint(), ops: [] };
  while (!reader.atEnd) frame.ops.push(operation(reader));
  return frame;
}

function operation(reader: Reader): ViewOp {
  const tag = reader.byte();
  switch (tag) {
    case 1:
      return { op: "insert", parent: node(reader), next: nodeOrNone(reader), parts: subtree(reader) };
    case 2:
      return { op: "move", id: node(reader), parent: node(reader), next: nodeOrNone(reader) };
    case 3:
      return { op: "remove", id: node(reader) };
    case 4:
      return { op: "set-attribute", id: node(reader), name: reader.string(), value: reader.string() };
    case 5:
      return { op: "remove-attribute", id: node(reader), name: reader.string() };
    case 6:
      return { op: "text", id: node(reader), data: reader.string() };
    case 7:
      return { op: "control", id: node(reader), state: control(reader) };
    case 8:
      return { op: "scroll", id: node(reader), x: reader.int(), y: reader.int() };
    case 9:
      return { op: "viewport", width: reader.uint(), height: reader.uint(), ratio: reader.uint() };
    case 10:
      return { op: "location", url: reader.string() };
    case 11:
      return { op: "focus", id: nodeOrNone(reader) };
    case 12:
      return { op: "top-layer", entries: times(reader.uint(), () => topLayerEntry(reader)) };
    case 13:
      return { op: "box", id: node(reader), width: reader.uint(), height: reader.uint() };
    case 15:
      return { op: "begin", quirks: reader.byte() !== 0 };
    case 64:
      return { op: "picture", id: node(reader), url: reader.string() };
    case 30:
      return { op: "check", digest: reader.uint() };
    case 65:
      return { op: "sheet", id: node(reader), css: reader.byte() ? reader.string() : null };
    case 66: {
      const [hover, pointed] = [nodeOrNone(reader), nodeOrNone(reader)];
      const [active, target] = [nodeOrNone(reader), nodeOrNone(reader)];
      const bits = reader.byte();
      const [focusVisible, bounded, focused] = [(bits & 1) !== 0, (bits & 2) !== 0, (bits & 4) !== 0];
      return { op: "states", states: { hover, pointed, active, target, focused, focusVisible, bounded } };
    }
    case 67: {
      const anchor = nodeOrNone(reader);
      if (anchor === null) return { op: "selection", anchor: null, focus: null };
      const start = { id: anchor, offset: reader.uint() };
      return { op: "selection", anchor: start, focus: { id: node(reader), offset: reader.uint() } };
    }
    case 69:
      return { op: "media", features: reader.uint() };
    case 70: {
      const width = reader.uint();
      if (width === 0) return { op: "zoom", zoomed: null };
      const [height, x, y] = [reader.uint(), reader.uint(), reader.uint()];
      return { op: "zoom", zoomed: { x, y, width, height } };
    }
    case 68: {
      const tag = reader.byte();
      if (tag === 0) return { op: "notice", notice: null };
      const kind = NOTICES[tag - 1];
      if (!kind) throw new Malformed("an unknown notice");
      return { op: "notice", notice: { kind, at: nodeOrNone(reader), text: reader.string() } };
    }
    default:
      throw new Malformed(`an unknown kind of operation: ${tag}`);
  }
}

/** Reads one node with everything in it. */
function subtree(reader: Reader): ViewPart[] {
  const parts: ViewPart[] = [];
  let depth = 0;
  do {
    const part = viewPart(reader);
    parts.push(part);
    if (part.part === "element" || part.part === "shadow-root" || part.part === "document") {
      if (part.part === "shadow-root" && depth === 0) throw new Malformed("a shadow root without a host");
      depth += 1;
      if (depth > MAX_DEPTH + 1) throw new Malformed("the page is too deep");
    } else if (part.part === "end") {
      if (depth === 0) throw new Malformed("a subtree is not closed properly");
      depth -= 1;
    }
  } while (depth > 0);
  return parts;
}

function viewPart(reader: Reader): ViewPart {
  const kind = reader.byte();
  switch (kind) {
    case 0:
      return { part: "end" };
    case 1:
      return element(reader, "html");
    case 17:
      return element(reader, "svg");
    case 33:
      return element(reader, "mathml");
    case 2:
      return { part: "text", id: node(reader), data: reader.text() };
    case 3:
      return { part: "comment", id: node(reader) };
    case 4:
      return {
        part: "doctype",
        id: node(reader),
        name: reader.string(),
        publicId: reader.string(),
        systemId: reader.string(),
      };
    case 5:
      return { part: "shadow-root", id: node(reader) };
    case 7:
      return { part: "document", id: node(reader), quirks: reader.byte() !== 0 };
    default:
      throw new Malformed(`an unknown kind of node: ${kind}`);
  }
}

function element(reader: Reader, namespace: Namespace): ViewPart {
  const id = node(reader);
  const bits = reader.byte();
  if (bits > 15) throw new Malformed("an unknown mark");
  const marks = {
    masked: (bits & 1) !== 0,
    hidden: (bits & 2) !== 0,
    disabled: (bits & 4) !== 0,
    placeholder: (bits & 8) !== 0,
  };
  const name = reader.string();
  const attributes = times(reader.uint(), (): [string, string] => [reader.string(), reader.string()]);
  return { part: "element", id, marks, namespace, name, attributes };
}

function control(reader: Reader): ViewControl {
  const flags = reader.byte();
  if (flags & ~(1 | 4 | 8 | 16 | 32 | 64)) throw new Malformed("an unknown flag of a control");
  const state: ViewControl = {};
  if (flags & 1) state.value = reader.string();
  if (flags & 4) {
    state.checked = (flags & 8) !== 0;
    state.indeterminate = (flags & 16) !== 0;
  }
  if (flags & 32) state.selected = times(reader.uint(), () => reader.uint());
  if (flags & 64) state.validity = reader.byte();
  return state;
}

function topLayerEntry(reader: Reader): TopLayerEntry {
  const id = node(reader);
  const tag = reader.byte();
  return { id, kind: tag === 0 ? "modal" : tag === 1 ? "popover" : "fullscreen" };
}

function node(reader: Reader): NodeId {
  const id = reader.uint();
  if (id === 0) throw new Malformed("a node is missing");
  return id;
}

function nodeOrNone(reader: Reader): NodeId | null {
  return reader.uint() || null;
}

/** Reads item by item, so that a count that lies ends with the frame and allocates nothing. */
function times<T>(count: number, read: () => T): T[] {
  const items: T[] = [];
  for (let index = 0; index < count; index += 1) items.push(read());
  return items;
}
