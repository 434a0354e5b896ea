/**
 * Random programs change the customer's page; at random points and at the end the agent's mirror is the same page.
 *
 * The same page means: structure, attributes, texts and the state of controls. Computed styles and scroll positions are not
 * compared yet: rules that a script put into a style element which moves, and scrollers that move, still differ.
 *
 * It is no part of the suite yet, since some seeds still find a difference (77 in round 11: an element is missing).
 * The seed is printed and can be given: `MODEL_SEED=7 MODEL_ROUNDS=12 npx playwright test model`.
 */
import { randomInt } from "node:crypto";
import type { Page } from "@playwright/test";
import { type Agent, type Customer, expect, test } from "./rig.ts";

const ROUNDS = Number(process.env.MODEL_ROUNDS ?? 12);
const OPERATIONS = 200;

/** Makes `window.change(operations)`, which does as many random operations, all from one seed. */
function program(seed: number): void {
  let state = seed || 1;
  const random = (below: number): number => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return (((state ^ (state >>> 13)) >>> 0) % 1_000_003) % below;
  };
  const pick = <T>(from: ArrayLike<T>): T | undefined => (from.length ? from[random(from.length)] : undefined);
  const top = document.createElement("section");
  top.id = "model";
  document.querySelector("main")?.prepend(top);
  const detached: Node[] = [];
  let made = 0;

  /** All elements of the model, in shadow roots too. */
  const all = (): Element[] => {
    const found: Element[] = [top];
    for (let at = 0; at < found.length; at++) {
      const element = found[at] as Element;
      found.push(...element.children, ...(element.shadowRoot?.children ?? []));
    }
    return found;
  };
  const SVG = "http://www.w3.org/2000/svg";
  const NAMES = ["div", "p", "b", "ul", "li", "x-card", "textarea", "input", "select", "details", "em", "article", "output"];
  const make = (depth = 0): Node => {
    made++;
    const kind = random(12);
    if (kind === 0) return document.createTextNode(`text ${made} `);
    if (kind === 1) return document.createComment(`${made}`);
    if (kind === 2) {
      const svg = document.createElementNS(SVG, "svg");
      svg.append(document.createElementNS(SVG, random(2) ? "circle" : "linearGradient"));
      svg.setAttribute("viewBox", `0 0 ${made} 9`);
      return svg;
    }
    const element = document.createElement(pick(NAMES) ?? "div");
    element.className = `c${random(5)}`;
    if (element.localName === "input") (element as HTMLInputElement).type = pick(["text", "checkbox", "radio", "range"]) ?? "text";
    if (element.localName === "select") element.innerHTML = "<option>a<option>b<option selected>c";
    else if (element.localName !== "input" && element.localName !== "textarea") {
      for (let n = random(3); n > 0 && depth < 4; n--) element.append(make(depth + 1));
    }
    return element;
  };
  /** Somewhere a node can go: never into a control, never into itself. */
  const place = (moving?: Node): Element | ShadowRoot => {
    const homes = all().filter(
      (element) => !/^(input|textarea|select|option|style|svg|circle|linearGradient)$/.test(element.localName) && !moving?.contains(element),
    );
    const home = pick(homes) ?? top;
    const root = home.shadowRoot;
    return root && random(2) && !moving?.contains(root.host) ? root : home;
  };
  const put = (node: Node): void => {
    const home = place(node);
    home.insertBefore(node, pick([...home.childNodes, null]) ?? null);
  };
  const some = (): Element | undefined => {
    const elements = all().slice(1);
    return pick(elements);
  };
  const texts = (): Node[] =>
    all()
      .filter((element) => element.localName !== "style")
      .flatMap((element) => [...element.childNodes].filter((node) => node.nodeType === 3));
  const control = (): Element | undefined => pick(all().filter((element) => /^(input|textarea|select)$/.test(element.localName)));

  const OPERATIONS: Array<() => void> = [
    () => put(make()),
    () => put(make()),
    () => put(make()),
    () => {
      const node = some();
      if (node) put(node);
    },
    () => {
      const home = place();
      home.append(...[...home.childNodes].reverse());
    },
    () => some()?.remove(),
    () => {
      const node = some();
      if (!node) return;
      detached.push(node);
      node.remove();
      while (detached.length > 8) detached.shift();
    },
    () => {
      const node = detached.splice(random(detached.length || 1), 1)[0];
      if (!node) return;
      // It changed while nobody looked.
      if (node.nodeType === 1) (node as Element).append(make(3));
      put(node);
    },
    () => {
      const node = some();
      if (node && !/^(option|circle|linearGradient)$/.test(node.localName)) node.replaceWith(make(), make());
    },
    () => some()?.setAttribute(pick(["class", "hidden", "data-x", "lang", "style", "@odd", "aria-label"]) ?? "class", `v${random(9)}`),
    () => some()?.setAttribute("style", `color: rgb(${random(9)}, 1, 2); order: ${random(9)}`),
    () => {
      const node = some();
      const name = pick(node?.getAttributeNames() ?? []);
      if (node && name && name !== "type") node.removeAttribute(name);
    },
    () => {
      const svg = top.querySelector("circle");
      svg?.setAttributeNS("http://www.w3.org/1999/xlink", "xlink:href", `#${random(9)}`);
    },
    () => {
      const text = pick(texts());
      if (text) (text as Text).data = pick(["", " ", `new ${made}`, "two  spaces", "ä€😀"]) ?? "";
    },
    () => {
      const text = pick(texts());
      if (text && (text as Text).length > 1) (text as Text).splitText(1);
    },
    () => place().normalize(),
    () => {
      const home = place();
      if (home !== top) home.innerHTML = `<p class=c${random(5)}>set <i>${made}</i><!--x--></p>tail`;
    },
    () => {
      const fragment = document.createDocumentFragment();
      fragment.append(make(), make(), pick(all().slice(1)) ?? "");
      const home = place();
      for (const node of [...fragment.childNodes]) if (node.contains(home)) node.remove();
      home.append(fragment);
    },
    () => {
      const wrapped = some();
      if (!wrapped || /^(option|circle|linearGradient)$/.test(wrapped.localName)) return;
      const wrapper = document.createElement("div");
      wrapped.replaceWith(wrapper);
      wrapper.append(wrapped);
    },
    () => {
      const host = pick(all().filter((element) => /^(div|p|article|x-card)$/.test(element.localName) && !element.shadowRoot));
      if (host) host.attachShadow({ mode: "open" }).append(make(), document.createElement("slot"));
    },
    () => {
      const field = control();
      if (field?.localName === "select") (field as HTMLSelectElement).selectedIndex = random(4) - 1;
      else if (field) (field as HTMLInputElement).value = `${random(90)}`;
    },
    () => {
      const box = pick(all().filter((element) => (element as HTMLInputElement).type === "checkbox")) as HTMLInputElement | undefined;
      if (box) [box.checked, box.indeterminate] = [random(2) === 1, random(4) === 0];
    },
    () => {
      const field = control();
      if (field?.localName === "textarea") (field as HTMLTextAreaElement).setRangeText("range", 0, 0);
    },
    () => {
      const style = document.createElement("style");
      put(style);
      style.textContent = `.c${random(5)}{padding-left:${random(9)}px}`;
    },
    () => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(`.c${random(5)}{margin-top:${random(9)}px}`);
      const root = pick(all().flatMap((element) => element.shadowRoot ?? []));
      if (root) root.adoptedStyleSheets = random(3) ? [sheet] : [];
    },
    () => {
      const ignored = document.createElement("aside");
      ignored.dataset.tandem = "ignore";
      ignored.append("not shared");
      put(ignored);
    },
  ];
  const change = (operations: number): void => {
    for (let n = 0; n < operations; n++) {
      try {
        (pick(OPERATIONS) as () => void)();
      } catch {
        // Not every operation fits every place.
      }
    }
    // The page does not grow without end.
    while (all().length > 400) top.lastElementChild?.remove();
  };
  Object.assign(window, { change });
}

/** The model as a text: what the customer's page is, or what the mirror shows. */
function dump(document: Document): string {
  const top = document.querySelector("#model");
  const lines: string[] = [];
  const visit = (node: Node, depth: number): void => {
    const indent = " ".repeat(depth);
    if (node.nodeType === 3) lines.push(`${indent}"${(node as Text).data}"`);
    else if (node.nodeType === 8) lines.push(`${indent}<!>`);
    if (node.nodeType !== 1) return;
    const element = node as HTMLInputElement;
    // Rules that no element has are told as a style element that only the mirror has.
    if (element.dataset?.tandem === "ignore" || element.localName === "style") return;
    const attributes = element
      .getAttributeNames()
      // What the mirror must have its own way.
      .filter((name) => !/^(autocomplete|data-tandem-.*|tandem-.*)$/.test(name))
      .map((name) => `${name}=${element.getAttribute(name)}`)
      .sort();
    const state: string[] = [];
    if (/^(input|textarea)$/.test(element.localName)) state.push(`value=${element.value}`);
    if (/^(checkbox|radio)$/.test(element.type)) state.push(`checked=${element.indeterminate ? "mixed" : element.checked}`);
    if (element.localName === "select") state.push(`selected=${(node as HTMLSelectElement).selectedIndex}`);
    lines.push(`${indent}<${element.localName} ${attributes.join(" ")}> ${state.join(" ")}`);
    const root = element.shadowRoot;
    if (root) {
      lines.push(`${indent}#shadow`);
      for (const child of root.childNodes) visit(child, depth + 1);
    }
    for (const child of node.childNodes) visit(child, depth + 1);
  };
  if (top) visit(top, 0);
  return lines.join("\n");
}

const there = (agent: Agent): Promise<string> =>
  agent.page.evaluate(`(${dump})(document.querySelector("iframe[title=\\"Customer's page\\"]").contentDocument)`) as Promise<string>;
const here = (page: Page): Promise<string> => page.evaluate(`(${dump})(document)`) as Promise<string>;

async function compare(customer: Customer, agent: Agent, context: string): Promise<void> {
  const page = await here(customer.page);
  await expect.poll(() => there(agent), { message: context, timeout: 5_000 }).toBe(page);
}

test("after any program the mirror is the customer's page", async ({ customer, agent, session, demo }) => {
  test.skip(!process.env.MODEL_ROUNDS, "only on demand");
  const seed = Number(process.env.MODEL_SEED ?? randomInt(1, 2 ** 31));
  console.log(`MODEL_SEED=${seed}`);
  test.setTimeout(30_000 + ROUNDS * 2_000);
  // The demo's policy for content forbids inline styles; the model is about pages that have them.
  const devtools = await customer.page.context().newCDPSession(customer.page);
  await devtools.send("Page.setBypassCSP", { enabled: true });
  await session("/help");
  const faults = async () =>
    (await (await fetch(`${demo.console}/metrics`)).text()).match(/^tandem_session_(\w+_divergences|customer_resyncs)_total .*$/gm);
  const before = await faults();
  await customer.page.evaluate(`(${program})(${seed})`);
  for (let round = 0; round < ROUNDS; round++) {
    // In pieces, so that frames are painted in between.
    for (let piece = 0; piece < 4; piece++) {
      await customer.page.evaluate(`change(${OPERATIONS / 4})`);
    }
    await compare(customer, agent, `MODEL_SEED=${seed}, round ${round}`);
  }
  expect(before).toHaveLength(3);
  expect(await faults(), `MODEL_SEED=${seed}`).toEqual(before);
});
