/** The pages and what happens on them. A workload runs in the page and returns when the page is changed. */

const NAMES = ["Oak table", "Lamp", "Wool rug", "Chair", "Shelf", "Mirror", "Desk", "Vase"];

function card(n) {
  return `<article class="card product c${n % 7}" data-sku="SKU-${n}"><a class="card__link" href="/products/${n}?ref=list">
<img class="card__image" src="/i/${n}.jpg" alt="${NAMES[n % 8]} ${n}" loading="lazy" width="240" height="180"></a>
<div class="card__body"><h3 class="card__title">${NAMES[n % 8]} no. ${n}</h3><p class="card__text">Made of good
material, number ${n} of the series, with a guarantee of ${(n % 5) + 1} years.</p><ul class="card__tags"><li class="tag">new</li>
<li class="tag tag--${n % 3}">line ${n % 9}</li></ul><div class="card__row"><span class="price">${(n * 7) % 900}.99 €</span>
<label class="qty">Qty <input type="number" name="q${n}" value="1" min="1"></label><button type="button" class="btn
btn--primary" aria-label="Add ${n}">Add</button><svg class="icon" viewBox="0 0 16 16"><path d="M2 2h12v12H2z"/></svg></div></div></article>`;
}

/** Some 250 KB of rules, as a site's own sheet and those of its library have them. */
export function css() {
  let out = ":root{--space:8px;--tone:#246}";
  for (let n = 0; out.length < 250 * 1024; n++) {
    out += `.c${n % 40} .card__body:hover>.u${n},.l${n}{margin:calc(var(--space)*${n % 9}) auto;color:rgb(${n % 255} 20 90);
padding:${n % 20}px ${n % 7}px;background:url(/i/${n}.png) no-repeat;transition:opacity .${n % 9}s ease-in-out}\n`;
    if (n % 10 === 0) out += `@media (min-width:${600 + n}px){.g${n}{display:grid;grid-template-columns:repeat(3,1fr)}}\n`;
  }
  return out;
}

const page = (title, body) =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title><link rel="stylesheet" href="/site.css"></head>
<body>${body}</body></html>`;

function shop() {
  const links = Array.from({ length: 60 }, (_, n) => `<li><a href="/c/${n}">Category ${n}</a></li>`).join("");
  const cards = Array.from({ length: 170 }, (_, n) => card(n)).join("\n");
  return page("Shop", `<header><nav><ul>${links}</ul></nav></header><main><h1>All goods</h1><div id="list">${cards}</div></main>`);
}

/** Ten elements. */
const row = (n) => `<tr class="row" id="r${n}"><td>${n}</td><td>Customer ${n}</td><td>${NAMES[n % 8]}</td><td>c${n}@example.com</td>
<td class="num">${(n * 37) % 1000}.00</td><td class="num">${n % 19}</td><td>2026-0${(n % 9) + 1}-1${n % 10}</td><td class="state">${
  n % 3 ? "open" : "paid"
}</td><td>line ${n % 9}</td></tr>`;

const table = (elements) =>
  page(
    "Table",
    `<table><tbody id="rows">${Array.from({ length: elements / 10 }, (_, n) => row(n)).join("")}</tbody></table>`,
  );

export const PAGES = { shop: shop(), "table 10,000": table(10_000), "table 50,000": table(50_000) };

const empty = page("Empty", `<div id="root"></div>`);

/** Name, page, what is done, and whether it only moves nodes. */
export const WORKLOADS = [
  {
    name: "add 1,000 × 10 nested",
    page: empty,
    run: () => {
      for (let n = 0; n < 1000; n++) {
        let at = document.querySelector("#root");
        for (let d = 0; d < 10; d++) at = at.appendChild(document.createElement("div"));
      }
    },
  },
  {
    name: "add, remove and add 10,000",
    page: empty,
    run: () => {
      const root = document.querySelector("#root");
      const all = Array.from({ length: 10_000 }, () => document.createElement("div"));
      for (const one of all) root.append(one);
      for (const one of all) one.remove();
      for (const one of all) root.append(one);
    },
  },
  {
    name: "a chain 400 deep",
    page: empty,
    run: () => {
      let at = document.querySelector("#root");
      for (let n = 0; n < 400; n++) at = at.appendChild(document.createElement("div"));
    },
  },
  {
    name: "add 10,000, then move them",
    page: empty,
    run: () => {
      const root = document.querySelector("#root");
      const [one, two] = [0, 1].map(() => root.appendChild(document.createElement("div")));
      const all = Array.from({ length: 10_000 }, () => one.appendChild(document.createElement("div")));
      for (const node of all) two.append(node);
    },
  },
  {
    name: "a class on 10,000",
    page: PAGES["table 10,000"],
    run: () => {
      for (const cell of document.querySelectorAll("td,tr")) cell.className = "row marked";
    },
  },
  {
    name: "100 chains 256 deep",
    page: empty,
    run: () => {
      for (let n = 0; n < 100; n++) {
        let at = document.querySelector("#root");
        for (let d = 0; d < 256; d++) at = at.appendChild(document.createElement("div"));
      }
    },
  },
  {
    name: "rebuild the table of 10,000 by innerHTML",
    page: PAGES["table 10,000"],
    run: () => {
      const rows = document.querySelector("#rows");
      rows.innerHTML = `${rows.innerHTML}`;
    },
  },
  {
    name: "shuffle 1,000 rows",
    page: PAGES["table 10,000"],
    moves: true,
    run: () => {
      const rows = document.querySelector("#rows");
      const all = [...rows.children];
      for (let n = all.length - 1, seed = 7; n > 0; n--) {
        seed = (seed * 16_807) % 2_147_483_647;
        const other = seed % (n + 1);
        [all[n], all[other]] = [all[other], all[n]];
      }
      for (const one of all) rows.append(one);
    },
  },
  {
    name: "sort 170 cards",
    page: PAGES.shop,
    moves: true,
    run: () => {
      const list = document.querySelector("#list");
      const price = (card) => Number.parseFloat(card.querySelector(".price").textContent);
      for (const one of [...list.children].sort((a, b) => price(a) - price(b))) list.append(one);
    },
  },
  {
    name: "prepend 1,000 rows",
    page: PAGES["table 10,000"],
    run: () => {
      const rows = document.querySelector("#rows");
      for (let n = 0; n < 1000; n++) {
        const one = rows.children[0].cloneNode(true);
        rows.prepend(one);
      }
    },
  },
  {
    name: "remove 1,000 rows",
    page: PAGES["table 10,000"],
    run: () => document.querySelector("#rows").replaceChildren(),
  },
];
