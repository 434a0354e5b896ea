/**
 * Runs the unit tests of the browser code: bundles every `src/**` file named `*.test.ts` or `*.test.tsx` and gives them to `node --test`.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const tests = readdirSync(join(HERE, "src"), { recursive: true })
  .filter((path) => /\.test\.tsx?$/.test(path))
  .map((path) => join("src", path));
const out = mkdtempSync(join(tmpdir(), "tandem-test-"));
try {
  await build({
    absWorkingDir: HERE,
    entryPoints: tests,
    outdir: out,
    outbase: "src",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
    jsx: "automatic",
    jsxImportSource: "preact",
    logLevel: "warning",
  });
  const files = readdirSync(out, { recursive: true }).filter((path) => path.endsWith(".test.mjs"));
  const run = spawnSync(
    process.execPath,
    ["--enable-source-maps", "--test", ...files.map((path) => join(out, path))],
    {
      stdio: "inherit",
    },
  );
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
