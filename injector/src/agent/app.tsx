/**
 * Decides which screen is shown: log in, join, or the session that the address names.
 *
 * The address is the truth of where the agent is; logging in never loses it. A token in its fragment is used once
 * and taken out of it at once, so that it stays in no history.
 */

import { useSignal } from "@preact/signals";
import { useCallback, useEffect } from "preact/hooks";
import type { Me, Problem } from "../protocol/words.ts";
import { ADMIN_PAGES, type AdminPage, AdminScreen, adminPath } from "./admin/admin.tsx";
import { JoinScreen } from "./join.tsx";
import { LoginScreen } from "./login.tsx";
import * as server from "./server.ts";
import { SessionScreen } from "./session.tsx";
import { parseSessionId } from "./session-id.ts";
import { words } from "./words.ts";

type Place =
  | { at: "join"; typed: string; problem: Problem | null }
  /** The ID of the address is being looked up. */
  | { at: "opening"; id: string }
  | { at: "session"; id: string }
  | { at: "admin"; page: AdminPage };

export function App() {
  const me = useSignal<Me | null | "unknown">("unknown");
  const refused = useSignal<Problem | null>(null);
  const place = useSignal<Place>(placeOf(location.pathname));

  const go = useCallback((next: Place, entry: "new" | "same" = "new") => {
    const path = pathOf(next);
    if (location.pathname !== path) {
      if (entry === "new") history.pushState(null, "", path);
      else history.replaceState(null, "", path);
    }
    place.value = next;
  }, []);

  useEffect(() => {
    const token = takeToken();
    if (token === null) {
      void server.me().then((answer) => {
        me.value = answer.ok ? answer.value : null;
      });
    } else {
      void server.token(token).then((answer) => {
        if (answer.ok && answer.value.sessionId !== null) {
          go({ at: "opening", id: answer.value.sessionId }, "same");
        }
        if (!answer.ok) refused.value = answer.problem;
        me.value = answer.ok ? answer.value.me : null;
      });
    }
    const moved = () => {
      place.value = placeOf(location.pathname);
    };
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);

  const here = place.value;
  const known = me.value;
  useEffect(() => {
    document.title = "id" in here ? `${here.id} · ${words.product}` : words.product;
  }, [here]);

  useEffect(() => {
    if (here.at !== "opening" || known === null || known === "unknown") return;
    let stale = false;
    void server.session(here.id).then((answer) => {
      if (stale) return;
      if (answer.ok) go({ at: "session", id: answer.value.sessionId }, "same");
      else if (answer.problem.error === "login_needed") me.value = null;
      else go({ at: "join", typed: here.id, problem: answer.problem }, "same");
    });
    return () => {
      stale = true;
    };
  }, [here, known]);

  const loginNeeded = useCallback(() => {
    me.value = null;
    place.value = placeOf(location.pathname);
  }, []);

  if (known === "unknown") return <div class="blank" />;
  if (known === null) {
    return (
      <LoginScreen
        problem={refused.value}
        onLogin={(agent) => {
          me.value = agent;
        }}
      />
    );
  }
  switch (here.at) {
    case "opening":
      return (
        <main class="card-screen">
          <p class="quiet">{words.join.busy}</p>
        </main>
      );
    case "session":
      return (
        <SessionScreen
          key={here.id}
          id={here.id}
          me={known}
          onLeave={() => go({ at: "join", typed: "", problem: null })}
          onLoginNeeded={loginNeeded}
        />
      );
    case "admin":
      return (
        <AdminScreen
          me={known}
          page={here.page}
          onPage={(page) => go({ at: "admin", page })}
          onLeave={() => go({ at: "join", typed: "", problem: null })}
          onLoginNeeded={loginNeeded}
        />
      );
    case "join":
      return (
        <JoinScreen
          key={`${here.typed} ${here.problem?.error}`}
          me={known}
          typed={here.typed}
          problem={here.problem}
          onJoin={(id) => go({ at: "session", id })}
          onLoginNeeded={loginNeeded}
          onAdminister={known.role === "admin" ? () => go({ at: "admin", page: "sessions" }) : null}
          onLogOut={() => {
            void server.logout();
            me.value = null;
            go({ at: "join", typed: "", problem: null });
          }}
        />
      );
  }
}

/** The token in the address, which holds it no longer. */
function takeToken(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token !== null) history.replaceState(null, "", location.pathname);
  return token;
}

function pathOf(place: Place): string {
  switch (place.at) {
    case "join":
      return "/";
    case "admin":
      return adminPath(place.page);
    case "opening":
    case "session":
      return `/session/${place.id}`;
  }
}

function placeOf(path: string): Place {
  const administered = ADMIN_PAGES.find((page) => adminPath(page) === path);
  if (administered) return { at: "admin", page: administered };
  const named = /^\/session\/([^/]+)\/?$/.exec(path)?.[1];
  if (named === undefined) return { at: "join", typed: "", problem: null };
  const id = parseSessionId(named);
  return id
    ? { at: "opening", id }
    : { at: "join", typed: named, problem: { error: "no_such_session", retryAfter: null } };
}
