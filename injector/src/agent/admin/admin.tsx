/**
 * The administrators' pages: how the server is set up and what it does. One page for each subject, by address.
 *
 * What is shown comes from the server, which answers administrators only; nothing is decided here.
 */

import type { Me } from "../../protocol/words.ts";
import { Mark } from "../icons.tsx";
import { words as console_ } from "../words.ts";
import { PoliciesPage } from "./policies.tsx";
import { words } from "./words.ts";

type Props = { me: Me; onLeave: () => void; onLoginNeeded: () => void };

export function AdminScreen({ me, onLeave, onLoginNeeded }: Props) {
  return (
    <div class="admin">
      <header class="bar">
        <Mark />
        <h1>{words.title}</h1>
        <nav aria-label={words.pages}>
          <a href="/admin" aria-current="page">
            {words.policies}
          </a>
        </nav>
        <span class="quiet">{console_.join.loggedInAs(me.name)}</span>
        <button type="button" class="button" onClick={onLeave}>
          {words.back}
        </button>
      </header>
      <main>
        <PoliciesPage onLoginNeeded={onLoginNeeded} />
      </main>
    </div>
  );
}
