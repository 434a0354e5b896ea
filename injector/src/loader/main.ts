/**
 * Runs on every page of the site: offers the Co-browse button and `window.Tandem`, and loads the rest only for a session.
 *
 * Before a session it shares nothing, observes nothing and touches the page only by adding its own element and by remembering
 * closed shadow roots.
 */

import type { Bridge, Bundle, Part, PartName, PartScript } from "./bridge.ts";
import style from "./button.inline.css";
import { keepClosedRoots } from "./closed-roots.ts";
import type { TandemApi, TandemStart, TandemState } from "./tandem.d.ts";

const START = "[data-tandem-start]";
const MARK = "tandem";
const WORDS = {
  start: "Co-browse",
  starting: "Starting…",
  failed: "Co-browsing could not start. Please check your connection and try again.",
};

type Rules = { createScriptURL(text: string): string };

/** Makes an address of ours what sites with Trusted Types want. */
function trust(): Rules {
  type Policies = { createPolicy(name: string, rules: Rules): Rules };
  const rules: Rules = { createScriptURL: (text) => text };
  try {
    return (window as { trustedTypes?: Policies }).trustedTypes?.createPolicy("tandem", rules) ?? rules;
  } catch {
    // The site allows no policy of this name.
    return rules;
  }
}

function load(script: HTMLScriptElement | null): void {
  const nonce = script?.nonce;
  const version = script?.src.split("?")[1];
  const past = new Map<string, unknown>();
  const handlers = new Map<string, Array<(detail: never) => void>>();
  let state: TandemState = "off";
  let sessionId: string | null = null;
  const parts = new Map<string, Promise<unknown>>();
  let trusted: Rules | undefined;
  let bundle: Promise<Bundle> | undefined;
  let starting: Promise<{ sessionId: string }> | undefined;

  try {
    sessionId = localStorage.getItem(MARK);
  } catch {
    // Storage is forbidden: the session lives as long as this page.
  }
  if (sessionId) state = "idle";

  const host = document.createElement("tandem-widget");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  const box = document.createElement("div");
  const problem = document.createElement("p");
  const button = document.createElement("button");
  box.className = "start";
  problem.setAttribute("role", "alert");
  button.type = "button";
  box.append(problem, button);
  root.append(box);

  const show = (): void => {
    box.hidden =
      state === "idle" || state === "active" || (!problem.textContent && !!document.querySelector(START));
    button.textContent = state === "starting" ? WORDS.starting : WORDS.start;
    button.setAttribute("aria-disabled", `${state === "starting"}`);
  };

  const call = (handler: (detail: never) => void, detail: unknown): void => {
    try {
      handler(detail as never);
    } catch (error) {
      reportError(error);
    }
  };

  const bridge: Bridge = {
    host,
    root,
    provide: () => {},
    load: <T>(name: PartName) => fetchPart<T, Part<T>>(name, { provide: () => {} }),
    mark(id) {
      sessionId = id;
      try {
        if (id) localStorage.setItem(MARK, id);
        else localStorage.removeItem(MARK);
      } catch {
        // As above.
      }
    },
    become(next) {
      state = next;
      show();
    },
    emit(event, detail) {
      if (event === "started") past.clear();
      past.set(event, detail);
      for (const handler of handlers.get(event) ?? []) call(handler, detail);
    },
  };

  const fetchPart = <T, P extends Part<T>>(name: string, part: P): Promise<T> => {
    const known = parts.get(name) as Promise<T> | undefined;
    if (known) return known;
    const fetched = new Promise<T>((resolve, reject) => {
      const element: PartScript<T, P> = document.createElement("script");
      element.async = true;
      if (nonce) element.nonce = nonce;
      trusted ??= trust();
      element.src = trusted.createScriptURL(`/.tandem/${name}.js${version ? `?${version}` : ""}`);
      element.tandem = part;
      part.provide = resolve;
      element.onload = () => element.remove();
      element.onerror = () => {
        element.remove();
        parts.delete(name);
        reject(new Error("Tandem could not be loaded"));
      };
      (document.head ?? document.documentElement).append(element);
    });
    parts.set(name, fetched);
    return fetched;
  };
  const fetchBundle = (): Promise<Bundle> => {
    bundle = fetchPart<Bundle, Bridge>("customer", bridge);
    return bundle;
  };

  const start = async (about?: TandemStart): Promise<{ sessionId: string }> => {
    problem.textContent = "";
    bridge.become("starting");
    try {
      return { sessionId: await (await fetchBundle()).start(about) };
    } catch (error) {
      problem.textContent = WORDS.failed;
      bridge.become("off");
      throw error;
    }
  };

  const api: TandemApi = {
    start(about) {
      if ((state === "idle" || state === "active") && sessionId) return Promise.resolve({ sessionId });
      starting ??= start(about).finally(() => {
        starting = undefined;
      });
      return starting;
    },
    exit() {
      bundle?.then((it) => it.exit());
    },
    get state() {
      return state;
    },
    get sessionId() {
      return sessionId;
    },
    on(event, handler) {
      handlers.set(event, [...(handlers.get(event) ?? []), handler]);
      if (past.has(event)) call(handler, past.get(event));
    },
  };
  window.Tandem = api;

  const press = (event: Event): void => {
    // The promise's failure is shown in the widget already.
    if (event.isTrusted) api.start().catch(() => {});
  };
  button.onclick = press;
  addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest(START)) press(event);
  });

  const ready = (): void => {
    document.documentElement.append(host);
    show();
  };
  const resume = (): void => {
    const id = sessionId;
    if (!id) return;
    fetchBundle().then(
      (it) => it.resume(id),
      () => {
        problem.textContent = WORDS.failed;
        bridge.become("off");
      },
    );
  };
  // A session that starts in another tab of this site goes on here when this one is looked at.
  addEventListener("storage", ({ key, newValue }) => {
    if (key !== MARK || !newValue || state === "starting" || state === "idle" || state === "active") return;
    sessionId = newValue;
    bridge.become("idle");
    resume();
  });
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ready, { once: true });
  else ready();
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener("prerenderingchange", resume, { once: true });
  } else resume();
}

keepClosedRoots();
if (window === top && !window.Tandem) load(document.currentScript as HTMLScriptElement | null);
