"""Checks that includes only point towards lower layers, and that compute/ never sees GStreamer."""
import pathlib
import re
import sys

LAYERS = ["shaders", "base", "kernels", "graph", "ops", "passes", "cpu", "vulkan", "engine", "vision",
          "classify", "train", "ensemble"]
# Back ends and the engine's users don't know each other.
STRANGERS = {("vulkan", "cpu"), ("classify", "vision")}

# Headers of shaders/ are included without its name: push/…, shaders.h.
SHADERS = {"push", "shaders.h"}

root = pathlib.Path(sys.argv[1])
errors = []
for path in sorted([*(root / "shaders").rglob("*.h"), *(root / "compute").rglob("*.[ch]")]):
    folder, *parts = path.relative_to(root).parts
    layer = "shaders" if folder == "shaders" else parts[0]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        include = re.match(r'\s*#\s*include\s+["<]([^">]+)[">]', line)
        if not include:
            continue
        target = include.group(1)
        if target.startswith("gst/"):
            errors.append(f"{path}:{number}: compute/ includes GStreamer: {target}")
        first = target.split("/")[0]
        if first in SHADERS:
            first = "shaders"
        elif "/" not in target or first not in LAYERS:
            continue
        if first == "ensemble" and line.count("<"):
            continue  # public headers, <ensemble/…>
        if LAYERS.index(first) > LAYERS.index(layer) or (layer, first) in STRANGERS:
            errors.append(f"{path}:{number}: {layer} includes {target}, a layer to its right")
print("\n".join(errors))
sys.exit(1 if errors else 0)
