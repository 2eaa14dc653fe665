def handler(event, context):
    """Writes the order as lines of text."""
    lines = [f"{item['count']} x {item['name']}" for item in event["items"]]
    if "discount" in event:
        lines.append(f"discount {event['discount']:.2f}")
    lines.append(f"total {event['total']:.2f}")
    return {"customer": event["customer"], "total": event["total"], "receipt": lines}
