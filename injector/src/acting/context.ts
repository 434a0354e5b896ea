/**
 * What the executor needs of the rest: what is true of the session that there is, if there is one.
 */

import type { ActingPage } from "../customer/acting.ts";
import type { ExecutorContext } from "../customer/executor.ts";

export function contextOf({ stage, roots, realms, extras, words, session }: ActingPage): ExecutorContext {
  const recorder = () => session()?.recorder;
  return {
    host: stage.host,
    stage,
    session,
    roots,
    realms,
    words,
    agentName: () => session()?.agentName ?? "",
    epoch: () => recorder()?.epoch ?? 0,
    node: (id) => recorder()?.known.node(id),
    knows: (node) => !!recorder()?.known.id(node),
    isPrivate(element) {
      const now = session();
      return !now || now.marks.within(element, /masked|hidden/) || now.withholding.isPassword(element);
    },
    topLayer: () => recorder()?.topLayer ?? [],
    retell: (element) => recorder()?.retell(element),
    send: (message) => session()?.send(message),
    answer(seq, refused, at) {
      recorder()?.flush();
      const node = at && recorder()?.known.id(at.node);
      session()?.send({ type: "acted", seq, refused, at: at && node ? { node, offset: at.offset } : null });
    },
    stopped: (reason) => session()?.send({ type: "stopped", reason }),
    ownSheet: (sheet) => extras.own.add(sheet),
  };
}
