/**
 * A random program that changes a page in every way that pages change, all from one seed.
 *
 * It is run in the customer's page, so nothing of this module but the function itself is there.
 */

/** What a program leaves on the window. */
export type Program = {
  /** Does as many random operations, with random pauses between them. */
  change(operations: number): Promise<void>;
  /** The shadow root of an element, a closed one too. */
  rootOf(element: Element): ShadowRoot | null;
  /** The names of the last operations, newest last. */
  readonly trace: string[];
};

/**
 * Puts a `Program` on the window as `program`. `only`: names of the operations to do, or none for all. `elsewhere`: addresses of other
 * hosts for frames, of pages that run a program of their own.
 */
export function program(seed: number, only: string[], elsewhere: string[] = []): void {
  let state = 0;
  const random = (below: number): number => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return (((state ^ (state >>> 13)) >>> 0) % 1_000_003) % below;
  };
  /** What the operation of this number does depends on nothing but the seed and the page: one that is left out changes no other. */
  const begin = (operation: number): void => {
    state = Math.imul(seed, 0x9e3779b1) ^ Math.imul(operation, 0x85ebca6b);
    random(1);
  };
  begin(0);
  const pick = <T>(from: ArrayLike<T>): T | undefined => (from.length ? from[random(from.length)] : undefined);
  const SVG = "http://www.w3.org/2000/svg";
  const MATHML = "http://www.w3.org/1998/Math/MathML";
  const XLINK = "http://www.w3.org/1999/xlink";
  const NAMES =
    "div p b ul li x-card x-late textarea input select details em article output progress meter fieldset label table dialog form button slot".split(
      " ",
    );
  /** Nothing is put into these. */
  const LEAF =
    /^(input|textarea|select|optgroup|option|style|svg|circle|linearGradient|math|mi|mn|table|tbody|tr|td|iframe|progress|meter|template|noscript|script|img|br|hr)$/;
  const TYPES = ["text", "checkbox", "radio", "range", "number", "date", "color", "hidden", "button"];
  const roots = new WeakMap<Element, ShadowRoot>();
  const rootOf = (element: Element): ShadowRoot | null => element.shadowRoot ?? roots.get(element) ?? null;
  const top = document.createElement("section");
  top.id = "model";
  document.querySelector("main")?.prepend(top);
  document.adoptedStyleSheets = [];
  const detached: Node[] = [];
  const trace: string[] = [];
  let made = 0;
  let done = 0;

  const inFrame = (element: Element): Document | null =>
    element.localName === "iframe" ? (element as HTMLIFrameElement).contentDocument : null;
  const insets = (): HTMLElement[] => named(/^iframe$/).filter((frame) => !inFrame(frame));
  /** All elements of the model, in shadow roots and frames too. */
  const all = (): HTMLElement[] => {
    const found: Element[] = [top];
    for (let at = 0; at < found.length; at++) {
      const element = found[at] as Element;
      // Nothing in these is shown, and nobody puts slots there.
      if (/^(template|noscript|script)$/.test(element.localName)) continue;
      // The widget goes into the uppermost dialog.
      const inside = [...element.children, ...(rootOf(element)?.children ?? [])];
      found.push(...inside.filter(({ localName }) => localName !== "tandem-widget"));
      const body = inFrame(element)?.body;
      if (body) found.push(body);
    }
    return found as HTMLElement[];
  };
  const named = (pattern: RegExp): HTMLElement[] => all().filter(({ localName }) => pattern.test(localName));
  /** Any element that may be taken elsewhere. */
  const some = (): HTMLElement | undefined =>
    pick(
      all().filter((element) => element !== top && !element.closest("aside") && !/^(body|option|optgroup|tbody|tr|td|circle|linearGradient|mi|mn)$/.test(element.localName)),
    );
  const holds = (outer: Node, inner: Node): boolean => {
    for (let at: Node | null = inner; at; ) {
      if (at === outer) return true;
      at = at.parentNode ?? (at as ShadowRoot).host ?? (at as Document).defaultView?.frameElement ?? null;
    }
    return false;
  };
  const make = (depth = 0): Node => {
    made++;
    const kind = random(16);
    if (kind === 0) return document.createTextNode(`text ${made} `);
    if (kind === 1) return document.createComment(`${made}`);
    if (kind === 2) {
      const svg = document.createElementNS(SVG, "svg");
      svg.append(document.createElementNS(SVG, random(2) ? "circle" : "linearGradient"));
      svg.setAttribute("viewBox", `0 0 ${made} 9`);
      return svg;
    }
    if (kind === 3) {
      const math = document.createElementNS(MATHML, "math");
      math.append(document.createElementNS(MATHML, random(2) ? "mi" : "mn"));
      (math.firstChild as Element).textContent = `${made}`;
      return math;
    }
    const element = document.createElement(pick(NAMES) ?? "div");
    element.className = `c${random(5)}`;
    switch (element.localName) {
      case "input":
        (element as HTMLInputElement).type = pick(TYPES) ?? "text";
        if (random(2)) element.setAttribute("name", `n${random(3)}`);
        break;
      case "select":
        element.innerHTML = "<option>a<optgroup label=g><option>b<option selected>c</optgroup><option disabled>d";
        (element as HTMLSelectElement).multiple = random(2) === 1;
        break;
      case "progress":
      case "meter":
        if (random(2)) (element as HTMLProgressElement).value = random(10) / 10;
        break;
      case "table":
        element.innerHTML = `<tr><td>${made}<td>b`;
        break;
      case "textarea":
        element.textContent = random(2) ? `area ${made}` : "";
        break;
      case "button":
        // The shop's policies say of others that agents can not use them.
        element.setAttribute("type", "button");
        element.textContent = `b${made}`;
        break;
      default:
        for (let n = random(3); n > 0 && depth < 4; n--) element.append(make(depth + 1));
        if (element.localName === "slot" && random(2)) element.setAttribute("name", `s${random(2)}`);
        else if (random(4) === 0) element.setAttribute("slot", `s${random(2)}`);
    }
    return element;
  };
  /** Somewhere a node can go: never into itself. */
  const place = (moving?: Node): Element | ShadowRoot => {
    // Not into what is not shared: a sheet there would hold for the whole page.
    const homes = all().filter((element) => !LEAF.test(element.localName) && !element.closest("aside") && !(moving && holds(moving, element)));
    const home = pick(homes) ?? top;
    const root = rootOf(home);
    return root && random(2) ? root : home;
  };
  const put = (node: Node): void => {
    const home = place(node);
    home.insertBefore(node, pick([...home.childNodes, null]) ?? null);
  };
  /** Rules that others are in: `@media`, `@layer`, a rule that nests. */
  const groups = (): CSSGroupingRule[] =>
    sheets().flatMap(({ cssRules }) => [...cssRules].filter((rule) => "insertRule" in rule)) as CSSGroupingRule[];
  const texts = (): Text[] =>
    all()
      .filter(({ localName }) => localName !== "style")
      .flatMap((element) => [...element.childNodes].filter((node) => node.nodeType === 3)) as Text[];
  const control = (): HTMLElement | undefined => pick(named(/^(input|textarea|select)$/));
  const sheets = (): CSSStyleSheet[] => [
    ...(named(/^style$/) as HTMLStyleElement[]).flatMap(({ sheet }) => sheet ?? []),
    ...document.adoptedStyleSheets,
    ...all().flatMap((element) => [...(rootOf(element)?.adoptedStyleSheets ?? [])]),
  ];
  const rule = (): string =>
    pick([
      `.c${random(5)}{padding-left:${random(9)}px}`,
      `.c${random(5)}{padding-bottom:${random(9)}px}`,
      `#model .c${random(5)}{color:rgb(${random(200)},9,9)}`,
      `@media (min-width:${random(2) ? 10 : 9000}px){.c${random(5)}{letter-spacing:${random(4)}px}}`,
      `.c${random(5)}:checked{margin-left:${random(20)}px}`,
      `.c${random(5)}{--v:${random(9)}px;text-indent:var(--v)}`,
      `.c${random(5)}{text-indent:${random(9)}px;& .c${random(5)}{padding-bottom:${random(9)}px}}`,
      // Chromium loses track of what is around the focus.
      `.c${random(5)}:focus{padding-left:${10 + random(9)}px}`,
      `@layer l${random(2)}{#model .c${random(5)}{border-left-width:${random(4)}px;border-left-style:solid}}`,
    ]) ?? "";

  const operations: Record<string, () => void> = {
    insert: () => put(make()),
    insertMore: () => {
      put(make());
      put(make());
    },
    move: () => {
      const node = some();
      if (node) put(node);
    },
    moveBefore: () => {
      const node = some();
      const home = node && (place(node) as Element & { moveBefore?(node: Node, child: Node | null): void });
      // Chromium goes on painting what is moved so to where a slot shows something else.
      if (!home || home.localName === "slot" || rootOf(home)) return;
      home.moveBefore?.(node, pick([...home.childNodes, null]) ?? null);
    },
    reverse: () => {
      const home = place();
      home.append(...[...home.childNodes].reverse());
    },
    remove: () => some()?.remove(),
    detach: () => {
      const node = some();
      if (!node) return;
      detached.push(node);
      node.remove();
      while (detached.length > 8) detached.shift();
    },
    changeDetached: () => {
      const node = pick(detached) as HTMLElement | undefined;
      if (!node || LEAF.test(node.localName)) return;
      const inner = pick([...node.querySelectorAll<HTMLElement>("*"), node]) as HTMLElement;
      if (random(3) === 0) inner.remove();
      else if (random(2)) inner.title = `detached ${made++}`;
      else if (!LEAF.test(inner.localName)) inner.append(make(3));
    },
    attach: () => {
      const node = detached.splice(random(detached.length || 1), 1)[0];
      if (!node) return;
      // It changed while nobody looked.
      if (!LEAF.test((node as Element).localName) && random(2)) (node as Element).append(make(3));
      put(node);
    },
    attachPart: () => {
      const node = (pick(detached) as HTMLElement | undefined)?.firstElementChild;
      if (node && !/^(option|optgroup|tbody|tr|td|circle|linearGradient|mi|mn)$/.test(node.localName)) put(node);
    },
    replace: () => some()?.replaceWith(make(), make()),
    unwrap: () => {
      const node = some();
      if (node && !LEAF.test(node.localName)) node.replaceWith(...node.childNodes);
    },
    attribute: () =>
      some()?.setAttribute(
        pick(["class", "hidden", "data-x", "lang", "dir", "alt", "@odd", "aria-label", "inert", "contenteditable"]) ?? "class",
        pick(["", "rtl", "c1 c2", "de", "until-found", `v${random(9)}`]) ?? "",
      ),
    style: () => some()?.setAttribute("style", `color: rgb(${random(9)}, 1, 2); order: ${random(9)}`),
    styleProperty: () => {
      const { style } = some() ?? {};
      style?.setProperty(pick(["width", "margin-left", "--v", "display"]) ?? "width", pick(["20px", "flex", "", "7em"]) ?? "");
    },
    removeAttribute: () => {
      const node = some();
      if (node?.localName === "aside") return;
      const name = pick(node?.getAttributeNames() ?? []);
      if (node && name && !/^(type|src|srcdoc)$/.test(name)) node.removeAttribute(name);
    },
    namespaced: () => {
      const svg = pick(named(/^circle$/));
      if (random(3)) svg?.setAttributeNS(XLINK, "xlink:href", `#${random(9)}`);
      else if (random(2)) svg?.setAttributeNS("http://www.w3.org/XML/1998/namespace", "xml:lang", `l${random(9)}`);
      else svg?.removeAttributeNS(XLINK, "href");
    },
    attributeStyleMap: () => some()?.attributeStyleMap.set("padding-left", CSS.px(random(9))),
    text: () => {
      const text = pick(texts());
      if (text) text.data = pick(["", " ", `new ${made++}`, "two  spaces", "ä€😀"]) ?? "";
    },
    splitText: () => {
      const text = pick(texts());
      if (text && text.length > 1) text.splitText(1);
    },
    stream: () => {
      const text = pick(texts());
      text?.appendData(` +${made++}`);
    },
    normalize: () => place().normalize(),
    innerHTML: () => {
      const home = place();
      if (home !== top) home.innerHTML = `<p class=c${random(5)}>set <i>${made++}</i><!--x--></p>tail`;
    },
    declarative: () => {
      const home = place() as Element & { setHTMLUnsafe?(html: string): void };
      if (home !== top && home.localName !== "body")
        home.setHTMLUnsafe?.(`<div class=c1><template shadowrootmode=open><p class=c2>shadow ${made++}</p><slot></slot></template>light</div>`);
    },
    adjacent: () => {
      some()?.insertAdjacentHTML(
        pick(["beforebegin", "afterbegin", "beforeend", "afterend"]) as InsertPosition,
        `<em class=c${random(5)}>adjacent ${made++}</em> and`,
      );
    },
    clone: () => {
      const node = some();
      if (node && node.querySelectorAll("*").length < 40) put(node.cloneNode(true));
    },
    fragment: () => {
      const fragment = document.createDocumentFragment();
      fragment.append(make(), make(), some() ?? "");
      const home = place();
      for (const node of [...fragment.childNodes]) if (holds(node, home)) node.remove();
      home.append(fragment);
    },
    wrap: () => {
      const wrapped = some();
      if (!wrapped) return;
      const wrapper = document.createElement("div");
      wrapped.replaceWith(wrapper);
      wrapper.append(wrapped);
    },
    range: () => {
      const home = place();
      if (home === top || home.childNodes.length < 2) return;
      const range = document.createRange();
      range.setStart(home, random(home.childNodes.length));
      range.setEnd(home, home.childNodes.length);
      const taken = range.extractContents();
      const other = place();
      if (![...taken.childNodes].some((node) => holds(node, other))) other.append(taken);
    },
    surround: () => {
      const text = pick(texts());
      if (!text || LEAF.test(text.parentElement?.localName ?? "")) return;
      const range = text.ownerDocument.createRange();
      range.setStart(text, random(text.length + 1));
      range.setEnd(text, text.length);
      const kind = random(3);
      if (kind === 0) range.surroundContents(text.ownerDocument.createElement("b"));
      else if (kind === 1) range.insertNode(make(3));
      else range.deleteContents();
    },
    select: () => {
      const text = pick(texts());
      if (text) text.ownerDocument.getSelection()?.setBaseAndExtent(text, 0, text, random(text.length + 1));
    },
    focus: () => {
      const field = pick(named(/^(input|textarea|select|button)$/));
      if (random(4)) field?.focus({ preventScroll: random(2) === 1 });
      else field?.blur();
    },
    instruction: () => put(document.createProcessingInstruction("x", `${made++}`)),
    comment: () => {
      const comment = pick(all().flatMap((element) => [...element.childNodes].filter((node) => node.nodeType === 8))) as Comment | undefined;
      comment?.appendData("!");
    },
    swap: () => {
      const [one, other] = [some(), some()];
      if (!one || !other || holds(one, other) || holds(other, one)) return;
      const mark = document.createComment("");
      one.replaceWith(mark);
      other.replaceWith(one);
      mark.replaceWith(other);
    },
    replaceChildren: () => {
      const home = place();
      if (home !== top && home.childNodes.length < 12) home.replaceChildren(make(), ...[...home.childNodes].slice(0, 2));
    },
    template: () => {
      const element = document.createElement(pick(["template", "noscript", "script"]) ?? "template");
      if (element.localName === "script") (element as HTMLScriptElement).type = "text/plain";
      element.innerHTML = "<p>never seen";
      put(element);
    },
    shadow: () => {
      const host = pick(named(/^(div|p|article|x-card|x-late)$/).filter((element) => !rootOf(element)));
      if (!host) return;
      const open = random(2) === 1;
      // Of a frame without a loader nobody keeps what was closed before it was noticed: this page may begin before it is shared, and a
      // document that was loaded is another one. What was made in there may be anywhere by now.
      const view = host.ownerDocument.defaultView as (Window & typeof globalThis) | null;
      const madeIn = (realm: typeof globalThis | null) => realm !== null && (host as object) instanceof realm.Element;
      const isKept = madeIn(globalThis) || (window.parent === window && madeIn(view) && !view?.frameElement?.matches("[src], [srcdoc]"));
      const mode = open || !isKept ? "open" : "closed";
      // Nobody can know of the closed root of a clone.
      const init = { mode, clonable: mode === "open" && random(2) === 1, slotAssignment: random(3) ? "named" : "manual" } as const;
      const root = host.attachShadow(init);
      roots.set(host, root);
      root.append(make(), document.createElement("slot"), make());
    },
    slot: () => {
      const child = pick(all().filter((element) => element.parentElement && rootOf(element.parentElement) && !/^(aside|template|noscript|script)$/.test(element.localName)));
      if (child) child.slot = `s${random(2)}`;
    },
    assign: () => {
      const byHand = all().flatMap((element) => rootOf(element) ?? []).filter(({ slotAssignment }) => slotAssignment === "manual");
      const root = pick(byHand);
      const slot = pick([...(root?.querySelectorAll("slot") ?? [])]);
      // A text alone is not told in a slot.
      slot?.assign(...[...(root?.host.children ?? [])].filter((element) => element.localName !== "aside" && random(2)));
    },
    define: () => {
      // Once, at some time.
      const name = random(2) ? "x-late" : "x-card";
      if (random(8) || customElements.get(name)) return;
      const one = class extends HTMLElement {
        connectedCallback(): void {
          if (name !== "x-card" || rootOf(this)) return;
          const root = this.attachShadow({ mode: "open" });
          root.innerHTML = "<style>:host{padding-bottom:3px}</style><slot></slot><i class=c1>upgraded</i>";
        }
      };
      customElements.define(name, one);
    },
    value: () => {
      const field = control();
      if (field?.localName === "select") {
        const select = field as HTMLSelectElement;
        if (select.multiple) for (const option of select.options) option.selected = random(2) === 1;
        else select.selectedIndex = random(5) - 1;
      } else if (field) (field as HTMLInputElement).value = `${random(90)}`;
    },
    check: () => {
      const box = pick(named(/^input$/).filter((element) => /^(checkbox|radio)$/.test((element as HTMLInputElement).type))) as
        | HTMLInputElement
        | undefined;
      if (box) box.checked = random(2) === 1;
      if (box?.type === "checkbox") box.indeterminate = random(4) === 0;
    },
    edit: () => {
      const field = control() as HTMLInputElement | undefined;
      if (field?.localName === "textarea") field.setRangeText("range", 0, 0);
      else if (field?.type === "number") field.valueAsNumber = random(50);
      else if (field?.type === "range") field.stepUp(random(5));
      else if (field?.type === "text") field.defaultValue = `default ${made++}`;
    },
    type: () => {
      const field = control() as HTMLInputElement | undefined;
      if (field?.localName === "input" && field.type !== "hidden") field.type = pick(TYPES) ?? "text";
    },
    options: () => {
      const select = pick(named(/^select$/)) as HTMLSelectElement | undefined;
      if (random(2)) select?.add(new Option(`option ${made++}`, undefined, random(2) === 1, random(2) === 1), random(3));
      else select?.remove(random(3));
    },
    option: () => {
      const option = pick(named(/^option$/)) as HTMLOptionElement | undefined;
      if (!option) return;
      const kind = random(5);
      if (kind === 0) option.selected = !option.selected;
      else if (kind === 1) option.defaultSelected = !option.defaultSelected;
      else if (kind === 2) option.disabled = !option.disabled;
      else if (kind === 3) option.text = `option ${made++}`;
      // Into another list, as it is.
      else pick(named(/^select$/))?.append(option);
    },
    multiple: () => {
      const select = pick(named(/^select$/)) as HTMLSelectElement | undefined;
      if (select) select.multiple = !select.multiple;
    },
    defaults: () => {
      const field = control() as HTMLInputElement | undefined;
      if (field?.localName === "textarea") field.defaultValue = `default ${made++}`;
      else if (/^(checkbox|radio)$/.test(field?.type ?? "") && field) field.defaultChecked = !field.defaultChecked;
      else if (field?.localName === "input") field.removeAttribute("value");
    },
    output: () => {
      const output = pick(named(/^(output|progress|meter)$/)) as HTMLOutputElement | undefined;
      if (output) output.value = `${random(10) / 10}`;
    },
    reset: () => (pick(named(/^form$/)) as HTMLFormElement | undefined)?.reset(),
    disable: () => {
      const field = control() as HTMLInputElement | undefined;
      if (field) field.disabled = !field.disabled;
    },
    details: () => {
      const details = pick(named(/^details$/)) as HTMLDetailsElement | undefined;
      if (!details) return;
      details.open = !details.open;
      // Of those with one name only one is open.
      if (random(3) === 0) details.name = `d${random(2)}`;
    },
    dialog: () => {
      const dialog = pick(named(/^dialog$/)) as HTMLDialogElement | undefined;
      if (dialog?.open) dialog.close();
      else if (random(2)) dialog?.show();
      else dialog?.showModal();
    },
    popover: () => {
      const element = pick(named(/^(div|p|article)$/)) as HTMLElement | undefined;
      if (!element) return;
      if (!element.popover) element.popover = pick(["auto", "manual", "hint"]) ?? "auto";
      element.togglePopover();
    },
    scroller: () => {
      const box = document.createElement("div");
      box.style.cssText = `height:${20 + random(20)}px;width:80px;overflow:scroll`;
      box.innerHTML = "<p style='width:300px'>a<p>b<p>c<p>d<p>e";
      put(box);
      box.scrollTop = random(60);
    },
    scroll: () => {
      const box = pick(all().filter(({ style }) => style?.overflow === "scroll"));
      box?.scrollTo(random(60), random(90));
    },
    scrollIntoView: () => some()?.scrollIntoView({ block: pick(["start", "center", "nearest"]), inline: "nearest" }),
    scrollWindow: () => window.scrollTo(0, random(400)),
    styleElement: () => {
      const style = document.createElement("style");
      put(style);
      if (random(2)) style.textContent = rule();
    },
    styleText: () => {
      const style = pick(named(/^style$/));
      if (style) style.append(rule());
    },
    insertRule: () => {
      const sheet = pick(sheets());
      sheet?.insertRule(rule(), random(sheet.cssRules.length + 1));
    },
    deleteRule: () => {
      const sheet = pick(sheets().filter(({ cssRules }) => cssRules.length));
      sheet?.deleteRule(random(sheet.cssRules.length));
    },
    insertInGroup: () => {
      const group = pick(groups());
      group?.insertRule(`.c${random(5)}{padding-bottom:${random(9)}px}`, random(group.cssRules.length + 1));
    },
    deleteInGroup: () => {
      const group = pick(groups().filter(({ cssRules }) => cssRules.length));
      group?.deleteRule(random(group.cssRules.length));
    },
    ruleStyleMap: () => {
      const found = pick([...(pick(sheets())?.cssRules ?? [])]) as CSSStyleRule | undefined;
      found?.styleMap?.set("padding-bottom", CSS.px(random(9)));
    },
    ruleStyle: () => {
      const found = pick([...(pick(sheets())?.cssRules ?? [])]) as CSSStyleRule | undefined;
      if (found?.style) found.style.paddingTop = `${random(9)}px`;
    },
    selectorText: () => {
      const found = pick([...(pick(sheets())?.cssRules ?? [])]) as CSSStyleRule | undefined;
      if (found?.selectorText) found.selectorText = `.c${random(5)}`;
    },
    disableSheet: () => {
      const sheet = pick(sheets());
      if (sheet) sheet.disabled = !sheet.disabled;
    },
    mediaText: () => {
      const sheet = pick(sheets());
      if (sheet) sheet.media.mediaText = random(2) ? "print" : "screen";
    },
    adopt: () => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(rule());
      const root = pick([document, ...all().flatMap((element) => rootOf(element) ?? [])]) as Document | ShadowRoot;
      if (random(3) === 0) root.adoptedStyleSheets = [];
      else if (random(2)) root.adoptedStyleSheets.push(sheet);
      else root.adoptedStyleSheets = [sheet];
    },
    adoptAgain: () => {
      // One sheet for several roots, and in another order.
      const root = pick([document, ...all().flatMap((element) => rootOf(element) ?? [])]) as Document | ShadowRoot;
      const sheet = pick(document.adoptedStyleSheets);
      if (sheet && root !== document) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
      else root.adoptedStyleSheets.reverse();
    },
    replaceSync: () => pick(document.adoptedStyleSheets)?.replaceSync(rule() + rule()),
    ignore: () => {
      const ignored = document.createElement("aside");
      ignored.dataset.tandem = "ignore";
      // Or else the agent's page has room for nothing there.
      ignored.hidden = true;
      ignored.slot = "nowhere";
      ignored.append("not shared");
      put(ignored);
    },
    toggleIgnored: () => {
      const aside = pick(named(/^aside$/));
      if (aside?.dataset.tandem) delete aside.dataset.tandem;
      else if (aside) aside.dataset.tandem = "ignore";
    },
    frame: () => {
      if (named(/^iframe$/).length > 3) return;
      const frame = document.createElement("iframe");
      frame.style.cssText = "width:120px;height:60px";
      const kind = random(3);
      const html = `${random(2) ? "<!doctype html>" : ""}<body><style>p{margin:1px}</style><p class=c1>framed ${made++}`;
      if (kind === 0) frame.srcdoc = html;
      if (kind === 1) frame.src = URL.createObjectURL(new Blob([html], { type: "text/html" }));
      put(frame);
      if (kind === 2) frame.contentDocument?.body.append(make(), make());
    },
    frameWrite: () => {
      const document = inFrame(pick(named(/^iframe$/)) ?? top);
      if (!document) return;
      document.open();
      document.write(`<p class=c${random(5)}>written ${made++}`);
      document.close();
    },
    frameStream: () => {
      const document = inFrame(pick(named(/^iframe$/)) ?? top);
      if (!document) return;
      // Nobody closes it, as while a page loads.
      if (document.readyState !== "loading") document.open();
      document.write(`<div class=c${random(5)}>streamed <i>${made++}`);
    },
    frameReload: () => {
      const frame = pick(named(/^iframe$/).filter((frame) => frame.hasAttribute("srcdoc") || frame.hasAttribute("src")));
      inFrame(frame ?? top)?.location.reload();
    },
    frameNavigate: () => {
      const frame = pick(named(/^iframe$/)) as HTMLIFrameElement | undefined;
      if (frame) frame.srcdoc = `<!doctype html><p>navigated ${made++}`;
    },
    ...(elsewhere.length > 0 && {
      inset: () => {
        if (insets().length > 2) return;
        const frame = document.createElement("iframe");
        frame.style.cssText = "width:160px;height:90px";
        frame.src = `${pick(elsewhere)}?${made++}`;
        put(frame);
      },
      insetNavigate: () => {
        const frame = pick(named(/^iframe$/)) as HTMLIFrameElement | undefined;
        if (!frame) return;
        frame.removeAttribute("srcdoc");
        frame.src = `${pick(elsewhere)}?${made++}`;
      },
      insetMove: () => {
        const frame = pick(insets());
        if (frame) put(frame);
      },
      insetRemove: () => pick(insets())?.remove(),
    }),
    frameRoot: () => {
      const document = inFrame(pick(named(/^iframe$/)) ?? top);
      const html = document?.createElement("html");
      html?.append(document?.createElement("head") ?? "", document?.createElement("body") ?? "");
      html?.lastElementChild?.append(make());
      if (html) document?.documentElement?.replaceWith(html);
    },
  };
  const names = Object.keys(operations).filter((name) => only.length === 0 || only.includes(name) !== only.includes("-"));
  const pause = (): Promise<unknown> | null => {
    switch (random(30)) {
      case 0:
        return new Promise((resolve) => setTimeout(resolve));
      case 1:
        // Documents of other hosts that nobody sees are never painted.
        return new Promise((resolve) => {
          requestAnimationFrame(resolve);
          setTimeout(resolve, 50);
        });
      case 2:
      case 3:
      case 4:
        return Promise.resolve();
      default:
        return null;
    }
  };
  const change = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      begin(++done);
      const name = pick(names) as string;
      trace.push(name);
      try {
        operations[name]?.();
      } catch {
        // Not every operation fits every place.
      }
      await pause();
    }
    trace.splice(0, trace.length - 400);
    // The page does not grow without end.
    while (all().length > 300) pick([...top.children])?.remove();
  };
  Object.assign(window, { program: { change, rootOf, trace } satisfies Program });
}
