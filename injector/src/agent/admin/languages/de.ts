/**
 * The administrators' pages in German.
 */

import { forms, spans } from "../../languages/forms.ts";
import type { AdminWords } from "../words.ts";

const span = spans("de");
const sessions = forms("de", { one: "# laufende Sitzung", other: "# laufende Sitzungen" });
const rules = forms("de", { one: "# Regel", other: "# Regeln" });
const files = forms("de", { one: "# Datei", other: "# Dateien" });
const changes = forms("de", { one: "wurde # Änderung", other: "wurden # Änderungen" });

export const german: AdminWords = {
  title: "Administration",
  back: "Zur Konsole",
  pages: "Seiten",
  page: { sessions: "Sitzungen", agents: "Mitarbeitende", policies: "Richtlinien", health: "Zustand" },
  cancel: "Abbrechen",
  span,
  number: (number) => number.toLocaleString("de"),
  sessions: {
    count: sessions,
    newest: (number) => `Die neuesten ${number} sind aufgeführt.`,
    none: "Eine Sitzung erscheint hier, sobald ein Kunde sie startet.",
    id: "Sitzung",
    state: "Stand",
    since: "Dauer",
    agent: "Bearbeitet von",
    page: "Seite des Kunden",
    watched: (names) => `beobachtet von ${names.join(", ")}`,
    states: {
      waiting: "Wartet",
      pointer: "Zeigen",
      write: "Schreiben",
      paused: "Angehalten",
      customerAway: "Kunde fort",
      agentAway: "Bearbeitung fort",
    },
    end: "Beenden",
    endOf: (id) => `${id} beenden`,
    endTitle: (id) => `Sitzung ${id} beenden?`,
    endLead:
      "Sie endet sofort für beide Seiten. Beiden wird gesagt, dass die Administration sie beendet hat.",
  },
  agents: {
    count: (here, all) => `${here} von ${all} angemeldet`,
    lead: "Alle aus der Datei der Mitarbeitenden und alle, die ein anderes System eingelassen hat.",
    name: "Name",
    role: "Rolle",
    roles: { agent: "Bearbeitung", supervisor: "Aufsicht", admin: "Administration" },
    logins: "Anmeldungen",
    loggedIn: forms("de", { one: "# Anmeldung", other: "# Anmeldungen" }),
    sessions: "In Sitzung",
    guest: "mit Token oder Link",
    logOut: "Abmelden",
    logOutOf: (name) => `${name} abmelden`,
    logOutTitle: (name) => `${name} abmelden?`,
    logOutLead:
      "Alle Anmeldungen mit diesem Namen enden, und was darin offen ist, wird geschlossen. Mit dem Passwort ist eine neue Anmeldung möglich.",
  },
  health: {
    well: "Alles in Ordnung",
    unwell: "Etwas sollte angesehen werden",
    stopping: "Der Server wird angehalten",
    lead: "Für Kurven und Alarme kann Prometheus /metrics lesen.",
    version: "Version",
    age: "Läuft seit",
    sessions: "Laufende Sitzungen",
    of: (number, limit) => `${number} von höchstens ${limit}`,
    memory: "Speicher",
    mebibytes: (number) => `${number} MiB`,
    policies: "Richtliniendateien",
    good: "in Kraft",
    broken: "haben Fehler",
    agentResyncs: "Neue Ansichten bei Rückstand",
    customerResyncs: "Neu angeforderte Seiten",
    divergences: "Abweichende, reparierte Kopien",
  },
  policies: "Richtlinien",
  notAllowed: "Das kann nur die Administration sehen.",
  noAnswer: "Der Server antwortet nicht. Es wird erneut versucht …",
  inForce: (rule, file, seconds) =>
    `${rules(rule)} aus ${files(file)}, in Kraft seit ${inDative(span(seconds))}`,
  numbers: (live, taken, broken) =>
    `${sessions(live)}. Seit dem Start des Servers ${changes(taken)} übernommen und ${broken} abgelehnt.`,
  brokenTitle: "Die Richtliniendateien haben Fehler",
  broken: "Bis sie berichtigt sind, gilt weiter, was unten steht.",
  warnings: forms("de", {
    one: "# Regel ist wohl nicht so gemeint",
    other: "# Regeln sind wohl nicht so gemeint",
  }),
  holds: { sites: "Website", urls: "Seiten", roles: "Rollen", everywhere: "überall, für alle" },
  maskedByDefault: "verdeckt alles, was nicht gezeigt werden darf",
  overrides: "lockert frühere Dateien",
  empty: "Keine Regeln.",
  columns: { line: "Zeile", kind: "Regel", what: "Wählt aus", matched: "Treffer" },
  matchedLead:
    "Als Treffer zählen Elemente, angehaltene Seiten und Adressen in Sitzungen, seit diese Regeln in Kraft sind. Eine Regel ohne Treffer hat vielleicht ihre Seite verloren.",
};

/** “seit 3 Tagen”, not “seit 3 Tage”. */
function inDative(span: string): string {
  return span.replace(/Tage$/, "Tagen");
}
