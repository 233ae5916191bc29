# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares examples/README.md with what there is: readme.py SOURCE-ROOT BUILD-ROOT

Every example is in its table; the tests and jobs of CI that are said to run them exist."""
import json
import pathlib
import re
import sys

source, build = (pathlib.Path(argument) for argument in sys.argv[1:])
examples = source / "examples"
errors, named = [], {"README.md", "meson.build"}
tests = {test["name"] for test in json.loads((build / "meson-info" / "intro-tests.json").read_text())}
jobs = set(re.findall(r"^  ([\w-]+):$", (source / ".github/workflows/ci.yml").read_text(), re.MULTILINE))

for line in (examples / "README.md").read_text().splitlines():
    if not line.startswith("| ["):
        continue
    _, files, _, runners, _ = line.split("|")
    named |= set(re.findall(r"\]\(([^)]+)\)", files))
    if not re.search("test|CI|by hand", runners):
        errors.append(f"examples/README.md: {files.strip()}: nothing runs it")
    for kind, names in re.findall(r"(tests?|CI:) ((?:`[^`]+`(?:, )?)+)", runners):
        for name in sorted(set(re.findall("`([^`]+)`", names)) - (jobs if kind == "CI:" else tests)):
            errors.append(f"examples/README.md: {kind} {name}: there is none")

for file in sorted(examples.rglob("*")):
    path = file.relative_to(examples)
    if file.is_file() and "__pycache__" not in path.parts and \
            not any(str(part) in named for part in (path, *path.parents)):
        errors.append(f"examples/{path}: is not in the table of examples/README.md")
for name in sorted(named):
    if not (examples / name).exists():
        errors.append(f"examples/README.md: {name}: there is none")

print("\n".join(errors))
sys.exit(1 if errors else 0)
