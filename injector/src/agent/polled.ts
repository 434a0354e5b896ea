/**
 * What the server says again and again, for as long as somebody looks at it.
 *
 * A page that is not on the screen asks nothing. What was heard last stays to be seen when the server does not answer.
 */

import { useSignal } from "@preact/signals";
import { useCallback, useEffect, useRef } from "preact/hooks";
import type { Problem } from "../protocol/words.ts";
import type { Answer } from "./server.ts";

export type Polled<T> = {
  value: T | null;
  problem: Problem | null;
  /** Asks at once, after something was changed. */
  again: () => void;
};

/** Asks every `pause` milliseconds, until this is no longer shown or `enough` says that no more is to be heard. */
export function usePolled<T>(
  read: () => Promise<Answer<T>>,
  pause: number,
  onLoginNeeded: () => void,
  enough: (value: T) => boolean = () => false,
): Polled<T> {
  const value = useSignal<T | null>(null);
  const problem = useSignal<Problem | null>(null);
  const now = useRef<() => void>(() => {});
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let round = 0;
    const ask = async () => {
      clearTimeout(timer);
      round += 1;
      const mine = round;
      const answer = document.hidden ? null : await read();
      if (mine !== round) return;
      if (answer?.ok) value.value = answer.value;
      if (answer) problem.value = answer.ok ? null : answer.problem;
      if (problem.value?.error === "login_needed") return onLoginNeeded();
      if (problem.value?.error === "not_allowed" || (answer?.ok && enough(answer.value))) return;
      timer = setTimeout(ask, pause);
    };
    now.current = () => void ask();
    void ask();
    return () => {
      round = -1;
      clearTimeout(timer);
    };
  }, []);
  const again = useCallback(() => now.current(), []);
  return { value: value.value, problem: problem.value, again };
}
