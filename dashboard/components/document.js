// A document of ours, shown as it will be downloaded: in a frame that may run nothing, go nowhere and see nothing of this page.

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".document")
  if (root.text === data.document) return
  root.text = data.document
  const frame = el("iframe", { sandbox: "", referrerpolicy: "no-referrer", title: data.title })
  // Without a base of its own a link to a section would lead to the page around the frame.
  frame.srcdoc = data.document.replace("<head>", '<head><base href="about:srcdoc">')
  root.replaceChildren(frame)
}
