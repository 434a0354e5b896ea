/** ProseMirror with its example setup: paragraphs, keys, history, and marks. */
import { exampleSetup } from "prosemirror-example-setup";
import { schema } from "prosemirror-schema-basic";
import { EditorState } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import { desk, knows } from "./desk.ts";

const place = desk();
const view = new EditorView(place, {
  state: EditorState.create({ schema, plugins: exampleSetup({ schema, menuBar: false }) }),
});
view.dom.classList.add("editor");
knows(() => view.state.doc.textBetween(0, view.state.doc.content.size, "\n"));
