// A list of runs. Every row is a real link; a plain click stays in the app. New rows never move what a reader is reading:
// while the list is hovered, focused or scrolled they wait behind "n new".

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".run-list")
  const list = (root.list ??= { shown: null, waiting: null })

  if (!list.shown) {
    const settle = () => setTimeout(() => !busy(root) && flush(root), 60)
    root.addEventListener("pointerleave", settle)
    root.addEventListener("focusout", settle)
    list.clock = setInterval(() => tick(root), 1000)
  }
  const fresh = list.shown ? data.rows.filter((row) => !list.shown.ids.has(row.id)).length : 0
  if (list.shown && data.hold && busy(root) && fresh) {
    list.waiting = data
    pill(root, fresh)
  } else {
    draw(root, data)
  }
  return () => clearInterval(list.clock)
}

function busy(root) {
  return root.matches(":hover") || root.contains(root.getRootNode().activeElement) || root.querySelector(".scroll")?.scrollTop > 0
}

function flush(root) {
  const { waiting } = root.list
  if (waiting) draw(root, waiting)
}

function pill(root, count) {
  const button = root.querySelector(".new")
  button.textContent = count + " new"
  button.hidden = false
  button.onclick = () => { root.querySelector(".scroll").scrollTop = 0; flush(root) }
}

function draw(root, data) {
  const list = root.list
  const text = JSON.stringify(data)
  list.waiting = null
  if (list.text === text) return tick(root)
  const focused = root.getRootNode().activeElement?.dataset?.row
  const known = list.shown?.ids
  list.text = text
  list.shown = { ids: new Set(data.rows.map((row) => row.id)) }
  const head = el("tr", {}, ...data.columns.map((c) => el("th", { scope: "col", class: classes(c), title: c.help }, c.label)))
  const body = data.rows.map((row) => {
    const cells = data.columns.map((c) => cell(c, row))
    const over = leftOver(data.columns.filter((c) => c.optional > 1), row, (_, value) => [value])
    if (over.length) cells[0].append(el("div", { class: "rest" }, ...over))
    return el("tr", { class: known && !known.has(row.id) ? "fresh" : null }, ...cells)
  })
  const table = el("table", { "aria-label": data.label }, el("thead", {}, head), el("tbody", {}, ...body))
  const scroll = root.querySelector(".scroll")
  scroll.replaceChildren(table)
  root.querySelector(".new").hidden = true
  if (focused) scroll.querySelector(`a[data-row="${CSS.escape(focused)}"]`)?.focus()
  tick(root)
}

function classes(column) {
  return [column.align === "right" ? "right" : "", column.optional ? "optional" + column.optional : "", column.name].filter(Boolean).join(" ")
}

function cell(column, row) {
  const td = el("td", { class: classes(column) })
  const value = row[column.name]
  if (column.name === "state") {
    td.append(follow(el("a", row.same ? ofAll(row) : ofOne(row, row.id), glyph(row.state), el("span", {}, row.state))))
  } else if (column.name === "started") {
    const time = el("time", { "data-ms": value, title: exact(value) })
    td.append(row.same ? follow(el("a", { class: "newest", ...ofOne(row, "newest of " + key(row)), "aria-label": null, title: "open the newest run" }, time)) : time)
  } else {
    const text = column.name === "id" ? row.id.slice(0, 8) : value
    td.textContent = text ?? "–"
    if (value && column.align !== "right") td.title = value
    if (column.beside && row[column.beside]) td.append(el("span", { class: "beside", title: row[column.beside] }, row[column.beside]))
    if (column.beneath && row[column.beneath]) td.append(el("div", { class: "beneath" }, row[column.beneath]))
  }
  return td
}

/** What a link to one run says of itself. */
function ofOne(row, name) {
  return { href: address("run", { run: row.id }), "data-id": row.id, "data-row": name, "aria-label": `${row.state}: open run ${row.id}` }
}

/** What the link to equal runs says of itself. */
function ofAll(row) {
  return { href: address("runs", row.same), "data-row": key(row), "aria-label": `${row.state}: open these ${row.runs} runs` }
}

/** What stays the same while runs of its kind come in. */
function key(row) {
  return JSON.stringify(row.same)
}

function tick(root) {
  const now = Date.now()
  for (const time of root.querySelectorAll("time")) {
    const text = ago(Number(time.dataset.ms), now)
    if (time.textContent !== text) time.textContent = text
  }
}
