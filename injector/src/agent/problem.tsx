/**
 * Shows why the server said no, in words, and counts down where waiting helps.
 */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Problem } from "../protocol/words.ts";
import { words } from "./words.ts";

export function ProblemText({ problem }: { problem: Problem | null }) {
  const left = useSignal(problem?.retryAfter ?? 0);
  useEffect(() => {
    left.value = problem?.retryAfter ?? 0;
    const timer = setInterval(() => {
      left.value = Math.max(0, left.value - 1);
    }, 1000);
    return () => clearInterval(timer);
  }, [problem]);
  return (
    <p class="problem" role="alert">
      {problem && (words.problem[problem.error] ?? words.problem.bad_request)}
      {problem && left.value > 0 && ` ${words.wait(left.value)}`}
    </p>
  );
}
