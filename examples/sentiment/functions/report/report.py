"""Sums up what became of the reviews."""

from collections import Counter, defaultdict


def main(event):
    subjects = defaultdict(list)
    for each in event:
        subjects[each["review"]["subject"]].append(each["sentiment"]["compound"])
    return {
        "reviews": len(event),
        "outcomes": dict(sorted(Counter(each["outcome"] for each in event).items())),
        "mean_score": {subject: round(sum(scores) / len(scores), 4) for subject, scores in sorted(subjects.items())},
        "notifications": [each["review"]["id"] for each in event if "notified" in each["outcome"]],
        "unlike_their_stars": [each["review"]["id"] for each in event if contradicts(each)],
    }


def contradicts(each):
    """Whether the score says the opposite of the stars."""
    stars, compound = int(each["review"]["stars"]), each["sentiment"]["compound"]
    return (stars >= 4 and compound <= -0.05) or (stars <= 2 and compound >= 0.05)
