"""Fetches a book: its accounts and the trades to validate."""

import csv
import json
import os


class PortfolioNotFound(Exception):
    pass


def handler(event, context):
    name = event.get("portfolio", "main-street")
    path = os.path.join("books", os.path.basename(name))
    if not os.path.exists(path + ".json"):
        raise PortfolioNotFound(f"no book is called {name!r}")
    with open(path + ".json") as file:
        book = json.load(file)
    with open(path + ".trades.csv", newline="") as file:
        book["trades"] = [
            {**row, "quantity": int(row["quantity"]), "price": float(row["price"])} for row in csv.DictReader(file)
        ]
    print(f"{name}: {len(book['accounts'])} accounts, {len(book['trades'])} trades")
    return book
