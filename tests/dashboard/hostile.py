"""Text as an attacker would send it, for every place that shows what was sent."""

HOSTILE_PAYLOADS = (
    "![i]({url}/md) [l]({url}/link) {url}/auto <img src={url}/img> <script>window.__xss=1</script>",
    '<style>*{{display:none}}</style> <a href="{url}/a">a</a> javascript:window.__xss=1 $\\href{{{url}/tex}}{{x}}$',
    ":red[x] :material/delete: `code` | a | b |\n# head\n- item <b>bold</b> &lt;b&gt; =1+1 www.example.com "
    "a@example.com",
)


def hostile_text(url: str) -> str:
    """Text that beacons, links, breaks mark-up or runs where a page is careless; `url` is where a beacon would show."""
    return " " + " ".join(payload.format(url=url) for payload in HOSTILE_PAYLOADS)
