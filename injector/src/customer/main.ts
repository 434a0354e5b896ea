/**
 * The customer's part of a session, loaded by the loader when one starts or goes on.
 *
 * Hooks into the page's functions are put in once and only mark what has changed; without a session they do nothing.
 */

import type { BundleScript } from "../loader/bridge.ts";
import type { Started } from "../protocol/words.ts";
import { isElement, Roots } from "./dom.ts";
import { Executor } from "./executor.ts";
import { hook } from "./hooks.ts";
import { Session } from "./session.ts";
import { Stage } from "./stage.ts";
import { ENGLISH } from "./words.ts";

/** What changes the state of a control without an event. */
const CONTROL_HOOKS: ReadonlyArray<[object, readonly string[]]> = [
  [
    HTMLInputElement.prototype,
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
  [HTMLTextAreaElement.prototype, ["value", "setRangeText"]],
  [HTMLSelectElement.prototype, ["value", "selectedIndex"]],
  [HTMLOptionElement.prototype, ["selected"]],
];

function run(script: BundleScript | null): void {
  const bridge = script?.tandem;
  if (!bridge) return;
  const roots = new Roots();
  const stage = new Stage(bridge.host, bridge.root);
  let session: Session | null = null;

  for (const [prototype, names] of CONTROL_HOOKS) {
    for (const name of names) {
      hook(prototype, name, {
        after: (self) => {
          if (!isElement(self)) return;
          session?.recorder?.markControl(self.closest("select") ?? self);
        },
      });
    }
  }
  hook(Element.prototype, "attachShadow", {
    after: (self, root) => {
      roots.keep(self as Element, root as ShadowRoot);
      session?.recorder?.attached(self as Element);
    },
  });
  for (const name of ["insertRule", "deleteRule", "addRule", "removeRule", "replaceSync", "replace"]) {
    hook(CSSStyleSheet.prototype, name, {
      after: (self, result) => {
        const mark = () => session?.recorder?.markSheet(self as CSSStyleSheet);
        mark();
        if (result instanceof Promise) result.then(mark, () => {});
      },
    });
  }
  for (const name of ["insertRule", "deleteRule"]) {
    hook(CSSGroupingRule.prototype, name, {
      after: (self) => {
        const sheet = (self as CSSRule).parentStyleSheet;
        if (sheet) session?.recorder?.markSheet(sheet);
      },
    });
  }
  for (const name of ["pushState", "replaceState"]) {
    hook(History.prototype, name, { after: () => session?.recorder?.schedule() });
  }
  const top = (self: unknown): void => {
    // Our own element and dialog are not the page's.
    if (!isElement(self) || self === bridge.host || self.getRootNode() === bridge.root) return;
    if (self.localName === "dialog" || self.hasAttribute("popover")) session?.topChanged(self);
  };
  for (const name of ["show", "showModal", "close", "requestClose"])
    hook(HTMLDialogElement.prototype, name, { after: top });
  for (const name of ["showPopover", "hidePopover", "togglePopover"])
    hook(HTMLElement.prototype, name, { after: top });
  // Dialogs and popovers that people or attributes open or close.
  for (const name of ["toggle", "close"]) {
    addEventListener(name, (event) => top(event.composedPath()[0]), { capture: true, passive: true });
  }

  const executor = new Executor({
    host: bridge.host,
    roots,
    node: (id) => session?.recorder?.known.node(id),
    isPrivate: (element) => session?.isPrivate(element) ?? true,
    topLayer: () => session?.recorder?.topLayer ?? [],
    retell: (element) => session?.recorder?.retell(element),
    answer: (seq, refused) => session?.answer(seq, refused),
  });

  const join = (sessionId: string): Session => {
    session = new Session(
      sessionId,
      {
        bridge,
        stage,
        roots,
        words: ENGLISH,
        ended: () => {
          session = null;
        },
      },
      executor,
    );
    return session;
  };

  bridge.provide({
    async start() {
      const answer = await fetch("/.tandem/session", { method: "POST", headers: { Tandem: "1" } });
      if (!answer.ok) throw new Error(`Tandem could not start a session: ${answer.status}`);
      const { sessionId } = (await answer.json()) as Started;
      bridge.mark(sessionId);
      join(sessionId).focus();
      return sessionId;
    },
    resume(sessionId) {
      join(sessionId);
    },
    exit() {
      session?.exit();
    },
  });
}

run(document.currentScript as BundleScript | null);
