#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a style wins back, on photographs of an imitated camera; and what it makes of two real ones.

    tests/peers/style.py clothing [-s SEED,…] DATA TOOL FOLDER [-- OPTION…]
    tests/peers/style.py parts DATA TOOL FOLDER
    tests/peers/style.py retina [-s SEED,…] DATA TOOL FOLDER [-- OPTION…]

DATA: the folder ENSEMBLE_TEST_DATA. FOLDER keeps pictures, networks and reports: what is there
already is not made again. OPTION…: for train-style.

clothing: camera B took the clothing photographs, camera A sees another half of the training split
through a colour matrix, a gamma of 1.3, vignetting, a blur (sigma 1) and noise (sigma 4). Accuracy of
an ensemble that was trained on B, on the test split: of B, of A, and of A adapted.

parts: what each part of camera A costs alone, once clothing has made the ensemble.

retina: camera A is a Canon CR5, camera B a Nidek NM-200-D, both at 12 pixels a degree, squares inside
the discs; 14 pictures to train on, 6 to measure. How many adapted pictures a classifier of cameras,
trained on another split, takes for B's, and how gradients at vessels correlate with the original's; the
same of matched means and variances."""
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


PARTS = ("colours", "gamma", "vignetting", "blur", "noise")


def imitate(path, to, random, parts=PARTS):
    """The photograph as camera A would have taken it."""
    x = cv2.imread(str(path))[:, :, ::-1] / 255.0
    rows, columns = x.shape[:2]
    y, z = numpy.meshgrid(numpy.linspace(-1, 1, rows), numpy.linspace(-1, 1, columns), indexing="ij")
    if "colours" in parts:
        x = numpy.clip(x @ MATRIX.T, 0, 1)
    if "gamma" in parts:
        x = x ** GAMMA
    if "vignetting" in parts:
        x = x * (1 - VIGNETTE * (y * y + z * z) / 2)[:, :, None]
    if "blur" in parts:
        x = cv2.GaussianBlur(x, (0, 0), BLUR)
    x = x * 255
    if "noise" in parts:
        x = x + random.normal(0, NOISE, x.shape)
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


def train(options, style, seed, *arguments):
    """Prints what is simpler beside it."""
    if not style.exists():
        print(run(options.tool, "train-style", "-o", style, "--seed", seed, *arguments, *options.options), flush=True)


def clothing(options):
    photos, folder = options.data / "photos", options.folder
    if not (folder / "test-A").exists():
        make_clothing(photos, folder)
    bundle = folder / "clothing.ensemble"
    if not bundle.exists():
        network = options.data / "networks/squeezenet1.1.onnx"
        run(options.tool, "train", photos, "-o", bundle, "-n",
            f"{network},role=original,order=BGR,mean=104+117+123,scale=1")
    most = accuracy(options.tool, bundle, photos)
    least = accuracy(options.tool, bundle, folder / "test-A")
    print(f"B {most:.3f}, A {least:.3f}", flush=True)
    for seed in options.seeds:
        style = bundle / f"styles/a-{seed}.onnx"
        train(options, style, seed, "--from", folder / "A", "--to", folder / "B", "-m", bundle,
              "--test", folder / "test-A", "-r", folder / f"a-{seed}.html")
        adapted = accuracy(options.tool, bundle, folder / "test-A", "--style", style.stem)
        print(f"A by {style.stem} {adapted:.3f}: {(adapted - least) / (most - least):.2f} of the loss won back",
              flush=True)


def parts(options):
    photos, bundle = options.data / "photos", options.folder / "clothing.ensemble"
    for some in [[part] for part in PARTS] + [["blur", "noise"]]:
        folder, random = options.folder / "-".join(some), numpy.random.default_rng(1)
        for path in pictures(photos / "test"):
            imitate(path, folder / "test" / path.parent.name / f"{path.stem}.png", random, some)
        print(f"{' and '.join(some)} {accuracy(options.tool, bundle, folder):.3f}", flush=True)


# Pixels of the inscribed squares, at 12 pixels a degree.
SQUARES = {"A": 376, "B": 240}
CROP = 80


def cut(path, camera):
    """The square in the middle of the disc, at the common scale."""
    x = cv2.imread(str(path))
    if camera == "B":
        x = cv2.resize(x, None, fx=0.375, fy=0.375, interpolation=cv2.INTER_AREA)
    top, left = ((n - SQUARES[camera]) // 2 for n in x.shape[:2])
    return x[top:top + SQUARES[camera], left:left + SQUARES[camera]]


def retina_files(data):
    """Of both cameras in an order in which the two eyes of a person are neighbours."""
    cameras = {"A": "drive_canon_cr5", "B": "chase_nidek_nm200d"}
    return {c: sorted((data / "cameras" / name).glob("*.jpg")) for c, name in cameras.items()}


def crops(x, camera):
    """Without the middle of B's pictures, where the optic disc is: A looks beside it."""
    n = x.shape[0] // CROP
    return [x[i * CROP:(i + 1) * CROP, j * CROP:(j + 1) * CROP] for i in range(n) for j in range(n)
            if camera == "A" or i != 1 or j != 1]


def write(path, x):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), x)


def make_retina(files, folder):
    """The first 14 of each camera to train the style on; crops of the last 14 for the classifier."""
    for camera, paths in files.items():
        for i, path in enumerate(paths):
            x = cut(path, camera)
            if i < 14 and camera == "A":
                write(folder / "A" / f"{path.stem}.png", x)
            for k, crop in enumerate(crops(x, camera)):
                split = "train" if i >= 6 else "test"
                write(folder / "cameras" / split / camera / f"{path.stem}-{k}.png", crop)
                if i < 14 and camera == "B":
                    write(folder / "B" / f"{path.stem}-{k}.png", crop)


def bytes_of(x):
    return numpy.clip(numpy.rint(x), 0, 255).astype(numpy.uint8)


def adapt_by(style):
    """What the style makes of a picture."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(style))

    def adapt(x):
        pixels = x[:, :, ::-1].astype(numpy.float32).transpose(2, 0, 1)[None]
        y = session.run(None, {session.get_inputs()[0].name: pixels})[0][0].transpose(1, 2, 0)
        return bytes_of(y)[:, :, ::-1]

    return adapt


def match_means(folder):
    """The same of means and variances of the training pictures' channels."""
    pixels = [numpy.concatenate([cv2.imread(str(path)).reshape(-1, 3) for path in pictures(folder / camera)])
              for camera in "AB"]
    (a, b), (from_, to) = ([x.mean(0) for x in pixels], [x.std(0) for x in pixels])
    return lambda x: bytes_of((x - a) * to / from_ + b)


def gradients(x):
    grey = x.astype(numpy.float64)[:, :, 1]
    return numpy.hypot(cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1))


def measure_retina(options, bundle, name, adapt, paths):
    folder = options.folder / f"adapted-{name}"
    correlations, rows = [], []
    for path in paths:
        x = cut(path, "A")
        y = adapt(x)
        mask = cut(path.with_name(f"{path.stem}_vessels.png"), "A")[:, :, 0] > 127
        correlations.append(numpy.corrcoef(gradients(x)[mask], gradients(y)[mask])[0, 1])
        rows.append(numpy.hstack([x, y]))
        for k, crop in enumerate(crops(y, "A")):
            write(folder / "test/B" / f"{path.stem}-{k}.png", crop)
    write(options.folder / f"sheet-{name}.png", numpy.vstack(rows))
    print(f"{name}: taken for B {accuracy(options.tool, bundle, folder):.3f}, gradients at vessels correlate with "
          f"{numpy.mean(correlations):.3f} ({min(correlations):.3f} at least)", flush=True)


def retina(options):
    files, folder = retina_files(options.data), options.folder
    if not (folder / "cameras").exists():
        make_retina(files, folder)
    bundle = folder / "cameras.ensemble"
    network = f"{options.data}/networks/squeezenet1.1.onnx,role=original,order=BGR,mean=104+117+123,scale=1"
    if not bundle.exists():
        run(options.tool, "train", folder / "cameras", "-o", bundle, "-n", network)
    print(f"cameras told apart {accuracy(options.tool, bundle, folder / 'cameras'):.3f}", flush=True)
    measure_retina(options, bundle, "means", match_means(folder), files["A"][14:])
    for seed in options.seeds:
        style = folder / f"retina-{seed}.onnx"
        train(options, style, seed, "--from", folder / "A", "--to", folder / "B", "-n", network,
              "--sizes", f"{SQUARES['A']},{CROP}", "--crop", "32", "--crops", "6", "-r", folder / f"retina-{seed}.html")
        measure_retina(options, bundle, style.stem, adapt_by(style), files["A"][14:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["clothing", "parts", "retina"])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("tool")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("options", nargs="*", help="for train-style, behind --")
    parser.add_argument("-s", "--seeds", type=lambda text: text.split(","), default=["0", "1", "2"])
    options = parser.parse_args()
    {"clothing": clothing, "parts": parts, "retina": retina}[options.what](options)


main()
