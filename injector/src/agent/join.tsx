/**
 * The screen on which an agent enters the session ID that the customer reads out.
 */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Me, Problem } from "../protocol/words.ts";
import { Brand } from "./icons.tsx";
import { ProblemText } from "./problem.tsx";
import * as server from "./server.ts";
import { groupWhileTyping, parseSessionId } from "./session-id.ts";
import { WaitingList } from "./waiting.tsx";
import { words } from "./words.ts";

type Props = {
  me: Me;
  /** What the textbox starts with, and what is wrong with it. */
  typed: string;
  problem: Problem | null;
  onJoin: (id: string) => void;
  onLoginNeeded: () => void;
  /** Only administrators have something to administer. */
  onAdminister: (() => void) | null;
  onLogOut: () => void;
};

export function JoinScreen({
  me,
  typed,
  problem: given,
  onJoin,
  onLoginNeeded,
  onAdminister,
  onLogOut,
}: Props) {
  const text = useSignal(groupWhileTyping(typed));
  const busy = useSignal(false);
  const malformed = useSignal(false);
  const problem = useSignal<Problem | null>(given);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);

  const typing = (event: Event) => {
    const field = event.currentTarget as HTMLInputElement;
    // In the middle of the text the caret would jump: it is grouped when the caret is at the end.
    const atEnd = field.selectionEnd === field.value.length;
    text.value = atEnd ? groupWhileTyping(field.value) : field.value;
    field.value = text.value;
    malformed.value = false;
    problem.value = null;
  };

  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy.value) return;
    const id = parseSessionId(text.value);
    malformed.value = id === null;
    problem.value = null;
    if (id === null) return input.current?.select();
    text.value = id;
    await join(id);
  };

  const join = async (id: string) => {
    if (busy.value) return;
    busy.value = true;
    const answer = await server.session(id);
    busy.value = false;
    if (answer.ok) return onJoin(answer.value.sessionId);
    if (answer.problem.error === "login_needed") return onLoginNeeded();
    problem.value = answer.problem;
    input.current?.select();
  };

  const wrong = malformed.value || problem.value !== null;
  return (
    <main class="card-screen">
      <form class="card" onSubmit={submit} noValidate>
        <Brand />
        <h1>{words.join.title}</h1>
        <p class="lead">{words.join.lead}</p>
        <label class="field">
          <span>{words.join.sessionId}</span>
          <input
            ref={input}
            class="session-id"
            dir="ltr"
            value={text.value}
            onInput={typing}
            placeholder="7KQ-M9X-D4R"
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            aria-invalid={wrong}
            aria-describedby="join-problem"
          />
        </label>
        <div id="join-problem">
          {malformed.value ? (
            <p class="problem" role="alert">
              {words.join.malformed}
            </p>
          ) : (
            <ProblemText problem={problem.value} />
          )}
        </div>
        <button type="submit" class="button primary wide" aria-busy={busy.value}>
          {busy.value ? words.join.busy : words.join.submit}
        </button>
      </form>
      <WaitingList watches={me.role === "supervisor"} onJoin={join} onLoginNeeded={onLoginNeeded} />
      <footer class="card-foot">
        <span>{words.join.loggedInAs(me.name)}</span>
        {onAdminister && (
          <button type="button" class="button link" onClick={onAdminister}>
            {words.join.administer}
          </button>
        )}
        <button type="button" class="button link" onClick={onLogOut}>
          {words.join.logOut}
        </button>
      </footer>
    </main>
  );
}
