/**
 * The sessions that live: how each stands, who is in it, and a way to end it.
 */

import { useSignal } from "@preact/signals";
import type { LiveSession } from "../../protocol/words.ts";
import { usePolled } from "../polled.ts";
import * as server from "../server.ts";
import { Confirm } from "./confirm.tsx";
import { Report } from "./report.tsx";
import { words } from "./words.ts";

/** How often they are read while the page is looked at, in milliseconds. */
const PAUSE = 2000;

export function SessionsPage({ onLoginNeeded }: { onLoginNeeded: () => void }) {
  const list = usePolled(server.liveSessions, PAUSE, onLoginNeeded);
  const ending = useSignal<string | null>(null);
  const end = async () => {
    const id = ending.value;
    ending.value = null;
    if (id === null) return;
    await server.endSession(id);
    list.again();
  };
  return (
    <Report of={list}>
      {({ sessions, count }) => (
        <>
          <section class="summary">
            <h2>{words.sessions.count(count)}</h2>
            {count > sessions.length && <p class="quiet">{words.sessions.newest(sessions.length)}</p>}
            {count === 0 && <p class="quiet">{words.sessions.none}</p>}
          </section>
          {sessions.length > 0 && (
            <section class="panel" aria-label={words.page.sessions}>
              <table>
                <thead>
                  <tr>
                    <th>{words.sessions.id}</th>
                    <th>{words.sessions.state}</th>
                    <th>{words.sessions.since}</th>
                    <th>{words.sessions.agent}</th>
                    <th>{words.sessions.page}</th>
                    <td />
                  </tr>
                </thead>
                <tbody>
                  {sessions.map((session) => (
                    <Row
                      key={session.sessionId}
                      session={session}
                      onEnd={() => (ending.value = session.sessionId)}
                    />
                  ))}
                </tbody>
              </table>
            </section>
          )}
          {ending.value !== null && (
            <Confirm
              title={words.sessions.endTitle(ending.value)}
              lead={words.sessions.endLead}
              action={words.sessions.end}
              onYes={end}
              onNo={() => {
                ending.value = null;
              }}
            />
          )}
        </>
      )}
    </Report>
  );
}

function Row({ session, onEnd }: { session: LiveSession; onEnd: () => void }) {
  const { interactionId, watchers, page } = session;
  return (
    <tr>
      <td class="fixed">
        <bdi dir="ltr">{session.sessionId}</bdi>
        {interactionId && <small>{interactionId}</small>}
      </td>
      <td>
        {states(session).map((state) => (
          <span key={state} class={`chip state-${state}`}>
            {words.sessions.states[state]}
          </span>
        ))}
      </td>
      <td class="fixed">{words.span(session.age)}</td>
      <td>
        {session.agentName ?? "–"}
        {watchers.length > 0 && <small>{words.sessions.watched(watchers)}</small>}
      </td>
      <td class="place">
        <bdi dir="ltr">{page ?? "–"}</bdi>
      </td>
      <td class="does">
        <button
          type="button"
          class="button danger"
          aria-label={words.sessions.endOf(session.sessionId)}
          onClick={onEnd}
        >
          {words.sessions.end}
        </button>
      </td>
    </tr>
  );
}

type State = keyof typeof words.sessions.states;

function states(session: LiveSession): State[] {
  const all: State[] = [session.phase === "idle" ? "waiting" : session.mode];
  if (session.paused) all.push("paused");
  if (session.customer === "away") all.push("customerAway");
  if (session.agent === "away") all.push("agentAway");
  return all;
}
