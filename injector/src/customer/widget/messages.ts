/**
 * Which sentence says how the session stands.
 */

import type { Status } from "../../protocol/words.ts";
import type { Line } from "../connection.ts";
import { fill, plural, type Words } from "../words.ts";

/** What is known of the session, and what was before. */
export interface Standing {
  readonly status: Status;
  readonly before: Status | null;
  /** What was said until now: it stays when nothing that happened changes it. */
  readonly said: string;
  /** Whether the policy keeps the whole page from the agent. */
  readonly privatePage: boolean;
}

/** The sentence about a session whose line is open. */
export function standing(words: Words, { status, before, said, privatePage }: Standing): string {
  const agent = status.agentName ?? words.agent;
  const say = (text: string): string => fill(text, { agent });
  const soon: Partial<Record<string, string>> = words.ends_soon;
  const modeChanged = before && (before.mode !== status.mode || before.modeReason !== status.modeReason);
  if (status.paused) return say(words.paused);
  if (status.agentAway) return say(status.agentAway.why === "left" ? words.away_left : words.away_lost);
  if (status.endsSoon) return soon[status.endsSoon.reason] ?? words.ends_soon.other;
  if (status.phase === "idle") return words.waiting;
  if (privatePage) return say(words.private_page);
  if (before?.agent === "away") return say(words.back);
  if (before?.paused) return say(words.joined);
  if (modeChanged || (!before && status.modeReason !== "initial")) return say(mode(words, status));
  if (before?.phase !== "active" || before.endsSoon || said === say(words.private_page)) {
    return say(words.joined);
  }
  return said;
}

/** The sentence about a line that is not open. */
export function offline(words: Words, line: Exclude<Line, "open">): string {
  return words[line];
}

/** Who sees the page, where that is not only the agent. */
export function people(words: Words, status: Status): string {
  const agent = status.agentName ?? words.agent;
  const there = status.agent === "present" && !status.watchers.includes(agent) ? [agent] : [];
  const names = status.paused ? [] : [...there, ...status.watchers];
  if (status.watchers.length === 0 || names.length === 0) return "";
  const { language } = words;
  return fill(plural(words.people, names.length, language), {
    count: new Intl.NumberFormat(language).format(names.length),
    names: new Intl.ListFormat(language).format(names),
  });
}

function mode(words: Words, status: Status): string {
  if (status.mode === "write") return words.writing;
  switch (status.modeReason) {
    case "declined":
      return words.declined;
    case "taken_back":
      return words.taken_back;
    case "given_back":
      return words.given_back;
    case "interrupted":
      return words.interrupted;
    case "paused":
      return words.paused;
    case "initial":
    case "allowed":
      return words.joined;
  }
}
