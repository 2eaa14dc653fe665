"""Applies one audit rule to the trades of a portfolio."""

import book_checks
import trade_checks


def handler(event, context):
    rule, portfolio, market = event["rule"], event["portfolio"], event["market"]
    accounts = {account["id"]: account for account in portfolio["accounts"]}
    trades = [trade for trade in portfolio["trades"] if in_scope(trade, accounts, rule["scope"])]

    check, parameters = rule["check"], rule["parameters"]
    if check in trade_checks.CHECKS:
        passes = trade_checks.CHECKS[check]
        violations = [trade["id"] for trade in trades if not passes(trade, accounts, market, **parameters)]
    elif check in book_checks.CHECKS:
        found = book_checks.CHECKS[check](trades, accounts, market, **parameters)
        violations = [trade["id"] for trade in trades if trade["id"] in found]
    else:
        raise ValueError(f"rule {rule['id']}: there is no check {check!r}")
    return {
        "rule": rule["id"],
        "title": rule["title"],
        "severity": rule["severity"],
        "checked": len(trades),
        "violations": violations,
    }


def in_scope(trade, accounts, scope):
    account = accounts.get(trade["account"])
    return (
        ("ticker" not in scope or trade["ticker"] in scope["ticker"])
        and ("side" not in scope or trade["side"] in scope["side"])
        and ("venue" not in scope or trade["venue"] in scope["venue"])
        and ("account_type" not in scope or (account is not None and account["type"] in scope["account_type"]))
        and ("from" not in scope or trade["date"] >= scope["from"])
        and ("before" not in scope or trade["date"] < scope["before"])
    )
