/** The agent's desk: the chats, and beside the conversation the page of a customer who shares it. */

const [names, nobody] = [document.querySelector(".chat-list"), document.querySelector(".nobody")];
const [talk, beside] = [document.querySelector(".talk"), document.querySelector(".beside")];
const list = talk.querySelector(".chat-messages");
let chosen = null;
let shown = 0;
let session = null;

function post(what, body = {}) {
  const headers = { Desk: "1", "Content-Type": "application/json" };
  return fetch(`/chats/${chosen}/${what}`, { method: "POST", headers, body: JSON.stringify(body) });
}

/** The console opens in a frame, by a link that this desk's server has asked for. */
async function show(sessionId) {
  session = sessionId;
  const answer = await post("join");
  if (!answer.ok) return;
  const frame = document.createElement("iframe");
  frame.title = "Co-browsing";
  frame.allow = "fullscreen";
  frame.src = (await answer.json()).url;
  beside.replaceChildren(frame);
}

function choose(id) {
  [chosen, shown, session] = [id, 0, null];
  list.replaceChildren();
  talk.hidden = false;
}

function draw(chats) {
  nobody.hidden = chats.length > 0;
  names.replaceChildren(
    ...chats.map(({ id, chat }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `Customer ${id}${chat.over ? " (ended)" : ""}`;
      if (id === chosen) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => choose(id));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
  const chat = chats.find(({ id }) => id === chosen)?.chat;
  if (!chat) return;
  for (const { from, text } of chat.messages.slice(shown)) {
    const item = document.createElement("li");
    item.className = from;
    item.textContent = text;
    list.append(item);
    list.scrollTop = list.scrollHeight;
  }
  shown = chat.messages.length;
  for (const part of talk.querySelectorAll("button, input")) part.disabled = chat.over;
  if (chat.sessionId && chat.sessionId !== session && !chat.over) show(chat.sessionId);
}

let before = "";
async function follow() {
  try {
    const now = await (await fetch("/chats")).text();
    if (now + chosen !== before) draw(JSON.parse(now));
    before = now + chosen;
  } catch {
    // The next try may reach the server.
  }
  setTimeout(follow, 500);
}

talk.querySelector(".chat-say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = event.target.elements.text;
  if (field.value.trim()) await post("say", { text: field.value });
  field.value = "";
});
for (const button of talk.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => post(button.dataset.do));
}
follow();
