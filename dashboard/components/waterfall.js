// The steps of one run: a tree on the left, the same tree over time on the right. Arrow keys walk, left and right fold,
// Enter or a click selects. Tries of one operation are bars on one row, which opens into a row each. Rows that were folded
// away for good reason say how many they stand for and can be opened.

const KIND_ICONS = {
  workflow: "account_tree", chain: "commit", agent: "smart_toy", llm: "neurology", tool: "build", retrieval: "manage_search",
  handoff: "swap_horiz", guardrail: "shield", evaluator: "fact_check", setup: "settings", protocol: "lan", transport: "sync_alt",
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".waterfall")
  const view = (root.view ??= { folded: new Set(), run: null })
  view.select = (id) => ask(root, setStateValue, "select", id)
  view.unfold = (id) => ask(root, setStateValue, "unfold", id)
  view.turn = (id) => ask(root, setStateValue, "tries", id)
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
  drawUnpressed(root, () => drawAll(root))
}

function drawAll(root) {
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
  scroll.replaceChildren(axis(root), ...(view.legend ? [legend(data)] : []), el("div", { role: "tree", "aria-label": "Steps of the run" }, ...rows))
  const start = rows.find((row) => row.classList.contains("chosen")) ?? rows[0]
  if (start) start.tabIndex = 0
  if (view.drawn) scroll.scrollTop = keep
  else if (start?.classList.contains("chosen")) start.scrollIntoView({ block: "nearest" })
  view.drawn = true
  if (had != null) scroll.querySelector(`[data-index="${had}"]`)?.focus({ preventScroll: true })
}

function axis(root) {
  const { data, legend: shown } = root.view
  const marks = data.ticks.map(([share, text]) => {
    const mark = el("span", { "aria-hidden": "true" }, text)
    mark.style.left = share * 100 + "%"
    return mark
  })
  const key = el("button", { type: "button", class: "key", "aria-expanded": !!shown, title: "What the signs mean" }, "legend")
  key.onclick = () => { root.view.legend = !shown; draw(root); root.querySelector(".key").focus() }
  return el("div", { class: "row axis" }, el("div", { class: "name" }, el("span", { class: "text" }, data.heading), key), el("div", { class: "time" }, ...marks), el("div", { class: "length" }))
}

function legend(data) {
  const signs = Object.entries(data.legend).map(([mark, meaning]) => {
    const bar = el("span", { class: `bar kind-tool is-${mark}` })
    return el("span", { class: "sign" }, glyph(mark), bar, el("b", {}, mark), el("span", {}, meaning))
  })
  const kinds = ["model", "tool", "retrieval", "orchestration"].map((kind) => el("span", { class: "sign" }, el("span", { class: "bar kind-" + kind }), el("b", {}, kind), el("span", {}, kind === "orchestration" ? "what waits for none of them" : "what this step waits for")))
  return el("div", { class: "legend" }, ...signs, ...kinds)
}

function indent(cell, depth) {
  cell.style.paddingLeft = 6 + Math.min(depth, 14) * 15 + "px"
  if (depth > 14) cell.append(el("span", { class: "deep", title: "depth" }, String(depth)))
}

function bar(root, part, classes) {
  const node = el("div", { class: "bar " + classes, title: part.told || null })
  node.style.left = part.from * 100 + "%"
  node.style.width = part.width * 100 + "%"
  return node
}

function bars(root, row) {
  const critical = row.critical ? " critical" : ""
  if (!row.segments) return [bar(root, { ...row, told: row.critical }, `kind-${row.group} is-${row.mark}${critical}`)]
  const span = bar(root, { ...row, told: row.critical }, "span" + critical)
  return [span, ...row.segments.map((part) => {
    const node = bar(root, part, `segment kind-${row.group} is-${part.mark}` + (part.id === root.view.chosen ? " chosen" : ""))
    node.onclick = (event) => { event.stopPropagation(); choose(root, row, part.id) }
    return node
  })]
}

function stands(root, row) {
  const { chosen } = root.view
  return row.id === chosen || (!!row.segments && !row.open && row.segments.some((part) => part.id === chosen))
}

function stepRow(root, row, index, next) {
  const { view } = root
  const inner = !!next && next.depth > row.depth
  const open = inner && !view.folded.has(row.id)
  const name = el("div", { class: "name" })
  indent(name, row.depth)
  const twist = el("span", { class: "twist icon", "aria-hidden": "true" }, inner ? (open ? "expand_more" : "chevron_right") : "")
  if (inner) twist.onclick = (event) => { event.stopPropagation(); fold(root, row, open) }
  name.append(twist, el("span", { class: "icon kind", title: row.kind, "aria-hidden": "true" }, KIND_ICONS[row.kind] ?? "commit"), el("span", { class: "text" + (row.found ? " found" : ""), title: [row.told ? `${row.name} (${row.told})` : row.name, row.note].filter(Boolean).join(": ") }, row.name))
  if (row.segments) {
    const times = el("span", { class: "times" + (row.open ? " open" : ""), title: row.open ? "its tries on one row" : "a row for each try" }, "×" + row.tried.toLocaleString("en"))
    times.onclick = (event) => { event.stopPropagation(); view.turn(row.tries) }
    name.append(times)
  }
  if (row.note) name.append(el("span", { class: "note", title: row.note }, row.note))
  if (row.mark !== "ok") name.append(glyph(row.mark))
  const unseen = [row.kind, row.tried && `${row.tried} tries`, row.mark, row.found && "holds the text looked for", row.critical && `on the critical path: ${row.critical}`]
  const chosen = stands(root, row)
  const node = el("div", {
    class: "row step" + (chosen ? " chosen" : ""), role: "treeitem", tabindex: -1, "data-index": index, "aria-level": row.depth + 1,
    "aria-selected": chosen, "aria-expanded": inner ? open : row.segments ? row.open : null,
  }, name, el("div", { class: "time" }, ...bars(root, row)), el("div", { class: "length" }, row.length), el("span", { class: "unseen" }, ", " + unseen.filter(Boolean).join(", ")))
  node.onclick = () => choose(root, row)
  node.onkeydown = (event) => key(root, event, node, row, {
    right: inner && !open ? () => fold(root, row, false) : row.segments && !row.open ? () => view.turn(row.tries) : null,
    left: row.open ? () => view.turn(row.tries) : open ? () => fold(root, row, true) : null,
  })
  return node
}

function foldRow(root, row, index) {
  const name = el("div", { class: "name" })
  indent(name, row.depth)
  name.append(el("span", { class: "twist icon" }, "unfold_more"), el("span", { class: "text" }, row.name))
  if (row.failed) name.append(glyph("failed"), el("span", { class: "note" }, row.failed.toLocaleString("en") + " failed"))
  if (row.matches) name.append(el("span", { class: "note found" }, row.matches))
  const node = el("div", { class: "row step fold", role: "treeitem", tabindex: -1, "data-index": index, title: "show more of them" }, name, el("div", { class: "time" }, bar(root, row, "folded")), el("div", { class: "length" }))
  node.onclick = () => root.view.unfold(row.fold)
  node.onkeydown = (event) => key(root, event, node, row, {})
  return node
}

function choose(root, row, id = row.last ?? row.id) {
  if (row.fold) return root.view.unfold(row.fold)
  root.view.chosen = id
  draw(root)
  root.view.select(id)
}

function fold(root, row, close) {
  root.view.folded[close ? "add" : "delete"](row.id)
  draw(root)
}

function key(root, event, node, row, { right, left }) {
  const go = (to) => { if (to?.classList.contains("step")) { node.tabIndex = -1; to.tabIndex = 0; to.focus() } }
  const does = {
    ArrowDown: () => go(node.nextElementSibling), ArrowUp: () => go(node.previousElementSibling),
    ArrowRight: () => right?.(), ArrowLeft: () => left?.(),
    Enter: () => choose(root, row), " ": () => choose(root, row),
  }[event.key]
  if (does) { event.preventDefault(); does() }
}
