// The keys that work on every page, and buttons for them. A letter is ours only while nobody is typing and no other key is held.

const FIELD = 'input[aria-label="Jump to a run"]'

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".keyboard")
  makeRoom()
  rememberChanges()
  carryFilters()
  refreshCalmly()
  const list = root.querySelector("dialog")
  const go = (place) => { // from the run that the address names now: the page may not have followed yet
    const run = location.pathname.endsWith("/run") ? new URL(location.href).searchParams.get("run") : null
    window.seamscopeGoes = nextOrder()
    ask(root, setStateValue, "go", { place, run, order: window.seamscopeGoes })
  }
  const does = {
    "/": jump,
    j: () => go("older"),
    k: () => go("newer"),
    y: () => copy(root),
    "?": () => (list.open ? list.close() : list.showModal()),
  }
  if (!root.drawn) {
    root.drawn = true
    root.querySelector(".bar").append(
      button("arrow_upward", "newer failed or silent run (k)", "k", root), el("span", {}, "failed"),
      button("arrow_downward", "older failed or silent run (j)", "j", root), el("span", { class: "space" }),
      button("link", "copy the link to this view (y)", "y", root), button("keyboard", "keys (?)", "?", root))
    root.append(el("div", { class: "told", role: "status" }))
    list.append(el("h2", {}, "Keys"), meanings(data.keys), el("h3", {}, "In the waterfall of a run"), meanings(data.waterfall))
    list.onclick = (event) => event.target === list && list.close()
  }
  root.does = does
  if (data.go && data.go.order === window.seamscopeGoes) { // the answer to the last key, once
    window.seamscopeGoes = null
    if (data.go.run) visit(address("run", { run: data.go.run }, ["view", "tab"]))
    else tell(root, data.go.said)
  }
  const press = (event) => {
    if (event.key === "Escape" && event.target.matches?.(FIELD)) event.target.blur()
    if (event.defaultPrevented || event.repeat || event.metaKey || event.ctrlKey || event.altKey || typing(event)) return
    if (!does[event.key] || (list.open && event.key !== "?")) return
    event.preventDefault()
    does[event.key]()
  }
  document.addEventListener("keydown", press)
  return () => document.removeEventListener("keydown", press)
}

/** Streamlit's wide pages keep 5rem free on either side, which tables and charts need; it has no setting for that. */
function makeRoom() {
  if (window.seamscopeRoom) return
  window.seamscopeRoom = new CSSStyleSheet()
  window.seamscopeRoom.replaceSync(`@media (min-width: 768px) {
    [data-testid="stMain"] [data-testid="stMainBlockContainer"] { padding-left: clamp(1.25rem, 2.6vw, 5rem); padding-right: clamp(1.25rem, 2.6vw, 5rem); }
  }`)
  document.adoptedStyleSheets.push(window.seamscopeRoom)
}

function button(icon, said, key, root) {
  const node = el("button", { type: "button", title: said, "aria-label": said, "aria-keyshortcuts": key }, el("span", { class: "icon", "aria-hidden": "true" }, icon))
  node.onclick = () => root.does[key]()
  return node
}

function meanings(keys) {
  return el("dl", {}, ...Object.entries(keys).flatMap(([key, said]) => [el("dt", {}, ...key.split(" ").map((each) => el("kbd", {}, each))), el("dd", {}, said)]))
}

function tell(root, said) {
  const node = root.querySelector(".told")
  node.textContent = said
  clearTimeout(root.telling)
  root.telling = setTimeout(() => { node.textContent = "" }, 4000)
}

/** Whether a key belongs to what has the focus: a field, a list that is searched by typing, an open dialogue or menu. */
function typing(event) {
  return event.composedPath().some((node) => node instanceof Element &&
    (node.matches("input:not([type=checkbox]):not([type=radio]):not([type=range]), textarea, select, [contenteditable=true], [role=textbox], [role=combobox], [role=listbox], [role=menu], [role=dialog]")))
}

function jump() {
  const field = () => document.querySelector(FIELD)
  const ready = () => { const node = field(); node?.focus(); node?.select() }
  if (field()?.offsetParent && field().getBoundingClientRect().right > 0) return ready()
  document.querySelector('[data-testid="stExpandSidebarButton"]')?.click()
  setTimeout(ready, 400) // the sidebar slides in
}

async function copy(root) {
  try {
    await navigator.clipboard.writeText(location.href)
    tell(root, "link copied")
  } catch {
    tell(root, "the browser lets no page copy here: take the link from the address bar")
  }
}

/** Streamlit writes a changed filter over the present entry of the browser's history, so that "back" would leave the page. What a
 * reader changes is an entry of its own; what Streamlit puts right by itself, or after "back", is not. Where one came from stays. */
function rememberChanges() {
  if (window.seamscopeRemembers) return
  window.seamscopeRemembers = true
  let acted = 0, travelled = 0
  for (const kind of ["click", "keydown", "pointerup"]) addEventListener(kind, (event) => { if (event.isTrusted) acted = performance.now() }, true)
  addEventListener("popstate", () => { travelled = performance.now() }, true)
  const push = history.pushState.bind(history), replace = history.replaceState.bind(history)
  const onward = (state, url) => (url.pathname === location.pathname ? { ...history.state, ...state } : state)
  history.pushState = (state, title, href = location.href) => {
    const url = new URL(href, location.href)
    const ours = state != null && "from" in state  // of `visit`
    if (!ours && travelled >= acted && url.pathname !== location.pathname) return  // a run of the page that was left begins late
    push(onward(state, url), title, href)
  }
  history.replaceState = (state, title, href = location.href) => {
    const url = new URL(href, location.href)
    const meant = acted > travelled && performance.now() - acted < 1500 && url.search !== location.search
    return (meant ? push : replace)(onward(state, url), title, href)
  }
}

/** Streamlit's own links to pages drop the query, and with it the filters: they take them along here. Server-side this cannot be done,
 * as the way back to a page without filters looks the same there. */
function carryFilters() {
  if (window.seamscopeCarries) return
  window.seamscopeCarries = true
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-testid=stTopNavLink], [data-testid=stSidebarNavLink], [data-testid=stPageLink-NavLink]")
    const href = link?.closest("a")?.href
    if (!href || event.defaultPrevented || !plainClick(event)) return
    const url = new URL(href)
    if (url.origin !== location.origin) return
    event.preventDefault()
    event.stopPropagation()
    const params = {}
    for (const [name, value] of url.searchParams) params[name] = [...(params[name] ?? []), value]
    visit(address(url.pathname, params))
  }, true)
}

/** A part of the page fades while it waits for a refresh, but not in the first two seconds: what comes back each second would flicker. */
function refreshCalmly() {
  if (window.seamscopeCalm) return
  window.seamscopeCalm = new CSSStyleSheet()
  window.seamscopeCalm.replaceSync("[data-stale=true] { transition-delay: 2s !important }")
  document.adoptedStyleSheets.push(window.seamscopeCalm)
}
