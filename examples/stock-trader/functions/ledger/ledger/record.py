"""Writes a trade down, and says where."""

import os


def lambda_handler(event, context):
    trade = event["trade"]
    line = f"{trade['type']} {trade['shares']} {trade['symbol']} for {trade['total']}"
    print(f"{context.function_name}: {line}")
    return {"entry": {"ledger": os.environ["LEDGER"], "stage": os.environ["STAGE"], "line": line}}
