/**
 * Compares a website behind Tandem with the same website without it, file by file: what is no page must be the same byte
 * for byte, in every coding, and a page must differ by our script only.
 *
 *     node tests/same.mjs http://127.0.0.1:9000 http://localhost:8080 [--cookie 'a=b'] [--pages 300] [--mapped]
 *
 * `--mapped`: the site has `host = "origin"`, so what is mapped differs by the names of the two addresses.
 * Follows the links of pages and style sheets. What the site answers differently each time when it is asked without the
 * proxy is compared without tokens and codings. Exits with 1 on a difference.
 */

import { request } from "node:http";
import { gunzipSync } from "node:zlib";

const [direct, proxied, ...options] = process.argv.slice(2);
const option = (name, otherwise) => (options.includes(name) ? options[options.indexOf(name) + 1] : otherwise);
const cookie = option("--cookie", "");
const mapped = options.includes("--mapped");
const most = Number(option("--pages", "300"));
const TAG = /<script(?: nonce="[^"]*")? src="\/\.tandem\/loader\.js\?v=[0-9a-f]+"><\/script>/;

/** Bytes as they come: nothing is decoded, no redirect followed. */
function get(base, path, headers) {
  const url = new URL(base);
  return new Promise((resolve, reject) => {
    const asked = request(
      // The same Host for both, as behind a name that leads to either.
      {
        // RFC 6761, section 6.3; not every system's resolver knows.
        host: url.hostname.endsWith(".localhost") ? "127.0.0.1" : url.hostname,
        port: url.port,
        path,
        headers: { host: mapped ? url.host : new URL(direct).host, cookie, ...headers },
      },
      (response) => {
        const pieces = [];
        response.on("data", (piece) => pieces.push(piece));
        response.on("end", () =>
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) }),
        );
        response.on("error", reject);
      },
    );
    asked.setTimeout(20_000, () => asked.destroy(new Error("too slow")));
    asked.on("error", reject).end();
  });
}

/** What is mapped, with the names that it has without Tandem. */
function unmapped(answer) {
  if (!mapped) return answer;
  const back = (text) => text.replaceAll(new URL(proxied).host, new URL(direct).host);
  const headers = JSON.parse(back(JSON.stringify(answer.headers)));
  const changes = /html|css|svg/.test(answer.headers["content-type"] ?? "");
  const coded = answer.headers["content-encoding"];
  const plain = coded === "gzip" ? gunzipSync(answer.body) : answer.body;
  const body = changes ? Buffer.from(back(plain.toString("latin1")), "latin1") : answer.body;
  if (changes) delete headers["content-encoding"];
  return { ...answer, headers, body };
}

/** As it has to be read to be compared with what is mapped. */
function decoded(answer) {
  const changes = mapped && /html|css|svg/.test(answer.headers["content-type"] ?? "");
  if (!changes || answer.headers["content-encoding"] !== "gzip") return answer;
  const { "content-encoding": _, ...headers } = answer.headers;
  return { ...answer, headers, body: gunzipSync(answer.body) };
}

/** Headers of a connection or of our way of passing on, which may differ. */
const OURS = ["connection", "keep-alive", "transfer-encoding", "date", "vary", "via", "alt-svc"];
const PAGES = ["content-length", "etag", "last-modified", "accept-ranges", "content-security-policy"];

/** What is left of an answer without what a site makes anew each time: tokens, cookies, the padding of its codings. */
function lasting({ status, headers, body }) {
  const plain = headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
  return `${status} ${headers["content-type"]} ${plain.toString("latin1").replace(/[A-Za-z0-9]{32,}/g, "token")}`;
}

function headers(of, less) {
  const kept = Object.entries(of).filter(([name]) => !OURS.includes(name) && !less.includes(name));
  return JSON.stringify(kept.sort());
}

const known = new Set(["/"]);
const queue = ["/"];
const counts = { files: 0, pages: 0, restless: 0 };
const wrong = [];

function links(text, path) {
  const found = text.matchAll(/(?:href|src|srcset|action)\s*=\s*["']?([^"'\s>#]+)|url\(\s*["']?([^"')#]+)/gi);
  for (const [, attribute, style] of found) {
    const link = (attribute ?? style).replaceAll("&amp;", "&");
    const url = URL.canParse(link, direct + path) ? new URL(link, direct + path) : undefined;
    const here = url?.host === new URL(direct).host && url.protocol.startsWith("http");
    if (!here || /logout|delete|__sse/.test(url.pathname)) continue;
    const next = url.pathname + url.search;
    if (known.size < most && !known.has(next)) {
      known.add(next);
      queue.push(next);
    }
  }
}

async function compare(path, kind, asked) {
  const plain = decoded(await get(direct, path, asked));
  const passed = unmapped(await get(proxied, path, asked));
  const page =
    kind === "document" && /^text\/html/.test(plain.headers["content-type"] ?? "") && plain.status !== 206;
  if (page && ![204, 301, 302, 303, 304, 307, 308].includes(plain.status)) {
    counts.pages += 1;
    const html = passed.body.toString("latin1");
    if (!TAG.test(html)) wrong.push(`${path}: a page without our script`);
    passed.body = Buffer.from(html.replace(TAG, ""), "latin1");
  }
  const changed = mapped && /html|css|svg/.test(plain.headers["content-type"] ?? "") && plain.status !== 206;
  const less = page || changed ? PAGES : [];
  const difference = () => {
    if (plain.status !== passed.status) return `status ${plain.status} became ${passed.status}`;
    if (!plain.body.equals(passed.body))
      return `body of ${plain.body.length} bytes became ${passed.body.length}`;
    if (headers(plain.headers, less) !== headers(passed.headers, less)) {
      return `headers ${headers(plain.headers, less)} became ${headers(passed.headers, less)}`;
    }
    return undefined;
  };
  const found = difference();
  counts.files += 1;
  if (found) {
    const again = decoded(await get(direct, path, asked));
    const restless =
      !again.body.equals(plain.body) || headers(again.headers, less) !== headers(plain.headers, less);
    if (!restless || lasting(plain) !== lasting(passed)) {
      wrong.push(`${path} (${kind}, ${asked["accept-encoding"] ?? "identity"}): ${found}`);
    }
    if (restless) counts.restless += 1;
  }
  return plain;
}

for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
  try {
    const plain = await compare(path, "document", {
      "sec-fetch-dest": "document",
      accept: "text/html",
      "accept-encoding": "identity",
    });
    const type = plain.headers["content-type"] ?? "";
    if (/html|css/.test(type)) links(plain.body.toString("latin1"), path);
    if (plain.headers.location) links(`href="${plain.headers.location}"`, path);
    // What is mapped is coded anew, and read here in gzip only.
    for (const coding of mapped ? ["identity", "gzip"] : ["identity", "gzip", "br, zstd"]) {
      await compare(path, "script", { "sec-fetch-dest": "empty", accept: "*/*", "accept-encoding": coding });
    }
    await compare(path, "part", { "sec-fetch-dest": "empty", accept: "*/*", range: "bytes=1-100" });
  } catch (error) {
    wrong.push(`${path}: ${error.message}`);
  }
}
for (const line of wrong) console.log(line.slice(0, 600));
console.log(
  `${known.size} addresses, ${counts.files} answers, ${counts.pages} pages with our script, ${counts.restless} that differ each time, ${wrong.length} wrong`,
);
process.exit(wrong.length ? 1 : 0);
