"""Writes the shipped portfolio and market data: `python3 make_data.py`, from this folder.

Everything is invented (companies, prices, accounts), and the same on every run. Some trades are made to break a rule;
each is marked with the rule's check where it is made.
"""

import csv
import datetime as dt
import json
import math
import random
from pathlib import Path

FUNCTIONS = Path(__file__).parent / "functions"
HOLIDAYS = [dt.date(2024, 5, 27), dt.date(2024, 6, 19)]
FIRST, LAST = dt.date(2024, 5, 13), dt.date(2024, 6, 14)
T1_FROM = dt.date(2024, 5, 28)  # the United States went from T+2 to T+1 on this day

# ticker, name, venue, kind, lot size, opening price, average daily volume
LISTINGS = [
    ("ALDR", "Alder Instruments", "XNYS", "STOCK", 100, 84.20, 1_900_000),
    ("ANVL", "Anvil Steel", "XNYS", "STOCK", 100, 31.75, 3_400_000),
    ("BRKW", "Breakwater Shipping", "XNYS", "STOCK", 100, 12.40, 2_600_000),
    ("CDRA", "Cedra Therapeutics", "XNAS", "STOCK", 100, 7.85, 5_100_000),
    ("CLVR", "Cloverleaf Foods", "XNYS", "STOCK", 100, 46.10, 1_250_000),
    ("DLTA", "Deltaic Energy", "XNYS", "STOCK", 100, 58.95, 2_200_000),
    ("EMBR", "Ember Semiconductor", "XNAS", "STOCK", 100, 212.60, 4_800_000),
    ("FJRD", "Fjord Systems", "XNAS", "STOCK", 100, 133.05, 2_900_000),
    ("GLDN", "Golden Gate Trust", "ARCX", "FUND", 1, 98.40, 820_000),
    ("HRZN", "Horizon Air Lines", "XNYS", "STOCK", 100, 21.15, 4_100_000),
    ("INDX", "Index 500 Fund", "ARCX", "FUND", 1, 402.30, 6_700_000),
    ("JNPR", "Juniper Mills", "XNAS", "STOCK", 100, 17.60, 950_000),
    ("KSTL", "Kestrel Robotics", "XNAS", "STOCK", 100, 154.80, 1_700_000),
    ("LMRK", "Landmark Realty", "XNYS", "STOCK", 100, 28.30, 1_450_000),
    ("MRDN", "Meridian Bank", "XNYS", "STOCK", 100, 39.90, 3_850_000),
    ("NRTH", "Northlight Utilities", "XNYS", "STOCK", 100, 63.25, 1_050_000),
    ("ORCH", "Orchard Retail", "XNAS", "STOCK", 100, 9.45, 2_350_000),
    ("PNCL", "Pinnacle Insurance", "XNYS", "STOCK", 100, 141.70, 780_000),
    ("QRTZ", "Quartz Mining", "XNYS", "STOCK", 100, 4.62, 7_900_000),
    ("RVRB", "Reverb Media", "XNAS", "STOCK", 100, 71.35, 1_600_000),
    ("STRT", "Strata Cloud", "XNAS", "STOCK", 100, 188.20, 2_050_000),
    ("TRSY", "Treasury 7-10 Fund", "ARCX", "FUND", 1, 92.15, 3_300_000),
    ("UMBR", "Umbra Defense", "XNYS", "STOCK", 100, 117.40, 900_000),
    ("VLCN", "Volcano Gaming", "XNAS", "STOCK", 100, 15.20, 3_050_000),
]

# id, type, cash in dollars
ACCOUNTS = [
    ("A-1001", "CASH", 382_400.00),
    ("A-1002", "CASH", 364_250.50),
    ("A-1003", "CUSTODIAL", 141_800.00),
    ("A-2001", "MARGIN", 38_150.75),
    ("A-2002", "MARGIN", -214_600.00),
    ("A-2003", "MARGIN", 12_075.20),
    ("A-2004", "MARGIN", 96_300.00),
    ("A-3001", "INSTITUTIONAL", 2_450_000.00),
    ("A-3002", "INSTITUTIONAL", 1_120_500.00),
    ("A-4001", "RETIREMENT", 88_900.00),
]


def is_session(day):
    return day.weekday() < 5 and day not in HOLIDAYS


def sessions_after(day, count):
    while count:
        day += dt.timedelta(days=1)
        count -= is_session(day)
    return day


def sessions():
    day = FIRST
    while day <= LAST:
        if is_session(day):
            yield day
        day += dt.timedelta(days=1)


def market_rows(rng):
    for ticker, _, _, kind, _, price, volume in LISTINGS:
        swing = 0.004 if kind == "FUND" else 0.016
        for day in sessions():
            opened = price * math.exp(rng.gauss(0, swing / 3))
            closed = opened * math.exp(rng.gauss(0.0003, swing))
            high = max(opened, closed) * (1 + abs(rng.gauss(0, swing / 2)))
            low = min(opened, closed) * (1 - abs(rng.gauss(0, swing / 2)))
            traded = int(volume * math.exp(rng.gauss(0, 0.25)))
            yield [day.isoformat(), ticker, *(f"{x:.2f}" for x in (opened, high, low, closed)), traded]
            price = closed


def make_market(rng):
    rows = list(market_rows(rng))
    rows.sort()
    folder = FUNCTIONS / "fetch_market_data"
    with open(folder / "prices.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["date", "ticker", "open", "high", "low", "close", "volume"])
        writer.writerows(rows)
    with open(folder / "listings.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["ticker", "name", "venue", "kind", "lot_size", "currency"])
        writer.writerows([*listing[:5], "USD"] for listing in LISTINGS)
    calendar = {"holidays": [day.isoformat() for day in HOLIDAYS], "open": "09:30:00", "close": "16:00:00"}
    (folder / "calendar.json").write_text(json.dumps(calendar, indent=2) + "\n")
    return {(row[0], row[1]): (float(row[4]), float(row[3])) for row in rows}


def settlement(day):
    return sessions_after(day, 2 if day < T1_FROM else 1)


def ordinary_trade(rng, ranges):
    listing = rng.choice(LISTINGS)
    account = rng.choice(ACCOUNTS)
    day = rng.choice(list(sessions()))
    low, high = ranges[day.isoformat(), listing[0]]
    seconds = rng.randrange(9 * 3600 + 31 * 60, 15 * 3600 + 45 * 60)
    lots = {"INSTITUTIONAL": 12, "MARGIN": 4, "CASH": 3}.get(account[1], 2)
    quantity = rng.randint(1, lots) * 100 if listing[3] == "STOCK" else rng.randint(5, 60 * lots)
    return {
        "account": account[0],
        "ticker": listing[0],
        "side": rng.choice(["BUY", "BUY", "SELL"]),
        "quantity": quantity,
        "price": round(rng.uniform(low + 0.01, high - 0.01), 2) if high - low > 0.02 else low,
        "currency": "USD",
        "date": day.isoformat(),
        "time": str(dt.timedelta(seconds=seconds)).zfill(8),
        "settles": settlement(day).isoformat(),
        "venue": listing[2],
        "broker": rng.choice(["KLMN", "ORCA", "PFEX", "TBRK"]),
        "locate": "",
    }


def break_some(trades, ranges):
    """Makes about forty trades break a rule."""

    def change(index, **fields):
        trade = trades[index]
        trade.update(fields)
        bounds = ranges.get((trade["date"], trade["ticker"]))
        if bounds and "price" not in fields and ("ticker" in fields or "date" in fields):
            trade["price"] = round(sum(bounds) / 2, 2)

    def copy(source, target, **fields):
        trades[target] = {**trades[source], **fields}

    change(3, quantity=137, ticker="ALDR", venue="XNYS")  # lot_size
    change(11, quantity=250, ticker="FJRD", venue="XNAS")  # lot_size
    for index, factor in ((7, 1.31), (19, 0.72), (42, 1.08)):  # price_in_day_range
        change(index, price=round(trades[index]["price"] * factor, 2))
    change(23, ticker="ZZYX")  # ticker_listed
    change(24, ticker="ALDRW")  # ticker_listed
    change(31, date="2024-05-27", settles="2024-05-29")  # exchange_open: Memorial Day
    change(32, date="2024-06-01", settles="2024-06-03")  # exchange_open: a Saturday
    change(36, date="2024-05-29", settles="2024-05-31")  # settlement: T+2 after the change to T+1
    change(37, date="2024-05-20", settles="2024-05-21")  # settlement: T+1 before it
    change(38, date="2024-05-24", settles="2024-05-28")  # settlement: forgets the holiday
    change(44, currency="EUR")  # currency
    change(45, currency="CAD")  # currency
    change(51, side="HOLD")  # side
    change(52, side="SHORT", account="A-1001")  # side: no short sale in a cash account
    change(53, side="SHORT", account="A-2001", locate="LOC-88120")  # in order
    change(54, side="SHORT", account="A-2004", locate="")  # locate
    change(61, quantity=0)  # quantity_limit
    change(62, quantity=90_000, account="A-3001", ticker="QRTZ", venue="XNYS")  # quantity_limit
    change(63, quantity=-300)  # quantity_limit
    change(67, quantity=12_000, account="A-3002", ticker="EMBR", venue="XNAS")  # notional_limit
    change(71, time="08:12:40")  # trading_hours
    change(72, time="16:20:05")  # trading_hours
    change(75, broker="")  # field_present
    change(76, broker="QQQQ")  # broker_registered
    change(81, account="A-9999")  # account_known
    change(84, venue="XNAS", ticker="MRDN")  # venue
    change(86, price=9.4567, ticker="ORCH", venue="XNAS")  # tick_size
    change(91, account="A-1003", ticker="VLCN", venue="XNAS")  # restricted_list
    day = {"date": "2024-06-05", "settles": "2024-06-06", "currency": "USD"}
    low, high = ranges["2024-06-05", "KSTL"]
    middle = round((low + high) / 2, 2)
    change(101, ticker="KSTL", venue="XNAS", account="A-2001", side="BUY", quantity=300, price=middle, time="11:02:10", **day)
    copy(101, 102, side="SELL", time="11:03:55")  # wash_trade
    copy(101, 103, time="11:02:41")  # duplicate
    low, high = ranges["2024-06-05", "CLVR"]
    for step in range(3):  # day_trades: bought and sold thrice within a day
        first, clock = 110 + 2 * step, 10 + step
        for offset, side, price in ((0, "BUY", low + 0.05), (1, "SELL", high - 0.05)):
            change(first + offset, ticker="CLVR", venue="XNYS", account="A-2003", side=side, quantity=100)
            change(first + offset, price=round(price, 2), time=f"{clock}:{20 + 25 * offset}:00", **day)
    low, high = ranges["2024-06-11", "PNCL"]
    for index in range(120, 125):  # marking_the_close
        change(index, ticker="PNCL", venue="XNYS", account="A-3002", side="BUY", quantity=2_000, currency="USD")
        change(index, price=round(high - 0.02, 2), date="2024-06-11", settles="2024-06-12", time=f"15:5{index - 119}:30")


def make_portfolio(rng, ranges):
    trades = [ordinary_trade(rng, ranges) for _ in range(240)]
    break_some(trades, ranges)
    folder = FUNCTIONS / "fetch_portfolio" / "books"
    with open(folder / "main-street.trades.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["id", *trades[0]], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"id": f"T{number:04}", **trade} for number, trade in enumerate(trades))
    stocks = [listing[0] for listing in LISTINGS]
    accounts = []
    for account, kind, cash in ACCOUNTS:
        size = 40 if kind == "INSTITUTIONAL" else 6
        held = sorted(rng.sample(stocks, 9))
        positions = {ticker: rng.randint(1, size) * 100 for ticker in held}
        if account == "A-2003":
            positions["STRT"] = -800
        accounts.append({"id": account, "type": kind, "cash": cash, "positions": positions})
    book = {"name": "main-street", "accounts": accounts}
    (folder / "main-street.json").write_text(json.dumps(book, indent=1) + "\n")


if __name__ == "__main__":
    generator = random.Random(2021)
    make_portfolio(generator, make_market(generator))
