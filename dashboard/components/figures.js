// A row of figures. A number never stands alone: it comes with its change, its band and how many it rests on.

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".figures")
  const text = JSON.stringify(data)
  if (root.text === text) return
  root.text = text
  const focused = root.getRootNode().activeElement?.dataset?.name
  root.replaceChildren(...data.map(card))
  if (focused) root.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus()
}

function card(figure) {
  const href = figure.opens ? address(figure.page, figure.opens) : null
  const node = el(href ? "a" : "div", { class: "card", "data-name": figure.name, title: figure.help, href },
    el("div", { class: "label" }, figure.mark ? glyph(figure.mark) : null, figure.label),
    el("div", { class: "value" + (figure.value.startsWith("[") ? " band" : "") }, figure.value),
    el("div", { class: "context" }, figure.change ? el("span", { class: "change " + figure.tone }, figure.change) : null, figure.note ?? ""),
    figure.spark?.length ? spark(figure.spark) : figure.line?.length ? course(figure.line) : null)
  return href ? follow(node) : node
}

function spark(values) {
  const top = Math.max(...values, 1e-9), width = 100 / values.length
  const picture = svg("svg", { class: "spark", viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true" })
  values.forEach((value, i) => {
    if (value) picture.append(svg("rect", { x: i * width, width: Math.max(width * 0.82, 0.6), y: 24 - Math.max(1.5, (value / top) * 24), height: 24 }))
  })
  return picture
}
