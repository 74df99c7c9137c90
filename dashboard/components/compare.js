// Two runs step by step: one row per pair of operations, what each run made of it on its side, what differs marked by word.

const MEANS = { status: "another end", tries: "other number of tries", input: "other input", output: "other output", extra: "only in this run", missing: "only in the other run" }

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".compare")
  const text = JSON.stringify(data)
  if (root.text === text) return
  root.text = text
  const head = el("div", { class: "row head", role: "row" }, ...["Step", "This run", "Other run", "Tries", "Tokens", "What differs"].map((name) => el("div", { role: "columnheader" }, name)))
  root.setAttribute("role", "table")
  root.setAttribute("aria-label", "Steps of both runs side by side")
  root.replaceChildren(head, ...data.rows.map((row) => line(row, data.runs)))
}

function line(row, runs) {
  const name = el("div", { class: "name", role: "cell", title: row.name }, el("span", { class: "text" }, row.name))
  name.style.paddingLeft = 8 + Math.min(row.depth, 14) * 15 + "px"
  const pair = (field) => {
    const [a, b] = [row.this?.[field] ?? "–", row.other?.[field] ?? "–"]
    return el("div", { class: "pair" + (a === b ? " same" : ""), role: "cell" }, a === b ? String(a) : `${a} · ${b}`)
  }
  const telling = row.changed.filter((what) => what !== "input" && what !== "output")
  return el("div", { class: "row" + (telling.length ? " differs" : "") + (!row.this ? " missing" : !row.other ? " extra" : ""), role: "row" },
    name, side(row.this, row, runs[0]), side(row.other, row, runs[1]), pair("tries"), pair("tokens"),
    el("div", { class: "what", role: "cell" }, row.changed.map((what) => MEANS[what]).join(", ")))
}

function side(part, row, run) {
  if (!part) return el("div", { class: "side none", role: "cell" }, "–")
  const bar = el("span", { class: `bar kind-${row.kind} is-${part.mark}` })
  bar.style.width = Math.max(part.share * 100, 1.5) + "%"
  const link = follow(el("a", { href: address("run", { run, span: part.span }), title: `${row.name}: ${part.mark}, ${part.length}; show its span` },
    part.mark === "ok" ? el("span", { class: "blank" }) : glyph(part.mark), el("span", { class: "track" }, bar), el("span", { class: "length" }, part.length)))
  return el("div", { class: "side", role: "cell" }, link)
}
