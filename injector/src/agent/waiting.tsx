/**
 * The sessions that this agent can join without being told an ID, where the server lists them.
 */

import type { WaitingSession } from "../protocol/words.ts";
import { usePolled } from "./polled.ts";
import * as server from "./server.ts";
import { words } from "./words.ts";

/** How often they are read while the page is looked at, in milliseconds. */
const PAUSE = 3000;

type Props = { watches: boolean; onJoin: (id: string) => void; onLoginNeeded: () => void };

export function WaitingList({ watches, onJoin, onLoginNeeded }: Props) {
  const list = usePolled(server.waiting, PAUSE, onLoginNeeded, (answer) => answer.sessions === null);
  const sessions = list.value?.sessions;
  if (!sessions) return null;
  const said = watches ? words.waiting.watch : words.waiting.join;
  return (
    <section class="waiting" aria-label={said.title}>
      <h2>{said.title}</h2>
      {sessions.length === 0 && <p class="quiet">{said.none}</p>}
      <ul>
        {sessions.map((session) => (
          <li key={session.sessionId}>
            <div>
              <strong dir="ltr">{session.sessionId}</strong> <span class="quiet">{about(session)}</span>
              <Attached session={session} />
            </div>
            <button
              type="button"
              class="button"
              aria-label={`${said.action} ${session.sessionId}`}
              onClick={() => onJoin(session.sessionId)}
            >
              {said.action}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function about({ age, agentName }: WaitingSession): string {
  const since = words.waiting.since(age);
  return agentName === null ? since : `${agentName} · ${since}`;
}

function Attached({ session }: { session: WaitingSession }) {
  const entries = Object.entries(session.metadata);
  if (session.interactionId === null && entries.length === 0) return null;
  return (
    <p class="attached">
      {session.interactionId !== null && <span>{session.interactionId}</span>}
      {entries.map(([key, value]) => (
        <span key={key}>
          {key}: {value}
        </span>
      ))}
    </p>
  );
}
