"""A story of two articles, three questions and two twins, as a line of the file holds it; and cases to judge."""

from eval.cases import Case

FERRY = [
    "The ferry, which had left Bergen an hour before in fair weather, sank on Monday.",
    "Its captain was held in the harbour and questioned by officers until the evening.",
    "Rain fell on the boats that went out to look for those who were still missing.",
    "Four children drowned.",
    "Their school, on the far side of the fjord, was closed for the rest of that week.",
    "The company said nothing of the cause, and the prime minister said no more either.",
]
TUNNEL = ["The tunnel opened.", "It cost 40 million euros.", "The mayor cut a ribbon.", "Cars queued."]


def story(number: int) -> dict[str, object]:
    """Return a story as a line of the file holds it."""
    articles = [
        {"title": f"Title {number}", "source": "Desk", "published": "2031-05-04", "sentences": FERRY},
        {"title": f"Other {number}", "source": "Desk", "published": "2031-05-05", "sentences": TUNNEL},
    ]
    questions = [
        {"q": "How many minors died?", "kind": "count", "gold": ["0.3"], "answer": "Four"},
        {"q": "How many minors died on Tuesday?", "kind": "near", "gold": [], "answer": ""},
        {"q": "Which two things cost what?", "kind": "list", "gold": ["0.3", "1.1"], "answer": ""},
    ]
    twins = [
        {"q": "Who questioned the captain of the ferry?", "kind": "fact", "gold": ["0.1"], "answer": "officers"},
        {"q": "Who blamed the captain of the ferry?", "kind": "false-premise", "gold": [], "answer": ""},
    ]
    return {"topic": "boats", "articles": articles, "questions": questions, "twins": twins}


def case(identity: str, *, refuse: bool = False, kind: str = "fact") -> Case:
    return Case(
        id=identity, split="dev", question="?", kind=kind, history=(), filters={}, answers=(), evidence=(),
        refuse=refuse,
    )  # fmt: skip
