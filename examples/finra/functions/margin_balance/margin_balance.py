"""Merges the findings of all rules, books the trades that none of them rejects, and checks the balances.

Money is counted in whole cents. The requirements are those of FINRA rule 4210: 25 % of long positions, 30 % of short.
"""

LONG_PERCENT, SHORT_PERCENT = 25, 30


def main(event):
    portfolio, market, findings = event["portfolio"], event["market"], event["findings"]
    rejected = {trade for found in findings if found["severity"] == "reject" for trade in found["violations"]}
    accepted = [trade for trade in portfolio["trades"] if trade["id"] not in rejected]
    last_day = max(market["days"])
    closes = {ticker: cents(bar["close"]) for ticker, bar in market["days"][last_day].items()}
    balances = [balance(account, accepted, closes) for account in portfolio["accounts"]]
    return {
        "valid": not rejected and not any(each["call"] for each in balances),
        "rules": len(findings),
        "rules_violated": [
            {**{name: found[name] for name in ("rule", "title", "severity")}, "violations": len(found["violations"])}
            for found in findings
            if found["violations"]
        ],
        "trades": len(portfolio["trades"]),
        "rejected": sorted(rejected),
        "priced_on": last_day,
        "balances": balances,
        "margin_calls": [each["account"] for each in balances if each["call"]],
    }


def balance(account, trades, closes):
    cash, positions = cents(account["cash"]), dict(account["positions"])
    for trade in trades:
        if trade["account"] == account["id"]:
            bought = trade["quantity"] if trade["side"] == "BUY" else -trade["quantity"]
            positions[trade["ticker"]] = positions.get(trade["ticker"], 0) + bought
            cash -= bought * cents(trade["price"])
    values = [quantity * closes[ticker] for ticker, quantity in positions.items()]
    long = sum(value for value in values if value > 0)
    short = -sum(value for value in values if value < 0)
    equity = cash + long - short
    # An account without margin may owe nothing; the requirement there is the value of what it holds.
    percent = (LONG_PERCENT, SHORT_PERCENT) if account["type"] in ("MARGIN", "INSTITUTIONAL") else (100, 100)
    required = (percent[0] * long + percent[1] * short + 99) // 100
    return {
        "account": account["id"],
        "type": account["type"],
        "cash": cash / 100,
        "long": long / 100,
        "short": short / 100,
        "equity": equity / 100,
        "required": required / 100,
        "call": max(0, required - equity) / 100,
    }


def cents(dollars):
    return round(dollars * 100)
