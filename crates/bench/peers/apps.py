"""The example applications with every function in a process of its own behind an HTTP server, and an orchestrator that calls them.

Nothing starts during an execution, and of a function that a Map calls there are as many processes as CPUs. The functions run as they are: in their directory, with their packages.
"""

import argparse
import importlib
import inspect
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from time import perf_counter_ns

import http_process


def serve(function, pipe):
    """One function's process. It tells its port, and when the handler was called and returned in a header of each response."""
    # What functions print is not the orchestrator's result.
    os.dup2(2, 1)
    sys.path[:] = function["sys_path"]
    os.chdir(function["directory"])
    module = importlib.import_module(function["module"])
    names = [function["handler"]] if function["handler"] else ["handler", "lambda_handler", "main"]
    handler = next(getattr(module, name) for name in names if hasattr(module, name))
    # The original's functions take no context.
    rest = [None] * (len(inspect.signature(handler).parameters) - 1)

    marks = []

    def call(event):
        called = perf_counter_ns()
        result = handler(event, *rest)
        marks[:] = called, perf_counter_ns()
        return result

    # Each server has one call at a time.
    http_process.serve(pipe, call, headers=lambda: {"X-Marks": f"{marks[0]} {marks[1]}"})


class Platform:
    def __init__(self, functions):
        self.cpus = len(os.sched_getaffinity(0))
        self.marks = []
        self.pipes = []
        self.idle = {}
        for function in functions:
            self.idle[function["name"]] = SimpleQueue()
            for _ in range(self.cpus if function["mapped"] else 1):
                _, ours = http_process.start(serve, function)
                self.pipes.append(ours)
                self.idle[function["name"]].put(http_process.connect(ours.recv()))
        self.pool = ThreadPoolExecutor(2 * self.cpus)

    def call(self, function, event):
        idle = self.idle[function]
        connection = idle.get()
        body, headers = http_process.post(connection, json.dumps(event).encode())
        idle.put(connection)
        self.marks.append(tuple(int(mark) for mark in headers["X-Marks"].split()))
        return json.loads(body)

    def map(self, branch, items):
        return list(self.pool.map(branch, items))


def finra(platform, event):
    fetch = ["fetch_portfolio", "fetch_market_data", "list_rules"]
    portfolio, market, listed = platform.map(lambda function: platform.call(function, event), fetch)
    audit = lambda rule: platform.call("audit_rule", {"rule": rule, "portfolio": portfolio, "market": market})
    findings = platform.map(audit, listed["rules"])
    return platform.call("margin_balance", {"portfolio": portfolio, "market": market, "findings": findings})


def ml_prediction(platform, event):
    resized = platform.call("resize", event)
    image = {"pixels": resized["pixels"], "picture": resized["picture"]}
    prediction = platform.call("predict", image)
    return platform.call("render", {**event, "image": image, "prediction": prediction})


def healthcare(platform, event):
    fetched = platform.call("fetch_notes", event)
    if not fetched["count"] > 0:
        return {"notes": 0}
    phi = platform.call("detect_phi", {"notes": fetched["notes"]})
    clean = platform.call("deidentify", {"notes": fetched["notes"], "found": phi["found"]})
    return platform.call("analyse", clean)


def sentiment(platform, event):
    read = platform.call("read_reviews", event)

    def branch(review):
        item = {"review": review, "directory": read["directory"]}
        item["sentiment"] = platform.call("score", {"text": review["text"]})
        compound = item["sentiment"]["compound"]
        if compound >= 0.05:
            item["outcome"] = platform.call("store", item)
        elif compound <= -0.05:
            team = "service" if review["kind"] == "service" else "product"
            item["outcome"] = platform.call("notify", {"team": team, **item})
        else:
            item["outcome"] = "left alone"
        return item

    return platform.call("report", platform.map(branch, read["reviews"]))


APPS = {"finra": finra, "ml-prediction": ml_prediction, "healthcare": healthcare, "sentiment": sentiment}


def interaction_ns(marks):
    """Between the first call and the last return, when no function ran."""
    marks = sorted(marks)
    between, until = 0, marks[0][0]
    for called, returned in marks:
        between += max(0, called - until)
        until = max(until, returned)
    return between


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--app", choices=APPS, required=True)
    parser.add_argument("--functions", required=True, help="a JSON file with a list of them")
    parser.add_argument("--event", required=True, help="a JSON file")
    parser.add_argument("--executions", type=int, required=True)
    parser.add_argument("--warm-up", type=int, default=2)
    options = parser.parse_args()
    with open(options.functions) as file:
        platform = Platform(json.load(file))
    with open(options.event) as file:
        event = json.load(file)
    took_us, interaction_us, output = [], [], None
    for number in range(options.warm_up + options.executions):
        platform.marks.clear()
        begin = perf_counter_ns()
        result = APPS[options.app](platform, event)
        took = perf_counter_ns() - begin
        if output is not None and result != output:
            raise SystemExit("two executions differ")
        output = result
        if number >= options.warm_up:
            took_us.append(took / 1000)
            interaction_us.append(interaction_ns(platform.marks) / 1000)
    json.dump({"format_version": 1, "took_us": took_us, "interaction_us": interaction_us, "output": output}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
