# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks that includes point to lower layers only, and which headers gst/ and examples/ may use."""
import pathlib
import re
import sys

# Left to right, as they may include each other; folders of one group don't know each other.
LAYERS = [["base"], ["shaders"], ["kernels"], ["graph"], ["ops"], ["onnx", "passes"], ["vision"],
          ["cpu", "vulkan"], ["engine"], ["classify"], ["ensemble", "dataset"], ["networks"], ["train"]]
RANK = {folder: rank for rank, group in enumerate(LAYERS) for folder in group}
INSTALLED = "installed"  # include/: <ensemble/...>, <gst/ensemble/...>

# What elements and the tool are written against: frames, networks as they are loaded and run, the
# ensemble, data sets and what learns. How plans run is none of their business.
GST_MAY = {"base", "vision", "onnx", "engine", "classify", "ensemble", "dataset", "networks", "train"}
GST_TOOL_MAY = GST_MAY | {"kernels", "graph"}  # inspect prints graphs, benchmark the processor's peak

root = pathlib.Path(sys.argv[1])
errors = []


def includes(path):
    """Line, folder and path of each include of a header of this project."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
        if not found:
            continue
        bracket, target = found.groups()
        first = target.split("/")[0]
        if target.startswith("gst/") or bracket == "<" and first == "ensemble":
            yield number, INSTALLED, target
        elif first in ("push", "shaders.h"):  # included without their folder's name
            yield number, "shaders", target
        elif "/" in target and first in RANK:
            yield number, first, target


def check_compute(path, layer):
    for number, folder, target in includes(path):
        if target.startswith("gst/"):
            errors.append(f"{path}:{number}: compute/ includes GStreamer: {target}")
        elif folder != INSTALLED and folder != layer and RANK[folder] >= RANK[layer]:
            errors.append(f"{path}:{number}: {layer} includes {target}, which is not to its left")


def check_gst(path, allowed):
    for number, folder, target in includes(path):
        if folder == INSTALLED:
            continue
        if folder not in allowed:
            errors.append(f"{path}:{number}: {path.parent.name} includes {target}: not for gst/")
        elif target.endswith("-private.h"):
            errors.append(f"{path}:{number}: {target} is private to compute/{folder}")


for path in sorted((root / "shaders").rglob("*.h")):
    check_compute(path, "shaders")
for path in sorted((root / "compute").rglob("*.[ch]")):
    check_compute(path, path.relative_to(root).parts[1])
for path in sorted((root / "gst").rglob("*.[ch]")):
    check_gst(path, GST_TOOL_MAY if "tool" in path.parts else GST_MAY)
for path in sorted((root / "examples").rglob("*.[ch]")):
    check_gst(path, set())
print("\n".join(errors))
sys.exit(1 if errors else 0)
