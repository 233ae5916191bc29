# SPDX-License-Identifier: LGPL-2.1-or-later
"""Selective search beside OpenCV's fast mode, in the same minute on the same machine.

usage: selective-search.py TIME_WINDOWS [--boxes CSV] [--images N] [--timed N] [--check]

Recall on photographs with boxes: of the best 100, the best 1000 and all windows, at two thresholds
of intersection over union; OpenCV's in its own order and, since that is worse than chance, shuffled
(the mean of five). Time at 640×480 on one thread: the fastest of three runs, mean over images. With
--check the exit status says whether balanced is 100 times as fast with no lower recall.
"""
import argparse
import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import time

try:
    import cv2
    import numpy as np

    cv2.ximgproc.segmentation
except (ImportError, AttributeError) as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

PRESETS = ["fast", "balanced", "quality"]
LISTS = [100, 1000, None]
THRESHOLDS = [0.5, 0.7]
SHUFFLES = 5
REPEATS = 3
SIZE = (640, 480)


def read_boxes(path):
    """File name → boxes (x0, y0, x1, y1)."""
    boxes = {}
    with open(path, newline="") as lines:
        for row in csv.DictReader(lines):
            box = [float(row[name]) for name in ("xmin", "ymin", "xmax", "ymax")]
            boxes.setdefault(row["file"], []).append(box)
    return {name: np.array(rows) for name, rows in boxes.items()}


def overlaps(windows, boxes):
    """Intersection over union of every window (x, y, width, height) with every box."""
    begin = np.maximum(windows[:, None, :2], boxes[None, :, :2])
    end = np.minimum((windows[:, :2] + windows[:, 2:])[:, None], boxes[None, :, 2:])
    common = np.clip(end - begin, 0, None).prod(2)
    areas = windows[:, 2:].prod(1)[:, None] + (boxes[:, 2:] - boxes[:, :2]).prod(1)[None]
    return common / (areas - common)


def measure_recall(found, boxes, generator=None):
    """One row of recalls: by list, then by threshold. With a generator, of shuffled lists."""
    hits = np.zeros((len(LISTS), len(THRESHOLDS)))
    total = 0
    for name, windows in found.items():
        if generator is not None:
            windows = generator.permutation(windows)
        overlap = overlaps(windows, boxes[name])
        for i, size in enumerate(LISTS):
            best = overlap[:size].max(0)
            hits[i] += [(best >= threshold).sum() for threshold in THRESHOLDS]
        total += len(boxes[name])
    return (hits / total).ravel()


def search_opencv(image):
    search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
    start = time.perf_counter()
    search.setBaseImage(image)
    search.switchToSelectiveSearchFast()
    windows = search.process()
    return np.array(windows, float), (time.perf_counter() - start) * 1e3


def search_ours(program, preset, folder, images, repeats):
    """Writes the images to PPM files; returns name → windows and the mean time."""
    paths = {}
    for name, image in images.items():
        paths[str(folder / (pathlib.Path(name).stem + ".ppm"))] = name
        cv2.imwrite(str(folder / (pathlib.Path(name).stem + ".ppm")), image)
    lines = iter(subprocess.run([program, preset, "1", str(repeats), *paths], check=True, text=True,
                                stdout=subprocess.PIPE).stdout.splitlines())
    found, times = {}, []
    for line in lines:
        path, milliseconds, n = line.rsplit(" ", 2)
        rows = [[float(value) for value in next(lines).split()] for _ in range(int(n))]
        found[paths[path]] = np.array(rows)
        times.append(float(milliseconds))
    return found, np.mean(times)


def print_row(name, milliseconds, peer, windows, recalls):
    ratio = f"{peer / milliseconds:9.0f}" if milliseconds else " " * 9
    speed = f"{milliseconds:9.2f}" if milliseconds else " " * 9
    columns = "".join(f"{value:8.3f}" for value in recalls)
    print(f"{name:24}{speed}{ratio}{windows:9.0f} {columns}")


def main():
    data = os.environ.get("ENSEMBLE_TEST_DATA")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--boxes", default=data and f"{data}/boxes/coco.csv")
    parser.add_argument("--images", type=int, default=10**6)
    parser.add_argument("--timed", type=int, default=8)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    if not arguments.boxes or not os.path.exists(arguments.boxes):
        print("skipped: no photographs with boxes (ENSEMBLE_TEST_DATA)")
        sys.exit(77)

    cv2.setNumThreads(1)
    boxes = read_boxes(arguments.boxes)
    folder = pathlib.Path(arguments.boxes).with_suffix("")
    names = sorted(boxes)[:arguments.images]
    boxes = {name: boxes[name] for name in names}
    images = {name: cv2.imread(str(folder / name)) for name in names}
    timed = {name: cv2.resize(images[name], SIZE) for name in names[:arguments.timed]}

    opencv = {name: search_opencv(image)[0] for name, image in images.items()}
    peer = np.mean([min(search_opencv(image)[1] for _ in range(REPEATS))
                    for image in timed.values()])
    rows = {}
    with tempfile.TemporaryDirectory() as temporary:
        for preset in PRESETS:
            ppm = pathlib.Path(temporary)
            _, speed = search_ours(arguments.program, preset, ppm, timed, REPEATS)
            found, _ = search_ours(arguments.program, preset, ppm, images, 1)
            rows[preset] = (speed, found)

    print(f"{len(names)} photographs, {sum(map(len, boxes.values()))} boxes; "
          f"time at {SIZE[0]}×{SIZE[1]}, one thread; recall at IoU .5 and .7")
    print(f"{'':24}{'ms':>9}{'× faster':>9}{'windows':>9} "
          f"{'best 100':>16}{'best 1000':>16}{'all':>16}")
    count = np.mean([len(windows) for windows in opencv.values()])
    own = measure_recall(opencv, boxes)
    generator = np.random.default_rng(1)
    shuffled = np.mean([measure_recall(opencv, boxes, generator) for _ in range(SHUFFLES)], 0)
    print_row("OpenCV fast", peer, peer, count, own)
    print_row("OpenCV fast, shuffled", None, peer, count, shuffled)
    recalls = {}
    for preset, (speed, found) in rows.items():
        recalls[preset] = measure_recall(found, boxes)
        print_row(preset, speed, peer, np.mean([len(w) for w in found.values()]), recalls[preset])
    if arguments.check:
        bar = np.maximum(own, shuffled)[:4]
        sys.exit(not (peer / rows["balanced"][0] >= 100 and (recalls["balanced"][:4] >= bar).all()))


main()
