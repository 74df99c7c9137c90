// Where a mark led here from stands in the browser's history, with all of its parameters: see `visit`.

export default function ({ parentElement }) {
  const root = parentElement.querySelector(".way-back"), from = history.state?.from
  if (!from) return root.replaceChildren(el("span")) // drawn, and empty
  const page = new URL(from).pathname.split("/").pop() || "overview"
  root.replaceChildren(follow(el("a", { href: from, title: "back to what led here" },
    el("span", { class: "icon", "aria-hidden": "true" }, "arrow_back"), page[0].toUpperCase() + page.slice(1))))
}
