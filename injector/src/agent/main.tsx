/**
 * Starts the console in its page.
 */

import { render } from "preact";
import { App } from "./app.tsx";
import { words } from "./words.ts";

document.documentElement.lang = words.language;
document.documentElement.dir = words.direction;
const root = document.getElementById("console");
if (root) render(<App />, root);
