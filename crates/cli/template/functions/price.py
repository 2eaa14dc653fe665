def handler(event, context):
    """Adds up the items of an order."""
    total = sum(item["price"] * item["count"] for item in event["items"])
    print(f"{len(event['items'])} items for {event['customer']}: {total:.2f}")
    return {**event, "total": round(total, 2)}
