/**
 * Asks before something is done that can not be undone. Escape means no.
 */

import { useEffect, useRef } from "preact/hooks";
import { words } from "./words.ts";

type Props = { title: string; lead: string; action: string; onYes: () => void; onNo: () => void };

export function Confirm({ title, lead, action, onYes, onNo }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="confirm" aria-labelledby="confirm-title" onClose={onNo}>
      <div>
        <h2 id="confirm-title">{title}</h2>
        <p>{lead}</p>
        <footer>
          {/* First, and so with the focus: Enter pressed too soon does nothing. */}
          <button type="button" class="button" onClick={onNo}>
            {words.cancel}
          </button>
          <button type="button" class="button danger" onClick={onYes}>
            {action}
          </button>
        </footer>
      </div>
    </dialog>
  );
}
