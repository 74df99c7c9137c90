// Shares over time as lines with bands. Change points are ▼, deploys dashed verticals, storms shaded; a click on a stretch opens
// its runs. Redraws in place, so a refresh never flickers.

const HEIGHT = 236, TOP = 20, BOTTOM = 22, LEFT = 44, RIGHT = 10

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".curves")
  root.chart ??= {}
  root.chart.data = data
  if (!root.chart.watch) {
    root.chart.watch = new ResizeObserver(() => draw(root))
    root.chart.watch.observe(root)
  }
  draw(root)
  return () => { root.chart.watch.disconnect(); root.chart.watch = null }
}

function draw(root) {
  const data = root.chart.data, width = root.clientWidth
  const text = width + JSON.stringify(data)
  if (!width || root.chart.text === text) return
  root.chart.text = text
  root.querySelector(".legend").replaceChildren(el("span", { class: "title" }, data.title),
    ...data.lines.map((line) => el("span", { class: "entry" }, stroke(line.name), line.label)),
    ...[["change", "▼ change point"], ["deploy", "┊ first seen"], ["storm", "▒ storm"]]
      .filter(([kind]) => data.signs.some((sign) => sign.kind === kind)).map(([kind, said]) => el("span", { class: "entry sign-" + kind }, said)))

  const lowest = Math.min(0.95, ...data.lines.flatMap((line) => line.points.map((point) => (line.name === "F" ? point[1] : point[2]))))
  const floor = Math.max(0, Math.floor(lowest * 10) / 10), unit = 1 - floor > 0.5 ? 0.2 : 1 - floor > 0.2 ? 0.1 : 0.05
  const x = (at) => LEFT + (Math.min(data.until, Math.max(data.since, at)) - data.since) / (data.until - data.since) * (width - LEFT - RIGHT)
  const y = (share) => TOP + (1 - Math.max(share, floor)) / (1 - floor) * (HEIGHT - TOP - BOTTOM)
  const middle = (at) => x(Math.max(at, data.since) / 2 + Math.min(at + data.bucket, data.until) / 2)

  const picture = svg("svg", { width, height: HEIGHT, role: "group", "aria-label": data.alt })
  for (const storm of data.signs.filter((sign) => sign.kind === "storm")) {
    picture.append(happened(storm, svg("rect", { class: "storm", x: x(storm.at), width: Math.max(2, x(storm.to) - x(storm.at)), y: TOP, height: HEIGHT - TOP - BOTTOM })))
  }
  for (let share = 1; share >= floor - 1e-9; share -= unit) {
    picture.append(svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(share), y2: y(share), class: "rule" }), axisText(LEFT - 6, y(share) + 4, Math.round(100 * share) + " %", "end"))
  }
  for (const [at, said, anchor] of timeTicks(data, Math.floor((width - LEFT) / 90))) picture.append(axisText(x(at), HEIGHT - 6, said, anchor))
  for (const line of data.lines) {
    const runs = together(line.points, data.bucket)
    for (const run of runs) {
      const up = run.map(([at, , , high]) => `${middle(at)} ${y(high)}`), down = run.map(([at, , low]) => `${middle(at)} ${y(low)}`).reverse()
      if (line.name !== "F") picture.append(svg("path", { class: "band of-" + line.name, d: `M${[...up, ...down].join("L")}Z` }))
      picture.append(svg("path", { class: "line of-" + line.name, d: "M" + run.map(([at, value]) => `${middle(at)} ${y(value)}`).join("L") + "h.01" }))
    }
  }
  const cover = svg("rect", { class: "cover", y: TOP, height: HEIGHT - TOP - BOTTOM, x: 0, width: 0 })
  const ground = svg("rect", { class: "ground", x: LEFT, width: Math.max(0, width - LEFT - RIGHT), y: TOP, height: HEIGHT - TOP - BOTTOM })
  picture.append(cover, ground)
  for (const sign of data.signs) {
    if (sign.kind === "deploy") picture.append(svg("line", { class: "deploy", x1: x(sign.at), x2: x(sign.at), y1: TOP - 6, y2: HEIGHT - BOTTOM }),
      happened(sign, svg("rect", { class: "hit", x: x(sign.at) - 4, width: 8, y: 2, height: TOP - 2 })))
    if (sign.kind === "change") picture.append(svg("line", { class: "change", x1: x(sign.at), x2: x(sign.at), y1: TOP - 4, y2: HEIGHT - BOTTOM }),
      happened(sign, svg("path", { class: "change", d: `M${x(sign.at) - 6} ${TOP - 14}h12l-6 10z` }), 0))
  }
  root.querySelector(".plot").replaceChildren(picture)
  interact(root, ground, cover, data, x)
}

/** Points without a gap between them. */
function together(points, bucket) {
  const runs = []
  for (const point of points) (runs.length && point[0] - runs.at(-1).at(-1)[0] <= bucket * 1.5 ? runs.at(-1) : (runs.push([]), runs.at(-1))).push(point)
  return runs
}

function happened(sign, shape, tabindex = -1) {
  const title = svg("title")
  title.textContent = sign.said
  return follow(svg("a", { href: address(sign.page, sign.params), tabindex, "aria-label": sign.said }, shape, title))
}

function stroke(name) {
  return svg("svg", { class: "stroke", viewBox: "0 0 22 8", "aria-hidden": "true" }, svg("path", { class: "line of-" + name, d: "M1 4h20" }))
}

function interact(root, ground, cover, data, x) {
  const tip = root.querySelector(".tip")
  const at = (event) => {
    const box = ground.getBoundingClientRect()
    const when = data.since + Math.min(0.9999, Math.max(0, (event.clientX - box.left) / box.width)) * (data.until - data.since)
    return Math.floor(when / data.bucket) * data.bucket
  }
  const percent = (share) => (100 * share).toFixed(1)
  ground.onpointermove = (event) => {
    const from = at(event), left = x(from), right = x(from + data.bucket)
    cover.setAttribute("x", left)
    cover.setAttribute("width", right - left)
    const said = data.lines.flatMap((line) => line.points.filter((point) => point[0] === from)
      .map(([, value, low, high, n]) => el("div", {}, `${line.name} ${percent(value)} % [${percent(low)}, ${percent(high)}] n ${n.toLocaleString("en")}`)))
    tip.replaceChildren(el("b", {}, exact(from)), ...(said.length ? said : [el("div", {}, "no run")]))
    tip.hidden = false
    const wide = root.clientWidth
    tip.style.left = left > wide / 2 ? "" : right + 8 + "px"
    tip.style.right = left > wide / 2 ? wide - left + 8 + "px" : ""
  }
  ground.onpointerleave = () => { tip.hidden = true; cover.setAttribute("width", 0) }
  ground.onclick = (event) => {
    const moment = (ms) => new Date(ms).toISOString().replace(".000", ""), from = at(event)
    visit(address("runs", { from: moment(from), to: moment(from + data.bucket) }))
  }
}
