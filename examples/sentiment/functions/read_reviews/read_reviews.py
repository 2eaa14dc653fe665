"""Reads reviews from the shipped file, or from the event's `csv`; of one subject where the event names one."""

import csv
import io


def handler(event, context):
    if "csv" in event:
        reviews = list(csv.DictReader(io.StringIO(event["csv"])))
    else:
        with open("reviews.csv", newline="", encoding="utf-8") as file:
            reviews = list(csv.DictReader(file))
    if "subject" in event:
        reviews = [review for review in reviews if review["subject"] == event["subject"]]
    return {"reviews": reviews, "directory": event.get("directory")}
