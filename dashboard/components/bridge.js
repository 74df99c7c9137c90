// A change as a bridge: the level before, each part from where the last one ended, the level after. Each row leads to its runs.

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".bridge")
  const text = JSON.stringify(data)
  if (root.text === text) return
  root.text = text
  root.setAttribute("role", "group")
  root.setAttribute("aria-label", data.label)
  const x = (percent) => ((Math.max(percent, data.low) - data.low) / (data.high - data.low)) * 100
  root.replaceChildren(...data.piers.map((pier) => row(pier, x)))
}

function row(pier, x) {
  const start = pier.level ? 0 : x(Math.min(pier.since, pier.until)), end = x(pier.level ? pier.until : Math.max(pier.since, pier.until))
  const bar = el("span", { class: "bar " + (pier.level ? "whole" : pier.until < pier.since ? "down" : "up") })
  bar.style.left = start + "%"
  bar.style.width = Math.max(end - start, 0.3) + "%"
  return follow(el("a", { class: "row" + (pier.level ? " total" : ""), href: address("runs", pier.params), title: `open the runs: ${pier.name}` },
    el("span", { class: "name" }, pier.name), el("span", { class: "track" }, bar), el("span", { class: "said" }, pier.said)))
}
