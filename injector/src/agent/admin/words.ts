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
