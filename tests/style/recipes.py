# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks the recipes of .github/CONTRIBUTING.md: recipes.py SOURCE-ROOT

A recipe is a section with a line "Example: `NAME`" and a table of files. Each file exists and has the
example's name in its path or in its text; and no other source has that name, so that nothing is
missing from the list.
"""
import pathlib
import re
import sys

SOURCES = ["compute", "shaders", "gst", "include"]
SUFFIXES = {".c", ".h", ".comp", ".glsl", ".build"}

root = pathlib.Path(sys.argv[1])
document = root / ".github" / "CONTRIBUTING.md"
# An application: it uses elements, and is no part of one.
APPLICATION = "gst/tool/watch"
errors = []


def recipes():
    """Title, name of the example and files of each recipe."""
    for section in re.split(r"^##+ ", document.read_text(), flags=re.MULTILINE)[1:]:
        example = re.search(r"^Example: `([^`]+)`$", section, re.MULTILINE)
        if example:
            files = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
            yield section.split("\n")[0], example[1], [name.replace("STEM", example[1]) for name in files]


def spellings(name):
    """a-name, a_name, aname, A_NAME, A (name): a name as files, C, GStreamer and lists have it."""
    return re.compile(r"(?<![a-z])" + name.replace("-", "[-_ (]{0,2}") + r"(?![a-z])", re.IGNORECASE)


def check(title, name, files):
    pattern = spellings(name)
    for path in files:
        if not (root / path).is_file():
            errors.append(f"{title}: {path} does not exist")
        elif not pattern.search(path) and not pattern.search((root / path).read_text()):
            errors.append(f"{title}: {path} does not know “{name}”")
    for path in sorted(path for folder in SOURCES for path in (root / folder).rglob("*")):
        relative = str(path.relative_to(root))
        if path.suffix not in SUFFIXES or relative in files or relative.startswith(APPLICATION):
            continue
        if pattern.search(path.read_text()):
            errors.append(f"{title}: {relative} knows “{name}”, but the recipe does not name it")


found = list(recipes())
for recipe in found:
    check(*recipe)
if len(found) < 4:
    errors.append(f"{document}: {len(found)} recipes")
print("\n".join(errors))
sys.exit(1 if errors else 0)
