"""Small vocabularies the workflows speak from: short, varied, like real tickets."""

from random import Random

PRODUCTS = (
    "the blue kettle", "a pair of trail shoes", "the desk lamp", "two concert tickets", "a monthly plan",
    "the wireless earbuds", "a winter jacket", "the espresso grinder", "a gift card", "the kids' bike",
)  # fmt: skip
PROBLEMS = (
    "arrived broken", "never arrived", "was charged twice", "came in the wrong size", "stopped working after a week",
    "was cancelled by you but still billed", "is not what the picture shows", "arrived after the event",
)  # fmt: skip
OPENINGS = (
    "Hi, {product} {problem}. Order {order}. Can I get my money back?",
    "Order {order}: {product} {problem}. Please refund.",
    "I wrote last week already. {product} {problem} ({order}). What now?",
    "{product} {problem}. I need this solved by Friday. Order {order}",
    "Refund for {order}? {product} {problem}.",
    "My daughter ordered {product}, it {problem}. {order}. Who pays the return?",
)
POLICIES = (
    ("policy/returns.md#window", "Returns are accepted within 30 days of delivery."),
    ("policy/returns.md#damaged", "Damaged goods are refunded in full, return shipping is on us."),
    ("policy/refunds.md#double-charge", "Double charges are reversed within 3 business days."),
    ("policy/refunds.md#tickets", "Event tickets are refundable until 48 hours before the event."),
    ("policy/gift-cards.md", "Gift cards are final sale."),
    ("policy/plans.md#cancel", "A cancelled plan is refunded for the days not used."),
    ("policy/approval.md", "Refunds above 500 need a second pair of eyes."),
)
DECISIONS = (
    "We have refunded {amount} to your card, please allow 3 business days.",
    "Your return label is attached; the refund of {amount} follows once it is scanned.",
    "The double charge of {amount} was reversed today.",
    "Sorry about that. We refund {amount} in full and you can keep the item.",
    "This order is outside the 30 day window; we can offer store credit of {amount}.",
)
INTENTS = ("refund", "exchange", "double_charge", "late_delivery", "damaged_item")

QUESTIONS = (
    "How do I rotate the signing key without downtime?",
    "What is the rate limit of the export API?",
    "Does the EU region keep backups outside the EU?",
    "Why is my webhook called twice?",
    "Can I pin the SDK to 4.x and still use regional endpoints?",
    "Which roles may delete a workspace?",
    "How long are audit logs kept on the team plan?",
    "Is there a way to import users from a CSV file?",
)
MANUAL = (
    ("docs/keys.md", "Keys overlap for 24 hours: create the new one, deploy it, then revoke the old one."),
    ("docs/limits.md", "The export API allows 60 requests a minute for each workspace."),
    ("docs/regions.md", "Backups of the EU region stay in Frankfurt and Dublin."),
    ("docs/webhooks.md", "A webhook is delivered at least once; use the delivery id to ignore repeats."),
    ("docs/roles.md", "Owners may delete a workspace; admins may archive it."),
    ("docs/audit.md", "Audit logs are kept for 90 days on the team plan and a year on enterprise."),
)
MARKETS = ("heat pumps in Poland", "electric cargo bikes", "home batteries in Spain", "oat drinks in Japan",
           "second-hand phones in Brazil", "indoor farming in the Gulf")  # fmt: skip
SERVICES = ("checkout", "search", "payments", "catalog", "login")
SYMPTOMS = ("p99 is at 4 s since ten minutes", "error rate doubled after the deploy", "queue is growing",
            "some users see an empty page", "pods restart every few minutes")  # fmt: skip
COMPANIES = ("Nordlicht GmbH", "Halden & Co", "Brightfold", "Kestrel Robotics", "Oranje Foods", "Lumen Dental",
             "Sable Logistics", "Pinewood Labs")  # fmt: skip
CLAIMS = ("hail damage to a parked car", "water damage in the kitchen", "stolen bicycle", "broken phone screen",
          "lost luggage")  # fmt: skip


def order_id(rng: Random) -> str:
    """An order number."""
    return f"A-{rng.randrange(10_000, 99_999)}"


def ticket(rng: Random, order: str) -> str:
    """A customer's message about an order."""
    text = rng.choice(OPENINGS).format(product=rng.choice(PRODUCTS), problem=rng.choice(PROBLEMS), order=order)
    return text[0].upper() + text[1:]


def amount(rng: Random) -> str:
    """A sum of money."""
    return f"€{rng.lognormvariate(3.8, 0.7):.2f}"


def pick(rng: Random, entries: tuple[tuple[str, str], ...], count: int) -> list[tuple[str, str, float]]:
    """Documents as (source, text, score), best first."""
    scores = sorted((round(rng.uniform(0.42, 0.94), 3) for _ in range(count)), reverse=True)
    return [(source, text, score) for (source, text), score in zip(rng.sample(entries, count), scores, strict=True)]
