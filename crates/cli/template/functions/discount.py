import os

PERCENT = int(os.environ.get("DISCOUNT_PERCENT", "5"))


def handler(event, context):
    """Takes some percent off the total."""
    discount = round(event["total"] * PERCENT / 100, 2)
    print(f"{PERCENT} % off: {discount:.2f}")
    return {**event, "discount": discount, "total": round(event["total"] - discount, 2)}
