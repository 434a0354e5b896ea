/**
 * Says that the session ends by itself, why, and how long there still is.
 *
 * The words are read out once; the time beside them runs without being read out.
 */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { EndReason } from "../protocol/words.ts";
import { remaining } from "../wire/remaining.ts";
import type { SessionModel } from "./session-model.ts";
import { words } from "./words.ts";

function sentence(why: "customer" | "line" | EndReason): string {
  if (why === "customer" || why === "line") return words.ending[why];
  return `${words.endsSoon[why] ?? ""} ${words.ending.other}`.trimStart();
}

export function Countdown({ model }: { model: SessionModel }) {
  const ending = model.ending.value;
  const now = useSignal(Date.now());
  useEffect(() => {
    if (!ending) return;
    now.value = Date.now();
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 1000);
    return () => clearInterval(timer);
  }, [ending]);
  if (!ending) return null;
  return (
    <p class="countdown">
      {sentence(ending.why)} <span role="timer">{remaining(ending.at - now.value, words.language)}</span>
    </p>
  );
}

/** Over the page, while the page itself can be seen. */
export function EndsSoon({ model }: { model: SessionModel }) {
  const why = model.ending.value?.why;
  if (model.link.value !== "open" || !why || why === "customer" || why === "line") return null;
  return (
    <div class="ends-soon" role="status">
      <Countdown model={model} />
    </div>
  );
}
