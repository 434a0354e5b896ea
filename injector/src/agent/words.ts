/**
 * Every text of the console: in English here, in other languages in objects of the same shape. A new text is a new key in
 * each of them.
 *
 * For each reason that the server can give there is a sentence; the types keep the lists complete.
 */

import type { EndReason, Mode, ModeReason, ProblemKind, Refusal } from "../protocol/words.ts";
import { arabic } from "./languages/ar.ts";
import { german } from "./languages/de.ts";
import { spanish } from "./languages/es.ts";
import { french } from "./languages/fr.ts";

/** Why something is not done: what the server refuses, and what it is not even asked for. */
export type Reason = Refusal | "files";

const refusal: Record<Reason, string> = {
  watching: "You watch this session and can not act in it.",
  pointer_mode: "You are in Pointer mode. Request write mode to type and click.",
  not_active: "The session is not running.",
  customer_away: "The customer is away. Try again when they are back.",
  gone: "That is not on the page any more.",
  private: "Only the customer can use this field.",
  disabled: "Only the customer can use this.",
  outside_site: "This address is not on the customer’s site.",
  nowhere: "That way leads off the customer’s site, or nowhere.",
  not_possible: "That can not be done here.",
  covered: "Something else lies over it on the customer’s page.",
  needs_customer: "Browsers let only the customer do this. They are shown where to press.",
  no_menu: "The page has no menu of its own here.",
  prevented: "The page does something of its own with this.",
  customer_typing: "The customer is typing. Try again in a moment.",
  stale: "The customer changed this text at the same time. Try again.",
  too_long: "That is too much text at once.",
  too_many: "Too fast. Try again in a moment.",
  files: "Your files stay with you: only the customer can choose one here.",
};

const ended: Record<EndReason, string> = {
  customer_exit: "The customer ended the session.",
  agent_exit: "You ended the session.",
  join_timeout: "Nobody joined the session in time.",
  away_timeout: "The customer was away for too long.",
  agent_timeout: "Your connection was gone for too long.",
  idle_timeout: "Nothing happened for a long time.",
  max_duration: "The session reached the longest time allowed.",
  interaction_ended: "The conversation with the customer ended.",
  administrator: "An administrator ended the session.",
  server_shutdown: "The server was stopped.",
  error: "Something went wrong on the server.",
};

const problem: Record<ProblemKind, string> = {
  wrong_login: "Username or password is wrong.",
  wrong_token: "This link has expired or was used before. Log in, or ask for another one.",
  login_needed: "Please log in.",
  too_many_tries: "Too many tries.",
  no_such_session: "No session has this ID. Check it with the customer.",
  session_ended: "This session has ended. Ask the customer to start a new one.",
  session_taken: "Another agent is in this session.",
  agent_busy: "You are in another session already. Exit it, or close its window, to join this one.",
  nothing_to_watch: "No agent has joined this session yet: there is nothing to watch.",
  not_allowed: "Your account may not do this.",
  bad_request: "That did not work. Check what you entered.",
  unavailable: "The server is not available right now. Try again in a moment.",
};

/** Why a session is about to end by itself. */
const endsSoon: Partial<Record<EndReason, string>> = {
  away_timeout: "The customer is still away.",
  idle_timeout: "Nothing has happened for a while.",
  max_duration: "The session reaches the longest time allowed.",
};

const modeReason: Record<ModeReason, string | null> = {
  initial: null,
  allowed: "The customer allowed you to type and click.",
  declined: "The customer did not allow it this time.",
  taken_back: "The customer took back control.",
  given_back: "You are back in Pointer mode.",
  interrupted: "Write mode ended because a connection was lost. The customer is asked again.",
  paused: "The customer has paused sharing.",
};

const mode: Record<Mode, string> = { pointer: "Pointer", write: "Write" };

const english = {
  language: "en",
  direction: "ltr" as "ltr" | "rtl",
  product: "Tandem",
  refusal,
  ended,
  problem,
  modeReason,
  mode,
  tooltip: { private: "Hidden from you", disabled: "Only the customer can use this" },
  placeholder: {
    frame: "Frame not shown",
    drawing: "Drawing not shown",
    media: "Media not shown",
    other: "Not shown",
  },
  login: {
    title: "Log in",
    lead: "Help a customer on the page they are looking at.",
    username: "Username",
    password: "Password",
    submit: "Log in",
    busy: "Logging in…",
  },
  join: {
    title: "Join a customer",
    lead: "Ask the customer to press Co-browse and read you the session ID.",
    sessionId: "Session ID",
    submit: "Start co-browse",
    busy: "Joining…",
    malformed: "A session ID has nine letters and digits, like 7KQ-M9X-D4R.",
    loggedInAs: (name: string) => `Logged in as ${name}`,
    logOut: "Log out",
    administer: "Administration",
  },
  waiting: {
    join: {
      title: "Customers who wait",
      none: "Nobody waits right now.",
      action: "Join",
    },
    watch: {
      title: "Sessions to watch",
      none: "No agent is in a session right now.",
      action: "Watch",
    },
    since: (seconds: number) => (seconds < 60 ? "just now" : `for ${Math.floor(seconds / 60)} min`),
  },
  bar: {
    navigation: "Customer’s browser",
    back: "Back",
    forward: "Forward",
    refresh: "Refresh",
    address: "Address",
    mode: "Mode",
    requestWrite: "Request write mode",
    writeRequested: "Waiting for the customer…",
    giveBack: "Return to Pointer mode",
    exit: "Exit session",
    leave: "Stop watching",
    fullScreen: "Full screen",
    leaveFullScreen: "Leave full screen",
    unseen: (count: number) => `${count} private`,
    unseenWhy: "Places on this page that only the customer sees",
    off: (count: number) => `${count} off`,
    offWhy: "Buttons and fields on this page that only the customer can use",
    watched: (count: number) => (count === 1 ? "1 person watches" : `${count} people watch`),
    watchers: (names: readonly string[]) => names.join(", "),
    copyId: "Session ID",
    slow: "Your connection is slow",
    agent: (name: string) => `Agent: ${name}`,
  },
  customer: {
    label: "Customer",
    expected: "Customer expected",
    present: "Customer here",
    away: "Customer away",
    paused: "Sharing paused",
    slow: "Slow connection",
    pointer: "Customer",
    zoomed: "On the customer’s screen",
  },
  page: {
    frame: "Customer's page",
    connecting: "Connecting to the session…",
    expected: "Waiting for the customer’s browser…",
    privateTitle: "The customer is on a private page",
    privateLead: "Nothing of it is shared. You will see their page again when they leave it.",
    firstView: "Getting the customer’s page…",
    loading: "The customer’s page is loading…",
    away: "The customer is away",
    awayWhy: {
      left: "They closed the page or went to another website. You will see their page when they come back.",
      lost: "Their connection was lost. You will see their page when they come back.",
    },
    paused: "The customer has paused sharing",
    pausedLead: "You will see their page again when they go on.",
    lost: "Connection lost. Trying to reconnect…",
    restarting: "The server is being restarted. Reconnecting…",
    endedTitle: "The session has ended",
    newSession: "Join another session",
    elsewhereTitle: "Open in another window",
    elsewhere: "You opened this session somewhere else. Only one window can show it at a time.",
    useHere: "Use it here",
    takenTitle: "Another agent took over",
    taken: "This session is now with another agent.",
    busyTitle: "You are in another session",
    brokenTitle: "Something went wrong",
    broken: "The connection to the server broke. Your customer still shares the page.",
    reconnect: "Reconnect",
    unknownTitle: "Session not available",
  },
  browser: {
    alert: "The customer’s browser shows a message",
    confirm: "The customer’s browser asks: OK or Cancel?",
    prompt: "The customer’s browser asks for an answer",
    print: "The customer is about to print",
    leave: "The customer’s browser asks whether to leave this page",
    invalid: "The customer’s browser finds this field wrong",
    choosing: "The customer is choosing…",
  },
  tabs: {
    label: "Customer’s tabs",
    unseen: "Another tab",
    untitled: "Untitled",
    away: "not on the customer’s screen",
  },
  notes: {
    label: "Messages",
    otherTab: "The customer looks at another tab now.",
    asked: "The customer is being asked.",
    customerBack: "The customer is back.",
    reconnected: "Connected again.",
    dismiss: "Dismiss",
  },
  endsSoon,
  ending: {
    customer: "Without them the session ends in",
    line: "Without you the session ends in",
    other: "The session ends in",
  },
  wait: (seconds: number) =>
    seconds < 90 ? `Try again in ${seconds} seconds.` : `Try again in ${Math.ceil(seconds / 60)} minutes.`,
};

/** All texts of a language: one that lacks a text does not compile. */
export type Words = typeof english;

/** The console's words, in the first of the browser's languages that there is. */
export const words: Words = choose(navigator.languages ?? []);

function choose(wanted: readonly string[]): Words {
  const all: Readonly<Record<string, Words>> = {
    ar: arabic,
    de: german,
    en: english,
    es: spanish,
    fr: french,
  };
  const known = wanted.map((tag) => tag.toLowerCase().split("-")[0] ?? "");
  return all[known.find((name) => Object.hasOwn(all, name)) ?? "en"] ?? english;
}
