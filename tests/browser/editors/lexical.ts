/** Lexical with rich text and history. */
import { createEmptyHistoryState, registerHistory } from "@lexical/history";
import { registerRichText } from "@lexical/rich-text";
import { $getRoot, createEditor } from "lexical";
import { desk, knows } from "./desk.ts";

const element = document.createElement("div");
element.contentEditable = "true";
element.className = "editor";
desk().append(element);
const editor = createEditor({
  onError: (error) => {
    throw error;
  },
});
editor.setRootElement(element);
registerRichText(editor);
registerHistory(editor, createEmptyHistoryState(), 0);
knows(() => editor.getEditorState().read(() => $getRoot().getTextContent().replaceAll("\n\n", "\n")));
