/**
 * Everything that the customer reads, in one table for each language.
 */

import type { AwayReason, EndReason } from "../protocol/words.ts";

/** The texts of a language. */
export interface Words {
  readonly title: string;
  readonly sessionId: string;
  readonly tell: string;
  readonly copy: string;
  readonly copied: string;
  readonly exit: string;
  readonly takeBack: string;
  readonly pause: string;
  readonly resume: string;
  readonly details: string;
  readonly move: string;
  readonly close: string;
  readonly askTitle: string;
  readonly askText: string;
  readonly allow: string;
  readonly notNow: string;
  readonly hidden: string;
  readonly showHidden: string;
  readonly agent: string;
  readonly waiting: string;
  readonly lost: string;
  readonly restarting: string;
  readonly elsewhere: string;
  readonly broken: string;
  readonly ended: Readonly<Record<EndReason, string>>;
  joined(agent: string): string;
  writing(agent: string): string;
  declined(agent: string): string;
  takenBack(agent: string): string;
  givenBack(agent: string): string;
  interrupted(agent: string): string;
  paused(agent: string): string;
  away(agent: string, why: AwayReason): string;
  back(agent: string): string;
  people(names: readonly string[]): string;
  endsSoon(reason: EndReason): string;
}

/** English. */
export const ENGLISH: Words = {
  title: "Co-browsing",
  sessionId: "Session ID",
  tell: "Tell this ID to the agent. Nothing is shared before the agent has joined.",
  copy: "Copy",
  copied: "Copied",
  exit: "Exit session",
  takeBack: "Take back control",
  pause: "Pause sharing",
  resume: "Resume sharing",
  details: "Details",
  move: "Move to the other side",
  close: "Close",
  askTitle: "Allow the agent to type and click?",
  askText:
    "The agent can then fill in fields and follow links on this page. You can take back control at any time.",
  allow: "Allow",
  notNow: "Not now",
  hidden: "Hidden from the agent",
  showHidden: "Show what is hidden",
  agent: "The agent",
  waiting: "Waiting for the agent to join.",
  lost: "The connection was lost. Trying to connect again…",
  restarting: "The service is being restarted. Co-browsing goes on in a moment.",
  elsewhere: "Co-browsing goes on in another tab.",
  broken: "This page can not be shared. Please load it again, or exit the session.",
  ended: {
    customer_exit: "You have ended the co-browsing session. Nothing is shared any more.",
    agent_exit: "The agent has ended the co-browsing session.",
    join_timeout: "The co-browsing session has ended because no agent joined.",
    away_timeout: "The co-browsing session has ended because you were away for a while.",
    agent_timeout: "The co-browsing session has ended because the agent's connection was lost.",
    idle_timeout: "The co-browsing session has ended because nothing happened for a while.",
    max_duration: "The co-browsing session has ended because it reached the longest time allowed.",
    interaction_ended: "The co-browsing session has ended with your conversation.",
    administrator: "The co-browsing session was ended by an administrator.",
    server_shutdown: "The co-browsing session has ended because the service is being restarted.",
    error: "The co-browsing session has ended because of an error.",
  },
  joined: (agent) => `${agent} has joined and now sees this page.`,
  writing: (agent) => `${agent} can now type and click on this page.`,
  declined: (agent) => `${agent} can see and point, but not type or click.`,
  takenBack: (agent) => `You have taken back control. ${agent} can only see and point.`,
  givenBack: (agent) => `${agent} has given back control and can only see and point.`,
  interrupted: (agent) => `The connection was interrupted. ${agent} can only see and point.`,
  paused: (agent) => `You have paused sharing. ${agent} sees nothing of this page.`,
  away: (agent, why) =>
    why === "left"
      ? `${agent} has closed the window. Waiting for them to come back.`
      : `${agent} has lost the connection. Waiting for them to come back.`,
  back: (agent) => `${agent} is back and sees this page.`,
  people: (names) =>
    `${names.length} ${names.length === 1 ? "person sees" : "people see"} this page: ${names.join(", ")}.`,
  endsSoon: (reason) => {
    const why: Partial<Record<EndReason, string>> = {
      join_timeout: "no agent has joined",
      agent_timeout: "the agent is still away",
      idle_timeout: "nothing has happened for a while",
      max_duration: "it reaches the longest time allowed",
    };
    return `The session ends soon${why[reason] ? `: ${why[reason]}.` : "."}`;
  },
};
