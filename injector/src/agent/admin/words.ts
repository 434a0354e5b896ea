/**
 * Every text of the administrators' pages: in English here, in other languages in objects of the same shape.
 */

import { forms, spans } from "../languages/forms.ts";
import { words as console_ } from "../words.ts";
import { arabic } from "./languages/ar.ts";
import { german } from "./languages/de.ts";
import { spanish } from "./languages/es.ts";
import { french } from "./languages/fr.ts";

const span = spans("en");
const sessions = forms("en", { one: "# live session", other: "# live sessions" });
const rules = forms("en", { one: "# rule", other: "# rules" });
const files = forms("en", { one: "# file", other: "# files" });
const changes = forms("en", { one: "# change was", other: "# changes were" });

const english = {
  title: "Administration",
  back: "To the console",
  pages: "Pages",
  page: { sessions: "Sessions", agents: "Agents", policies: "Policies", health: "Health" },
  cancel: "Cancel",
  span,
  number: (number: number) => number.toLocaleString("en"),
  sessions: {
    count: sessions,
    newest: (number: number) => `The newest ${number} are listed.`,
    none: "A session appears here as soon as a customer starts one.",
    id: "Session",
    state: "State",
    since: "Duration",
    agent: "Agent",
    page: "Customer’s page",
    watched: (names: readonly string[]) => `watched by ${names.join(", ")}`,
    states: {
      waiting: "Waiting",
      pointer: "Pointer",
      write: "Write",
      paused: "Paused",
      customerAway: "Customer away",
      agentAway: "Agent away",
    },
    end: "End",
    endOf: (id: string) => `End ${id}`,
    endTitle: (id: string) => `End session ${id}?`,
    endLead: "It ends for the customer and the agent at once. Both are told that an administrator ended it.",
  },
  agents: {
    count: (here: number, all: number) => `${here} of ${all} logged in`,
    lead: "Those in the agents’ file, and those whom another system has let in.",
    name: "Name",
    role: "Role",
    roles: { agent: "Agent", supervisor: "Supervisor", admin: "Administrator" },
    logins: "Logins",
    loggedIn: forms("en", { one: "# login", other: "# logins" }),
    sessions: "In session",
    guest: "with a token or link",
    logOut: "Log out",
    logOutOf: (name: string) => `Log out ${name}`,
    logOutTitle: (name: string) => `Log out ${name}?`,
    logOutLead:
      "All logins of this name end, and what they have open closes. With the password one can log in again.",
  },
  health: {
    well: "All is well",
    unwell: "Something wants to be looked at",
    stopping: "The server is stopping",
    lead: "For graphs and alerts, let Prometheus read /metrics.",
    version: "Version",
    age: "Running for",
    sessions: "Live sessions",
    of: (number: string, limit: string) => `${number} of at most ${limit}`,
    memory: "Memory",
    mebibytes: (number: string) => `${number} MiB`,
    policies: "Policy files",
    good: "in force",
    broken: "have mistakes",
    agentResyncs: "Fresh views for agents who fell behind",
    customerResyncs: "Pages asked for anew",
    divergences: "Copies that differed and were repaired",
  },
  policies: "Policies",
  notAllowed: "Only administrators can see this.",
  noAnswer: "The server does not answer. Trying again…",
  inForce: (rule: number, file: number, seconds: number) =>
    `${rules(rule)} of ${files(file)}, in force for ${span(seconds)}`,
  numbers: (live: number, taken: number, broken: number) =>
    `${sessions(live)}. Since the server started, ${changes(taken)} taken and ${broken} refused.`,
  brokenTitle: "The policy files have mistakes",
  broken: "What is listed below stays in force until they are corrected.",
  warnings: forms("en", { one: "# rule is hardly meant", other: "# rules are hardly meant" }),
  holds: { sites: "site", urls: "pages", roles: "roles", everywhere: "everywhere, for everybody" },
  maskedByDefault: "masks everything that is not shown",
  overrides: "loosens earlier files",
  empty: "No rules.",
  columns: { line: "Line", kind: "Rule", what: "Selects", matched: "Matched" },
  matchedLead:
    "Matched counts elements, paused pages and addresses in sessions since these rules are in force. A rule that never matches may have lost its page.",
};

/** All texts of a language: one that lacks a text does not compile. */
export type AdminWords = typeof english;

const all: Readonly<Record<string, AdminWords>> = { ar: arabic, de: german, es: spanish, fr: french };

/** The texts in the console's language. */
export const words: AdminWords = all[console_.language] ?? english;
