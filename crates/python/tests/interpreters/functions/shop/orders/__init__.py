from .prices import PRICE
import sibling


def handler(event, context):
    return [__name__, PRICE, sibling.NAME]
