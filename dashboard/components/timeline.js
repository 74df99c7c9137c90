// Stacked columns over time. Redraws in place, so a refresh never flickers; dragging picks a time range, a click one column,
// a legend entry one series, a click on a layer both. Categories are told apart by texture as well as by colour.

const HEIGHT = 172, TOP = 8, BOTTOM = 22, LEFT = 40, RIGHT = 6

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".timeline")
  root.chart ??= { drag: null }
  root.chart.data = data
  if (!root.chart.watch) {
    root.chart.watch = new ResizeObserver(() => draw(root))
    root.chart.watch.observe(root)
  }
  draw(root)
  return () => { root.chart.watch.disconnect(); root.chart.watch = null }
}

function draw(root) {
  const { data, drag } = root.chart
  const width = root.clientWidth
  if (!width || drag) return
  const text = width + JSON.stringify(data)
  if (root.chart.text === text) return
  root.chart.text = text
  legend(root, data)

  const buckets = Math.max(1, Math.round((data.until - data.since) / data.bucket))
  const step = (width - LEFT - RIGHT) / buckets
  const totals = new Array(buckets).fill(0)
  const index = (at) => Math.round((at - data.since) / data.bucket)
  for (const series of data.series) series.points.forEach(([at, value]) => { const i = index(at); if (i >= 0 && i < buckets) totals[i] += value })
  const top = nice(Math.max(1, ...totals))
  const y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM)

  const picture = svg("svg", { width, height: HEIGHT, role: "img", "aria-label": data.alt })
  picture.append(svg("defs", {}, pattern("hatch", "silent"), pattern("hatch-line", "running"), pattern("hatch-layer", "layer")))
  for (const value of [0, top / 2, top]) {
    picture.append(svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), class: "rule" }))
    if (Number.isInteger(value)) picture.append(axisText(LEFT - 6, y(value) + 4, short(value), "end"))
  }
  for (const [at, text, anchor] of timeTicks(data, Math.floor((width - LEFT) / 90))) {
    picture.append(axisText(LEFT + ((at - data.since) / data.bucket) * step, HEIGHT - 6, text, anchor))
  }
  const base = new Array(buckets).fill(0)
  const gap = step > 5 ? 1 : 0
  for (const series of data.series) {
    for (const [at, value] of series.points) {
      const i = index(at)
      if (i < 0 || i >= buckets || !value) continue
      const low = y(base[i]), high = y((base[i] += value))
      const look = series.mark ? { class: "bar", style: "fill:" + (series.mark.hatched ? "url(#hatch-layer)" : series.mark.color), "data-series": series.name } : { class: "bar is-" + series.name }
      picture.append(svg("rect", { x: LEFT + i * step + gap / 2, y: high, width: Math.max(1, step - gap), height: Math.max(1, low - high), ...look }))
    }
  }
  const band = svg("rect", { class: "band", y: TOP, height: HEIGHT - TOP - BOTTOM, width: 0, x: 0 })
  picture.append(band)
  root.querySelector(".plot").replaceChildren(picture)
  interact(root, picture, band, { data, step, buckets, index })
}

function interact(root, picture, band, { data, step, buckets, index }) {
  const tip = root.querySelector(".tip")
  const at = (event) => Math.min(buckets - 1, Math.max(0, Math.floor((event.clientX - picture.getBoundingClientRect().left - LEFT) / step)))
  const cover = (from, to) => { band.setAttribute("x", LEFT + Math.min(from, to) * step); band.setAttribute("width", (Math.abs(to - from) + 1) * step) }
  picture.onpointermove = (event) => {
    const i = at(event)
    cover(root.chart.drag ?? i, i)
    const from = data.since + i * data.bucket
    const lines = data.series.map((series) => [series, series.points.find(([when]) => index(when) === i)?.[1] ?? 0]).filter(([, value]) => value)
    tip.replaceChildren(el("b", {}, exact(from)), ...lines.map(([series, value]) => el("div", {}, `${value.toLocaleString("en")} ${series.label}`)))
    if (!lines.length) tip.append(el("div", {}, "none"))
    tip.hidden = false
    const x = LEFT + i * step
    tip.style.left = x > picture.clientWidth / 2 ? "" : x + step + 8 + "px"
    tip.style.right = x > picture.clientWidth / 2 ? picture.clientWidth - x + 8 + "px" : ""
  }
  picture.onpointerleave = () => { tip.hidden = true; if (root.chart.drag == null) band.setAttribute("width", 0) }
  picture.onpointerdown = (event) => { root.chart.drag = at(event); root.chart.hit = event.target.dataset.series; picture.setPointerCapture(event.pointerId) }
  picture.onpointerup = (event) => {
    const first = root.chart.drag, last = at(event)
    root.chart.drag = null
    if (first == null) return
    const moment = (i) => new Date(data.since + i * data.bucket).toISOString().replace(".000", "")
    const of = first === last && root.chart.hit ? { [data.param]: root.chart.hit } : {}
    visit(address("runs", { ...data.opens, ...of, from: moment(Math.min(first, last)), to: moment(Math.max(first, last) + 1) }, data.carry))
  }
}

function legend(root, data) {
  const entries = data.series.filter((series) => series.total || series.always).map((series) => {
    const mark = series.mark ? layer(series.mark, null) : data.param ? glyph(series.name) : el("span", { class: "swatch is-" + series.name })
    const inside = [mark, el("span", {}, series.label), el("b", {}, series.shown)]
    if (!data.param) return el("span", { class: "entry" }, ...inside)
    const href = address("runs", { ...data.opens, [data.param]: series.name }, data.carry)
    return follow(el("a", { class: "entry", href, title: `open runs: ${series.label}` }, ...inside))
  })
  root.querySelector(".legend").replaceChildren(el("span", { class: "title" }, data.title), ...entries)
}

function pattern(id, name) {
  return svg("pattern", { id, width: 5, height: 5, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    svg("rect", { width: 5, height: 5, class: "under-" + name }), svg("rect", { width: 1.6, height: 5, class: "over-" + name }))
}

function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 4, 5, 10].map((m) => m * power).find((n) => n >= value)
}

function short(value) {
  return value >= 1e6 ? value / 1e6 + " M" : value >= 1e3 ? value / 1e3 + " k" : String(value)
}
