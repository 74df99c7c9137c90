// The steps of one run as blocks: one row of lanes per depth, width by time. Arrow keys walk, Enter or a click selects,
// a double click or Z zooms into a block.

const LANE = 22, AXIS = 24

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".flame"), chart = root.querySelector(".chart")
  const text = JSON.stringify(data)
  if (root.text === text) return
  root.text = text
  drawUnpressed(root, () => drawAll(root, chart, data, (name, id) => ask(root, setStateValue, name, id)))
}

function drawAll(root, chart, data, asks) {
  const had = root.getRootNode().activeElement?.dataset?.index, keep = chart.scrollTop
  chart.setAttribute("aria-label", "Steps of the run by depth and time")
  chart.style.maxHeight = data.height + "px"
  const space = el("div", { class: "space" })
  space.style.height = AXIS + data.lanes * LANE + "px"
  for (const [share, told] of data.ticks) {
    const tick = el("span", { class: "tick", "aria-hidden": "true" }, told)
    tick.style.left = share * 100 + "%"
    space.append(tick)
  }
  const nodes = data.blocks.map((block, index) => draw(block, index))
  space.append(...nodes)
  chart.replaceChildren(space)
  const start = nodes.find((node) => node.classList.contains("chosen")) ?? nodes[0]
  if (start) start.tabIndex = 0
  chart.scrollTop = keep
  if (had != null) nodes[had]?.focus({ preventScroll: true })

  function draw(block, index) {
    const node = el("button", {
      type: "button", class: `bar block kind-${block.group} is-${block.mark}` + (block.id === data.selected ? " chosen" : ""), title: block.told,
      "aria-label": block.told + (block.found ? ", holds the text looked for" : ""), "aria-pressed": block.id === data.selected, tabindex: -1, "data-index": index,
    }, block.width > 0.012 ? el("span", { class: "label" }, block.name) : null)
    node.style.left = block.from * 100 + "%"
    node.style.width = `max(2px, ${block.width * 100}% - 1px)`
    node.style.top = AXIS + block.lane * LANE + "px"
    if (block.found) node.classList.add("hit")
    node.onclick = () => {
      for (const other of nodes) { other.classList.toggle("chosen", other === node); other.setAttribute("aria-pressed", other === node) }
      asks("select", block.id)
    }
    node.ondblclick = () => asks("zoom", block.id)
    node.onkeydown = (event) => key(event, node, block, index)
    return node
  }

  function key(event, node, block, index) {
    const go = (to) => { if (to) { node.tabIndex = -1; to.tabIndex = 0; to.focus() } }
    const beside = (step) => go(nodes[order[order.indexOf(index) + step]])
    const other = (lane) => {  // the block of another lane that covers this one's middle, else the nearest
      const middle = block.from + block.width / 2
      const near = data.blocks.map((b, i) => [b, i]).filter(([b]) => b.lane === lane)
        .sort(([a], [b]) => Math.abs(a.from + a.width / 2 - middle) - Math.abs(b.from + b.width / 2 - middle))
      go(nodes[near[0]?.[1]])
    }
    const does = {
      ArrowRight: () => beside(1), ArrowLeft: () => beside(-1), ArrowDown: () => other(block.lane + 1), ArrowUp: () => other(block.lane - 1),
      z: () => asks("zoom", block.id), Z: () => asks("zoom", block.id),
    }[event.key]
    if (does) { event.preventDefault(); event.stopPropagation(); does() }
  }
  const order = data.blocks.map((_, i) => i).sort((a, b) => data.blocks[a].lane - data.blocks[b].lane || data.blocks[a].from - data.blocks[b].from)
}
