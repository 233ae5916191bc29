# SPDX-License-Identifier: LGPL-2.1-or-later
"""Looks at what the tool says of itself: help fits a screen, the manual page renders without a
warning, and shells complete command lines.

documents.py SOURCE-ROOT TOOL MANUAL BASH FISH ZSH
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT, TOOL, MANUAL, BASH, FISH, ZSH = sys.argv[1:]
WIDTH, HEIGHT = 80, 24

failures = []
skipped = []


def run(*arguments, **environment):
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8", **environment}, timeout=60)


def expect(condition, what):
    if not condition:
        failures.append(what)


def commands():
    lines = run(TOOL, "--help").stdout.splitlines()
    return [line.split()[0] for line in lines if line.startswith("  ")]


def check_help():
    for arguments in [["--help"]] + [[command, "--help"] for command in commands()]:
        result = run(TOOL, *arguments)
        lines = result.stdout.splitlines()
        expect(result.returncode == 0 and not result.stderr, f"{arguments}: {result.stderr}")
        expect(0 < len(lines) <= HEIGHT, f"{arguments}: {len(lines)} lines")
        for line in lines:
            expect(len(line) <= WIDTH, f"{arguments}: {len(line)} columns: {line}")
            expect(line == line.rstrip(), f"{arguments}: spaces at the end: {line}")


def check_variables():
    """What is read from the environment is what users are told of."""
    read = {name for folder in ("compute", "gst")
            for path in pathlib.Path(ROOT, folder).rglob("*.c") if path.name != "terms.c"
            for name in re.findall(r'"(ENSEMBLE_\w+)"', path.read_text())}
    page = pathlib.Path(MANUAL).read_text()
    told = set(re.findall(r"ENSEMBLE_\w+", page))
    expect(read == told, f"environment variables: read {sorted(read)}, in the manual {sorted(told)}")
    for name in ["vulkan:N", "+float16"]:
        expect(name in run(TOOL, "devices", "--help").stdout and name in page, f"no device {name}")


def check_manual():
    if not shutil.which("man") or not shutil.which("groff"):
        skipped.append("man and groff")
        return
    rendered = run("man", "--warnings=all", "-l", MANUAL, MANWIDTH="80", MAN_KEEP_FORMATTING="")
    expect(rendered.returncode == 0 and not rendered.stderr, f"man: {rendered.stderr}")
    for command in commands():
        expect(f"\n   {command}\n" in rendered.stdout, f"man: no section {command}")
        for line in run(TOOL, command, "--help").stdout.splitlines():
            words = line.split()
            names = [word.split("=")[0] for word in words[:2] if word.startswith("--")]
            for name in names if line.startswith("  ") else []:
                expect(name in rendered.stdout, f"man: no {name} of {command}")


# What is typed, and a completion among those offered.
ROWS = [
    (["tra"], "train"),
    (["train", "--wind"], "--windows-preset"),
    (["train", "--windows-preset", "ba"], "balanced"),
    (["evaluate", "-s", "val"], "validation"),
    (["classify", "-d", ""], "vulkan"),
]

# As bash splits it; files; nothing of another command.
BASH_ROWS = ROWS + [
    (["train", "--windows-preset", "=", "qu"], "quality"),
    (["inspect", "net"], "network.onnx"),
    (["help", "ins"], "inspect"),
]


def complete_in_bash(words, folder):
    quoted = " ".join(f"'{word}'" for word in ["gst-ensemble-1.0", *words])
    script = (f"source '{BASH}'; cd '{folder}'; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; "
              "_gst_ensemble; printf '%s\\n' \"${COMPREPLY[@]}\"")
    return run("bash", "-c", script)


def check_bash(folder):
    for words, expected in BASH_ROWS:
        result = complete_in_bash(words, folder)
        offered = result.stdout.split("\n")
        expect(expected in offered and not result.stderr,
               f"bash: {words}: no {expected} among {offered} {result.stderr}")
    expect("notes.txt" not in complete_in_bash(["inspect", "n"], folder).stdout,
           "bash: inspect takes networks only")


def check_fish():
    if not shutil.which("fish"):
        skipped.append("fish")
        return
    for words, expected in ROWS:
        typed = " ".join(["gst-ensemble-1.0", *words])
        result = run("fish", "--no-config", "-c", f"source '{FISH}'; complete -C '{typed}'")
        offered = [line.split("\t")[0] for line in result.stdout.splitlines()]
        expect(expected in offered and not result.stderr,
               f"fish: {words}: no {expected} among {offered} {result.stderr}")


def check_zsh():
    if not shutil.which("zsh"):
        skipped.append("zsh")
        return
    result = run("zsh", "-f", "-n", ZSH)
    expect(result.returncode == 0, f"zsh: {result.stderr}")


def main():
    check_help()
    check_variables()
    check_manual()
    with tempfile.TemporaryDirectory() as folder:
        for name in ["network.onnx", "notes.txt"]:
            (pathlib.Path(folder) / name).touch()
        check_bash(folder)
    check_fish()
    check_zsh()
    print("\n".join(failures + [f"skipped: no {name}" for name in skipped]))
    return 1 if failures else 0


sys.exit(main())
