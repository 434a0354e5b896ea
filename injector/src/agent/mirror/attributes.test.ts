/** The second wall: what must never reach the mirror, and what must. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { allowed, OWN } from "./attributes.ts";

test("nothing that runs, loads a document or submits is taken over", () => {
  const refused: [string, string, string][] = [
    ["div", "onclick", "x()"],
    ["img", "ONERROR", "x()"],
    ["iframe", "srcdoc", "<p>"],
    ["iframe", "src", "/account"],
    ["iframe", "sandbox", "allow-scripts"],
    ["iframe", "allow", "camera"],
    ["frame", "src", "/account"],
    ["script", "src", "/a.js"],
    ["embed", "src", "/a.swf"],
    ["object", "data", "/a"],
    ["a", "href", "javascript:x()"],
    ["a", "href", " \u0001java\nscript\t:x()"],
    ["a", "xlink:href", "JavaScript:x()"],
    ["a", "href", "data:text/html,<script>"],
    ["a", "ping", "/log"],
    ["form", "action", "/buy"],
    ["button", "formaction", "/buy"],
    ["base", "href", "https://elsewhere.example/"],
    ["link", "rel", "prefetch"],
    ["link", "rel", "stylesheet preload"],
    ["meta", "http-equiv", "refresh"],
    ["animate", "attributeName", "xlink:href"],
    ["input", "autofocus", ""],
    ["input", "accesskey", "s"],
    ["div", OWN.mark, ""],
  ];
  for (const [element, name, value] of refused) {
    assert.equal(allowed(element, name, value), null, `${element} ${name}=${value}`);
  }
});

test("what makes the page look as it does is taken over as it is", () => {
  const taken: [string, string, string][] = [
    ["a", "href", "/catalogue?x=javascript:"],
    ["img", "src", "/r/abc"],
    ["img", "srcset", "/r/abc 2x"],
    ["img", "src", "data:image/png;base64,AAAA"],
    ["link", "rel", "stylesheet"],
    ["link", "rel", "Alternate StyleSheet"],
    ["link", "href", "/r/abc"],
    ["a", "rel", "prefetch"],
    ["div", "style", "color: red"],
    ["div", "data-tandem", "mask"],
    ["svg", "viewBox", "0 0 1 1"],
    ["animate", "attributeName", "opacity"],
    ["input", "type", "checkbox"],
  ];
  for (const [element, name, value] of taken)
    assert.equal(allowed(element, name, value), value, `${element} ${name}`);
});

test("a popover opens only when the page says so", () => {
  assert.equal(allowed("div", "popover", "auto"), "manual");
});
