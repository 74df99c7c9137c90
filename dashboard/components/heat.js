// How much of what happened where: rows and columns, each cell a link, its colour the column's, its strength its share.

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".heat")
  const text = JSON.stringify(data)
  if (root.text === text) return
  root.text = text
  const focused = root.getRootNode().activeElement?.dataset?.at
  const head = el("tr", {}, el("th", { scope: "col", class: "corner" }, data.corner), ...data.columns.map((mark) => el("th", { scope: "col", title: mark.name }, layer(mark))))
  const body = data.rows.map((row, r) => el("tr", {},
    el("th", { scope: "row" }, follow(el("a", { href: address("runs", row.params), title: row.name + (row.beside ? " of " + row.beside : "") }, el("span", {}, row.name), row.beside ? el("span", { class: "beside" }, row.beside) : null))),
    ...row.cells.map((value, c) => cell(data, row, value, r, c))))
  root.replaceChildren(el("table", { "aria-label": data.label }, el("thead", {}, head), el("tbody", {}, ...body)))
  if (focused) root.querySelector(`a[data-at="${CSS.escape(focused)}"]`)?.focus()
}

function cell(data, row, value, r, c) {
  if (!value) return el("td", { class: "none" }, "·")
  const mark = data.columns[c]
  const link = el("a", { href: address("runs", { ...row.params, layer: mark.name }), "data-at": r + "." + c,
    title: `${value.toLocaleString("en")} ${data.what}: ${mark.name} at ${row.name}` }, data.shown[r][c])
  link.style.setProperty("--layer", mark.color)
  link.style.setProperty("--strength", Math.round(12 + 48 * Math.sqrt(value / data.most)) + "%")
  return el("td", {}, follow(link))
}
