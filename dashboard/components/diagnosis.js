// What went wrong in a run, in sentences. Each one is a link to the span it speaks of.

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".diagnosis")
  const text = JSON.stringify(data)
  if (root.text === text) return
  root.text = text
  const others = data.others.map((each) => el("li", {}, sentence(data.run, each)))
  root.replaceChildren(
    el("p", {}, ...data.sentences.flatMap((each) => [sentence(data.run, each), " "]), data.rule ? el("span", { class: "rule", title: "rule and version that named it" }, data.rule) : null),
    ...(others.length ? [el("div", { class: "also" }, "Also in this run"), el("ul", {}, ...others)] : []))
}

function sentence(run, { span, parts }) {
  const inside = parts.map(([text, style, mark]) => (style === "layer" ? layer(mark) : style ? el({ name: "b", quote: "q" }[style], {}, text) : text))
  return span ? follow(el("a", { href: address("run", { run, span }), title: "show its span" }, ...inside)) : el("span", {}, ...inside)
}
