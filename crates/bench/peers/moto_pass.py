"""moto's Step Functions: it runs state machines whose tasks are mocked services, here of Pass states only. No function is called."""

import itertools
import json
import os
import time

import boto3
from moto import mock_aws

from measurement import arguments, parse, serve

os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_DEFAULT_REGION="us-east-1")


def definition(functions):
    def following(number):
        return {"Next": f"Step {number + 1}"} if number + 1 < functions else {"End": True}

    states = {f"Step {number}": {"Type": "Pass", **following(number)} for number in range(functions)}
    return json.dumps({"StartAt": "Step 0", "States": states})


def main():
    options = parse(arguments(__doc__.splitlines()[0]))
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client = boto3.client("stepfunctions")
        machine = client.create_state_machine(
            name="bench", definition=definition(options.functions), roleArn="arn:aws:iam::123456789012:role/bench"
        )["stateMachineArn"]

        names = (f"execution-{number}" for number in itertools.count())

        def chain(event):
            started = client.start_execution(stateMachineArn=machine, name=next(names), input=json.dumps(event))
            execution = started["executionArn"]
            while True:
                described = client.describe_execution(executionArn=execution)
                if described["status"] != "RUNNING":
                    return json.loads(described["output"])
                time.sleep(0.0001)

        serve(options, lambda: chain, lambda: None)


if __name__ == "__main__":
    main()
