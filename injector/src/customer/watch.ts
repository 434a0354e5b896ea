/**
 * Hooks into the functions of one realm that change what people see and no event tells.
 *
 * They only mark what has changed; without a session they do nothing.
 */

import { isElement, type Roots } from "./dom.ts";
import { hook } from "./hooks.ts";
import { hookMotion } from "./moving.ts";
import { hookNotices, type Notices } from "./notices.ts";
import type { Realm } from "./realms.ts";
import type { Recorder } from "./recorder.ts";
import { type Extras, hookSheets } from "./sheet-hooks.ts";

/** What the hooks tell. */
export interface Watcher {
  readonly roots: Roots;
  readonly extras: Extras;
  readonly notices: Notices;
  /** Of the running epoch. */
  recorder(): Recorder | null | undefined;
  /** An element may have come to, or left, the top layer. */
  top(element: unknown): void;
}

/** What changes the state of a control without an event. */
const CONTROLS: ReadonlyArray<
  readonly [
    "HTMLInputElement" | "HTMLTextAreaElement" | "HTMLSelectElement" | "HTMLOptionElement",
    readonly string[],
  ]
> = [
  [
    "HTMLInputElement",
    [
      "value",
      "valueAsNumber",
      "valueAsDate",
      "checked",
      "indeterminate",
      "setRangeText",
      "stepUp",
      "stepDown",
    ],
  ],
  ["HTMLTextAreaElement", ["value", "setRangeText"]],
  ["HTMLSelectElement", ["value", "selectedIndex"]],
  ["HTMLOptionElement", ["selected"]],
];

/** Hooks a realm; once for each. */
export function watch(realm: Realm, { roots, extras, notices, recorder, top }: Watcher): void {
  for (const [kind, names] of CONTROLS) {
    for (const name of names) {
      hook(realm[kind].prototype, name, {
        after: (self) => {
          if (isElement(self)) recorder()?.markControl(self.closest("select") ?? self);
        },
      });
    }
  }
  const attached = (host: Element, root: ShadowRoot): void => {
    roots.keep(host, root);
    recorder()?.attached(host);
  };
  // A window that is written by script, `about:blank` say, has no loader.
  if (!roots.learn(realm, attached)) {
    hook(realm.Element.prototype, "attachShadow", {
      after: (self, root) => attached(self as Element, root as ShadowRoot),
    });
  }
  extras.hook(realm, () => recorder()?.restyled("extras", realm.document));
  hookSheets(realm, (how, what) => recorder()?.restyled(how, what));
  hookMotion(realm, (root, what) => recorder()?.moves(root, what));
  hookNotices(realm, notices);
  hook(realm.HTMLSlotElement.prototype, "assign", { after: () => recorder()?.schedule() });
  for (const name of ["pushState", "replaceState"]) {
    hook(realm.History.prototype, name, { after: () => recorder()?.schedule() });
  }
  for (const name of ["show", "showModal", "close", "requestClose"])
    hook(realm.HTMLDialogElement.prototype, name, { after: top });
  for (const name of ["showPopover", "hidePopover", "togglePopover"])
    hook(realm.HTMLElement.prototype, name, { after: top });
}
