"""What each kind of identifier looks like in a clinical note."""

import re

with open("given_names.txt", encoding="utf-8") as names:
    GIVEN = "(?:" + "|".join(re.escape(name.strip()) for name in names if name.strip()) + ")"

NAME = r"[^\W\d_a-zåäöøæéñü][\w'’-]+"
MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
SHORT_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
STREET = r"(?:Street|Avenue|Drive|Court|Lane|Road|Boulevard|Way)"

# In the order of precedence: what an earlier pattern has found, a later one leaves alone. The group is the identifier.
PATTERNS = [
    ("EMAIL", r"\b([\w.+-]+@[\w-]+(?:\.[\w-]+)*\.\w+)"),
    ("SSN", r"\b(\d{3}-\d{2}-\d{4})\b"),
    ("PHONE", r"(?<!\d)(\(\d{3}\) \d{3}-\d{4}|\d{3}-\d{3}-\d{4}|\d{3}\.\d{3}\.\d{4})\b"),
    ("MRN", r"\bMRN:? (\d{8})\b"),
    ("PLAN", r"\b(HPN-\d{6}-\d{2})\b"),
    ("ZIP", r"\b[A-Z]{2} (\d{5})\b"),
    ("ADDRESS", rf"\b(\d+ (?:{NAME} )+{STREET}, {NAME}), [A-Z]{{2}}\b"),
    ("DATE", r"\b(\d{1,2}/\d{1,2}/\d{4}|\d{4}-\d{2}-\d{2})\b"),
    ("DATE", rf"\b({MONTH} \d{{1,2}}, \d{{4}}|\d{{1,2}} {SHORT_MONTH} \d{{4}}|{MONTH} \d{{4}})\b"),
    ("AGE", r"\b(9\d|1[0-3]\d)(?=[- ]years?[- ]old\b| y/o\b)"),
    ("NAME", rf"\b(?:Mr|Mrs|Ms|Dr)\. ({NAME}(?: {NAME})*)"),
    ("NAME", rf"\b({GIVEN} {NAME})"),
    ("NAME", rf"\b({NAME}, {GIVEN})\b"),
]
COMPILED = [(kind, re.compile(pattern)) for kind, pattern in PATTERNS]


def find(text):
    """The identifiers in a text as (kind, start, end), in order and apart from each other."""
    found = []
    for kind, pattern in COMPILED:
        for match in pattern.finditer(text):
            start, end = match.span(1)
            if all(end <= other_start or start >= other_end for _, other_start, other_end in found):
                found.append((kind, start, end))
    return sorted(found, key=lambda each: each[1])
