/**
 * The administrators' pages in Spanish.
 */

import { forms, spans } from "../../languages/forms.ts";
import type { AdminWords } from "../words.ts";

const span = spans("es");
const sessions = forms("es", { one: "# sesión en curso", other: "# sesiones en curso" });
const rules = forms("es", { one: "# regla", other: "# reglas" });
const files = forms("es", { one: "# archivo", other: "# archivos" });
const changes = forms("es", { one: "# cambio aplicado", other: "# cambios aplicados" });
const refused = forms("es", { one: "# rechazado", other: "# rechazados" });

export const spanish: AdminWords = {
  title: "Administración",
  back: "A la consola",
  pages: "Páginas",
  page: { sessions: "Sesiones", agents: "Asesores", policies: "Reglas", health: "Estado" },
  cancel: "Cancelar",
  span,
  number: (number) => number.toLocaleString("es"),
  sessions: {
    count: sessions,
    newest: (number) => `Se muestran las ${number} más recientes.`,
    none: "Una sesión aparece aquí en cuanto un cliente la inicia.",
    id: "Sesión",
    state: "Estado",
    since: "Duración",
    agent: "Asesor",
    page: "Página del cliente",
    watched: (names) => `observada por ${names.join(", ")}`,
    states: {
      waiting: "En espera",
      pointer: "Señalar",
      write: "Escribir",
      paused: "En pausa",
      customerAway: "Cliente ausente",
      agentAway: "Asesor ausente",
    },
    end: "Terminar",
    endOf: (id) => `Terminar ${id}`,
    endTitle: (id) => `¿Terminar la sesión ${id}?`,
    endLead:
      "Termina al instante para el cliente y el asesor. A ambos se les dice que la ha terminado un administrador.",
  },
  agents: {
    count: (here, all) => `Conectados: ${here} de ${all}`,
    lead: "Los del archivo de asesores y los que otro sistema ha dejado entrar.",
    name: "Nombre",
    role: "Función",
    roles: { agent: "Asesor", supervisor: "Supervisor", admin: "Administrador" },
    logins: "Accesos",
    loggedIn: forms("es", { one: "# acceso", other: "# accesos" }),
    sessions: "En sesión",
    guest: "con token o enlace",
    logOut: "Desconectar",
    logOutOf: (name) => `Desconectar a ${name}`,
    logOutTitle: (name) => `¿Desconectar a ${name}?`,
    logOutLead:
      "Terminan todos los accesos con este nombre y se cierra lo que tengan abierto. Con la contraseña se puede volver a entrar.",
  },
  health: {
    well: "Todo va bien",
    unwell: "Algo requiere su atención",
    stopping: "El servidor se está deteniendo",
    lead: "Para gráficos y alertas, Prometheus puede leer /metrics.",
    version: "Versión",
    age: "En marcha desde hace",
    sessions: "Sesiones en curso",
    of: (number, limit) => `${number} de ${limit} como máximo`,
    memory: "Memoria",
    mebibytes: (number) => `${number} MiB`,
    policies: "Archivos de reglas",
    good: "en vigor",
    broken: "contienen errores",
    agentResyncs: "Vistas rehechas por retraso",
    customerResyncs: "Páginas pedidas de nuevo",
    divergences: "Copias distintas, reparadas",
  },
  policies: "Reglas",
  notAllowed: "Solo los administradores pueden ver esto.",
  noAnswer: "El servidor no responde. Se intenta de nuevo…",
  inForce: (rule, file, seconds) => `${rules(rule)} de ${files(file)}, en vigor desde hace ${span(seconds)}`,
  numbers: (live, taken, broken) =>
    `${sessions(live)}. Desde el inicio del servidor: ${changes(taken)}, ${refused(broken)}.`,
  brokenTitle: "Los archivos de reglas contienen errores",
  broken: "Lo que se muestra abajo sigue en vigor hasta que se corrijan.",
  warnings: forms("es", { one: "# regla parece involuntaria", other: "# reglas parecen involuntarias" }),
  holds: { sites: "sitio", urls: "páginas", roles: "funciones", everywhere: "en todas partes, para todos" },
  maskedByDefault: "oculta todo lo que no se muestra",
  overrides: "relaja los archivos anteriores",
  empty: "Ninguna regla.",
  columns: { line: "Línea", kind: "Regla", what: "Selecciona", matched: "Hallados" },
  matchedLead:
    "«Hallados» cuenta los elementos, las páginas en pausa y las direcciones de las sesiones desde que estas reglas están en vigor. Una regla que nunca halla nada quizá haya perdido su página.",
};
