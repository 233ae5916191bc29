"""Adds up meson's test logs: prints what the fuzzers did, and one closing line."""
import json
import sys

count = {"passed": 0, "failed": 0, "skipped": 0}
for log in sys.argv[1:]:
    with open(log) as lines:
        for line in lines:
            test = json.loads(line)
            kind = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(test["result"],
                                                                                    "failed")
            for said in test.get("stdout", "").splitlines():
                if said.startswith("fuzz "):
                    print(said)
            count[kind] += 1
print("%d passed, %d failed, %d skipped" % (count["passed"], count["failed"], count["skipped"]))
