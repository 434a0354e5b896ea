/**
 * The administrators' pages: what lives, who is there, the rules, how the server is. One page for each subject, by address.
 *
 * What is shown comes from the server, which answers administrators only; nothing is decided here.
 */

import type { Me } from "../../protocol/words.ts";
import { Mark } from "../icons.tsx";
import { words as console_ } from "../words.ts";
import { AgentsPage } from "./agents.tsx";
import { HealthPage } from "./health.tsx";
import { PoliciesPage } from "./policies.tsx";
import { SessionsPage } from "./sessions.tsx";
import { words } from "./words.ts";

/** In the order in which they are listed. The first one is at `/admin`. */
export const ADMIN_PAGES = ["sessions", "agents", "policies", "health"] as const;
export type AdminPage = (typeof ADMIN_PAGES)[number];

const pages = { sessions: SessionsPage, agents: AgentsPage, policies: PoliciesPage, health: HealthPage };

type Props = {
  me: Me;
  page: AdminPage;
  onPage: (page: AdminPage) => void;
  onLeave: () => void;
  onLoginNeeded: () => void;
};

export function AdminScreen({ me, page, onPage, onLeave, onLoginNeeded }: Props) {
  const Page = pages[page];
  return (
    <div class="admin">
      <header class="bar">
        <Mark />
        <h1>{words.title}</h1>
        <nav aria-label={words.pages}>
          {ADMIN_PAGES.map((name) => (
            <a
              key={name}
              href={adminPath(name)}
              aria-current={name === page ? "page" : undefined}
              onClick={(event) => {
                // Another tab or window is the browser's to open.
                if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
                  return;
                event.preventDefault();
                onPage(name);
              }}
            >
              {words.page[name]}
            </a>
          ))}
        </nav>
        <span class="quiet who">{console_.join.loggedInAs(me.name)}</span>
        <button type="button" class="button" onClick={onLeave}>
          {words.back}
        </button>
      </header>
      <main>
        <Page key={page} onLoginNeeded={onLoginNeeded} />
      </main>
    </div>
  );
}

export function adminPath(page: AdminPage): string {
  return page === ADMIN_PAGES[0] ? "/admin" : `/admin/${page}`;
}
