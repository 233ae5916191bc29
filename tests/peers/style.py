#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a style wins back, on photographs of an imitated camera; and what it makes of two real ones.

    tests/peers/style.py clothing [-s SEED,…] DATA TOOL FOLDER [-- OPTION…]
    tests/peers/style.py retina [-s SEED,…] DATA TOOL FOLDER [-- OPTION…]

DATA: the folder ENSEMBLE_TEST_DATA. FOLDER keeps pictures, networks and reports: what is there
already is not made again. OPTION…: for train-style.

clothing: camera B took the clothing photographs, camera A sees another half of the training split
through a colour matrix, a gamma of 1.3, vignetting, a blur (sigma 1) and noise (sigma 4). Accuracy of
an ensemble that was trained on B, on the test split: of B, of A, and of A adapted.

retina: camera A is a Canon CR5, camera B a Nidek NM-200-D, both at 12 pixels a degree, squares inside
the discs; 14 pictures to train on, 6 to measure. How many adapted pictures a classifier of cameras,
trained on another split, takes for B's, and how gradients at vessels correlate with the original's."""
import argparse
import json
import pathlib
import subprocess

import cv2
import numpy

MATRIX = numpy.array([[0.80, 0.25, -0.05], [0.05, 0.75, 0.10], [0.00, 0.30, 0.90]])
GAMMA, VIGNETTE, BLUR, NOISE = 1.3, 0.45, 1, 4


def run(tool, *arguments):
    result = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(result.stderr)
    return result.stdout


def imitate(path, to, random):
    """The photograph as camera A would have taken it."""
    x = cv2.imread(str(path))[:, :, ::-1] / 255.0
    x = numpy.clip(x @ MATRIX.T, 0, 1) ** GAMMA
    rows, columns = x.shape[:2]
    y, z = numpy.meshgrid(numpy.linspace(-1, 1, rows), numpy.linspace(-1, 1, columns), indexing="ij")
    x = x * (1 - VIGNETTE * (y * y + z * z) / 2)[:, :, None]
    x = cv2.GaussianBlur(x, (0, 0), BLUR) * 255 + random.normal(0, NOISE, x.shape)
    to.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(to), numpy.clip(numpy.rint(x), 0, 255).astype(numpy.uint8)[:, :, ::-1])


def pictures(folder):
    return sorted(folder.rglob("*.jpg")) + sorted(folder.rglob("*.png"))


def link(path, to):
    to.parent.mkdir(parents=True, exist_ok=True)
    to.symlink_to(path.resolve())


def make_clothing(photos, folder):
    """Folders A and B of the training split's halves, and the test split as A takes it."""
    random = numpy.random.default_rng(1)
    for i, path in enumerate(pictures(photos / "train")):
        name = f"{path.parent.name}-{path.stem}"
        if i % 2 == 0:
            imitate(path, folder / "A" / f"{name}.png", random)
        else:
            link(path, folder / "B" / f"{name}.jpg")
    for path in pictures(photos / "test"):
        imitate(path, folder / "test-A/test" / path.parent.name / f"{path.stem}.png", random)


def accuracy(tool, bundle, dataset, *options):
    report = json.loads(run(tool, "evaluate", "-m", bundle, "--json", *options, dataset))
    return report["rows"][-1]["accuracy"]


def clothing(options):
    photos, folder = options.data / "photos", options.folder
    if not (folder / "test-A").exists():
        make_clothing(photos, folder)
    bundle = folder / "clothing.ensemble"
    if not bundle.exists():
        network = options.data / "networks/squeezenet1.1.onnx"
        run(options.tool, "train", photos, "-o", bundle, "-n",
            f"{network},role=original,order=BGR,mean=104+117+123,scale=1")
    print("B", accuracy(options.tool, bundle, photos), flush=True)
    print("A", accuracy(options.tool, bundle, folder / "test-A"), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["clothing", "retina"])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("tool")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("-s", "--seeds", default="0,1,2")
    options = parser.parse_args()
    {"clothing": clothing}[options.what](options)


main()
