/**
 * Everybody who may log in, or is logged in: what they may do, where they are, and a way to log them out.
 */

import { useSignal } from "@preact/signals";
import { usePolled } from "../polled.ts";
import * as server from "../server.ts";
import { Confirm } from "./confirm.tsx";
import { Report } from "./report.tsx";
import { words } from "./words.ts";

/** How often they are read while the page is looked at, in milliseconds. */
const PAUSE = 3000;

export function AgentsPage({ onLoginNeeded }: { onLoginNeeded: () => void }) {
  const list = usePolled(server.agentList, PAUSE, onLoginNeeded);
  const leaving = useSignal<string | null>(null);
  const logOut = async () => {
    const name = leaving.value;
    leaving.value = null;
    if (name === null) return;
    await server.logOutAgent(name);
    list.again();
  };
  return (
    <Report of={list}>
      {({ agents }) => (
        <>
          <section class="summary">
            <h2>{words.agents.count(agents.filter((agent) => agent.logins > 0).length, agents.length)}</h2>
            <p class="quiet">{words.agents.lead}</p>
          </section>
          <section class="panel" aria-label={words.page.agents}>
            <table>
              <thead>
                <tr>
                  <th>{words.agents.name}</th>
                  <th>{words.agents.role}</th>
                  <th>{words.agents.logins}</th>
                  <th>{words.agents.sessions}</th>
                  <td />
                </tr>
              </thead>
              <tbody>
                {agents.map((agent) => (
                  <tr key={agent.name}>
                    <td>
                      {agent.name}
                      {!agent.filed && <small>{words.agents.guest}</small>}
                    </td>
                    <td>{words.agents.roles[agent.role]}</td>
                    <td>
                      {agent.logins > 0 ? (
                        <span class="chip state-pointer">{words.agents.loggedIn(agent.logins)}</span>
                      ) : (
                        "–"
                      )}
                    </td>
                    <td class="fixed">
                      <bdi dir="ltr">{agent.sessions.join(", ") || "–"}</bdi>
                    </td>
                    <td class="does">
                      <button
                        type="button"
                        class="button"
                        disabled={agent.logins === 0}
                        aria-label={words.agents.logOutOf(agent.name)}
                        onClick={() => {
                          leaving.value = agent.name;
                        }}
                      >
                        {words.agents.logOut}
                      </button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
          {leaving.value !== null && (
            <Confirm
              title={words.agents.logOutTitle(leaving.value)}
              lead={words.agents.logOutLead}
              action={words.agents.logOut}
              onYes={logOut}
              onNo={() => {
                leaving.value = null;
              }}
            />
          )}
        </>
      )}
    </Report>
  );
}
