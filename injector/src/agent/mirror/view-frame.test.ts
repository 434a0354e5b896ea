/** That every operation of a view is read as the server writes it, and that broken frames are refused. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { VERSION } from "../../protocol/words.ts";
import { Malformed } from "../../wire/reader.ts";
import { Writer } from "../../wire/writer.ts";
import { decodeView } from "./view-frame.ts";

function frame(write: (writer: Writer) => void): Uint8Array {
  const writer = new Writer();
  writer.uint(7);
  writer.uint(3);
  write(writer);
  return writer.finish();
}

/** Bytes and numbers below 128 alike; strings through the table. */
function put(writer: Writer, ...values: (number | string)[]): void {
  for (const value of values) typeof value === "number" ? writer.uint(value) : writer.string(value);
}

test("an insertion carries a whole subtree with shadow root and marks", () => {
  const bytes = frame((out) => {
    put(out, 1, 5, 9);
    put(out, 1, 10, 1 | 4, "div", 1, "class", "box");
    put(out, 5, 11, 2, 12);
    out.text("in the shadow");
    put(out, 0);
    put(out, 17, 13, 0, "svg", 0, 0, 3, 14);
    put(out, 0);
  });
  const none = { masked: false, hidden: false, disabled: false, placeholder: false };
  assert.deepEqual(decodeView(bytes), {
    epoch: 7,
    seq: 3,
    ops: [
      {
        op: "insert",
        parent: 5,
        next: 9,
        parts: [
          {
            part: "element",
            id: 10,
            marks: { ...none, masked: true, disabled: true },
            namespace: "html",
            name: "div",
            attributes: [["class", "box"]],
          },
          { part: "shadow-root", id: 11 },
          { part: "text", id: 12, data: "in the shadow" },
          { part: "end" },
          { part: "element", id: 13, marks: none, namespace: "svg", name: "svg", attributes: [] },
          { part: "end" },
          { part: "comment", id: 14 },
          { part: "end" },
        ],
      },
    ],
  });
});

test("every other operation is read in order", () => {
  const bytes = frame((out) => {
    put(out, 15, 1);
    put(out, 1, 1, 0, 4, 2, "html", "", "");
    put(out, 2, 4, 5, 0);
    put(out, 3, 4);
    put(out, 4, 4, "title", "t");
    put(out, 5, 4, "title");
    put(out, 6, 4, "text");
    put(out, 7, 4, 1 | 4 | 8, "v");
    put(out, 7, 4, 4 | 8 | 16);
    put(out, 7, 4, 32, 2, 0, 3);
    put(out, 8, 1);
    out.int(-5);
    out.int(1200);
    put(out, 9);
    for (const number of [1280, 800, 200]) out.uint(number);
    put(out, 10, "https://shop.example/");
    put(out, 11, 0);
    put(out, 12, 2, 4, 0, 5, 1);
    put(out, 13, 4, 30, 20);
  });
  assert.deepEqual(decodeView(bytes).ops, [
    { op: "begin", quirks: true },
    {
      op: "insert",
      parent: 1,
      next: null,
      parts: [{ part: "doctype", id: 2, name: "html", publicId: "", systemId: "" }],
    },
    { op: "move", id: 4, parent: 5, next: null },
    { op: "remove", id: 4 },
    { op: "set-attribute", id: 4, name: "title", value: "t" },
    { op: "remove-attribute", id: 4, name: "title" },
    { op: "text", id: 4, data: "text" },
    { op: "control", id: 4, state: { value: "v", checked: true, indeterminate: false } },
    { op: "control", id: 4, state: { checked: true, indeterminate: true } },
    { op: "control", id: 4, state: { selected: [0, 3] } },
    { op: "scroll", id: 1, x: -5, y: 1200 },
    { op: "viewport", width: 1280, height: 800, ratio: 200 },
    { op: "location", url: "https://shop.example/" },
    { op: "focus", id: null },
    {
      op: "top-layer",
      entries: [
        { id: 4, kind: "modal" },
        { id: 5, kind: "popover" },
      ],
    },
    { op: "box", id: 4, width: 30, height: 20 },
  ]);
});

test("broken frames are refused", () => {
  const bad: Record<string, Uint8Array> = {
    empty: new Uint8Array(),
    version: Uint8Array.of(VERSION + 1, 1, 0),
    "unknown operation": frame((out) => put(out, 99)),
    "an operation of the page stream": frame((out) => put(out, 14, 4, "x")),
    "unknown node": frame((out) => put(out, 1, 1, 0, 6, 4)),
    "no id": frame((out) => put(out, 3, 0)),
    "end first": frame((out) => put(out, 1, 1, 0, 0)),
    "shadow root without a host": frame((out) => put(out, 1, 1, 0, 5, 4, 0)),
    "not closed": frame((out) => put(out, 1, 1, 0, 1, 4, 0, "div", 0)),
    "unknown mark": frame((out) => put(out, 1, 1, 0, 1, 4, 16, "div", 0, 0)),
    "withheld value": frame((out) => put(out, 7, 4, 2, 8)),
    "a count that lies": frame((out) => {
      put(out, 12);
      out.uint(2 ** 32 - 1);
    }),
  };
  for (const [name, bytes] of Object.entries(bad)) assert.throws(() => decodeView(bytes), Malformed, name);
});

test("a subtree that is too deep is refused", () => {
  const deep = (depth: number) =>
    frame((out) => {
      put(out, 1, 1, 0);
      for (let id = 2; id < depth + 2; id += 1) put(out, 1, id, 0, "b", 0);
      for (let level = 0; level < depth; level += 1) put(out, 0);
    });
  assert.equal(decodeView(deep(512)).ops.length, 1);
  assert.throws(() => decodeView(deep(600)), Malformed);
});
