/**
 * Decides which attributes of the page the mirror takes over, and sets them.
 *
 * The server has filtered already; this is the second wall: nothing that runs, loads a document, submits or
 * takes the keyboard gets into the mirror, whatever a frame says.
 */

const XLINK = "http://www.w3.org/1999/xlink";
const XML = "http://www.w3.org/XML/1998/namespace";

/**
 * Set by the mirror itself: what must be said about an element, the customer's states (`rewrite/css/states.rs` has the same
 * names), that it was inline, that it is the picture of a drawing or has the rules of a link, and its own placeholder.
 */
export const OWN = {
  mark: "data-tandem-mark",
  focus: "data-tandem-focus",
  hover: "data-tandem-hover",
  active: "data-tandem-active",
  target: "data-tandem-target",
  focusVisible: "data-tandem-focus-visible",
  focusWithin: "data-tandem-focus-within",
  invalid: "data-tandem-invalid",
  valid: "data-tandem-valid",
  userInvalid: "data-tandem-user-invalid",
  userValid: "data-tandem-user-valid",
  autofill: "data-tandem-autofill",
  prompt: "data-tandem-prompt",
  fullscreen: "data-tandem-fullscreen",
  rules: "data-tandem-rules",
  inline: "data-tandem-inline",
  picture: "data-tandem-picture",
};

/** Never taken over, on any element. */
const DROPPED = new Set([
  ...Object.values(OWN),
  "accesskey",
  "action",
  "allow",
  "allowfullscreen",
  "autofocus",
  "autoplay",
  "classid",
  "codebase",
  "credentialless",
  "crossorigin",
  "csp",
  "data",
  "formaction",
  "http-equiv",
  "integrity",
  "manifest",
  "nonce",
  "ping",
  "sandbox",
  "srcdoc",
]);

/** Elements whose `src` is an image, a sound or a film. */
const WITH_SOURCE = new Set(["img", "source", "video", "audio", "track", "input", "image"]);

/** What the mirror gives an element for an attribute of the page; `null` for nothing. */
export function allowed(element: string, name: string, value: string): string | null {
  const attribute = name.toLowerCase();
  if (attribute.startsWith("on") || DROPPED.has(attribute)) return null;
  if (runs(value)) return null;
  switch (attribute) {
    case "src":
    case "srcset":
      return WITH_SOURCE.has(element) ? value : null;
    case "loading":
      return element === "img" || element === "iframe" ? null : value;
    // Nobody goes anywhere from here, but styles ask: what opens another window is often marked.
    case "target":
      return element === "base" ? null : value;
    case "rel":
      return element !== "link" || /^\s*(alternate\s+)?stylesheet\s*$/i.test(value) ? value : null;
    case "href":
      return element === "base" || element === "script" ? null : value;
    case "attributename":
      return /href/i.test(value) ? null : value;
    case "type":
      return element === "script" ? null : value;
    case "popover":
      return "manual";
    case "autocomplete":
      return element === "input" || element === "textarea" || element === "form" ? null : value;
    default:
      return value;
  }
}

/** Whether a URL would run or show something of its own, leaving out the characters that URL parsers skip. */
function runs(value: string): boolean {
  if (!value.includes(":")) return false;
  let bare = "";
  for (const char of value.slice(0, 200)) if (char > " ") bare += char;
  return /^(javascript|vbscript|data:(text|application)\/)/i.test(bare);
}

/** Sets an attribute by its qualified name, also names that only a parser can make. */
export function setAttribute(element: Element, name: string, value: string): void {
  const namespace = name.startsWith("xlink:") ? XLINK : name.startsWith("xml:") ? XML : null;
  try {
    if (namespace) element.setAttributeNS(namespace, name, value);
    else element.setAttribute(name, value);
  } catch {
    const attribute = parsedAttribute(element.ownerDocument, name);
    if (!attribute) return;
    attribute.value = value;
    element.setAttributeNode(attribute);
  }
}

/** Says that a custom element is one that the page has defined: styles ask for that. */
export const DEFINED = "data-tandem-defined";

/** Defines a custom element in the mirror as one that does nothing. */
export function define(element: Element): void {
  const view = element.ownerDocument.defaultView as (Window & typeof globalThis) | null;
  const { localName } = element;
  try {
    if (view && !view.customElements.get(localName)) {
      view.customElements.define(localName, class extends view.HTMLElement {});
    }
  } catch {
    // No name of a custom element.
  }
}

/** Where in its time a sound is, in seconds. */
export const TIME = "data-tandem-time";

/** Takes a sound to a place of its time. */
export function seek(element: Element, value: string): void {
  const at = Number(value);
  if (element.localName === "audio" && at >= 0 && Number.isFinite(at))
    (element as HTMLAudioElement).currentTime = at;
}

/** Removes an attribute of the page by its qualified name; those that the mirror sets by itself stay. */
export function removeAttribute(element: Element, name: string): void {
  if (DROPPED.has(name.toLowerCase())) return;
  element.removeAttribute(name);
}

function parsedAttribute(document: Document, name: string): Attr | null {
  // Only what an HTML parser reads as one attribute name may come near `innerHTML`.
  if (!/^[^\s"'<>/=`&]+$/.test(name)) return null;
  const template = document.createElement("template");
  template.innerHTML = `<b ${name}=""></b>`;
  const element = template.content.firstElementChild;
  const attribute = element?.attributes[0];
  if (!element || !attribute) return null;
  return document.adoptNode(element.removeAttributeNode(attribute));
}
