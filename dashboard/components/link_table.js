// A table whose rows are links. Redraws in place; text is set as text.

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".link-table")
  const text = JSON.stringify(data)
  if (root.text !== text) {
    root.text = text
    const focused = root.getRootNode().activeElement?.dataset?.row
    const head = el("tr", {}, ...data.columns.map((c) => el("th", { scope: "col", class: classes(c), title: c.help, style: c.width ? "width:" + c.width : null }, c.label || el("span", { class: "unseen" }, c.name))))
    const body = data.rows.flatMap((row, index) => lines(data.columns, row, index))
    root.replaceChildren(el("table", { "aria-label": data.label }, el("thead", {}, head), el("tbody", {}, ...body)))
    if (focused) root.querySelector(`a[data-row="${CSS.escape(focused)}"]`)?.focus()
  }
  // A cell that spans more columns than are shown would make room for those that are not.
  const fit = () => {
    const shown = [...root.querySelectorAll("th")].filter((cell) => cell.offsetWidth).length
    for (const cell of root.querySelectorAll(".below td, .rest td")) cell.colSpan = shown || 1
  }
  fit()
  const watch = new ResizeObserver(fit)
  watch.observe(root)
  tick(root)
  const clock = setInterval(() => tick(root), 1000)
  return () => { clearInterval(clock); watch.disconnect() }
}

function classes(column) {
  return [column.align === "right" ? "right" : "", column.optional ? "optional" + column.optional : "", column.look ? "look-" + column.look : ""].filter(Boolean).join(" ")
}

function lines(columns, row, index) {
  const main = el("tr", { class: "line" }, ...columns.map((column, at) => {
    const td = el("td", { class: classes(column) })
    const inside = cell(column, row[column.name])
    if (at === 0 && row.page) td.append(follow(el("a", { class: "whole", href: address(row.page, row.params), "data-row": index, title: row.title }, ...inside)))
    else td.append(...inside)
    return td
  }))
  const over = leftOver(columns, row, cell)
  const first = Math.min(...columns.map((column) => column.optional ?? 9))
  const rest = over.length ? [main, el("tr", { class: "rest from" + first }, el("td", {}, el("div", {}, ...over)))] : [main]
  return row.below ? [...rest, el("tr", { class: "below" }, el("td", {}, el("div", { title: row.below.length > 200 ? row.below : null }, row.below)))] : rest
}

function cell(column, value) {
  if (value == null || value === "") return [column.blank ?? "–"]
  switch (column.look) {
    case "layer": return [layer(value)]
    case "ago": return [el("time", { "data-ms": value, title: exact(value) })]
    case "share": return [share(value)]
    case "course": return [course(value)]
    case "link": return [follow(el("a", { class: "part", href: address(value.page, value.params), title: value.title }, value.text))]
    default: {
      const [text, beside] = [value].flat()
      const node = el("span", { title: text.length > 24 ? text : null }, text)
      return beside ? [node, el("span", { class: "beside", title: beside }, beside)] : [node]
    }
  }
}

function share([part, text]) {
  const bar = el("span", { class: "fill" })
  bar.style.width = Math.max(part > 0 ? 2 : 0, part * 100) + "%"
  return el("span", { class: "meter" }, el("span", { class: "track" }, bar), el("span", {}, text))
}

function tick(root) {
  const now = Date.now()
  for (const time of root.querySelectorAll("time")) {
    const text = ago(Number(time.dataset.ms), now)
    if (time.textContent !== text) time.textContent = text
  }
}
