// Amplification over time, a lane for each name. A column that rests on too few operations is hollow; a storm is a hatched
// block up to its peak; dashed and dotted lines say what the legend says.

const HEIGHT = 58, TOP = 6, RIGHT = 64

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".lanes")
  root.lanes ??= {}
  root.lanes.data = data
  if (!root.lanes.watch) {
    root.lanes.watch = new ResizeObserver(() => draw(root))
    root.lanes.watch.observe(root)
  }
  draw(root)
  return () => { root.lanes.watch.disconnect(); root.lanes.watch = null }
}

function draw(root) {
  const data = root.lanes.data, width = root.clientWidth
  const text = width + JSON.stringify(data)
  if (!width || root.lanes.text === text) return
  root.lanes.text = text
  const highest = Math.max(2, ...data.lanes.flatMap((lane) => [...lane.columns.filter((c) => c[3]).map((c) => c[1]), ...lane.blocks.map((b) => b.peak)]))
  const top = Math.min(highest * 1.05, 10)
  const left = width < 640 ? 116 : 178, plot = width - left - RIGHT
  root.style.setProperty("--left", left + "px")
  const x = (at) => ((at - data.since) / (data.until - data.since)) * plot
  const y = (value) => HEIGHT - ((Math.min(value, top) - 1) / (top - 1)) * (HEIGHT - TOP)
  root.querySelector(".legend").replaceChildren(
    sign("column", "attempts an operation"), sign("few", "too few operations to judge"), sign("budget", "retry budget"),
    sign("threshold", "storm from here on"), sign("storm", "storm"), sign("look", "worth a look"))
  root.querySelector(".rows").replaceChildren(...data.lanes.map((lane) => row(lane, data, x, y, plot, top)))
  root.querySelector(".axis").replaceChildren(...timeTicks(data, plot / 72).map(([at, said, anchor]) => {
    const node = el("span", { class: anchor }, said)
    node.style.left = left + x(at) + "px"
    return node
  }))
}

function sign(name, said) {
  return el("span", { class: "entry" }, el("span", { class: "sign sign-" + name, "aria-hidden": "true" }), said)
}

function row(lane, data, x, y, plot, top) {
  const picture = svg("svg", { width: plot, height: HEIGHT + 1, role: "group", "aria-label": `${lane.name}, ${lane.said}` })
  const hatch = svg("pattern", { id: "storm", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 6, height: 6, class: "under" }), svg("rect", { width: 2, height: 6, class: "over" }))
  picture.append(svg("defs", {}, hatch), line(plot, y(1), "base"))
  const wide = Math.max(1, x(data.since + data.bucket) - (plot / ((data.until - data.since) / data.bucket) > 4 ? 1 : 0))
  for (const [at, value, operations, enough] of lane.columns) {
    if (value <= 1) continue
    const body = svg("rect", { x: x(at), width: wide, y: y(value), height: y(1) - y(value), class: enough ? "column" : "column few" })
    const said = `${exact(at)}: × ${value.toFixed(2)}, ${operations} operations${enough ? "" : ", too few to judge"}`
    picture.append(link(body, { ...lane.params, from: iso(at), to: iso(at + data.bucket) }, said, -1))
  }
  for (const block of lane.blocks) picture.append(mark(block, x, y, plot))
  picture.append(line(plot, y(1 + data.budget), "budget"))
  if (lane.threshold && lane.threshold <= top) picture.append(line(plot, y(lane.threshold), "threshold"))
  const name = follow(el("a", { class: "name", href: address("runs", { ...lane.params, from: iso(data.since), to: iso(data.until) }), title: lane.name }, lane.name))
  return el("div", { class: "lane" }, name, picture, el("span", { class: "said" }, lane.said))
}

function mark(block, x, y, plot) {
  const start = Math.max(0, x(block.since)), end = Math.min(plot, x(block.until))
  const wide = Math.max(5, end - start)
  const body = svg("rect", { x: Math.min(start, plot - wide), width: wide, y: y(block.peak), height: y(1) - y(block.peak), class: block.storm ? "storm" : "look" })
  return link(body, block.params, block.said, 0)
}

function link(body, params, said, tabindex) {
  const title = svg("title")
  title.textContent = said
  const node = svg("a", { href: address("runs", params), tabindex, "aria-label": said }, body, title)
  node.onclick = (event) => { if (plainClick(event)) { event.preventDefault(); visit(node.getAttribute("href")) } }
  return node
}

function line(plot, at, name) {
  return svg("line", { x1: 0, x2: plot, y1: at, y2: at, class: name })
}

function iso(ms) {
  return new Date(ms).toISOString().replace(".000", "")
}
