"""Writes a notification of a bad review to a file, in the event's directory or one made for this purpose."""

import os
import tempfile

fresh_directory = None


def main(event):
    global fresh_directory
    directory = event["directory"]
    if directory is None:
        fresh_directory = directory = fresh_directory or tempfile.mkdtemp(prefix="notifications-")
    os.makedirs(directory, exist_ok=True)
    review = event["review"]
    path = os.path.join(directory, f"{review['id']}.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            f"To: {event['team']}-team@example.com\n"
            f"Subject: bad review of {review['subject']}, scored {event['sentiment']['compound']}\n\n"
            f"{review['text']}\n"
        )
    print(f"{review['id']}: {path}")
    return f"the {event['team']} team was notified"
