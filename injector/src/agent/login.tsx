/**
 * The screen to log in.
 */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Me, Problem } from "../protocol/words.ts";
import { Brand } from "./icons.tsx";
import { ProblemText } from "./problem.tsx";
import * as server from "./server.ts";
import { words } from "./words.ts";

type Props = {
  /** Why somebody did not come in without a password. */
  problem: Problem | null;
  onLogin: (me: Me) => void;
};

export function LoginScreen({ problem: given, onLogin }: Props) {
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(given);
  const username = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy.value) return;
    busy.value = true;
    problem.value = null;
    const answer = await server.login({
      username: username.current?.value ?? "",
      password: password.current?.value ?? "",
    });
    busy.value = false;
    if (answer.ok) return onLogin(answer.value);
    problem.value = answer.problem;
    password.current?.select();
  };

  return (
    <main class="card-screen">
      <form class="card" onSubmit={submit}>
        <Brand />
        <h1>{words.login.title}</h1>
        <p class="lead">{words.login.lead}</p>
        <label class="field">
          <span>{words.login.username}</span>
          <input ref={username} name="username" autocomplete="username" required autofocus />
        </label>
        <label class="field">
          <span>{words.login.password}</span>
          <input ref={password} name="password" type="password" autocomplete="current-password" required />
        </label>
        <ProblemText problem={problem.value} />
        <button type="submit" class="button primary wide" aria-busy={busy.value}>
          {busy.value ? words.login.busy : words.login.submit}
        </button>
      </form>
    </main>
  );
}
