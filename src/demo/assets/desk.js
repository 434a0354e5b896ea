/**
 * The tea desk: draws its views into `#desk` from the address, with the shop's data and its live updates.
 *
 * One view is shown at a time; leaving it aborts what it still waits for and closes its live stream.
 */

const desk = document.getElementById("desk");
let leave = () => {};

const VIEWS = [
  [/^\/app\/?$/, overview, "Overview"],
  [/^\/app\/orders\/?$/, orders, "Orders"],
  [/^\/app\/orders\/(\d+)$/, order, "Order"],
  [/^\/app\/live\/?$/, live, "Live"],
];

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || link.origin !== location.origin || !link.pathname.startsWith("/app/")) return;
  event.preventDefault();
  if (link.pathname !== location.pathname) history.pushState(null, "", link.pathname);
  show({ focus: true });
});
addEventListener("popstate", () => show({ focus: true }));
show({ focus: false });

async function show({ focus }) {
  leave();
  const leaving = new AbortController();
  leave = () => leaving.abort();
  const [, draw, title] = VIEWS.find(([pattern]) => pattern.test(location.pathname)) ?? [null, lost, "Not found"];
  document.title = `${title} · Tea desk · Fern & Kettle`;
  markTab();
  try {
    const view = await draw(leaving.signal);
    if (leaving.signal.aborted) return;
    desk.replaceChildren(view);
  } catch (error) {
    if (leaving.signal.aborted) return;
    desk.replaceChildren(error instanceof Stranger ? invitation() : trouble());
  }
  if (focus) {
    const heading = desk.querySelector("h1");
    heading?.setAttribute("tabindex", "-1");
    heading?.focus();
  }
}

function markTab() {
  for (const tab of document.querySelectorAll(".desk .tabs a")) {
    const here = tab.pathname === "/app/" ? location.pathname === "/app/" : location.pathname.startsWith(tab.pathname);
    if (here) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}

async function overview(signal) {
  const { customer, orders } = await ask("/api/orders", signal);
  const moving = orders.filter((order) => order.progress !== "Delivered");
  return el("div", {},
    el("h1", {}, `Hello, ${customer.split(" ")[0]}`),
    el("div", { class: "cards" },
      tile("Orders", String(orders.length), "/app/orders", "See all of them"),
      tile("On the move", String(moving.length), "/app/live", "Follow the parcel"),
      tile("Latest", `No. ${orders[0].number}`, `/app/orders/${orders[0].number}`, orders[0].progress)),
    el("h2", {}, "Latest orders"),
    orderTable(orders.slice(0, 3)));
}

async function orders(signal) {
  const { orders } = await ask("/api/orders", signal);
  const search = el("input", { type: "search", "aria-label": "Find an order", placeholder: "Find an order…" });
  const table = el("div", {}, orderTable(orders));
  search.addEventListener("input", () => {
    const words = search.value.trim().toLowerCase();
    const found = orders.filter((order) => JSON.stringify(Object.values(order)).toLowerCase().includes(words));
    table.replaceChildren(found.length ? orderTable(found) : el("p", { class: "card" }, "No order fits that."));
  });
  return el("div", {}, el("div", { class: "heading" }, el("h1", {}, "Orders"), search), table);
}

async function order(signal) {
  const number = location.pathname.split("/").pop();
  const order = await ask(`/api/orders/${number}`, signal);
  return el("div", {},
    el("p", { class: "crumbs" }, el("a", { href: "/app/orders" }, "All orders")),
    el("h1", {}, `Order ${order.number}`),
    el("p", { class: "small" }, `Placed on ${order.placed}`),
    el("ol", { class: "steps", "aria-label": "Progress" },
      ...order.steps.map((step) => el("li", { class: step.done ? "done" : "" }, step.title))),
    el("div", { class: "card" },
      el("table", { class: "lines" },
        el("tbody", {}, ...order.lines.map((line) => el("tr", {},
          el("th", { scope: "row" }, el("a", { href: `/catalogue/${line.slug}` }, line.name), el("span", { class: "small" }, line.size)),
          el("td", { class: "number" }, `× ${line.quantity}`),
          el("td", { class: "number" }, line.total)))),
        el("tfoot", {},
          el("tr", {}, el("th", { scope: "row" }, order.shipping.title), el("td", {}), el("td", { class: "number" }, order.shipping.price)),
          el("tr", {}, el("th", { scope: "row" }, "Total"), el("td", {}), el("td", { class: "number" }, el("strong", { class: "price" }, order.total)))))),
    el("p", { class: "small" }, `Goes to ${order.deliverTo}. Paid by card ending ${order.cardEnding}.${order.gift ? " Wrapped as a gift." : ""}`));
}

async function live(signal) {
  const rows = new Map();
  const body = el("tbody");
  const van = shape("g", { class: "van" },
    shape("rect", { x: -17, y: -22, width: 24, height: 17, rx: 3 }), shape("path", { d: "M8-17h6l5 7v5H8z" }),
    shape("circle", { cx: -9, cy: -4, r: 5 }), shape("circle", { cx: 11, cy: -4, r: 5 }));
  const road = shape("path", { class: "road", d: "M30 120C120 120 130 50 220 50S330 130 420 120 520 40 610 46" });
  const driven = shape("path", { class: "driven", d: road.getAttribute("d"), pathLength: 1 });
  const stop = el("strong", { id: "stop" }, "Looking for the van…");
  const eta = el("span", { class: "small", id: "eta" });
  const state = el("span", { class: "chip", role: "status" }, "Connecting");

  const stream = new EventSource("/api/live");
  signal.addEventListener("abort", () => stream.close());
  stream.addEventListener("open", () => (state.textContent = "Live"));
  stream.addEventListener("error", () => (state.textContent = "Reconnecting"));
  stream.addEventListener("beat", (event) => {
    const { lots, parcel } = JSON.parse(event.data);
    for (const lot of lots) {
      if (!rows.has(lot.garden)) rows.set(lot.garden, new Lot(lot.garden, body));
      rows.get(lot.garden).follow(lot);
    }
    const at = road.getPointAtLength(road.getTotalLength() * parcel.done);
    van.setAttribute("transform", `translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`);
    driven.style.strokeDasharray = `${parcel.done} 1`;
    stop.textContent = parcel.stop;
    eta.textContent = parcel.minutes > 0 ? `about ${parcel.minutes} minutes to your door` : "at your door";
  });

  return el("div", {},
    el("div", { class: "heading" }, el("h1", {}, "Live"), state),
    el("section", { class: "card parcel", "aria-label": "Your parcel", "aria-live": "off" },
      el("h2", {}, "Your parcel"),
      shape("svg", { viewBox: "0 0 640 160", role: "img", "aria-label": "The van on its way" }, road, driven,
        shape("circle", { class: "end", cx: 30, cy: 120, r: 8 }), shape("circle", { class: "end home", cx: 610, cy: 46, r: 8 }), van),
      el("p", {}, stop, " ", eta)),
    el("section", { class: "card", "aria-label": "Spring auction", "aria-live": "off" },
      el("h2", {}, "Spring auction"),
      el("div", { class: "scroll-x" }, el("table", { class: "table ticker" },
        el("thead", {}, el("tr", {}, ...["Garden", "Last minute", "A kilogram", "Change"].map((title, n) =>
          el("th", { scope: "col", class: n > 1 ? "number" : "" }, title)))),
        body))));
}

/** One garden's row: its price, how it moved, and the line of its last minute. */
class Lot {
  constructor(garden, body) {
    this.prices = [];
    this.line = shape("path", {});
    this.price = el("td", { class: "number" });
    this.change = el("td", { class: "number" });
    body.append(el("tr", {}, el("th", { scope: "row" }, garden),
      el("td", {}, shape("svg", { class: "spark", viewBox: "0 0 120 28", "aria-hidden": "true" }, this.line)),
      this.price, this.change));
  }

  follow({ cents, change }) {
    this.prices = [...this.prices, cents].slice(-60);
    const low = Math.min(...this.prices);
    const height = Math.max(1, Math.max(...this.prices) - low);
    this.line.setAttribute("d", "M" + this.prices.map((price, n) => `${n * 2} ${(26 - ((price - low) / height) * 24).toFixed(1)}`).join("L"));
    this.price.textContent = `$${(cents / 100).toFixed(2)}`;
    this.change.textContent = `${change < 0 ? "▼" : "▲"} ${(Math.abs(change) / 100).toFixed(2)}`;
    this.change.className = `number ${change < 0 ? "down" : "up"}`;
  }
}

async function lost() {
  return el("div", {}, el("h1", {}, "Nothing on this tray"), el("p", {}, "The tea desk has no such view. ", el("a", { href: "/app/" }, "Back to the overview")));
}

function invitation() {
  return el("div", { class: "card stack" }, el("h1", {}, "Your orders are behind the counter"),
    el("p", { class: "lead" }, "Log in and we will fetch them."),
    el("p", {}, el("a", { class: "button", href: `/login?next=${location.pathname}` }, "Log in"), " ", el("a", { class: "button quiet", href: "/app/live" }, "Only look at what is live")));
}

function trouble() {
  const again = el("button", { class: "button", type: "button" }, "Try again");
  again.addEventListener("click", () => show({ focus: true }));
  return el("div", { class: "card stack" }, el("h1", {}, "The line is busy"), el("p", {}, "We could not fetch that just now."), el("p", {}, again));
}

function tile(title, figure, href, text) {
  return el("a", { class: "card tile", href }, el("span", { class: "label" }, title), el("strong", {}, figure), el("span", { class: "small" }, text));
}

function orderTable(orders) {
  return el("div", { class: "card scroll-x" }, el("table", { class: "table" },
    el("thead", {}, el("tr", {}, ...["Order", "Placed", "Progress"].map((title) => el("th", { scope: "col" }, title)), el("th", { scope: "col", class: "number" }, "Total"))),
    el("tbody", {}, ...orders.map((order) => el("tr", {},
      el("td", {}, el("a", { href: `/app/orders/${order.number}` }, String(order.number))),
      el("td", {}, order.placed),
      el("td", {}, el("span", { class: "chip" }, order.progress)),
      el("td", { class: "number" }, order.total))))));
}

/** The shop did not let us in. */
class Stranger extends Error {}

async function ask(path, signal) {
  const response = await fetch(path, { signal, headers: { accept: "application/json" } });
  if (response.status === 401) throw new Stranger();
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

function el(name, attributes = {}, ...children) {
  return dress(document.createElement(name), attributes, children);
}

function shape(name, attributes = {}, ...children) {
  return dress(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function dress(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) if (value !== "") element.setAttribute(key, value);
  element.append(...children);
  return element;
}
