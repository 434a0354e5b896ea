/** What the shop's pages do beyond HTML: each behavior is asked for by a `data-` attribute and needs no other. */

const byId = (id) => document.getElementById(id);

/** `data-reveals="id"`: a checkbox shows what is typed into a password field. */
for (const box of document.querySelectorAll("[data-reveals]")) {
  box.addEventListener("change", () => {
    byId(box.dataset.reveals).type = box.checked ? "text" : "password";
  });
}

/** `data-opens="id"`, `data-closes="id"`: a button opens or closes a dialog. */
for (const button of document.querySelectorAll("[data-opens]")) {
  button.addEventListener("click", () => byId(button.dataset.opens).showModal());
}
for (const button of document.querySelectorAll("[data-closes]")) {
  button.addEventListener("click", () => byId(button.dataset.closes).close());
}

/** `data-shows="id"`: an output follows an input. */
for (const input of document.querySelectorAll("[data-shows]")) {
  input.addEventListener("input", () => {
    byId(input.dataset.shows).value = input.value;
  });
}

/** `data-scrolls="id" data-by="±1"`: a button scrolls a panel by most of its width. */
for (const button of document.querySelectorAll("[data-scrolls]")) {
  button.addEventListener("click", () => {
    const panel = byId(button.dataset.scrolls);
    panel.scrollBy({ left: Number(button.dataset.by) * panel.clientWidth * 0.8, behavior: "smooth" });
  });
}

/** `data-field="name"`: an editable text is sent with its form, in the hidden field of that name. */
for (const text of document.querySelectorAll("[data-field]")) {
  const field = text.parentElement.querySelector(`input[name="${text.dataset.field}"]`);
  text.addEventListener("input", () => {
    field.value = text.innerText.trim();
  });
}

/** `data-tabs`: tabs and their panels, by the ARIA pattern (arrows move, one tab is in the tab order). */
for (const set of document.querySelectorAll("[data-tabs]")) {
  const tabs = [...set.querySelectorAll("[role=tab]")];
  const choose = (chosen) => {
    for (const tab of tabs) {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      byId(tab.getAttribute("aria-controls")).hidden = !on;
    }
  };
  set.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) choose(tab);
  });
  set.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = tabs.indexOf(event.target);
    if (!step || at < 0) return;
    const tab = tabs[(at + step + tabs.length) % tabs.length];
    choose(tab);
    tab.focus();
  });
}

/** The navigation says where one is. */
for (const link of document.querySelectorAll("header nav a")) {
  if (location.pathname.startsWith(link.pathname)) link.setAttribute("aria-current", "page");
}

/** The table of contents follows the reading. */
const contents = document.querySelector(".contents");
if (contents) {
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries.filter((entry) => entry.isIntersecting)) {
        for (const link of contents.querySelectorAll("a")) {
          if (link.hash === `#${entry.target.id}`) link.setAttribute("aria-current", "true");
          else link.removeAttribute("aria-current");
        }
      }
    },
    { rootMargin: "-15% 0px -70%" },
  );
  for (const heading of document.querySelectorAll(".prose h2[id]")) seen.observe(heading);
}

/** `<star-rating value="4.5">`: stars in an open shadow tree; with `editable` they are buttons. */
class StarRating extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`
      :host { display: inline-flex; align-items: center; gap: .5em; color: #b8862b; font-size: .95rem; }
      .stars { display: inline-flex; gap: 2px; }
      button { all: unset; cursor: pointer; padding: 2px; border-radius: 4px; }
      button:focus-visible { outline: 2px solid #2f5d46; }
      svg { width: 1.2em; height: 1.2em; display: block; overflow: visible; }
      .empty { fill: #e4dccb; } .full { fill: currentColor; }
      .figure { color: #5f6b62; font-size: .875rem; font-variant-numeric: tabular-nums; }
    `);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.addEventListener("click", (event) => {
      const star = event.target.closest("button");
      if (!star) return;
      this.setAttribute("value", star.value);
      this.draw();
      root.querySelector(`button[value="${star.value}"]`).focus();
    });
    this.draw();
  }

  draw() {
    const value = Number(this.getAttribute("value"));
    const stars = document.createElement("span");
    stars.className = "stars";
    for (let n = 1; n <= 5; n += 1) stars.append(this.star(n, Math.min(1, Math.max(0, value - n + 1))));
    if (!this.hasAttribute("editable")) {
      stars.setAttribute("role", "img");
      stars.setAttribute("aria-label", `Rated ${value} of 5`);
    }
    const figure = document.createElement("span");
    figure.className = "figure";
    figure.textContent = `${value.toFixed(1)} of 5`;
    this.shadowRoot.replaceChildren(stars, figure);
  }

  star(n, share) {
    const shape = "M12 2.5l2.9 6.200 6.700.8-5 4.600 1.400 6.700L12 17.400l-6 3.400 1.400-6.700-5-4.600 6.700-.8z";
    const drawing = svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" });
    drawing.append(svg("path", { class: "empty", d: shape }));
    const full = svg("path", { class: "full", d: shape });
    full.style.clipPath = `inset(0 ${100 - share * 100}% 0 0)`;
    drawing.append(full);
    if (!this.hasAttribute("editable")) return drawing;
    const button = document.createElement("button");
    button.type = "button";
    button.value = String(n);
    button.setAttribute("aria-label", `${n} of 5`);
    button.append(drawing);
    return button;
  }
}

function svg(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

customElements.define("star-rating", StarRating);
