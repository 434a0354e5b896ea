/** Bundles an editor of this folder for a page, once in a run, with the bundler that builds Tandem's own browser code. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { compile } from "svelte/compiler";

type Plugin = { onLoad(filter: { filter: RegExp }, load: (file: { path: string }) => { contents: string }): void };
type Esbuild = { build(options: object): Promise<{ outputFiles: { text: string }[] }> };
const { build } = createRequire(import.meta.url)("../../../injector/node_modules/esbuild") as Esbuild;
const made = new Map<string, Promise<string>>();

const svelte = {
  name: "svelte",
  setup(plugin: Plugin) {
    plugin.onLoad({ filter: /\.svelte$/ }, ({ path }) => ({
      contents: compile(readFileSync(path, "utf8"), { filename: path }).js.code,
    }));
  },
};

/** The script of an editor. */
export function bundle(name: string): Promise<string> {
  let script = made.get(name);
  if (!script) {
    script = build({
      entryPoints: [fileURLToPath(new URL(`${name}.ts`, import.meta.url))],
      bundle: true,
      write: false,
      format: "esm",
      minify: true,
      define: { "process.env.NODE_ENV": '"production"', ngDevMode: "false" },
      conditions: ["browser"],
      plugins: [svelte],
      logLevel: "error",
    }).then(({ outputFiles }) => `(async () => {${outputFiles[0]?.text}})()`);
    made.set(name, script);
  }
  return script;
}
