// Saved views: each is a link to exactly what was saved, whatever is filtered by now.

const ICONS = { "": "monitoring", steps: "stairs", failures: "error", retries: "replay", drift: "trending_down", runs: "list", run: "account_tree", reports: "summarize", connect: "power" }

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".saved-views")
  root.replaceChildren(el("div", { class: "title" }, "Saved views"), ...data.map(entry))
}

function entry(view) {
  const url = new URL(view.page || ".", location.href)
  url.search = ""
  for (const [name, values] of Object.entries(view.params)) for (const value of values) url.searchParams.append(name, value)
  const same = url.pathname === location.pathname && sorted(url) === sorted(new URL(location.href))
  return follow(el("a", { href: url.href, title: `${view.name}: ${view.page || "overview"}`, "aria-current": same ? "page" : null },
    el("span", { class: "icon", "aria-hidden": "true" }, ICONS[view.page] ?? "bookmark"), el("span", {}, view.name)))
}

function sorted(url) {
  return [...url.searchParams].map((each) => each.join("=")).sort().join("&")
}
