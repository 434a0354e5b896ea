/** Quill without a toolbar. */
import Quill from "quill";
import { desk, knows } from "./desk.ts";

const quill = new Quill(desk(), {});
quill.root.classList.add("editor");
knows(() => quill.getText().replace(/\n$/, ""));
