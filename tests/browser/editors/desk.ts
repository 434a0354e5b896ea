/** Where an editor or a form of a framework stands in the page, and how a test asks for what it knows. */

/** The place for it. */
export function desk(): HTMLElement {
  const desk = document.createElement("section");
  desk.id = "desk";
  desk.style.minHeight = "120px";
  desk.style.whiteSpace = "pre-wrap";
  document.querySelector("main")?.prepend(desk);
  return desk;
}

/** Gives tests the text as the framework's own state has it. */
export function knows(text: () => string): void {
  Object.assign(window, { known: text });
}
