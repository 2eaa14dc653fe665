"""Takes the identifiers out of notes. One identifier gets the same tag wherever it occurs, so that analysis still works.

Tags are numbered in the order of appearance, never computed from what they stand for. What Safe Harbor lets stay, stays:
the year of a date, the first three digits of most postal codes, ages up to 89.
"""

import re
from collections import Counter

# Areas with 20,000 people or fewer, by the census of 2000: their three digits identify.
SMALL_AREAS = {
    "036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878", "879", "884", "890", "893",
}  # fmt: skip


def main(event):
    notes, found = event["notes"], event["found"]
    this_year = max((year(text) for text in identifiers(notes, found, "DATE")), default=0)
    tags, patients, kinds = {}, {}, Counter()
    cleaned = []
    for note, spans in zip(notes, found):
        text, position = [], 0
        for span in spans:
            identifier = note["text"][span["start"] : span["end"]]
            text += [note["text"][position : span["start"]], tag(span["kind"], identifier, tags, this_year)]
            position = span["end"]
            kinds[span["kind"]] += 1
        cleaned.append(
            {
                "patient": patients.setdefault(note["mrn"], len(patients) + 1),
                "ward": note["ward"],
                "text": "".join(text) + note["text"][position:],
            }
        )
    print(f"took out {kinds.total()} identifiers of {len(kinds)} kinds")
    return {"notes": cleaned, "taken_out": dict(sorted(kinds.items()))}


def identifiers(notes, found, kind):
    for note, spans in zip(notes, found):
        yield from (note["text"][span["start"] : span["end"]] for span in spans if span["kind"] == kind)


def year(date):
    return int(re.search(r"\d{4}", date).group())


def tag(kind, identifier, tags, this_year):
    if kind == "AGE":
        return "90+"
    if kind == "DATE":
        # A year may not give away an age over 89 either.
        return f"[DATE {year(identifier)}]" if this_year - year(identifier) < 90 else "[DATE]"
    if kind == "ZIP":
        return "00000" if identifier[:3] in SMALL_AREAS else identifier[:3] + "00"
    # A person is named in full, last name first, or by the last name alone.
    name = identifier.split(",")[0].split()[-1] if kind == "NAME" else identifier
    numbered = tags.setdefault(kind, {})
    return f"[{kind} {numbered.setdefault(name, len(numbered) + 1)}]"
