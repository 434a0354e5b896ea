/**
 * Text that the agent drags onto something to type in, from anywhere: the browser puts it in where it is dropped, and the page gets
 * it as what is pasted. What comes from the mirror itself is what the agent sees there. Nothing else is dropped.
 */

import type { Reason } from "../words.ts";
import { editable, innermost, isTextField, takesText } from "./intents.ts";
import { refusalOf } from "./marks.ts";

/** What drops need of their surroundings. */
export type DropsHost = {
  /** Whether the agent may type. */
  writes(): boolean;
  refused(reason: Reason): void;
};

/** Listens in a document of the mirror. */
export function takeDrops(document: Document, { writes, refused }: DropsHost): void {
  const on = (type: "dragstart" | "dragover" | "drop", listener: (event: DragEvent) => void) =>
    document.addEventListener(type, listener, { capture: true, passive: false });
  on("dragstart", (event) => {
    // What is selected where the agent types; all else is dragged in the page, as a gesture.
    const target = innermost(event);
    const selected = isTextField(target) || editable(target) !== null;
    const { types = [] } = event.dataTransfer ?? {};
    const isText = types.includes("text/plain") && !types.includes("text/uri-list");
    if (!writes() || !selected || !isText || refusalOf(target)) event.preventDefault();
  });
  on("dragover", (event) => {
    if (!writes() || reasonAgainst(event)) event.preventDefault();
  });
  on("drop", (event) => {
    const reason = reasonAgainst(event);
    if (!writes() || reason) event.preventDefault();
    if (!writes()) return;
    if (reason) refused(reason);
    // Who has dropped something goes on typing there. What was dragged is still what is selected now.
    else setTimeout(focusAt, 0, innermost(event));
  });
}

/** Why what is dropped does not go in; null when it does. */
function reasonAgainst(event: DragEvent): Reason | null {
  const target = innermost(event);
  const { types = [] } = event.dataTransfer ?? {};
  if (types.includes("Files")) return "files";
  const reason = refusalOf(target);
  if (reason) return reason;
  if (isTextField(target) && target.readOnly) return "disabled";
  return takesText(target) && types.includes("text/plain") ? null : "not_possible";
}

function focusAt(target: HTMLElement | null): void {
  target?.ownerDocument.defaultView?.focus();
  ((isTextField(target) ? target : editable(target)) as HTMLElement | null)?.focus({ preventScroll: true });
}
