/**
 * The administrators' pages in French.
 */

import { forms, spans } from "../../languages/forms.ts";
import type { AdminWords } from "../words.ts";

const span = spans("fr");
const sessions = forms("fr", { one: "# session en cours", other: "# sessions en cours" });
const rules = forms("fr", { one: "# règle", other: "# règles" });
const files = forms("fr", { one: "# fichier", other: "# fichiers" });
const changes = forms("fr", { one: "# modification appliquée", other: "# modifications appliquées" });
const refused = forms("fr", { one: "# refusée", other: "# refusées" });

export const french: AdminWords = {
  title: "Administration",
  back: "Vers la console",
  pages: "Pages",
  page: { sessions: "Sessions", agents: "Conseillers", policies: "Règles", health: "État" },
  cancel: "Annuler",
  span,
  number: (number) => number.toLocaleString("fr"),
  sessions: {
    count: sessions,
    newest: (number) => `Les ${number} plus récentes sont affichées.`,
    none: "Une session apparaît ici dès qu’un client en démarre une.",
    id: "Session",
    state: "État",
    since: "Durée",
    agent: "Conseiller",
    page: "Page du client",
    watched: (names) => `observée par ${names.join(", ")}`,
    states: {
      waiting: "En attente",
      pointer: "Pointage",
      write: "Saisie",
      paused: "En pause",
      customerAway: "Client absent",
      agentAway: "Conseiller absent",
    },
    end: "Terminer",
    endOf: (id) => `Terminer ${id}`,
    endTitle: (id) => `Terminer la session ${id} ?`,
    endLead:
      "Elle se termine aussitôt pour le client et le conseiller. Tous deux apprennent qu’un administrateur y a mis fin.",
  },
  agents: {
    count: (here, all) => `Connectés : ${here} sur ${all}`,
    lead: "Ceux du fichier des conseillers et ceux qu’un autre système a fait entrer.",
    name: "Nom",
    role: "Rôle",
    roles: { agent: "Conseiller", supervisor: "Superviseur", admin: "Administrateur" },
    logins: "Connexions",
    loggedIn: forms("fr", { one: "# connexion", other: "# connexions" }),
    sessions: "En session",
    guest: "par jeton ou lien",
    logOut: "Déconnecter",
    logOutOf: (name) => `Déconnecter ${name}`,
    logOutTitle: (name) => `Déconnecter ${name} ?`,
    logOutLead:
      "Toutes les connexions de ce nom prennent fin et ce qu’elles ont ouvert se ferme. Le mot de passe permet de se reconnecter.",
  },
  health: {
    well: "Tout va bien",
    unwell: "Un point demande votre attention",
    stopping: "Le serveur s’arrête",
    lead: "Pour des courbes et des alertes, faites lire /metrics par Prometheus.",
    version: "Version",
    age: "En marche depuis",
    sessions: "Sessions en cours",
    of: (number, limit) => `${number} sur ${limit} au plus`,
    memory: "Mémoire",
    mebibytes: (number) => `${number} Mio`,
    policies: "Fichiers de règles",
    good: "en vigueur",
    broken: "contiennent des erreurs",
    agentResyncs: "Vues refaites pour cause de retard",
    customerResyncs: "Pages redemandées",
    divergences: "Copies différentes, réparées",
  },
  policies: "Règles",
  notAllowed: "Seuls les administrateurs peuvent voir ceci.",
  noAnswer: "Le serveur ne répond pas. Nouvel essai…",
  inForce: (rule, file, seconds) => `${rules(rule)} de ${files(file)}, en vigueur depuis ${span(seconds)}`,
  numbers: (live, taken, broken) =>
    `${sessions(live)}. Depuis le démarrage du serveur : ${changes(taken)}, ${refused(broken)}.`,
  brokenTitle: "Les fichiers de règles contiennent des erreurs",
  broken: "Ce qui est affiché ci-dessous reste en vigueur jusqu’à leur correction.",
  warnings: forms("fr", { one: "# règle semble involontaire", other: "# règles semblent involontaires" }),
  holds: { sites: "site", urls: "pages", roles: "rôles", everywhere: "partout, pour tous" },
  maskedByDefault: "masque tout ce qui n’est pas montré",
  overrides: "assouplit les fichiers précédents",
  empty: "Aucune règle.",
  columns: { line: "Ligne", kind: "Règle", what: "Sélectionne", matched: "Trouvés" },
  matchedLead:
    "« Trouvés » compte les éléments, les pages en pause et les adresses des sessions depuis que ces règles sont en vigueur. Une règle qui ne trouve jamais rien a peut-être perdu sa page.",
};
