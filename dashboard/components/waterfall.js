// The steps of one run: a tree on the left, the same tree over time on the right. Arrow keys walk, left and right fold,
// Enter or a click selects. Rows that were folded away for good reason say how many they stand for and can be opened.

const KIND_ICONS = {
  workflow: "account_tree", chain: "commit", agent: "smart_toy", llm: "neurology", tool: "build", retrieval: "manage_search",
  handoff: "swap_horiz", guardrail: "shield", evaluator: "fact_check", setup: "settings", protocol: "lan", transport: "sync_alt",
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".waterfall")
  const view = (root.view ??= { folded: new Set(), run: null })
  view.select = (id) => setTriggerValue("select", id)
  view.unfold = (id) => setTriggerValue("unfold", id)
  if (view.run !== data.run) { view.folded.clear(); view.run = data.run; view.chosen = null; view.text = null }
  const text = JSON.stringify(data)
  if (view.text !== text) {
    view.text = text
    view.data = data
    if (data.selected !== view.told) { view.chosen = data.selected; view.told = data.selected }
    draw(root)
  }
}

function draw(root) {
  const { view } = root
  const { data } = view
  const scroll = root.querySelector(".rows")
  const keep = scroll.scrollTop
  const had = root.getRootNode().activeElement?.dataset?.index
  const rows = []
  let hiddenBelow = Infinity
  data.rows.forEach((row, index) => {
    if (row.depth > hiddenBelow) return
    hiddenBelow = view.folded.has(row.id) ? row.depth : Infinity
    rows.push(row.fold ? foldRow(root, row, index) : stepRow(root, row, index, data.rows[index + 1]))
  })
  scroll.style.maxHeight = data.height + "px"
  scroll.replaceChildren(axis(data), ...rows)
  const start = rows.find((row) => row.classList.contains("chosen")) ?? rows[0]
  if (start) start.tabIndex = 0
  if (view.drawn) scroll.scrollTop = keep
  else if (start?.classList.contains("chosen")) start.scrollIntoView({ block: "nearest" })
  view.drawn = true
  if (had != null) scroll.querySelector(`[data-index="${had}"]`)?.focus({ preventScroll: true })
}

function axis(data) {
  const marks = data.ticks.map(([share, text]) => {
    const mark = el("span", {}, text)
    mark.style.left = share * 100 + "%"
    return mark
  })
  return el("div", { class: "row axis", "aria-hidden": "true" }, el("div", { class: "name" }, data.heading), el("div", { class: "time" }, ...marks), el("div", { class: "length" }))
}

function indent(cell, depth) {
  cell.style.paddingLeft = 6 + Math.min(depth, 14) * 15 + "px"
  if (depth > 14) cell.append(el("span", { class: "deep", title: "depth" }, String(depth)))
}

function stepRow(root, row, index, next) {
  const { view } = root
  const inner = !!next && next.depth > row.depth
  const open = !view.folded.has(row.id)
  const name = el("div", { class: "name" })
  indent(name, row.depth)
  const twist = el("span", { class: "twist icon", "aria-hidden": "true" }, inner ? (open ? "expand_more" : "chevron_right") : "")
  if (inner) twist.onclick = (event) => { event.stopPropagation(); fold(root, row, open) }
  name.append(twist, el("span", { class: "icon kind", title: row.kind, "aria-hidden": "true" }, KIND_ICONS[row.kind] ?? "commit"), el("span", { class: "text", title: row.told ? `${row.name} (${row.told})` : row.name }, row.name))
  if (row.note) name.append(el("span", { class: "note" }, row.note))
  if (row.status !== "ok") name.append(glyph(row.status))
  const bar = el("div", { class: `bar kind-${row.group} is-${row.status}` + (row.critical ? " critical" : "") , title: row.critical || null })
  bar.style.left = row.from * 100 + "%"
  bar.style.width = row.width * 100 + "%"
  const time = el("div", { class: "time" }, bar)
  const node = el("div", {
    class: "row step" + (row.id === view.chosen ? " chosen" : ""), role: "treeitem", tabindex: -1, "data-index": index, "aria-level": row.depth + 1,
    "aria-selected": row.id === view.chosen, "aria-expanded": inner ? open : null, "aria-label": `${row.kind} ${row.name}, ${row.status}, ${row.length}` + (row.critical ? `, on the critical path: ${row.critical}` : ""),
  }, name, time, el("div", { class: "length" }, row.length))
  node.onclick = () => choose(root, row)
  node.onkeydown = (event) => key(root, event, node, row, inner, open)
  return node
}

function foldRow(root, row, index) {
  const name = el("div", { class: "name" })
  indent(name, row.depth)
  name.append(el("span", { class: "twist icon" }, "unfold_more"), el("span", { class: "text" }, row.name))
  if (row.failed) name.append(glyph("failed"), el("span", { class: "note" }, row.failed.toLocaleString("en") + " failed"))
  const bar = el("div", { class: "bar folded" })
  bar.style.left = row.from * 100 + "%"
  bar.style.width = row.width * 100 + "%"
  const node = el("div", { class: "row step fold", role: "treeitem", tabindex: -1, "data-index": index, title: "show more of them" }, name, el("div", { class: "time" }, bar), el("div", { class: "length" }))
  node.onclick = () => root.view.unfold(row.fold)
  node.onkeydown = (event) => key(root, event, node, row, false, false)
  return node
}

function choose(root, row) {
  if (row.fold) return root.view.unfold(row.fold)
  root.view.chosen = row.id
  for (const node of root.querySelectorAll(".step")) {
    const mine = root.view.data.rows[node.dataset.index].id === row.id
    node.classList.toggle("chosen", mine)
    node.setAttribute("aria-selected", mine)
  }
  root.view.select(row.id)
}

function fold(root, row, close) {
  root.view.folded[close ? "add" : "delete"](row.id)
  draw(root)
}

function key(root, event, node, row, inner, open) {
  const go = (to) => { if (to?.classList.contains("step")) { node.tabIndex = -1; to.tabIndex = 0; to.focus() } }
  const does = {
    ArrowDown: () => go(node.nextElementSibling), ArrowUp: () => go(node.previousElementSibling),
    ArrowRight: () => inner && !open && fold(root, row, false), ArrowLeft: () => inner && open && fold(root, row, true),
    Enter: () => choose(root, row), " ": () => choose(root, row),
  }[event.key]
  if (does) { event.preventDefault(); does() }
}
