/**
 * Makes one bundle of the browser code, in every build in the same way.
 */

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { minify } from "terser";

const HERE = dirname(fileURLToPath(import.meta.url));

/** The oldest browsers that it runs in. */
const TARGET = ["es2022", "safari16.4"];

/**
 * What is done to scripts that have a bound: nothing that could change what they do. Constants stay on the side where they were
 * written: gzip finds `x===null` again more often than `null===x`.
 */
const SHORTER = { compress: { passes: 3, ecma: 2022, lhs_constants: false }, ecma: 2022 };

/**
 * Has V8 compile the whole script where it is loaded, beside the page, and not function by function while the page waits
 * (https://github.com/WICG/explicit-javascript-compile-hints-file-based).
 */
const AT_ONCE = "//# allFunctionsCalledOnLoad\n";

/** The modules that many bundles have, in the order in which they take least bytes: `order.mjs` has found it. */
const ORDER = JSON.parse(await readFile(join(HERE, "order.json"), "utf8"));

/** A style sheet of a shadow root, minified. */
export async function styles(path) {
  const css = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: TARGET });
  return css.code.trim();
}

/** Style sheets of shadow roots travel inside the script. */
const inlineStyles = {
  name: "inline-styles",
  setup(plugin) {
    plugin.onLoad({ filter: /\.inline\.css$/ }, async ({ path }) => ({
      contents: await styles(path),
      loader: "text",
    }));
  },
};

/** Bundles what esbuild is told to begin with. */
function bundled(from, plugins = [inlineStyles]) {
  return build({
    absWorkingDir: HERE,
    ...from,
    outfile: "out.js",
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: "iife",
    target: TARGET,
    jsx: "automatic",
    jsxImportSource: "preact",
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
    plugins,
  });
}

/** Bundles these modules, in their order where none needs another one first. */
export function inOrder(modules, plugins) {
  const contents = modules.map((module) => `import "./${module}";`).join("\n");
  // The modules are strict; a list of them is not, by itself.
  return bundled({ stdin: { contents, resolveDir: HERE }, banner: { js: '"use strict";' } }, plugins);
}

/** What esbuild leaves of a script is made shorter once more. */
export async function shorter(text) {
  return (await minify(text, SHORTER)).code;
}

/** What an entry needs; `short` where bytes count, and `atOnce` where nearly all of it is called as soon as it is loaded. */
export async function bundle(entry, short, atOnce = false) {
  const plain = await bundled({ entryPoints: [entry] });
  if (!short) return plain.outputFiles[0].contents;
  const { inputs } = plain.metafile;
  const { outputFiles } = await inOrder([...ORDER.filter((module) => module in inputs), entry]);
  return (atOnce ? AT_ONCE : "") + (await shorter(outputFiles[0].text));
}
