/**
 * Finds the parts of the page that the server holds already, by their fingerprints: `src/dom/fingerprint.rs` says what
 * a fingerprint is, and does the same.
 *
 * It reads what would be told and nothing else. A fingerprint that differs for no reason only costs the bytes of telling.
 */

import { isElement } from "../customer/dom.ts";
import { DEEPEST, ignored, type KnownNodes, opaque } from "../customer/known.ts";
import { KINDS, toldOf } from "../customer/subtree.ts";
import type { Withholding } from "../customer/withhold.ts";
import type { Held } from "../protocol/words.ts";

/** What finds them; the bundle loads it only where the server holds something. */
export type FindHeld = typeof findHeld;

/** Which nodes, with all that is in them, the server holds, and under which number. */
export function findHeld(
  { key, fingerprints }: Held,
  { document, roots, frames }: KnownNodes,
  withholding: Withholding,
): ReadonlyMap<Node, number> {
  const found = new Map<Node, number>();
  const packed = atob(fingerprints);
  if (!packed) return found;
  const names = new Map<string, number>();
  for (let at = 0; at < packed.length; at += 16) names.set(packed.slice(at, at + 16), at / 16);

  const [k0, k1, k2, k3] = key;
  // The key times two in the field of Chaskey.
  const s0 = (k0 << 1) ^ ((k3 >>> 31) * 0x87);
  const s1 = (k1 << 1) | (k0 >>> 31);
  const s2 = (k2 << 1) | (k1 >>> 31);
  const s3 = (k3 << 1) | (k2 >>> 31);
  /** The words of the node that is being read, after those of what it is in. */
  const words: number[] = [];

  const text = (data: string): void => {
    words.push(data.length);
    for (let at = 0; at < data.length; at += 2)
      words.push(data.charCodeAt(at) | (data.charCodeAt(at + 1) << 16));
  };

  /** Replaces the words from `start` on by their fingerprint. */
  const seal = (start: number): void => {
    let [a, b, c, d] = key as [number, number, number, number];
    for (let at = start; at < words.length; at += 4) {
      const last = at + 4 >= words.length;
      a ^= (words[at] ?? 0) ^ (last ? s0 : 0);
      b ^= (words[at + 1] ?? 0) ^ (last ? s1 : 0);
      c ^= (words[at + 2] ?? 0) ^ (last ? s2 : 0);
      d ^= (words[at + 3] ?? 0) ^ (last ? s3 : 0);
      for (let round = 0; round < 8; round++) {
        a = (a + b) | 0;
        b = ((b << 5) | (b >>> 27)) ^ a;
        a = (a << 16) | (a >>> 16);
        c = (c + d) | 0;
        d = ((d << 8) | (d >>> 24)) ^ c;
        a = (a + d) | 0;
        d = ((d << 13) | (d >>> 19)) ^ a;
        c = (c + b) | 0;
        b = ((b << 7) | (b >>> 25)) ^ c;
        c = (c << 16) | (c >>> 16);
      }
    }
    words.length = start;
    words.push(a ^ s0, b ^ s1, c ^ s2, d ^ s3);
  };

  const read = (node: Node, depth: number): void => {
    const start = words.length;
    switch (node.nodeType) {
      case Node.TEXT_NODE:
      case Node.CDATA_SECTION_NODE:
        words.push(2);
        text(withholding.text(node.parentNode, (node as Text).data));
        break;
      case Node.COMMENT_NODE:
      case Node.PROCESSING_INSTRUCTION_NODE:
        words.push(3);
        text((node as CharacterData).data);
        break;
      case Node.DOCUMENT_TYPE_NODE: {
        const { name, publicId, systemId } = node as DocumentType;
        words.push(4);
        for (const part of [name, publicId, systemId]) text(part);
        break;
      }
      default:
        if (isElement(node)) {
          words.push(KINDS[node.namespaceURI ?? ""] ?? 1);
          text(node.localName);
          const told = toldOf(node, withholding);
          words.push(told.length / 2);
          for (const part of told) text(part);
          const inner = depth + 1 < DEEPEST ? frames.enter(node) : null;
          if (inner) read(inner, depth + 1);
          const root = roots.of(node);
          if (root && depth + 1 < DEEPEST) read(root, depth + 1);
        } else if (node.nodeType === Node.DOCUMENT_NODE) {
          const { compatMode, URL } = node as Document;
          words.push(7, compatMode === "BackCompat" ? 1 : 0);
          text(withholding.echoes.hideInAddress(URL));
        } else {
          words.push(5);
        }
        if (!opaque(node, depth)) {
          for (let child = node.firstChild; child; child = child.nextSibling)
            if (!ignored(child)) read(child, depth + 1);
        }
    }
    words.push(6);
    seal(start);
    const name = names.get(bytesOf(words, start));
    if (name !== undefined) found.set(node, name);
  };

  for (let child = document.firstChild; child; child = child.nextSibling) {
    if (!ignored(child)) read(child, 1);
    words.length = 0;
  }
  return found;
}

/** Four words as the string that `atob` makes of them. */
function bytesOf(words: readonly number[], start: number): string {
  const codes: number[] = [];
  for (let at = start; at < start + 4; at++) {
    const word = words[at] ?? 0;
    codes.push(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24);
  }
  return String.fromCharCode(...codes);
}
