# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks that result.schema.json and message.schema.json describe what the element and the tool write,
all of it, and that they refuse what readers could not use.

result-schema.py RESULT-SCHEMA MESSAGE-SCHEMA GOLDEN-RESULTS MAKE-COLOUR-BUNDLE TOOL
"""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("no jsonschema")
    sys.exit(77)

SCHEMA, MESSAGE_SCHEMA, GOLDEN, MAKE_BUNDLE, TOOL = sys.argv[1:]
MISSING = object()

# A member, and a value that it must not have.
WRONG = [
    (["schema"], "gst-ensemble/result/2"),
    (["schema"], MISSING),
    (["width"], 0),
    (["width"], "640"),
    (["bundle"], None),
    (["pts"], -1),
    (["pts"], 0.5),
    (["classes"], {"red": 0.9}),
    (["classes", 0, "name"], MISSING),
    (["classes", 0, "p"], 1.5),
    (["classes", 0, "p"], "0.5"),
    (["classes", 0, "present"], 1),
    (["classes", 0, "window"], MISSING),
    (["classes", 0, "p3"], MISSING),
    (["networks", 0, "probabilities", 0], -0.1),
    (["networks", 0, "probabilities"], MISSING),
    (["windows", 0, "x"], 1.1),
    (["windows", 0, "height"], MISSING),
    (["map", "columns"], 0),
    (["map", "y"], MISSING),
    (["map", "classes", "dog", 0, 0], 2),
    (["map", "classes", "dog"], [0.5]),
    (["embedding", "network"], MISSING),
    (["embedding", "values"], []),
    (["timings", "total"], MISSING),
    (["timings"], MISSING),
]

# Messages that are none.
WRONG_MESSAGES = [
    (["schema"], "gst-ensemble/compact/2"),
    (["source"], MISSING),
    (["time"], "2026-01-01 00:00:00"),
    (["clock"], "sundial"),
    (["probabilities", "red"], 2),
    (["probabilities"], MISSING),
    (["present"], MISSING),
]


def close(schema):
    """The schema without room for members that it does not know."""
    if isinstance(schema, list):
        return [close(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: close(value) for name, value in schema.items()}
    if "properties" in closed:
        closed["additionalProperties"] = False
    return closed


def damage(result, path, value):
    damaged = copy.deepcopy(result)
    place = damaged
    for step in path[:-1]:
        place = place[step]
    if value is MISSING:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return damaged


def check_messages(lines):
    """Compact results and events, whose members are all described."""
    validator = jsonschema.Draft202012Validator(json.loads(pathlib.Path(MESSAGE_SCHEMA).read_text()))
    validator.check_schema(validator.schema)
    described = set(validator.schema["properties"])
    for kind in validator.schema["oneOf"]:
        described |= set(kind["properties"])
    messages = [json.loads(line) for line in lines]
    for message in messages:
        validator.validate(message)
        assert set(message) <= described, message
    compact, event = messages[0], next(message for message in messages if "event" in message)
    assert "event" not in compact
    for path, value in WRONG_MESSAGES:
        assert not validator.is_valid(damage(compact, path, value)), (path, value)
    assert not validator.is_valid({**event, "event": "slept"})
    assert not validator.is_valid({**event, "rect": [0, 0, 1]})


def write_results(folder):
    """Lines that the element and the tool write of a red clip."""
    bundle = subprocess.run([MAKE_BUNDLE, folder], check=True, capture_output=True,
                            text=True).stdout.strip()
    clip, tags, compact = folder / "clip.avi", folder / "tags.jsonl", folder / "compact.jsonl"
    subprocess.run(["gst-launch-1.0", "-q", "videotestsrc", "num-buffers=3", "pattern=ball",
                    "foreground-color=0xffff0000", "!", "video/x-raw,width=64,height=48,framerate=25/1",
                    "!", "tee", "name=t", "!", "queue", "!", "jpegenc", "!", "avimux", "!", "filesink",
                    f"location={clip}", "t.", "!", "queue", "!", "videoconvert", "!",
                    "ensembleclassify", f"model={bundle}", "!", "ensemblepublish",
                    f"location={tags}", "!", "ensemblepublish", "form=compact",
                    f"location={compact}", "!", "fakesink"], check=True)
    check_messages(compact.read_text().splitlines())
    yield from (line for line in tags.read_text().splitlines() if '"gst-ensemble/result/1"' in line)
    for top in ["0", "1"]:
        yield from subprocess.run([TOOL, "classify", "-m", bundle, "--json", "--top", top, clip],
                                  check=True, capture_output=True, text=True).stdout.splitlines()


schema = json.loads(pathlib.Path(SCHEMA).read_text())
jsonschema.Draft202012Validator.check_schema(schema)
open_validator = jsonschema.Draft202012Validator(schema)
closed_validator = jsonschema.Draft202012Validator(close(schema))

with tempfile.TemporaryDirectory() as folder:
    lines = list(write_results(pathlib.Path(folder)))
assert len(lines) == 5, lines
golden = [path.read_text() for path in pathlib.Path(GOLDEN).glob("*.json")]
assert len(golden) >= 4, GOLDEN
lines += golden
results = [json.loads(line) for line in lines]
for result in results:
    closed_validator.validate(result)

whole = json.loads(pathlib.Path(GOLDEN, "with-windows.json").read_text())
for name in ["map", "embedding"]:
    whole[name] = json.loads(pathlib.Path(GOLDEN, f"with-{name}.json").read_text())[name]
open_validator.validate({**whole, "later": 1})
for path, value in WRONG:
    assert not open_validator.is_valid(damage(whole, path, value)), (path, value)
