/**
 * Debian's Chromium, a server of its own for each worker. Most tests run in its shell without a window's machinery, which
 * takes half the processor's time for the same pages; a test that depends on the browser around the page runs in the whole one.
 */
import { defineConfig } from "@playwright/test";

const WHOLE = "/usr/bin/chromium";
const SHELL = "/usr/bin/chromium-headless-shell";

/** One after the other in one worker, and longer than any other file: they begin first, or all wait for them in the end. */
const WITH_FIREFOX = /firefox\.spec\.ts/;

/** Marks a test that depends on more of the browser than its pages: gestures that it wants, its own windows. */
const IN_WHOLE = /@whole/;

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--force-color-profile=srgb",
  "--font-render-hinting=none",
  "--disable-lcd-text",
];

function browser(executable: string) {
  return { launchOptions: { executablePath: process.env.CHROMIUM ?? executable, args } };
}

export default defineConfig({
  testDir: ".",
  outputDir: "results",
  fullyParallel: true,
  // Tests wait a quarter of their time: three of them keep two processors busy.
  workers: 3,
  timeout: 30_000,
  // A busy machine may be late once; a test that needed it is reported as flaky.
  retries: process.env.CI ? 1 : 0,
  expect: { timeout: 8_000 },
  reporter: [["list"]],
  // A trace costs as much again as the test: only what is tried once more has one, or what is asked for (`--trace on`).
  use: { browserName: "chromium", trace: "on-first-retry" },
  projects: [
    { name: "chromium", grep: IN_WHOLE, use: browser(WHOLE) },
    { name: "firefox", testMatch: WITH_FIREFOX, use: browser(SHELL) },
    { name: "shell", grepInvert: IN_WHOLE, testIgnore: WITH_FIREFOX, use: browser(SHELL) },
  ],
});
