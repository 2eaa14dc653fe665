"""Stores a review in an SQLite database, in the event's directory or one made for this purpose."""

import os
import sqlite3
import tempfile
from contextlib import closing

fresh_directory = None

TABLE = """
CREATE TABLE IF NOT EXISTS reviews (
    id TEXT PRIMARY KEY, date TEXT, kind TEXT, subject TEXT, stars INTEGER, compound REAL, text TEXT
)
"""
INSERT = "INSERT OR REPLACE INTO reviews VALUES (:id, :date, :kind, :subject, :stars, :compound, :text)"
SELECT = "SELECT stars, compound FROM reviews WHERE id = ?"


def handler(event, context):
    directory = event["directory"] or make_directory()
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "reviews.db")
    row = {**event["review"], "compound": event["sentiment"]["compound"]}
    with closing(sqlite3.connect(path, timeout=20)) as database:
        with database:
            database.execute(TABLE)
            database.execute(INSERT, row)
        stars, compound = database.execute(SELECT, (row["id"],)).fetchone()
    print(f"{row['id']}: {stars} stars, scored {compound}, in {path}")
    return "stored"


def make_directory():
    global fresh_directory
    if fresh_directory is None:
        fresh_directory = tempfile.mkdtemp(prefix="sentiment-")
    return fresh_directory
