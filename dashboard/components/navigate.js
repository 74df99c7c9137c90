// Goes where the script says, once per order.

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".navigate")
  if (root.order === data.order) return
  root.order = data.order
  visit(address(data.page, data.params))
}
