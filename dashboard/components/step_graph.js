// The step graph of a workflow, or of one run. Columns in reading order; width of an edge by how many go there; ways back run
// below. Nodes and edges of a workflow lead to runs; nodes of a run select their span and show what became of them.

const W = 134, H = 48, GAP_X = 40, GAP_Y = 22, EDGE = 46, START = 64, TOP = 14

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".step-graph")
  const text = JSON.stringify(data)
  if (root.text === text) return
  root.text = text
  const fade = () => root.classList.toggle("more", root.scrollLeft + root.clientWidth < root.scrollWidth - 2)
  root.onscroll = fade
  root.watch ??= new ResizeObserver(fade)
  root.watch.observe(root)
  root.select = (id) => ask(root, setStateValue, "select", id)
  drawUnpressed(root, () => drawAll(root, data))
}

function drawAll(root, data) {
  const back = data.edges.filter((e) => isBack(data, e)).length
  const out = data.edges.some((e) => e.exit === "outside")
  const height = TOP + data.rows * (H + GAP_Y) + (out ? 34 : 0) + Math.min(back, 4) * 16 + (back ? 18 : 0)
  const width = EDGE * 2 + START + GAP_X + data.columns * (W + GAP_X) - GAP_X
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, style: `max-width: ${width}px; min-width: ${Math.round(width * 0.72)}px`, role: "group", "aria-label": "Step graph" })
  const at = places(data, width)
  let loops = 0
  for (const edge of data.edges) picture.append(isBack(data, edge) ? loop(edge, at, loops++, data) : way(edge, at))
  picture.append(terminal(at.start, "start", data.runs, data.start ?? "runs"), terminal(at.end, "end", data.end, data.finish ?? "reach END"))
  if (out) picture.append(terminal(at.out, "out", "lost", "outside a step"))
  for (const node of data.nodes) picture.append(node.span ? visited(root, node, at.nodes.get(node.name), data.selected) : box(node, at.nodes.get(node.name)))
  root.replaceChildren(picture)
  root.onscroll()
}

function places(data, width) {
  const middle = TOP + (data.rows * (H + GAP_Y) - GAP_Y) / 2, nodes = new Map()
  for (const node of data.nodes) {
    const inColumn = data.nodes.filter((other) => other.column === node.column).length
    const y = middle - (inColumn * (H + GAP_Y) - GAP_Y) / 2 + node.row * (H + GAP_Y)
    nodes.set(node.name, { x: EDGE + START + node.column * (W + GAP_X), y, row: node.row, column: node.column })
  }
  const end = { x: width - EDGE, y: middle }
  return { nodes, start: { x: EDGE, y: middle }, end, out: { x: width - EDGE, y: middle + H + 16 } }
}

function isBack(data, edge) {
  if (edge.from === null || edge.to === null) return false
  const order = (name) => data.nodes.findIndex((node) => node.name === name)
  return order(edge.to) <= order(edge.from)
}

function stroke(edge) {
  return Math.max(1.2, Math.min(9, edge.flow * 9))
}

function way(edge, at) {
  const a = edge.from === null ? { x: at.start.x, y: at.start.y } : { x: at.nodes.get(edge.from).x + W, y: at.nodes.get(edge.from).y + H / 2 }
  const target = edge.to === null ? (edge.exit === "outside" ? at.out : at.end) : at.nodes.get(edge.to)
  const b = edge.to === null ? { x: target.x, y: target.y } : { x: target.x, y: target.y + H / 2 }
  const far = edge.from !== null && (b.x - a.x) > W + GAP_X
  const lift = far && Math.abs(a.y - b.y) < 1 ? -(H / 2 + 12) : 0
  const bend = Math.max(26, (b.x - a.x) / 3)
  const path = `M${a.x} ${a.y}C${a.x + bend} ${a.y + lift * 1.4} ${b.x - bend} ${b.y + lift * 1.4} ${b.x} ${b.y}`
  return group(edge, path, { x: (a.x + b.x) / 2 + (edge.from === null ? 6 : 0), y: (a.y + b.y) / 2 + lift - 7 })
}

function loop(edge, at, number, data) {
  const a = at.nodes.get(edge.from), b = at.nodes.get(edge.to)
  const depth = TOP + data.rows * (H + GAP_Y) + 6 + Math.min(number, 4) * 16
  const x1 = a.x + W / 2 + 10, x2 = b.x + W / 2 - 10
  const path = `M${x1} ${a.y + H}C${x1} ${depth + 12} ${x2} ${depth + 12} ${x2} ${b.y + H}`
  return group(edge, path, { x: (x1 + x2) / 2, y: depth + 2 }, "back")
}

function group(edge, path, label, kind = "") {
  const node = svg(edge.params ? "a" : "g", { class: "edge " + kind + (edge.exit === "outside" ? " outside" : "") }, svg("title", {}, edge.title),
    svg("path", { d: path, "stroke-width": stroke(edge) }))
  if (edge.params) {
    node.append(svg("path", { d: path, class: "hit" }))
    for (const [name, value] of Object.entries({ href: address("runs", edge.params), tabindex: -1 })) node.setAttribute(name, value)
    node.onclick = (event) => { if (plainClick(event)) { event.preventDefault(); visit(node.href.baseVal) } }
  }
  const told = edge.label ?? (edge.share < 0.995 ? percent(edge.share) : "")
  if (told) node.append(svg("text", { x: label.x, y: label.y, class: "share" }, told))
  return node
}

function percent(share) {
  return share < 0.01 ? "<1 %" : Math.round(share * 100) + " %"
}

function box(node, place) {
  const link = svg("a", { href: address("runs", node.params), class: "node" }, svg("title", {}, node.title),
    svg("rect", { x: place.x, y: place.y, width: W, height: H, rx: 6, class: "frame" }),
    svg("rect", { x: place.x + 10, y: place.y + H - 8, width: W - 20, height: 3, rx: 1.5, class: "rail" }),
    svg("rect", { x: place.x + 10, y: place.y + H - 8, width: (W - 20) * node.reliability, height: 3, rx: 1.5, class: "good" }),
    svg("text", { x: place.x + 10, y: place.y + 18, class: "name" }, clip(node.name, 17)),
    svg("text", { x: place.x + 10, y: place.y + 34, class: "said" }, node.said + (Math.abs(node.visits - 1) > 0.05 ? ` · ${node.visits.toFixed(2)} visits` : "")))
  link.onclick = (event) => { if (plainClick(event)) { event.preventDefault(); visit(link.href.baseVal) } }
  return link
}

function visited(root, node, place, selected) {
  const sign = glyph(node.mark)
  for (const [name, value] of Object.entries({ x: place.x + W - 24, y: place.y + 6, width: 16, height: 16 })) sign.setAttribute(name, value)
  const chosen = node.span === selected
  const made = svg("g", { class: "node" + (chosen ? " chosen" : ""), role: "button", tabindex: 0, "aria-pressed": chosen }, svg("title", {}, node.title),
    svg("rect", { x: place.x, y: place.y, width: W, height: H, rx: 6, class: "frame" }),
    svg("text", { x: place.x + 10, y: place.y + 18, class: "name" }, clip(node.name, node.mark === "ok" ? 17 : 14)),
    svg("text", { x: place.x + 10, y: place.y + 36, class: "said" }, node.said), node.mark === "ok" ? null : sign)
  const choose = () => root.select(node.span)
  made.onclick = choose
  made.onkeydown = (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose() } }
  return made
}

function terminal(place, kind, value, below) {
  return svg("g", { class: "terminal " + kind }, svg("circle", { cx: place.x, cy: place.y, r: 4 }),
    svg("text", { x: place.x, y: place.y - 10, class: "value", "text-anchor": "middle" }, value),
    svg("text", { x: place.x, y: place.y + 18, class: "below", "text-anchor": "middle" }, below))
}

function clip(text, limit) {
  return text.length > limit ? text.slice(0, limit - 1) + "…" : text
}
