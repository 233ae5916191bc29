"""Adds up meson's test logs and prints one closing line."""
import json
import sys

count = {"passed": 0, "failed": 0, "skipped": 0}
for log in sys.argv[1:]:
    with open(log) as lines:
        for line in lines:
            result = json.loads(line)["result"]
            kind = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(result, "failed")
            count[kind] += 1
print("%d passed, %d failed, %d skipped" % (count["passed"], count["failed"], count["skipped"]))
