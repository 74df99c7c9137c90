// A staircase from 100 % down. Solid: after recovery; the dashed line: first tries alone; the marked part: what a step loses.

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".stairs")
  const text = JSON.stringify(data)
  if (root.text === text) return
  root.text = text
  const y = (share) => ((1 - Math.max(share, data.floor)) / (1 - data.floor)) * 100
  const axis = el("div", { class: "axis", "aria-hidden": "true" }, ...ticks(data.floor).map((share) => {
    const tick = el("span", {}, Math.round(share * 100) + " %")
    tick.style.top = y(share) + "%"
    return tick
  }))
  const plot = el("div", { class: "plot", role: "group", "aria-label": data.label },
    ...data.steps.map((step) => stair(step, y)), ...data.levels.map((level) => tower(level, y)))
  root.replaceChildren(axis, plot)
}

function ticks(floor) {
  const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.25].find((s) => (1 - floor) / s <= 6) ?? 0.25
  const found = []
  for (let share = 1; share >= floor - 1e-9; share -= step) found.push(share)
  return found
}

function box(name, top, bottom, title) {
  const node = el("span", { class: name, title })
  node.style.top = top + "%"
  node.style.height = Math.max(bottom - top, 0) + "%"
  return node
}

function stair(step, y) {
  const first = box("first", y(step.first_try), y(step.first_try))
  return follow(el("a", { class: "column" + (step.biggest ? " biggest" : ""), href: address("runs", step.params), title: `${step.name}: ${step.said}` },
    el("span", { class: "shaft" }, box("kept", y(step.bottom), 100), box("lost", y(step.top), y(step.bottom)), first),
    el("span", { class: "name" }, step.name), el("span", { class: "said" }, step.said)))
}

function tower(level, y) {
  return follow(el("a", { class: "column tower", href: address("runs", level.params), title: level.help },
    el("span", { class: "shaft" }, box("kept", y(level.value), 100), box("band", y(level.high), y(level.low))),
    el("span", { class: "name" }, level.name), el("span", { class: "said" }, level.said)))
}
