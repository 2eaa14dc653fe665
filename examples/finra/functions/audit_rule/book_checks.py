"""Checks that look at a rule's trades together: the ids of those that violate it."""

from collections import defaultdict

from clock import seconds

CHECKS = {}


def check(function):
    CHECKS[function.__name__] = function
    return function


def grouped(trades, *fields):
    """The trades by the given fields, each group in the order of time."""
    groups = defaultdict(list)
    for trade in sorted(trades, key=lambda trade: (trade["date"], trade["time"], trade["id"])):
        groups[tuple(trade[field] for field in fields)].append(trade)
    return groups


@check
def wash_trade(trades, accounts, market, minutes):
    """One account buys and sells the same, for the same, within `minutes`."""
    found = set()
    for group in grouped(trades, "account", "ticker", "date", "quantity", "price").values():
        for number, first in enumerate(group):
            for second in group[number + 1 :]:
                apart = seconds(second["time"]) - seconds(first["time"])
                if first["side"] != second["side"] and apart <= minutes * 60:
                    found |= {first["id"], second["id"]}
    return found


@check
def duplicate(trades, accounts, market, within):
    """The same order again, `within` as many seconds."""
    found = set()
    for group in grouped(trades, "account", "ticker", "date", "side", "quantity", "price").values():
        for first, second in zip(group, group[1:]):
            if seconds(second["time"]) - seconds(first["time"]) <= within:
                found.add(second["id"])
    return found


@check
def day_trades(trades, accounts, market, most):
    """An account buys a ticker and sells it again on the same day more than `most` times."""
    found = set()
    for group in grouped(trades, "account", "date").values():
        round_trips, bought, ids = 0, defaultdict(int), []
        for trade in group:
            if trade["side"] == "BUY":
                bought[trade["ticker"]] += trade["quantity"]
            elif bought[trade["ticker"]] > 0:
                bought[trade["ticker"]] -= trade["quantity"]
                round_trips += 1
                ids.append(trade["id"])
        if round_trips > most:
            found.update(ids)
    return found


@check
def marking_the_close(trades, accounts, market, minutes, share):
    """An account buys more than `share` of the day's volume in the last `minutes`."""
    close = seconds(market["calendar"]["close"])
    late = [t for t in trades if t["side"] == "BUY" and 0 <= close - seconds(t["time"]) <= minutes * 60]
    return over_share_of_volume(grouped(late, "account", "ticker", "date"), market, share)


@check
def participation(trades, accounts, market, share):
    """An account trades more than `share` of the day's volume."""
    return over_share_of_volume(grouped(trades, "account", "ticker", "date"), market, share)


def over_share_of_volume(groups, market, share):
    found = set()
    for (_, ticker, date), group in groups.items():
        bar = market["days"].get(date, {}).get(ticker)
        if bar and sum(abs(trade["quantity"]) for trade in group) > share * bar["volume"]:
            found.update(trade["id"] for trade in group)
    return found


@check
def concentration(trades, accounts, market, share):
    """More than `share` of what an account paid for purchases went into one ticker."""
    found = set()
    for group in grouped([t for t in trades if t["side"] == "BUY"], "account").values():
        paid = defaultdict(float)
        for trade in group:
            paid[trade["ticker"]] += trade["quantity"] * trade["price"]
        heavy = {ticker for ticker, amount in paid.items() if amount > share * sum(paid.values())}
        found.update(trade["id"] for trade in group if trade["ticker"] in heavy)
    return found


@check
def sale_covered(trades, accounts, market):
    """An account sells more of a ticker than it holds at that time; a short sale says so on its face."""
    found = set()
    for (account, ticker), group in grouped(trades, "account", "ticker").items():
        held = accounts[account]["positions"].get(ticker, 0)
        for trade in group:
            if trade["side"] == "BUY":
                held += trade["quantity"]
            elif trade["side"] == "SELL":
                if trade["quantity"] > held:
                    found.add(trade["id"])
                held -= trade["quantity"]
    return found


@check
def trades_at_most(trades, accounts, market, most):
    """An account trades more than `most` times; those beyond are the violations."""
    return {trade["id"] for group in grouped(trades, "account").values() for trade in group[most:]}
