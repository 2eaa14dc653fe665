"""Checks that look at one trade at a time: true where the trade passes.

A check that needs what another check asks for (a listed ticker, a day with prices) passes without it: one mistake, one
violation.
"""

import re
from decimal import Decimal

from clock import is_session, seconds, session_after

CHECKS = {}


def check(function):
    CHECKS[function.__name__] = function
    return function


def price_bar(trade, market):
    return market["days"].get(trade["date"], {}).get(trade["ticker"])


@check
def ticker_listed(trade, accounts, market):
    return trade["ticker"] in market["listings"]


@check
def account_known(trade, accounts, market):
    return trade["account"] in accounts


@check
def field_present(trade, accounts, market, field):
    return trade.get(field) not in (None, "")


@check
def id_form(trade, accounts, market, pattern):
    return re.fullmatch(pattern, trade["id"]) is not None


@check
def side(trade, accounts, market, allowed):
    return trade["side"] in allowed


@check
def price_positive(trade, accounts, market):
    return trade["price"] > 0


@check
def currency(trade, accounts, market, allowed):
    return trade["currency"] in allowed


@check
def venue(trade, accounts, market):
    listing = market["listings"].get(trade["ticker"])
    return listing is None or trade["venue"] == listing["venue"]


@check
def broker_registered(trade, accounts, market, registered):
    return trade["broker"] == "" or trade["broker"] in registered


@check
def date_between(trade, accounts, market, first, last):
    return first <= trade["date"] <= last


@check
def exchange_open(trade, accounts, market):
    return is_session(trade["date"], market["calendar"])


@check
def settlement(trade, accounts, market, sessions):
    return trade["settles"] == session_after(trade["date"], sessions, market["calendar"])


@check
def settles_on_session(trade, accounts, market):
    return is_session(trade["settles"], market["calendar"])


@check
def settles_after(trade, accounts, market):
    return trade["settles"] > trade["date"]


@check
def trading_hours(trade, accounts, market):
    return market["calendar"]["open"] <= trade["time"] <= market["calendar"]["close"]


@check
def after_open(trade, accounts, market, minutes):
    since_open = seconds(trade["time"]) - seconds(market["calendar"]["open"])
    return not 0 <= since_open < minutes * 60


@check
def lot_size(trade, accounts, market):
    listing = market["listings"].get(trade["ticker"])
    return listing is None or trade["quantity"] % listing["lot_size"] == 0


@check
def price_in_day_range(trade, accounts, market, tolerance):
    bar = price_bar(trade, market)
    return bar is None or bar["low"] * (1 - tolerance) <= trade["price"] <= bar["high"] * (1 + tolerance)


@check
def price_near_close(trade, accounts, market, tolerance):
    bar = price_bar(trade, market)
    return bar is None or abs(trade["price"] - bar["close"]) <= tolerance * bar["close"]


@check
def quantity_limit(trade, accounts, market, most):
    return 0 < trade["quantity"] <= most


@check
def notional_limit(trade, accounts, market, most):
    return abs(trade["quantity"]) * trade["price"] <= most


@check
def locate(trade, accounts, market):
    return trade["locate"] != ""


@check
def tick_size(trade, accounts, market, low, high, tick):
    return not low <= trade["price"] < high or Decimal(str(trade["price"])) % Decimal(tick) == 0


@check
def restricted_list(trade, accounts, market, tickers):
    return trade["ticker"] not in tickers
