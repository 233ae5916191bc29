# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks what README.md and its kin tell people to type and to read: readme.py SOURCE-ROOT TOOL

README.md is short; files that the documents name exist; sub-commands and options of the tool, options
of meson, elements and their properties are known.
"""
import pathlib
import re
import shlex
import subprocess
import sys

MOST_LINES = 150
FOLDERS = ("compute", "gst", "shaders", "include", "tests", "examples", ".github")

root, tool = pathlib.Path(sys.argv[1]), sys.argv[2]
errors = []


def output_of(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout if result.returncode == 0 else ""


def commands(text):
    """Lists of words: the indented lines that can be split as a shell does."""
    block = "\n".join(line[4:] for line in text.split("\n") if line.startswith("    "))
    for line in block.replace("\\\n", " ").split("\n"):
        try:
            yield shlex.split(line, comments=True)
        except ValueError:  # not a command
            pass


def check_tool(words):
    """words: a sub-command and what follows."""
    known = output_of(tool, words[0], "--help") if words else output_of(tool, "--help")
    if not known:
        errors.append(f"{where}: {tool} has no {words[0]}")
    for word in words[1:]:
        option = re.match(r"--?[a-z][a-z-]*", word)
        if word in ("|", ">", "&&"):
            break
        if option and not re.search(rf"(^|[\s,]){option[0]}\b", known):
            errors.append(f"{where}: {words[0]} has no option {option[0]}")


def check_pipeline(words):
    for i, word in enumerate(words):
        if not word.startswith("ensemble") or words[i - 1] != "!":
            continue
        known = output_of("gst-inspect-1.0", word)
        if not known:
            errors.append(f"{where}: there is no element {word}")
        for follower in words[i + 1:]:
            if follower == "!":
                break
            name = follower.split("=")[0]
            if not re.search(rf"^  {re.escape(name)} +: ", known, re.MULTILINE):
                errors.append(f"{where}: {word} has no property {name}")


def check_command(words):
    if "gst-ensemble-1.0" in words:
        check_tool(words[words.index("gst-ensemble-1.0") + 1:])
    if "gst-launch-1.0" in words:
        check_pipeline(words)
    if words[0] in ("sh", "python3") and "/" in words[1] and not (root / words[1]).is_file():
        errors.append(f"{where}: {words[1]} does not exist")
    for option in (word[2:].split("=")[0] for word in words if words[0] == "meson" and word.startswith("-D")):
        if not re.match("b_|werror|c_", option) and f"option('{option}'" not in options:
            errors.append(f"{where}: meson has no option {option}")


def check_paths(text, folder):
    links = [folder / link for link in re.findall(r"\]\(([^):]+)\)", text)]
    named = re.findall(r"`([\w.-]+/[\w./-]+)`", text) + re.findall(r"(?:^|\s)((?:tests|examples)/[\w./-]+\.\w+)", text)
    for path in links + [root / name for name in named if name.split("/")[0] in FOLDERS and "STEM" not in name]:
        if not path.exists():
            errors.append(f"{where}: {path} does not exist")


options = (root / "meson_options.txt").read_text()
readme_lines = len((root / "README.md").read_text().split("\n")) - 1
if readme_lines > MOST_LINES:
    errors.append(f"README.md: {readme_lines} lines, more than {MOST_LINES}")
documents = [path for folder in (".", *FOLDERS) for path in
             ((root / folder).glob("*.md") if folder == "." else (root / folder).rglob("*.md"))]
for document in documents:
    where = document.relative_to(root)
    check_paths(document.read_text(), document.parent)
    for command in commands(document.read_text()):
        if command:
            check_command(command)
print("\n".join(errors))
sys.exit(1 if errors else 0)
