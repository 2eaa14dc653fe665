"""Counts what de-identified notes say: conditions, medications, blood pressure."""

import csv
import re
from collections import Counter

with open("terms.csv", newline="", encoding="utf-8") as file:
    TERMS = [(row["kind"], row["name"], re.compile(rf"\b(?:{row['pattern']})\b", re.I)) for row in csv.DictReader(file)]

# What follows one of these, to the end of the clause, is said to be absent.
NEGATED = re.compile(r"\b(?:denies|no|without)\b[^.;:]*", re.I)
BLOOD_PRESSURE = re.compile(r"\bBP (\d{2,3})/(\d{2,3})\b")


def handler(event, context):
    patients = {}
    pressures = []
    for note in event["notes"]:
        stated = NEGATED.sub("", note["text"])
        terms = patients.setdefault(note["patient"], set())
        terms.update((kind, name) for kind, name, pattern in TERMS if pattern.search(stated))
        pressures += [(int(high), int(low)) for high, low in BLOOD_PRESSURE.findall(note["text"])]
    counts = Counter(term for terms in patients.values() for term in terms)
    return {
        "notes": len(event["notes"]),
        "patients": len(patients),
        "taken_out": event["taken_out"],
        "patients_with_condition": ranked(counts, "condition"),
        "patients_on_medication": ranked(counts, "medication"),
        "mean_blood_pressure": [round(sum(values) / len(values), 1) for values in zip(*pressures)],
        "hypertensive_readings": sum(high >= 140 or low >= 90 for high, low in pressures),
        "sample": event["notes"][0]["text"],
    }


def ranked(counts, kind):
    found = [(name, number) for (its_kind, name), number in counts.items() if its_kind == kind]
    return dict(sorted(found, key=lambda each: (-each[1], each[0])))
