/**
 * Starts the console in its page.
 */

import { render } from "preact";
import { App } from "./app.tsx";
import { words } from "./words.ts";

document.documentElement.lang = words.language;
document.documentElement.dir = words.direction;
// A file that is dropped beside the customer's page would be opened in place of the console.
for (const type of ["dragover", "drop"] as const) {
  addEventListener(type, (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.dataTransfer.dropEffect = "none";
    event.preventDefault();
  });
}

const root = document.getElementById("console");
if (root) render(<App />, root);
