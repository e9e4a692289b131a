#!/usr/bin/python3
"""The JSON schema of tocsin.yaml takes every good configuration, and refuses what is plainly wrong."""

import json
import pathlib
import sys

import yaml

SKIP = 77
try:
    import jsonschema
except ImportError:
    print("skipped: no python3-jsonschema")
    sys.exit(SKIP)

ROOT = pathlib.Path(__file__).resolve().parent.parent
ALARM = {"name": "a", "metric": {"namespace": "N", "metric_name": "M", "statistic": "Sum"}, "threshold": 1}
WRONG = {  # what is wrong -> the configuration
    "an unknown section": {"alarm": []},
    "an unknown key": {"alarms": [{**ALARM, "treshold": 1}]},
    "a missing key": {"alarms": [{"metric": {}, "name": "a"}]},
    "a wrong choice": {"alarms": [{**ALARM, "severity": "bad"}]},
    "a wrong type": {"alarms": [{**ALARM, "threshold": []}]},
    "out of range": {"alarms": [{**ALARM, "evaluation_periods": 0}]},
    "no duration": {"poll": {"cloudwatch": {"every": "soon"}}},
    "a list in place of a section": {"route": []},
    "metrics that are no list": {"alarms": [{"name": "a", "metrics": {"id": "x"}}]},
    "a metric without an id": {"alarms": [{"name": "a", "metrics": [{"expression": "x"}]}]},
    "a plugin's unknown key": {"receivers": [{"name": "r", "webhook": {"ulr": "x"}}]},
    "a receiver without a name": {"receivers": [{"webhook": {"url": "http://x/"}}]},
    "a route's unknown key": {"route": {"routes": [{"routes": [{"recever": "x"}]}]}},
    "a composite's unknown key": {"alarms": [{"name": "a", "composite": {"rules": "x"}}]},
    "what does not exist yet": {"alarms": [{**ALARM, "max_delay": "5m"}]},
}


class Plain(yaml.SafeLoader):
    """Editors read YAML 1.2: `on` is a text, and a date is one too."""


Plain.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag not in ("tag:yaml.org,2002:timestamp",)]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def problems(validator, document):
    found = []
    for error in validator.iter_errors(document):
        deepest = jsonschema.exceptions.best_match([error])
        found.append(f"{'/'.join(map(str, deepest.absolute_path))}: {deepest.message[:200]}")
    return found


def main():
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    good = [ROOT / "conf" / "tocsin.yaml", *sorted((ROOT / "tests" / "config").glob("good-*/tocsin.yaml"))]
    wrong = [f"{path.relative_to(ROOT)}: {line}" for path in good
             for line in problems(validator, yaml.load(path.read_bytes(), Plain) or {})]
    wrong += [f"it takes {what}" for what, document in WRONG.items() if not problems(validator, document)]
    print(*wrong, sep="\n")
    return 1 if wrong or len(good) < 5 else 0


sys.exit(main())
