#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How many frames of a clip are analysed with `motion`, and whether their tags agree with those of
analysing every frame.

measure-motion.py [--properties TEXT] [--motion SHARE]... CLIP BUNDLE

Agreement is the share of frame and class pairs of which it is the same whether the class is present,
in the result that the frame carries. GST_PLUGIN_PATH finds the plug-in.
"""
import argparse
import json
import subprocess
import tempfile
import time


def run(clip, bundle, properties):
    """The lines of a run by pts, and its seconds."""
    with tempfile.NamedTemporaryFile() as results:
        begin = time.monotonic()
        subprocess.run(
            ["gst-launch-1.0", "-q", "filesrc", f"location={clip}", "!", "decodebin", "!",
             "videoconvert", "!", "ensembleclassify", f"model={bundle}", "device=cpu", "mode=sync",
             *properties.split(), "!", "ensemblepublish", f"location={results.name}", "!",
             "fakesink"], check=True)
        lines = [json.loads(line) for line in open(results.name, encoding="utf-8")]
        # Events have lines of their own.
        results_by_pts = {line["pts"]: line for line in lines if "classes" in line}
        return results_by_pts, time.monotonic() - begin


def present(line):
    return {c["name"] for c in line["classes"] if c["present"]}


def agreement(everything, some):
    n_same = n = 0
    carried = None
    for pts, line in sorted(everything.items()):
        carried = some.get(pts, carried)
        n += len(line["classes"])
        n_same += len(line["classes"]) - len(present(line) ^ present(carried))
    return n_same / n


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--motion", action="append", default=[])
    parser.add_argument("--properties", default="", help="of ensembleclassify, for all runs")
    parser.add_argument("clip")
    parser.add_argument("bundle")
    arguments = parser.parse_args()
    everything, seconds = run(arguments.clip, arguments.bundle, arguments.properties)
    tags = sum(len(present(line)) for line in everything.values()) / len(everything)
    print(f"all: {len(everything)} frames, {tags:.2f} present classes a frame, {seconds:.1f} s")
    for motion in arguments.motion or ["0.002"]:
        some, seconds = run(arguments.clip, arguments.bundle,
                            f"{arguments.properties} motion={motion}")
        print(f"motion={motion}: {len(some)} frames ({len(some) / len(everything):.1%}), agreement "
              f"{agreement(everything, some):.2%}, {seconds:.1f} s")


main()
