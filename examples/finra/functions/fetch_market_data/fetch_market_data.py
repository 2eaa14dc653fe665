"""Reads the exchange's listings, calendar and daily prices."""

import csv
import json


def main(event):
    with open("listings.csv", newline="") as file:
        listings = {row.pop("ticker"): {**row, "lot_size": int(row["lot_size"])} for row in csv.DictReader(file)}
    days = {}
    with open("prices.csv", newline="") as file:
        for row in csv.DictReader(file):
            bar = {name: float(row[name]) for name in ("open", "high", "low", "close")}
            days.setdefault(row["date"], {})[row["ticker"]] = {**bar, "volume": int(row["volume"])}
    with open("calendar.json") as file:
        calendar = json.load(file)
    return {"listings": listings, "days": days, "calendar": calendar}
