/**
 * Runs on every page of the site: offers the Co-browse button and `window.Tandem`, and loads the rest only for a session.
 *
 * Before a session it shares nothing, observes nothing and touches the page only by adding its own element and by remembering
 * what nobody could find out later; in a frame of another host's page, it only listens whether a page of the site speaks to it.
 */

import type { Words } from "../customer/words.ts";
import type {
  Bridge,
  Bundle,
  FrameWord,
  HearPage,
  InsetBridge,
  Part,
  PartName,
  PartScript,
} from "./bridge.ts";
import style from "./button.inline.css";
import { direction } from "./direction.ts";
import hostStyle from "./host.inline.css";
import { keep } from "./kept.ts";
import { language, look } from "./look.ts";
import type { TandemApi, TandemError, TandemStart, TandemState } from "./tandem.d.ts";

/** As it is before the page's scripts run. */
const Observer = MutationObserver;
const START = "[data-tandem-start]";
const MODAL = "dialog:modal";
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

/** Loads what of ours is beside this script. */
function beside(script: HTMLScriptElement | null) {
  const nonce = script?.nonce;
  const version = script?.src.split("?")[1];
  const parts = new Map<string, Promise<unknown>>();
  let trusted: Rules | undefined;
  const address = (file: string) => `/.tandem/part/${file}${version ? `?${version}` : ""}`;
  return {
    /** A script, once. */
    part<T, P extends Part<T>>(name: string, part: P): Promise<T> {
      const known = parts.get(name) as Promise<T> | undefined;
      if (known) return known;
      const fetched = new Promise<T>((resolve, reject) => {
        let element: PartScript<T, P> | undefined;
        const add = (): void => {
          const root = document.head ?? document.documentElement;
          if (!root || element?.isConnected) return;
          const script: PartScript<T, P> = document.createElement("script");
          delete element?.tandem;
          element = script;
          script.async = true;
          if (nonce) script.nonce = nonce;
          trusted ??= trust();
          script.src = trusted.createScriptURL(address(`${name}.js`));
          script.tandem = part;
          script.onload = () => script.remove();
          script.onerror = () => {
            script.remove();
            if (script !== element) return;
            opened.disconnect();
            parts.delete(name);
            reject(new Error("Tandem could not be loaded"));
          };
          root.append(script);
        };
        // A page that is written anew is empty for a while, and what it was loading may neither come nor fail.
        const opened = new Observer(add);
        opened.observe(document, { childList: true });
        part.provide = (it) => {
          opened.disconnect();
          resolve(it);
        };
        add();
      });
      parts.set(name, fetched);
      return fetched;
    },
    async words(): Promise<Words> {
      const answer = await fetch(address(`words-${language()}.json`));
      if (!answer.ok) throw new Error("no words");
      return (await answer.json()) as Words;
    },
  };
}

/** In a frame of a page of another host: waits for that to say that it is shared. Who is not of the site is not heard. */
function lodge(script: HTMLScriptElement | null): void {
  const { part, words } = beside(script);
  const bridge: InsetBridge = {
    look,
    words,
    provide: () => {},
    load: <T>(name: PartName) => part<T, Part<T>>(name, { provide: () => {} }),
  };
  addEventListener("message", ({ data, origin, source }) => {
    const word = data as FrameWord | null;
    if (typeof word?.tandem !== "string" || !look.hosts?.includes(origin) || !isAround(source)) return;
    part<HearPage, InsetBridge>("inset", bridge).then(
      (hear) => hear(word, source, origin),
      () => {},
    );
  });
}

function isAround(source: MessageEventSource | null): source is Window {
  for (let at: Window = window; at !== at.parent; at = at.parent) if (at.parent === source) return true;
  return false;
}

/** Whether the page around this document can reach into it. */
function isWithin(): boolean {
  try {
    return !!parent.document;
  } catch {
    return false;
  }
}

function load(script: HTMLScriptElement | null): void {
  const { part: fetchPart, words: fetchWords } = beside(script);
  const past = new Map<string, unknown>();
  const handlers = new Map<string, Array<(detail: never) => void>>();
  let state: TandemState = "off";
  let sessionId: string | null = null;
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
  // A closed root would keep nothing from the site's scripts, which are of this very origin; what is pressed in it counts only
  // from a person's hand. Tests and tools find their way in an open one.
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    `:host{--accent:${look.accent} !important;--ink-on:${look.ink} !important}${hostStyle}${style}`,
  );
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

  const fetchBundle = (): Promise<Bundle> => {
    bundle ??= Promise.all([fetchPart<Bundle, Bridge>("customer", bridge), fetchWords()]).then(
      ([it, all]) => {
        words = all;
        return it;
      },
    );
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
  /** Puts our element there, in the top layer: no z-index of the site's lies over it. */
  const stand = (home: Element): void => {
    home.append(host);
    try {
      host.popover = "manual";
      host.showPopover();
    } catch {
      // Without popovers the z-index has to do.
    }
  };
  /** Where our element can be pressed: beside a modal dialog nothing can. One in a shadow root is known by what is pressed in it. */
  const homeOf = (path: readonly EventTarget[]): Element =>
    [...document.querySelectorAll(MODAL), ...path]
      .filter((it): it is Element => it instanceof Element && it.matches(MODAL))
      .pop() ?? document.documentElement;
  const isOver = ({ clientX: x, clientY: y }: MouseEvent, element: Element): boolean => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return x > left && x < right && y > top && y < bottom;
  };
  const settle = (home: Element): void => {
    // A session sees to that by itself; what the site has taken away stays away.
    if (state === "off" && host.parentNode && host.parentNode !== home) stand(home);
  };
  // It moves when something is pressed: nothing tells before a session what a script has opened, and nobody watches.
  addEventListener("click", (event) => {
    const { target } = event;
    if (!event.isTrusted || !(target instanceof Element)) return;
    const path = event.composedPath();
    const home = homeOf(path);
    // A dialog that lies over the button is what was pressed.
    const beneath = (path[0] as Element).contains(home) && isOver(event, button) && !isOver(event, home);
    settle(home);
    if (beneath || target.closest(START)) press(event);
  });
  // With the dialog that it is in our element goes from the screen, and with that what runs in it.
  box.onanimationcancel = () => settle(homeOf([]));

  const ready = (): void => {
    stand(document.documentElement);
    show();
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

keep();
const script = document.currentScript as HTMLScriptElement | null;
if (window !== top) {
  if (look.hosts && !isWithin()) lodge(script);
} else if (!window.Tandem) load(script);
