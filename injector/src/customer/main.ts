/**
 * The customer's part of a session, loaded by the loader when one starts or goes on.
 *
 * Hooks into the page's functions are put in once and only mark what has changed; without a session they do nothing.
 */

import type { Asks } from "../asks/main.ts";
import type { BundleScript } from "../loader/bridge.ts";
import { Acting, type MakeExecutor } from "./acting.ts";
import { isElement, Roots } from "./dom.ts";
import { Notices } from "./notices.ts";
import { Realms } from "./realms.ts";
import { Session } from "./session.ts";
import { Extras } from "./sheet-hooks.ts";
import { Stage } from "./stage.ts";
import { begin, refusal } from "./start.ts";
import { watch } from "./watch.ts";
import style from "./widget/widget.inline.css";

function run(script: BundleScript | null): void {
  const bridge = script?.tandem;
  if (!bridge) return;
  const roots = new Roots();
  const realms = new Realms();
  const extras = new Extras();
  const notices = new Notices();
  const stage = new Stage(bridge.host, bridge.root, bridge.look);
  stage.dress(style);
  let session: Session | null = null;

  const top = (self: unknown): void => {
    // Our own element and dialog are not the page's.
    if (!isElement(self) || self === bridge.host || self.getRootNode() === bridge.root) return;
    if (self.localName === "dialog" || self.hasAttribute("popover")) session?.topChanged(self);
  };
  realms.each((realm) => watch(realm, { roots, extras, notices, recorder: () => session?.recorder, top }));
  // Dialogs and popovers that people or attributes open or close.
  for (const name of ["toggle", "close"] as const) {
    realms.listen(name, (event) => top(event.composedPath()[0]));
  }

  const acting = new Acting(
    { stage, roots, realms, extras, words: () => bridge.words, session: () => session },
    () => bridge.load<MakeExecutor>("acting"),
  );

  const join = (sessionId: string): Session => {
    const { words } = bridge;
    stage.speak(words.language);
    session = new Session(
      sessionId,
      {
        bridge,
        stage,
        roots,
        realms,
        extras,
        notices,
        agentHas: (element) => acting.has(element),
        words,
        ended: () => {
          session = null;
        },
      },
      acting,
    );
    return session;
  };

  bridge.provide({
    async start(about) {
      const { words } = bridge;
      if (words.terms) {
        stage.speak(words.language);
        const accepted = (await bridge.load<Asks>("asks")).terms(stage, words, words.terms);
        if (!(await accepted)) throw refusal("declined", "The customer did not accept the terms");
      }
      const sessionId = await begin(words, about);
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
