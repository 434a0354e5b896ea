/** CodeMirror 6 with its minimal setup. */
import { EditorView, minimalSetup } from "codemirror";
import { desk, knows } from "./desk.ts";

const view = new EditorView({ parent: desk(), extensions: [minimalSetup] });
view.contentDOM.classList.add("editor");
knows(() => view.state.doc.toString());
