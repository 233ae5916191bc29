# SPDX-License-Identifier: LGPL-2.1-or-later
"""Adds up meson's test logs: prints what the fuzzers did, and one closing line that counts cases."""
import json
import re
import sys

KINDS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}


def results(test):
    """What became of each case that a test reports as TAP, or of the test as a whole."""
    whole = KINDS.get(test["result"], "failed")
    cases = ["failed" if line.startswith("not") else "skipped" if " # SKIP" in line else "passed"
             for line in re.findall(r"^(?:not )?ok \d.*", test.get("stdout", ""), re.MULTILINE)]
    if whole == "failed" and "failed" not in cases:
        cases.append("failed")
    return cases or [whole]


count = {"passed": 0, "failed": 0, "skipped": 0}
for log in sys.argv[1:]:
    with open(log) as lines:
        for line in lines:
            test = json.loads(line)
            for said in test.get("stdout", "").splitlines():
                if said.startswith("fuzz "):
                    print(said)
            for kind in results(test):
                count[kind] += 1
print("%d passed, %d failed, %d skipped" % (count["passed"], count["failed"], count["skipped"]))
