// A conversation: one block per message. Text is only ever text; long texts fold, every block can be copied.

const ICONS = { system: "settings", user: "person", assistant: "smart_toy", tool: "build", input: "login", output: "logout" }
const FOLD_CHARS = 1200

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".conversation")
  const text = JSON.stringify(data)
  if (root.text === text) return
  root.text = text
  root.setAttribute("role", "list")
  root.setAttribute("aria-label", "Messages")
  root.replaceChildren(...data.messages.map(block))
}

function block(message) {
  const copy = el("button", { type: "button", class: "copy icon", title: "Copy this message", "aria-label": "Copy this message" }, "content_copy")
  copy.onclick = () => copied(copy, message.parts.map((part) => (part.name ? part.name + " " : "") + part.text).join("\n"))
  const head = el("div", { class: "head" }, el("span", { class: "icon", "aria-hidden": "true" }, ICONS[message.role] ?? "chat"), el("b", {}, message.role), message.side === "output" ? el("span", { class: "side" }, "answer") : null, copy)
  const parts = message.parts.length ? message.parts.map(piece) : [el("div", { class: "empty" }, "no content")]
  return el("div", { class: `message ${message.side} role-${ICONS[message.role] ? message.role : "other"}`, role: "listitem" }, head, ...parts)
}

function piece(part) {
  const told = { call: "calls ", result: "result of ", thought: "thought", other: "" }[part.kind]
  const title = part.kind === "text" ? null : el("div", { class: "title" }, told ?? "", part.name ? el("b", {}, part.name) : part.kind === "call" || part.kind === "result" ? "a tool" : part.kind === "other" ? "a piece of another kind" : "", part.id ? el("span", { class: "id" }, part.id) : null)
  const body = el("div", { class: "text" }, part.text)
  const node = el("div", { class: "piece " + part.kind }, title, body)
  if (part.chars > FOLD_CHARS) {
    body.classList.add("folded")
    const all = part.chars > part.text.length
    const more = el("button", { type: "button", class: "more", "aria-expanded": false }, `show all ${part.chars.toLocaleString("en")} characters`)
    more.onclick = () => {
      const folded = body.classList.toggle("folded")
      more.setAttribute("aria-expanded", !folded)
      more.textContent = folded ? `show all ${part.chars.toLocaleString("en")} characters` : all ? `fold; cut at ${part.text.length.toLocaleString("en")}, the Input and Output tabs hold all` : "fold"
    }
    node.append(more)
  }
  return node
}

async function copied(button, text) {
  try { await navigator.clipboard.writeText(text) } catch {
    const area = el("textarea")  // where the page is not served from a safe origin
    area.value = text
    document.body.append(area)
    area.select()
    document.execCommand("copy")
    area.remove()
  }
  button.textContent = "check"
  setTimeout(() => { button.textContent = "content_copy" }, 1200)
}
