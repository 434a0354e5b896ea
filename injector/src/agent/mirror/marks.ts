/**
 * Shows on the mirrored elements what the agent must know about them: masked, hidden, disabled, not shown.
 *
 * The page can not set, fake or style away these marks: the attributes are ours and the rules important.
 */

import type { Refusal } from "../../protocol/words.ts";
import { words } from "../words.ts";
import { OWN } from "./attributes.ts";
import { above } from "./frames.ts";
import type { Marks } from "./view-frame.ts";

/** Sits in the mirror's documents and in every shadow root. The page's size is that without its scroll bars. */
export function ownStyles(where: "page" | "frame"): string {
  const hatch =
    "repeating-linear-gradient(135deg,#c9ced6 0 6px,#bcc2cc 6px 12px)!important;background-attachment:local!important";
  const bare = "html{scrollbar-width:none!important}\nhtml::-webkit-scrollbar{display:none!important}";
  return `
${where === "page" ? bare : ""}
*{overflow-anchor:none!important}
noscript{display:none!important}
[${OWN.mark}~=masked]{outline:1px dashed #8a7bd0!important;outline-offset:1px!important}
[${OWN.mark}~=hidden]{background:${hatch};color:transparent!important;border-color:transparent!important;
  border-radius:4px;box-sizing:border-box!important;min-width:1em;min-height:1em;cursor:help!important}
[${OWN.mark}~=hidden]>*{visibility:hidden!important}
[${OWN.mark}~=placeholder]{box-sizing:border-box!important;background-color:#e4e7ec!important;
  background-repeat:no-repeat!important;background-position:center!important;background-size:min(180px,92%) auto!important;
  outline:1px solid #c3c9d2!important;outline-offset:-1px!important}
[${OWN.mark}~=picture]{box-sizing:border-box!important}
canvas>img[${OWN.picture}]{all:initial!important;display:block!important;width:100%!important;height:100%!important;
  object-fit:inherit!important;object-position:inherit!important;image-rendering:inherit!important;pointer-events:none!important}
video:not([controls])::-webkit-media-controls{display:none!important}
${["frame", "drawing", "media", "other"].map(placeholder).join("\n")}
:where(canvas,div[${OWN.mark}~=frame]){display:inline-block}
iframe[${OWN.mark}~=placeholder]{pointer-events:none!important}
[${OWN.mark}~=disabled],[${OWN.mark}~=disabled] *{cursor:not-allowed!important}
[${OWN.inline}]{display:inline-block!important}
[${OWN.inline}][${OWN.mark}~=hidden]{vertical-align:text-bottom!important}
[${OWN.fullscreen}]{position:fixed!important;inset:0!important;margin:0!important;box-sizing:border-box!important;
  min-width:0!important;max-width:none!important;min-height:0!important;max-height:none!important;width:100%!important;
  height:100%!important;transform:none!important;object-fit:contain;border:0;padding:0}
@layer tandem{
  ::highlight(tandem-selection){background-color:Highlight;color:HighlightText}
  [${OWN.focusVisible}]{outline:auto 1px -webkit-focus-ring-color}
  select:is([multiple],[size])[${OWN.focus}] option:checked{background-color:#1967d2;color:#fff}
  [${OWN.autofill}]{background-color:rgb(232,240,254);background-color:light-dark(rgb(232,240,254),rgba(70,90,126,.4))}
}
`;
}

type Placeholder = "frame" | "drawing" | "media" | "other";

function placeholder(kind: string): string {
  const label = words.placeholder[kind as Placeholder];
  const picture =
    `<svg xmlns="http://www.w3.org/2000/svg" width="180" height="24" viewBox="0 0 180 24"><text x="90" y="16" fill="#667085" ` +
    `font-family="system-ui,sans-serif" font-size="13" text-anchor="middle">${label}</text></svg>`;
  return `[${OWN.mark}~=${kind}]{background-image:url("data:image/svg+xml,${encodeURIComponent(picture)}")!important}`;
}

function placeholderKind(element: string): Placeholder {
  switch (element) {
    case "iframe":
    case "frame":
    case "object":
    case "embed":
      return "frame";
    case "canvas":
      return "drawing";
    case "video":
    case "audio":
      return "media";
    default:
      return "other";
  }
}

/** Puts the marks on a new element. `name` is what the element is called in the customer's page. */
export function mark(element: Element, name: string, marks: Marks): void {
  const tokens: string[] = [];
  if (marks.masked) tokens.push("masked");
  if (marks.hidden) tokens.push("hidden");
  if (marks.disabled) tokens.push("disabled");
  if (marks.placeholder) tokens.push("placeholder", placeholderKind(name));
  if (tokens.length === 0) return;
  element.setAttribute(OWN.mark, tokens.join(" "));
  const tooltip = tooltipOf(marks);
  if (tooltip) element.setAttribute("title", tooltip);
}

function tooltipOf(marks: Marks): string | null {
  if (marks.masked || marks.hidden) return words.tooltip.private;
  return marks.disabled ? words.tooltip.disabled : null;
}

/** Whether the element's tooltip is ours and the page's is to be left out. */
export function ownsTooltip(element: Element): boolean {
  const tokens = element.getAttribute(OWN.mark);
  return tokens !== null && /masked|hidden|disabled/.test(tokens);
}

/** Says in place of what an element shows that it can not be shown, or that it is shown. */
export function markUnshown(element: Element, unshown: boolean): void {
  const others = (element.getAttribute(OWN.mark) ?? "")
    .split(" ")
    .filter((token) => token && !/^(placeholder|picture|drawing|media)$/.test(token));
  const own = unshown ? ["placeholder", placeholderKind(element.localName)] : ["picture"];
  element.setAttribute(OWN.mark, [...others, ...own].join(" "));
}

/** Whether nothing of the element is shown. */
export function isHidden(element: Element | null): boolean {
  return element?.getAttribute(OWN.mark)?.includes("hidden") === true;
}

/** Whether what the element shows is bullets. */
export function isMasked(element: Element): boolean {
  return element.getAttribute(OWN.mark)?.includes("masked") === true;
}

/** How many places of the page the agent does not see, and how many controls they can not use. */
export type Withheld = { private: number; off: number };

/** Counts what is withheld in one document or shadow root; a place within another one is none of its own, nor is what nobody sees. */
export function countWithheld(root: ParentNode): Withheld {
  const outermost = (tokens: string[]): number => {
    const marked = `:is(${tokens.map((token) => `[${OWN.mark}~=${token}]`).join()})`;
    return root.querySelectorAll(`${marked}:not(${marked} *,input[type=hidden])`).length;
  };
  return { private: outermost(["masked", "hidden"]), off: outermost(["disabled"]) };
}

/** Why an agent may not use this node, as far as the mirror knows; the server decides. */
export function refusalOf(node: Node | null): Refusal | null {
  let at = node;
  while (at && at.nodeType !== 1) at = above(at);
  // Every element is marked by itself: within what is masked by default there may be something to use.
  const tokens = (at as Element | null)?.getAttribute(OWN.mark) ?? "";
  if (/masked|hidden/.test(tokens)) return "private";
  return /disabled/.test(tokens) ? "disabled" : null;
}

/** Elements that take a size where they stand in a line. A canvas does not: where no scripts run it is a plain element. */
const REPLACED = /^(img|iframe|video|audio|input|textarea|select|svg|meter|progress)$/;

/** Gives a box the size that the element has in the customer's page. */
export function setBox(element: Element, width: number, height: number): void {
  if (!("style" in element)) return;
  const view = element.ownerDocument.defaultView;
  // It may have become a block since.
  element.removeAttribute(OWN.inline);
  const inLine = !REPLACED.test(element.localName);
  if (inLine && view && element.isConnected && view.getComputedStyle(element).display === "inline") {
    element.setAttribute(OWN.inline, "");
  }
  const style = (element as HTMLElement).style;
  style.setProperty("width", `${width}px`, "important");
  style.setProperty("height", `${height}px`, "important");
  if (element.getAttribute(OWN.mark)?.includes("hidden")) {
    style.setProperty("min-width", "0", "important");
    style.setProperty("min-height", "0", "important");
  }
}
