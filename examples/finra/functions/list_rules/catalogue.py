"""The catalogue of audit rules. A rule is a check, its parameters, and the trades that it looks at (`scope`).

The families take turns, so that any first part of the catalogue covers all kinds of checks.
"""

from itertools import zip_longest

T1_FROM = "2024-05-28"
ACCOUNT_TYPES = ["CASH", "MARGIN", "INSTITUTIONAL", "CUSTODIAL", "RETIREMENT"]
FIELDS = ["account", "ticker", "side", "quantity", "price", "currency", "date", "time", "settles", "venue", "broker"]
TICKERS = [
    "ALDR", "ANVL", "BRKW", "CDRA", "CLVR", "DLTA", "EMBR", "FJRD", "GLDN", "HRZN", "INDX", "JNPR",
    "KSTL", "LMRK", "MRDN", "NRTH", "ORCH", "PNCL", "QRTZ", "RVRB", "STRT", "TRSY", "UMBR", "VLCN",
]  # fmt: skip
WEEKS = [
    ("2024-05-13", "2024-05-20"),
    ("2024-05-20", "2024-05-27"),
    ("2024-05-27", "2024-06-03"),
    ("2024-06-03", "2024-06-10"),
    ("2024-06-10", "2024-06-17"),
]


def rule(title, check, severity="reject", scope=None, **parameters):
    return {
        "title": title,
        "check": check,
        "severity": severity,
        "scope": scope or {},
        "parameters": parameters,
    }


def form():
    yield rule("the ticker is listed", "ticker_listed")
    yield rule("the account is known", "account_known")
    for field in FIELDS:
        yield rule(f"{field} is given", "field_present", field=field)
    yield rule("the trade's id has its form", "id_form", pattern=r"T\d{4}")
    yield rule("the side is one of three", "side", allowed=["BUY", "SELL", "SHORT"])
    yield rule("the price is positive", "price_positive")
    for venue in ("XNYS", "XNAS", "ARCX"):
        yield rule(f"US dollars on {venue}", "currency", scope={"venue": [venue]}, allowed=["USD"])
    yield rule("the venue is the ticker's", "venue")
    yield rule("the broker is registered", "broker_registered", registered=["KLMN", "ORCA", "PFEX", "TBRK"])


def dates():
    yield rule("the trade date is within the audited period", "date_between", first="2024-05-13", last="2024-06-14")
    yield rule("T+1 settlement", "settlement", scope={"from": T1_FROM}, sessions=1)
    yield rule("T+2 settlement", "settlement", scope={"before": T1_FROM}, sessions=2)
    yield rule("settles after the trade date", "settles_after")
    yield rule("within trading hours", "trading_hours")
    for first, after in WEEKS:
        scope = {"from": first, "before": after}
        yield rule(f"the exchange was open, week of {first}", "exchange_open", scope=scope)
    yield rule("settles on a day of trading", "settles_on_session")
    for minutes in (5, 10, 15):
        title = f"no retail order in the first {minutes} minutes"
        scope = {"account_type": ["CASH", "CUSTODIAL", "RETIREMENT"]}
        yield rule(title, "after_open", severity="review", scope=scope, minutes=minutes)


def lots():
    for ticker in TICKERS:
        yield rule(f"{ticker} in whole lots", "lot_size", severity="warn", scope={"ticker": [ticker]})


def day_ranges():
    for ticker in TICKERS:
        yield rule(f"{ticker} within the day's range", "price_in_day_range", scope={"ticker": [ticker]}, tolerance=0.0)


def closes():
    for ticker in TICKERS:
        title = f"{ticker} within 6 % of the close"
        yield rule(title, "price_near_close", severity="review", scope={"ticker": [ticker]}, tolerance=0.06)


def limits():
    quantities = {"CASH": 5_000, "MARGIN": 10_000, "INSTITUTIONAL": 50_000, "CUSTODIAL": 2_000, "RETIREMENT": 2_000}
    dollars = {"CASH": 250_000, "MARGIN": 400_000, "INSTITUTIONAL": 2_000_000, "CUSTODIAL": 80_000, "RETIREMENT": 90_000}
    sides = {"MARGIN": ["BUY", "SELL", "SHORT"], "INSTITUTIONAL": ["BUY", "SELL", "SHORT"]}
    for kind in ACCOUNT_TYPES:
        scope = {"account_type": [kind]}
        yield rule(f"quantity limit, {kind}", "quantity_limit", scope=scope, most=quantities[kind])
        yield rule(f"notional limit, {kind}", "notional_limit", scope=scope, most=dollars[kind])
        yield rule(f"sides open to {kind}", "side", scope=scope, allowed=sides.get(kind, ["BUY", "SELL"]))
    yield rule("short sales have a locate", "locate", scope={"side": ["SHORT"]})


def ticks():
    yield rule("ticks of a hundredth of a cent below $1", "tick_size", low=0, high=1, tick="0.0001")
    yield rule("ticks of a cent from $1", "tick_size", low=1, high=1_000_000, tick="0.01")


def restricted():
    lists = {
        "CASH": ["UMBR"],
        "MARGIN": ["GLDN"],
        "INSTITUTIONAL": ["CDRA"],
        "CUSTODIAL": ["VLCN", "UMBR", "QRTZ"],
        "RETIREMENT": ["VLCN"],
    }
    for kind, tickers in lists.items():
        severity = "reject" if kind == "CUSTODIAL" else "review"
        scope = {"account_type": [kind]}
        yield rule(f"restricted list, {kind}", "restricted_list", severity=severity, scope=scope, tickers=tickers)


def patterns():
    for minutes in (2, 5, 30):
        yield rule(f"no wash trade within {minutes} minutes", "wash_trade", severity="review", minutes=minutes)
    for within in (5, 60):
        yield rule(f"no duplicate within {within} seconds", "duplicate", severity="review", within=within)
    for most in (2, 3, 5):
        title = f"no more than {most} day trades in a day"
        yield rule(title, "day_trades", severity="review", scope={"account_type": ["MARGIN"]}, most=most)
    for minutes, share in ((5, 0.005), (10, 0.01), (15, 0.02)):
        title = f"no marking of the close, last {minutes} minutes"
        yield rule(title, "marking_the_close", severity="review", minutes=minutes, share=share)
    for kind in ACCOUNT_TYPES:
        title = f"no ticker over 80 % of an account's buying in the period, {kind}"
        yield rule(title, "concentration", severity="warn", scope={"account_type": [kind]}, share=0.8)


def holdings():
    for kind in ACCOUNT_TYPES:
        title = f"no more sold than held, {kind}"
        yield rule(title, "sale_covered", severity="warn", scope={"account_type": [kind]})


def participation():
    for ticker in TICKERS:
        title = f"{ticker}: at most 1 % of the day's volume"
        yield rule(title, "participation", severity="review", scope={"ticker": [ticker]}, share=0.01)


def turnover():
    for kind, most in (("CASH", 25), ("MARGIN", 30), ("INSTITUTIONAL", 40), ("CUSTODIAL", 20), ("RETIREMENT", 20)):
        for first, after in WEEKS:
            title = f"at most {most} trades a week, {kind}, {first}"
            scope = {"account_type": [kind], "from": first, "before": after}
            yield rule(title, "trades_at_most", severity="warn", scope=scope, most=most)


def catalogue():
    families = (
        form, dates, lots, day_ranges, closes, limits, ticks, restricted, patterns, holdings, participation, turnover,
    )  # fmt: skip
    turns = zip_longest(*(family() for family in families))
    rules = [each for turn in turns for each in turn if each]
    return [{"id": f"R{number:03}", **each} for number, each in enumerate(rules, 1)]
