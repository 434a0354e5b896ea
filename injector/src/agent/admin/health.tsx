/**
 * How the server is, in some numbers. For more there is `/metrics`.
 */

import { usePolled } from "../polled.ts";
import * as server from "../server.ts";
import { Report } from "./report.tsx";
import { words } from "./words.ts";

/** How often they are read while the page is looked at, in milliseconds. */
const PAUSE = 2000;

export function HealthPage({ onLoginNeeded }: { onLoginNeeded: () => void }) {
  const health = usePolled(server.health, PAUSE, onLoginNeeded);
  return (
    <Report of={health}>
      {(now) => {
        const said = words.health;
        const facts: [string, string][] = [
          [said.version, now.version],
          [said.age, words.span(now.age)],
          [said.sessions, said.of(words.number(now.sessions), words.number(now.sessionLimit))],
          [
            said.memory,
            now.memory === null ? "–" : said.mebibytes(words.number(Math.round(now.memory / 1024))),
          ],
          [said.policies, now.policiesBroken ? said.broken : said.good],
          [said.agentResyncs, words.number(now.agentResyncs)],
          [said.customerResyncs, words.number(now.customerResyncs)],
          [said.divergences, words.number(now.divergences)],
        ];
        const well = !now.stopping && !now.policiesBroken && now.divergences === 0;
        return (
          <>
            <section class="summary">
              <h2 class={well ? "well" : "unwell"}>
                {now.stopping ? said.stopping : well ? said.well : said.unwell}
              </h2>
              <p class="quiet">{said.lead}</p>
            </section>
            <dl class="facts panel">
              {facts.map(([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
          </>
        );
      }}
    </Report>
  );
}
