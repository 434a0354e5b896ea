/**
 * The screen of a session: the bar, the page, and what is said over or in place of the page.
 */

import { useEffect, useMemo } from "preact/hooks";
import type { Me } from "../protocol/words.ts";
import { EndsSoon } from "./countdown.tsx";
import { SessionBar } from "./session-bar.tsx";
import { SessionModel } from "./session-model.ts";
import { Stage } from "./stage.tsx";
import { TabStrip } from "./tab-strip.tsx";
import { words } from "./words.ts";

type Props = { id: string; me: Me; onLeave: () => void; onLoginNeeded: () => void };

export function SessionScreen({ id, me, onLeave, onLoginNeeded }: Props) {
  const model = useMemo(() => new SessionModel(id, onLoginNeeded, me.role === "supervisor"), [id]);
  useEffect(() => {
    const hurry = () => model.hurry();
    addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
    return () => {
      removeEventListener("online", hurry);
      document.removeEventListener("visibilitychange", hurry);
      model.stop();
    };
  }, [model]);

  const over = overOf(model);
  return (
    <div class="session" data-mode={over ? "pointer" : (model.status.value?.mode ?? "pointer")}>
      <SessionBar model={model} me={me} over={over !== null} onLeave={onLeave} />
      {!over && <TabStrip model={model} />}
      {over ? (
        <main class="stage">
          <Over over={over} onLeave={onLeave} onReconnect={() => model.reopen()} />
        </main>
      ) : (
        <Stage model={model} />
      )}
      {!over && <EndsSoon model={model} />}
      <Notes model={model} />
    </div>
  );
}

/** Why there is no page any more. */
type OverText = { title: string; text: string; again: string | null };

function overOf(model: SessionModel): OverText | null {
  const { page } = words;
  const link = model.link.value;
  const ended = model.status.value?.ended ?? (typeof link === "string" ? null : link.reason);
  if (ended) return { title: page.endedTitle, text: words.ended[ended] ?? words.ended.error, again: null };
  if (typeof link === "string") return null;
  switch (link.closed) {
    case "ended": {
      const problem = link.problem?.error ?? "session_ended";
      const title = problem === "session_ended" ? page.endedTitle : page.unknownTitle;
      return { title, text: words.problem[problem] ?? words.problem.unavailable, again: null };
    }
    case "elsewhere":
      return { title: page.elsewhereTitle, text: page.elsewhere, again: page.useHere };
    case "taken":
      return { title: page.takenTitle, text: page.taken, again: null };
    case "busy":
      return { title: page.busyTitle, text: words.problem.agent_busy, again: page.reconnect };
    case "broken":
    case "login":
      return { title: page.brokenTitle, text: page.broken, again: page.reconnect };
  }
}

function Over(props: { over: OverText; onLeave: () => void; onReconnect: () => void }) {
  const { title, text, again } = props.over;
  return (
    <section class="message" role="alert">
      <h1>{title}</h1>
      <p>{text}</p>
      <div class="message-buttons">
        {again && (
          <button type="button" class="button primary" onClick={props.onReconnect}>
            {again}
          </button>
        )}
        <button type="button" class={again ? "button" : "button primary"} onClick={props.onLeave}>
          {words.page.newSession}
        </button>
      </div>
    </section>
  );
}

function Notes({ model }: { model: SessionModel }) {
  return (
    <div class="notes" role="log" aria-live="polite" aria-label={words.notes.label}>
      {model.notes.value.map((note) => (
        <div key={note.key} class={`note note-${note.tone}`}>
          <span>{note.text}</span>
          <button type="button" aria-label={words.notes.dismiss} onClick={() => model.dismiss(note.key)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
