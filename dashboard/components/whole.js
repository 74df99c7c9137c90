// One bar that is 100 %. Parts are links; a pattern says what colour says.

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".whole")
  const text = JSON.stringify(data)
  if (root.text === text) return
  root.text = text
  const bar = root.querySelector(".bar"), legend = root.querySelector(".parts")
  bar.setAttribute("role", "group")
  bar.setAttribute("aria-label", data.label)
  bar.replaceChildren(...data.parts.filter((part) => part.share > 0).map(segment))
  // A name that has no room stands in the legend alone.
  root.fit ??= () => bar.querySelectorAll(".inside").forEach((name) => { name.hidden = false; name.hidden = name.scrollWidth > name.clientWidth })
  if (!root.watch) (root.watch = new ResizeObserver(root.fit)).observe(bar)
  root.fit()
  legend.replaceChildren(data.title ? el("span", { class: "title" }, data.title) : "", ...data.parts.map(entry))
}

function link(part, attributes, ...inside) {
  if (!part.params) return el("span", attributes, ...inside)
  return follow(el("a", { ...attributes, href: address("runs", part.params) }, ...inside))
}

function segment(part) {
  const quiet = part.hatched > 0 ? el("span", { class: "quiet" }) : null
  if (quiet) quiet.style.width = part.hatched * 100 + "%"
  const node = link(part, { class: "segment", tabindex: -1, title: `${part.name} ${part.said} ${part.note}` }, quiet,
    part.share > 0.07 ? el("span", { class: "inside" }, el("span", {}, `${part.name} ${part.said}`)) : null)
  node.style.flexGrow = part.share
  node.style.setProperty("--part", part.color)
  node.style.setProperty("--ink", ink(part.color))
  return node
}

function entry(part) {
  const mark = part.icon ? layer({ color: part.color, icon: part.icon, hatched: false }, "") : el("span", { class: "dot" })
  mark.style.setProperty("--part", part.color)
  return link(part, { class: "entry" }, mark, el("span", {}, part.name), el("b", {}, part.said), part.note ? el("span", { class: "note" }, part.note) : null)
}
