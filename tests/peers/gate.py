#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How well the gate of a bundle tells what it never saw, on photographs that it was not chosen by.

    tests/peers/gate.py [-n NETWORK,…] [-g KIND] DATA TOOL

DATA: the folder ENSEMBLE_TEST_DATA. Each class of the clothing photographs is left out of training in
turn. Then the photographs of the test split are classified, those of the class left out (of the
validation split, too), and photographs that have nothing to do with clothing. Of the likeliest class
of each the probability P, the similarity, and both (similarity + P / 2) are compared by how well they
tell known photographs from others (AUROC). Gates are chosen by every second COCO photograph, and
measured on the rest and on raccoons. The network of each bundle runs in the role original."""
import argparse
import json
import pathlib
import subprocess
import tempfile


SCORES = [lambda c: c["p"], lambda c: c["similarity"], lambda c: c["similarity"] + c["p"] / 2]


def auroc(known, others):
    """How often a known score is higher; ties count half."""
    pairs = sum((k > o) + (k == o) / 2 for k in known for o in others)
    return pairs / (len(known) * len(others))


def link(folder, paths):
    folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        (folder / path.name).symlink_to(path.resolve())
    return folder


def run(tool, *arguments):
    result = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(result.stderr)
    return result.stdout


def classify(tool, bundle, paths):
    """The likeliest class of each photograph."""
    lines = run(tool, "classify", "-m", bundle, "--json", *paths).splitlines()
    return [json.loads(line)["classes"][0] for line in lines]


def pictures(folder):
    return sorted(folder.glob("*.jpg"))


def measure(options, folder, left_out):
    """Trains without a class and says what becomes of all photographs."""
    photos = options.data / "photos"
    classes = [p.name for p in sorted((photos / "train").iterdir()) if p.name != left_out]
    for split in ("train", "validation"):
        for name in classes:
            link(folder / "set" / split / name, pictures(photos / split / name))
    coco = pictures(options.data / "boxes/coco")
    bundle = folder / "gate.ensemble"
    gate = ["--gate", options.gate] if options.gate else []
    run(options.tool, "train", folder / "set", "-o", bundle, "--cache", options.cache, "-w", 0,
        "--unrelated", link(folder / "unrelated", coco[1::2]), *gate, "-n",
        f"{options.network},role=original")
    gate = json.loads((bundle / "ensemble.json").read_text())["gate"]
    known = [p for name in classes for p in pictures(photos / "test" / name)]
    others = {"unrelated": coco[::2] + pictures(options.data / "boxes/raccoon/JPEGImages"),
              "left out": [p for split in ("validation", "test")
                           for p in pictures(photos / split / (left_out or "none"))]}
    found = {name: classify(options.tool, bundle, paths) for name, paths in others.items() if paths}
    return gate["kind"], classify(options.tool, bundle, known), found


def tags(classes):
    """Those that reach their threshold."""
    return [c for c in classes if c["present"] or c["withheld"]]


def share(classes, member):
    return sum(c[member] for c in classes) / max(len(classes), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", "--network", help="an ONNX file (MobileNet of DATA)")
    parser.add_argument("-g", "--gate", help="kind of gate (the best)")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("tool")
    options = parser.parse_args()
    options.network = options.network or options.data / "networks/mobilenet_v1_0.5_160.onnx"
    names = [p.name for p in sorted((options.data / "photos/train").iterdir())]
    rows = []
    print(f"{'left out':12} {'gate':20} {'known kept':>10} {'withheld':>9} {'unrelated':>9} "
          f"{'false tags/100':>16}  AUROC: P  similarity    both")
    with tempfile.TemporaryDirectory() as temporary:
        options.cache = pathlib.Path(temporary) / "cache"
        for left_out in [None] + names:
            folder = pathlib.Path(temporary) / (left_out or "all")
            kind, known, found = measure(options, folder, left_out)
            unrelated = tags(found["unrelated"])
            n = len(found["unrelated"])
            for name, others in found.items():
                figures = [auroc(*([score(c) for c in classes] for classes in (known, others)))
                           for score in SCORES]
                rows.append((name, figures))
                print(f"{left_out or '–':12} {kind:20} {1 - share(tags(known), 'withheld'):10.3f} "
                      f"{share(tags(others), 'withheld'):9.3f} {name:>9} "
                      f"{100 * len(unrelated) / n:7.1f} → {100 * share(found['unrelated'], 'present'):5.1f}"
                      f"  {figures[0]:8.3f} {figures[1]:10.3f} {figures[2]:7.3f}", flush=True)
    for name in ("unrelated", "left out"):
        chosen = [figures for row, figures in rows if row == name]
        means = [sum(column) / len(chosen) for column in zip(*chosen)]
        print(f"mean, {name}: P {means[0]:.3f}, similarity {means[1]:.3f}, both {means[2]:.3f}")


main()
