// aws-local-stepfunctions: an interpreter of the states language in Node. Functions are JavaScript, in the same process.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { parseArgs } from "node:util";

// Its version 3 uses this, which came with Node 22.
Promise.withResolvers ??= function () {
  const made = {};
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const { values: options } = parseArgs({
  options: {
    modules: { type: "string" },
    payload: { type: "string", default: "text" },
    size: { type: "string", default: "200" },
    functions: { type: "string", default: "2" },
  },
});
const { StateMachine } = createRequire(join(options.modules, "package.json"))("aws-local-stepfunctions");

// The same as `make_event` in measurement.py.
function makeEvent(kind, size) {
  if (kind === "text") return { id: 7, blob: "x".repeat(size) };
  const record = { name: "sensor-0042", valid: true, values: [1, 2.5, -3, null] };
  const count = Math.max(1, Math.floor((size + 30) / 60));
  return { id: 7, records: Array.from({ length: count }, () => structuredClone(record)) };
}

const count = Number(options.functions);
const States = {};
const overrides = {};
const marks = Array.from({ length: count }, () => []);
const now = () => process.hrtime.bigint();
for (let number = 0; number < count; number++) {
  const resource = `arn:aws:lambda:us-east-1:123456789012:function:step-${number}`;
  const following = number + 1 < count ? { Next: `Step ${number + 1}` } : { End: true };
  States[`Step ${number}`] = { Type: "Task", Resource: resource, ...following };
  overrides[`Step ${number}`] = (event) => {
    const called = now();
    const result = event;
    marks[number].push([called, now()]);
    return result;
  };
}
const machine = new StateMachine({ StartAt: "Step 0", States }, { validationOptions: { noValidate: true } });
const event = makeEvent(options.payload, Number(options.size));
const expected = JSON.stringify(event);
const say = (message) => process.stdout.write(JSON.stringify(message) + "\n");

say({ format_version: 3, event_bytes: expected.length });
for await (const line of createInterface({ input: process.stdin })) {
  const executionUs = [];
  for (let execution = 0; execution < Number(line); execution++) {
    const begin = now();
    const result = await machine.run(event, { overrides: { taskResourceLocalHandlers: overrides } }).result;
    executionUs.push(Number(now() - begin) / 1000);
    if (JSON.stringify(result) !== expected) throw new Error("the chain changed the event");
  }
  const hopUs = [];
  for (let execution = 0; execution < marks[0].length; execution++)
    for (let number = 0; number + 1 < count; number++)
      hopUs.push(Number(marks[number + 1][execution][0] - marks[number][execution][1]) / 1000);
  marks.forEach((its) => its.splice(0));
  say({ execution_us: executionUs, hop_us: hopUs });
}
