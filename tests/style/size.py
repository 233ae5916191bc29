# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks that functions and files stay short enough to be read at once: size.py SOURCE-ROOT [--list]

A function's length counts the lines between its braces. Tables of data are no functions.
"""
import pathlib
import re
import statistics
import sys

FOLDERS = ["compute", "gst", "examples", "include", "tests"]
MEDIAN, NINE_OF_TEN, FILE = 12, 30, 700

# A function's name and its braces stand at the start of a line.
FUNCTION = re.compile(r"^(\w+) \((?:(?!\n\n)[^;{}])*\)\n\{\n(.*?)^\}$", re.MULTILINE | re.DOTALL)


root = pathlib.Path(sys.argv[1])
paths = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.[ch]"))]
texts = {path.relative_to(root): path.read_text() for path in paths}
lengths = sorted((body.count("\n"), f"{path}: {name}") for path, text in texts.items()
                 for name, body in FUNCTION.findall(text))
files = sorted((text.count("\n"), str(path)) for path, text in texts.items())
counts = [length for length, _ in lengths]
median, ninetieth = statistics.median(counts), counts[len(counts) * 9 // 10]
print(f"{len(counts)} functions: median {median:g} lines, 90 % have at most {ninetieth}; "
      f"longest file: {files[-1][0]} lines, {files[-1][1]}")
if sys.argv[2:] == ["--list"]:
    for length, name in reversed(lengths[-40:] + [(-1, "")] + files[-25:]):
        print(f"{length:5} {name}")

errors = [f"{path}: {length} lines, more than {FILE}" for length, path in files if length > FILE]
if median > MEDIAN:
    errors.append(f"median function: {median:g} lines, more than {MEDIAN}")
if ninetieth > NINE_OF_TEN:
    errors.append(f"one function in ten has more than {NINE_OF_TEN} lines: {ninetieth}")
print("\n".join(errors))
sys.exit(1 if errors else 0)
