// Shared by all components. Text from spans reaches the page through textContent and setAttribute only.

const SVG = "http://www.w3.org/2000/svg"

/** One outcome, one shape: form says what colour says. Drawn in a 16 × 16 box. */
const SHAPES = {
  clean: [["circle", { cx: 8, cy: 8, r: 5.5, class: "line" }], ["path", { d: "M5.4 8.2l1.9 1.9 3.4-3.9", class: "line" }]],
  recovered: [["path", { d: "M12.9 6.2A5.3 5.3 0 1 0 13.2 9M13.3 3.2v3.2h-3.2", class: "line" }]],
  silent: [["circle", { cx: 8, cy: 8, r: 5.5, class: "ring" }], ["path", { d: "M8 2.5a5.5 5.5 0 0 0 0 11z", class: "half" }]],
  failed: [["path", { d: "M5.3 1.8h5.4l3.5 3.5v5.4l-3.5 3.5H5.3l-3.5-3.5V5.3z", class: "fill" }],
    ["path", { d: "M5.9 5.9l4.2 4.2M10.1 5.9l-4.2 4.2", class: "cut" }]],
  propagated: [["path", { d: "M5.3 1.8h5.4l3.5 3.5v5.4l-3.5 3.5H5.3l-3.5-3.5V5.3z", class: "line" }], ["path", { d: "M5 8h5.6M8.4 5.6L10.8 8l-2.4 2.4", class: "line" }]],
  collateral: [["path", { d: "M2.6 2.6h10.8v10.8H2.6z", class: "line" }], ["path", { d: "M5 11l6-6", class: "line" }]],
  pending: [["circle", { cx: 8, cy: 8, r: 5.5, class: "line" }], ["path", { d: "M6.5 5.8v4.4M9.5 5.8v4.4", class: "line" }]],
  running: [["circle", { cx: 8, cy: 8, r: 5.5, class: "line dash" }]],
  abandoned: [["circle", { cx: 8, cy: 8, r: 5.5, class: "line dash" }], ["path", { d: "M4.3 11.7l7.4-7.4", class: "line" }]],
}
SHAPES.ok = SHAPES.clean
SHAPES.open = SHAPES.running

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) if (value != null) node.setAttribute(name, value)
  for (const child of children) if (child != null) node.append(child)
  return node
}

function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) if (value != null) node.setAttribute(name, value)
  for (const child of children) if (child != null) node.append(child)
  return node
}

function glyph(state) {
  const shape = SHAPES[state] ?? SHAPES.running
  return svg("svg", { class: "glyph is-" + state, viewBox: "0 0 16 16", "aria-hidden": "true" },
    ...shape.map(([tag, attributes]) => svg(tag, attributes)))
}

/** A layer by colour, icon and name; the name may stand elsewhere. */
function layer(mark, text = mark.name) {
  const node = el("span", { class: "layer" + (mark.hatched ? " hatched" : "") }, el("span", { class: "icon", "aria-hidden": "true" }, mark.icon), text ? el("span", {}, text) : null)
  node.style.setProperty("--layer", mark.color)
  node.style.setProperty("--ink", ink(mark.color))
  return node
}

/** What stands out from a colour (#rrggbb), dark or white: of the two the one with more contrast by WCAG. */
function ink(color) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.195 ? "#0d141c" : "#fff"
}

/** A course over time as a line between its own extremes; where nothing is known it breaks. */
function course(values) {
  const known = values.filter((value) => value != null), low = Math.min(...known), high = Math.max(...known)
  const x = (i) => (100 * (i + 0.5)) / values.length, y = (value) => (high > low ? 21 - (18 * (value - low)) / (high - low) : 12)
  const picture = svg("svg", { class: "course", viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true" })
  let path = ""
  values.forEach((value, i) => { if (value != null) path += `${i && values[i - 1] != null ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}${i && values[i - 1] != null ? "" : "h.01"}` })
  picture.append(svg("path", { d: path, "vector-effect": "non-scaling-stroke" }))
  return picture
}

function ago(ms, nowMs) {
  const s = Math.max(0, (nowMs - ms) / 1000)
  if (s < 1) return "now"
  if (s < 60) return Math.floor(s) + " s ago"
  if (s < 7200) return Math.floor(s / 60) + " min ago"
  if (s < 172800) return Math.floor(s / 3600) + " h ago"
  return Math.floor(s / 86400) + " d ago"
}

function exact(ms) {
  const zone = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(ms).find((p) => p.type === "timeZoneName")
  return new Date(ms).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" }) + " " + (zone?.value ?? "")
}

function plainClick(event) {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
}

const SHARED = ["workflow", "version", "environment", "window", "lens", "live", "from", "to"]

/** The address of a page with the shared filters as they are; `carry` names more parameters to keep, `params` sets some. */
function address(page, params, carry = []) {
  const url = new URL(page, location.href), now = new URLSearchParams(location.search)
  for (const name of [...SHARED, ...carry]) for (const value of now.getAll(name)) if (!(name in params)) url.searchParams.append(name, value)
  for (const [name, value] of Object.entries(params)) for (const each of [value].flat()) url.searchParams.append(name, each)
  return url.href
}

/** Goes to an address without loading the app anew. The browser's own way back and forth is the one that Streamlit handles without
 * a race: `st.switch_page` loses against a fragment's timer that fires meanwhile, and leaves a blank page (4 of 6 under load). */
function visit(href) {
  const from = new URL(href).pathname === location.pathname ? history.state?.from : location.href
  history.pushState({ from }, "", href)
  dispatchEvent(new PopStateEvent("popstate", { state: {} }))
}

/** Makes a link stay in the app on a plain click; other clicks open tabs and windows as everywhere. */
function follow(link) {
  link.onclick = (event) => { if (plainClick(event)) { event.preventDefault(); visit(link.href) } }
  return link
}

/** Asks the server for something (`asking.py`): with the last ones before it, as state, so that none is lost to an answer that is on
 * its way. */
function ask(root, setStateValue, name, value) {
  root.asked = [...(root.asked ?? []).slice(-9), { at: nextOrder(), name, value }]
  setStateValue("asked", root.asked)
}

/** A number above all that were given before it, in this page and those loaded before it. */
function nextOrder() {
  return (window.seamscopeOrder = Math.max((window.seamscopeOrder ?? 0) + 1, Date.now()))
}

/** Draws, but not under a button that is down: a mark that is replaced between press and release loses the click. */
function drawUnpressed(root, draw) {
  root.onpointerdown ??= () => {
    clearTimeout(root.released)  // of the press before: what it waits for waits for this one, too
    root.pressed = true
    const end = () => {
      for (const name of ["pointerup", "pointercancel"]) removeEventListener(name, end, true)
      root.released = setTimeout(() => {  // after the click
        root.pressed = false
        root.waiting?.()
        root.waiting = null
      })
    }
    for (const name of ["pointerup", "pointercancel"]) addEventListener(name, end, true)
  }
  if (root.pressed) root.waiting = draw
  else draw()
}

/** What the columns say that have no room: label and value each, shown by the style sheet where its column is not. */
function leftOver(columns, row, values) {
  return columns.filter((c) => c.optional && c.label && c.look !== "course" && !["", "–"].includes(row[c.name] ?? ""))
    .map((c) => el("span", { class: "left" + c.optional }, el("span", { class: "of" }, c.label + " "), ...values(c, row[c.name])))
}

function axisText(x, y, text, anchor) {
  const node = svg("text", { x, y, "text-anchor": anchor, class: "label" })
  node.textContent = text
  return node
}

/** Moments to name on an axis of time, with their text and anchor: at most about `most`. */
function timeTicks(data, most) {
  const span = data.until - data.since
  const minute = 60000, hour = 60 * minute, day = 24 * hour
  const step = [minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day, 28 * day]
    .find((s) => span / s <= Math.max(2, most)) ?? 84 * day
  const offset = new Date(data.since).getTimezoneOffset() * minute
  const marks = []
  for (let at = Math.ceil((data.since - offset) / step) * step + offset; at <= data.until; at += step) {
    const when = new Date(at)
    const text = step >= day ? when.toLocaleDateString("en-GB", { day: "numeric", month: "short" }) : when.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })
    marks.push([at, text, at - data.since < span * 0.03 ? "start" : data.until - at < span * 0.04 ? "end" : "middle"])
  }
  return marks
}
