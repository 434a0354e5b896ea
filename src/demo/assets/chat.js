/**
 * The customer's chat. When the agent offers to look at the page together, a button starts co-browsing for this chat and
 * hands the session's ID to it: nobody has to read it aloud.
 */

const panel = document.querySelector("[data-chat]");
const list = panel.querySelector(".chat-messages");
const { chat, csrf } = panel.dataset;
let shown = 0;

function post(path, fields) {
  return fetch(path, { method: "POST", body: new URLSearchParams({ csrf, ...fields }) });
}

/** What the integration comes down to. */
async function lookTogether() {
  const { sessionId } = await window.Tandem.start({ interactionId: chat, metadata: { from: "chat" } });
  await post("/chat/share", { session: sessionId });
}

function draw({ from, text }) {
  const item = document.createElement("li");
  item.className = from;
  item.textContent = text;
  if (from === "offer" && window.Tandem) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Share this page";
    // Why it did not start is said by Tandem itself.
    button.addEventListener("click", () => lookTogether().catch(() => {}));
    item.append(document.createElement("br"), button);
  }
  list.append(item);
  list.scrollTop = list.scrollHeight;
}

async function follow() {
  try {
    const { messages, over } = await (await fetch("/chat/messages")).json();
    for (const message of messages.slice(shown)) draw(message);
    shown = messages.length;
    panel.querySelector(".chat-say").hidden = over;
    if (over) return;
  } catch {
    // The next try may reach the shop.
  }
  setTimeout(follow, 1000);
}

panel.querySelector(".chat-say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = event.target.elements.text;
  if (field.value.trim()) await post("/chat/say", { text: field.value });
  field.value = "";
});
panel.querySelector(".chat-head form").addEventListener("submit", async (event) => {
  // Without a new page, so that the customer reads on this one that co-browsing has ended too.
  event.preventDefault();
  await post("/chat/end", {});
  panel.remove();
});
follow();
