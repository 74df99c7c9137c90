// A daily series. A dot is a day and leads to its runs, its whisker is the 95 % band; ▼ is a change point over the range of its
// day, ┊ a version or a deploy. Redraws in place.

const HEIGHT = 250, TOP = 26, BOTTOM = 22, LEFT = 62, RIGHT = 10

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".days")
  root.days ??= {}
  root.days.data = data
  if (!root.days.watch) {
    root.days.watch = new ResizeObserver(() => draw(root))
    root.days.watch.observe(root)
  }
  draw(root)
  return () => { root.days.watch.disconnect(); root.days.watch = null }
}

function draw(root) {
  const data = root.days.data, width = root.clientWidth
  const text = width + JSON.stringify(data)
  if (!width || root.days.text === text) return
  root.days.text = text
  const low = data.ticks[0][0], high = data.ticks.at(-1)[0]
  const step = (width - LEFT - RIGHT) / Math.max(1, data.labels.length)
  const x = (at) => LEFT + (at + 0.5) * step
  const y = (value) => HEIGHT - BOTTOM - ((Math.min(high, Math.max(low, value)) - low) / (high - low)) * (HEIGHT - TOP - BOTTOM)
  const picture = svg("svg", { width, height: HEIGHT, role: "group", "aria-label": data.label })
  for (const [value, said] of data.ticks) {
    picture.append(svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), class: "rule" }), write(LEFT - 8, y(value) + 4, said, "end"))
  }
  const every = Math.max(1, Math.ceil(data.labels.length / Math.floor((width - LEFT) / 74)))
  data.labels.forEach((label, at) => { if ((data.labels.length - 1 - at) % every === 0) picture.append(write(x(at), HEIGHT - 6, label, "middle")) })
  for (const turn of data.turns) {
    const from = x(turn.earliest) - step / 2, to = x(turn.latest) + step / 2
    picture.append(svg("rect", { x: from, width: Math.max(3, to - from), y: TOP, height: HEIGHT - TOP - BOTTOM, class: "range" + (turn.chosen ? " chosen" : "") }))
  }
  for (const stretch of data.stretches) {
    picture.append(svg("line", { x1: x(stretch.first) - step / 2, x2: x(stretch.last) + step / 2, y1: y(stretch.value), y2: y(stretch.value), class: "level" }))
  }
  const second = data.points.filter((point) => point.beside != null).map((point) => `${x(point.at)},${y(point.beside)}`)
  if (second.length > 1) picture.append(svg("polyline", { points: second.join(" "), class: "beside" }))
  for (const point of data.points) {
    const parts = [svg("rect", { x: x(point.at) - step / 2, width: step, y: TOP, height: HEIGHT - TOP - BOTTOM, class: "hit" })]
    if (point.low != null) parts.push(svg("line", { x1: x(point.at), x2: x(point.at), y1: y(point.low), y2: y(point.high), class: "whisker" }))
    parts.push(svg("circle", { cx: x(point.at), cy: y(point.value), r: step > 9 ? 3.2 : 2.4, class: "dot" }))
    picture.append(link("runs", point.params, point.said, parts, -1))
  }
  data.deploys.forEach((deploy, index) => {
    const at = x(deploy.at) - step / 2, sooner = data.deploys.slice(0, index).filter((other) => other.at === deploy.at).length
    const upright = (name) => svg("line", { x1: at, x2: at, y1: TOP - 8, y2: HEIGHT - BOTTOM, class: name })
    const top = HEIGHT - BOTTOM - 5 - 12 * sooner  // one below the other where a day has several
    picture.append(link("runs", deploy.params, deploy.said, [upright("hit"), upright("deploy"), svg("path", { d: `M${at} ${top - 5}l5 5-5 5-5-5z`, class: "sort" })], 0))
  })
  for (const turn of data.turns) {
    const at = x(turn.at) - step / 2
    picture.append(link("drift", turn.params, turn.said, [svg("path", { d: `M${at - 8} ${TOP - 20}h16l-8 14z`, class: "turn" + (turn.chosen ? " chosen" : "") })], 0))
  }
  root.querySelector(".plot").replaceChildren(picture)
  root.querySelector(".legend").replaceChildren(...[
    entry("dot", data.names[0]), data.names[1] ? entry("beside", data.names[1]) : null, entry("level", "level"),
    data.turns.length ? entry("turn", "change point, with the range of its day") : null, data.deploys.length ? entry("deploy", "version first seen, or deploy posted") : null,
  ].filter(Boolean))
}

function entry(name, said) {
  return el("span", { class: "entry" }, el("span", { class: "sign sign-" + name, "aria-hidden": "true" }, { turn: "▼", deploy: "┊" }[name] ?? ""), said)
}

function titled(node, said) {
  const title = svg("title")
  title.textContent = said
  node.append(title)
  return node
}

function link(page, params, said, parts, tabindex) {
  const node = titled(svg("a", { href: address(page, params), tabindex, "aria-label": said }, ...parts), said)
  node.onclick = (event) => { if (plainClick(event)) { event.preventDefault(); visit(node.getAttribute("href")) } }
  return node
}

function write(x, y, said, anchor) {
  const node = svg("text", { x, y, "text-anchor": anchor, class: "label" })
  node.textContent = said
  return node
}
