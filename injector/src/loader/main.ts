/**
 * Runs on every page of the site: offers the Co-browse button and `window.Tandem`, and loads the rest only for a session.
 *
 * Before a session it shares nothing, observes nothing and touches the page only by adding its own element and by remembering
 * closed shadow roots.
 */

import type { Words } from "../customer/words.ts";
import type { Bridge, Bundle, Part, PartName, PartScript } from "./bridge.ts";
import style from "./button.inline.css";
import { keepClosedRoots } from "./closed-roots.ts";
import { direction } from "./direction.ts";
import { language, look } from "./look.ts";
import type { TandemApi, TandemError, TandemStart, TandemState } from "./tandem.d.ts";

const START = "[data-tandem-start]";
const MARK = "tandem";

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
  let words: Words;
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
  sheet.replaceSync(`:host{--accent:${look.accent} !important;--ink-on:${look.ink} !important}${style}`);
  root.adoptedStyleSheets = [sheet];
  const box = document.createElement("div");
  const problem = document.createElement("p");
  const button = document.createElement("button");
  box.className = "start";
  if (look.corner) box.dataset.corner = look.corner;
  problem.setAttribute("role", "alert");
  button.type = "button";
  box.append(problem, button);
  root.append(box);

  const said = () => look.words[language()] ?? (["", "", ""] as const);
  const show = (): void => {
    const [start, starting] = said();
    box.lang = language();
    box.dir = direction(box.lang);
    box.hidden =
      state === "idle" || state === "active" || (!problem.textContent && !!document.querySelector(START));
    button.textContent = state === "starting" ? starting : start;
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
    look,
    get words() {
      return words;
    },
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
      element.src = trusted.createScriptURL(`/.tandem/part/${name}.js${version ? `?${version}` : ""}`);
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
  const fetchWords = async (): Promise<void> => {
    const answer = await fetch(`/.tandem/part/words-${language()}.json${version ? `?${version}` : ""}`);
    if (!answer.ok) throw new Error("no words");
    words = (await answer.json()) as Words;
  };
  const fetchBundle = (): Promise<Bundle> => {
    bundle ??= Promise.all([fetchPart<Bundle, Bridge>("customer", bridge), fetchWords()]).then(([it]) => it);
    bundle.catch(() => {
      bundle = undefined;
    });
    return bundle;
  };

  /** Says what is wrong, to the customer and to who asked. */
  const fail = (error: unknown): TandemError => {
    const known = error instanceof Error && "code" in error ? (error as TandemError) : null;
    const refusal = known ?? Object.assign(new Error(said()[2]), { code: "unreachable" } as const);
    // Who said no knows why.
    problem.textContent = refusal.code === "declined" ? "" : refusal.message;
    bridge.become("off");
    return refusal;
  };

  const start = async (about?: TandemStart): Promise<{ sessionId: string }> => {
    problem.textContent = "";
    bridge.become("starting");
    try {
      return { sessionId: await (await fetchBundle()).start(about) };
    } catch (error) {
      throw fail(error);
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
    try {
      // In the top layer no z-index of the site's lies over it.
      host.popover = "manual";
      host.showPopover();
    } catch {
      // Without popovers the z-index has to do.
    }
  };
  const resume = (): void => {
    const id = sessionId;
    if (id) fetchBundle().then((it) => it.resume(id), fail);
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ready, { once: true });
  else ready();
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener("prerenderingchange", resume, { once: true });
  } else resume();
}

keepClosedRoots();
if (window === top && !window.Tandem) load(document.currentScript as HTMLScriptElement | null);
