/**
 * Every English text of the administrators' pages.
 */

/** A span of seconds, as people say it. */
function span(seconds: number): string {
  if (seconds < 90) return `${seconds} seconds`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} minutes`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} hours`;
  return `${Math.round(seconds / 86_400)} days`;
}

const count = (number: number, one: string, many: string) => `${number} ${number === 1 ? one : many}`;

export const words = {
  title: "Administration",
  back: "To the console",
  pages: "Pages",
  page: { sessions: "Sessions", agents: "Agents", policies: "Policies", health: "Health" },
  cancel: "Cancel",
  span,
  number: (number: number) => number.toLocaleString("en"),
  sessions: {
    count: (number: number) => count(number, "live session", "live sessions"),
    newest: (number: number) => `The newest ${number} are listed.`,
    none: "A session appears here as soon as a customer starts one.",
    id: "Session",
    state: "State",
    since: "Started",
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
    loggedIn: (number: number) => count(number, "login", "logins"),
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
    of: (number: number, limit: number) =>
      `${number.toLocaleString("en")} of at most ${limit.toLocaleString("en")}`,
    memory: "Memory",
    mebibytes: (kibibytes: number) => `${Math.round(kibibytes / 1024).toLocaleString("en")} MiB`,
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
  inForce: (rules: number, files: number, seconds: number) =>
    `${count(rules, "rule", "rules")} of ${count(files, "file", "files")}, in force for ${span(seconds)}`,
  numbers: (sessions: number, taken: number, broken: number) =>
    `${count(sessions, "live session", "live sessions")}. Since the server started, ${count(taken, "change was", "changes were")} taken and ${broken} refused.`,
  brokenTitle: "The policy files have mistakes",
  broken: "What is listed below stays in force until they are corrected.",
  warnings: (number: number) => count(number, "rule is hardly meant", "rules are hardly meant"),
  holds: { sites: "site", urls: "pages", roles: "roles", everywhere: "everywhere, for everybody" },
  maskedByDefault: "masks everything that is not shown",
  overrides: "loosens earlier files",
  empty: "No rules.",
  columns: { line: "Line", kind: "Rule", what: "Selects", matched: "Matched" },
  matchedLead:
    "Matched counts elements, paused pages and addresses in sessions since these rules are in force. A rule that never matches may have lost its page.",
};
