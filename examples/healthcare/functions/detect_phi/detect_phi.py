"""Finds protected health information in notes: kinds and positions, by patterns and a dictionary of given names.

The kinds are identifiers that HIPAA's Safe Harbor method (45 CFR 164.514(b)(2)) wants removed, as far as they occur in
these notes.
"""

from patterns import find


def main(event):
    return {
        "found": [
            [{"kind": kind, "start": start, "end": end} for kind, start, end in find(note["text"])]
            for note in event["notes"]
        ]
    }
