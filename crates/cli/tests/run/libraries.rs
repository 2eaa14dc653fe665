//! Real libraries in several domains of one process.

use crate::workflow::Workflow;
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// numpy, pandas, Pillow, and an extension that is written in Rust (PyO3).
const REQUIREMENTS: &str = "numpy==2.2.6\npandas==2.2.3\npillow==11.2.1\norjson==3.10.18\n";

const USES_ALL: &str = "import io\n\
    import numpy, orjson, pandas\n\
    from PIL import Image\n\
    def handler(event, context):\n    \
        seed = event['seed']\n    \
        matrix = numpy.arange(90_000, dtype=float).reshape(300, 300) + seed\n    \
        product = float((matrix @ matrix).trace())\n    \
        frame = pandas.DataFrame({'key': [number % 7 for number in range(7000)], 'value': range(7000)})\n    \
        sums = frame.groupby('key')['value'].sum().tolist()\n    \
        picture = Image.new('RGB', (64, 64), (seed, 2, 3)).resize((32, 32))\n    \
        png = io.BytesIO()\n    \
        picture.save(png, 'PNG')\n    \
        pixel = Image.open(io.BytesIO(png.getvalue())).getpixel((5, 5))\n    \
        return [product, sums, pixel, orjson.loads(orjson.dumps({'a': [1, seed]}))]\n";

#[test]
fn extensions_load_and_work_in_four_domains_in_parallel() {
    let names = ["one", "two", "three", "four"];
    let branch = |(seed, name): (usize, &&str)| {
        let (set, call) = (format!("Set {name}"), format!("Call {name}"));
        json!({ "StartAt": set, "States": {
            &set: { "Type": "Pass", "Result": { "seed": seed }, "Next": call },
            &call: { "Type": "Task", "Resource": name, "End": true } } })
    };
    let branches: Vec<Value> = names.iter().enumerate().map(branch).collect();
    let machine = json!({ "StartAt": "All", "States": {
        "All": { "Type": "Parallel", "Branches": branches, "End": true } } });
    let workflow =
        names.iter().fold(Workflow::new(&machine), |workflow, name| workflow.functions(&[(name, USES_ALL)]));
    let workflow = workflow.file("requirements.txt", REQUIREMENTS);
    let mut outputs = Vec::new();
    for isolation in ["auto", "process", "none"] {
        let run = workflow.run_under(isolation, &json!({}));
        assert_ne!(run.exit, Some(101), "are PyPI, or a cache of what it holds, within reach? {run:#?}");
        outputs.push(run.output().clone());
    }
    let numbers = outputs[0].as_array().unwrap();
    for (seed, found) in numbers.iter().enumerate() {
        assert_eq!((&found[2], &found[3]), (&json!([seed, 2, 3]), &json!({ "a": [1, seed] })));
        assert_eq!(found[1], numbers[0][1]);
    }
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[0], outputs[2]);
}

#[test]
fn what_a_virtual_environment_imports_at_the_start_is_imported_and_nothing_of_the_installation_below() {
    let reports = "import sys\n\
                   def handler(event, context):\n    \
                       return [getattr(sys, 'said_by_pth', None), sys.prefix, callable(exit)]\n";
    let workflow = Workflow::chain(&[("reports", reports)]);
    let environment = workflow.path("environment");
    let made =
        Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&environment).status().unwrap();
    assert!(made.success());
    let lib = fs::read_dir(environment.join("lib")).unwrap().next().unwrap().unwrap().path();
    fs::write(lib.join("site-packages/says.pth"), "import sys; sys.said_by_pth = 'here'\n").unwrap();
    let python = environment.join("bin/python");
    let run = workflow.run_text(&["--python", python.to_str().unwrap()], "{}");
    assert_eq!(run.output(), &json!(["here", environment, true]), "{run:#?}");
}
