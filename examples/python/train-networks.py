#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trains the two small networks of the quickstart, examples/networks/*.onnx, on drawn pictures.

original.onnx   knows other things than the quickstart's classes, and the places where things are
                met: a general network, as one from the public collections would be.
retrained.onnx  knows the quickstart's classes, on whole pictures and on windows.

Needs Debian's python3-torch, python3-pil and python3-onnx, and about ten minutes of one processor:

    examples/python/train-networks.py build/tests/scenes/draw-scenes
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree

import numpy as np
import onnx
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

SIZE = 96  # of windows
MEAN, SCALE = 127.5, 1 / 64
CLASSES = ["balloon", "boat", "car", "fish", "flower", "house", "person", "tree"]
STRANGERS = ["bicycle", "bird", "butterfly", "clock", "cup", "guitar", "key", "lamp", "mushroom",
             "plane", "star", "umbrella"]
PLACES = ["meadow", "sky", "sea", "street", "desert", "room", "underwater", "forest", "cobbles",
          "fabric", "plaster"]


# ---- Pictures ----

class Picture:
    """A drawn picture, the boxes of its things and its place."""

    def __init__(self, folder, name):
        root = ElementTree.parse(folder / "Annotations" / f"{name}.xml").getroot()
        self.image = Image.open(folder / "JPEGImages" / f"{name}.jpg").convert("RGB")
        self.place = root.findtext("source/image")
        self.things = []
        for thing in root.iter("object"):
            x1, y1, x2, y2 = (float(thing.findtext(f"bndbox/{side}"))
                              for side in ("xmin", "ymin", "xmax", "ymax"))
            hidden = thing.findtext("difficult") == "1"
            self.things.append((thing.findtext("name"), (x1 - 1, y1 - 1, x2, y2), hidden))

    def target(self, labels, window):
        """Per label the share of a thing's box inside the window (the place's is 1), and how much
        the label counts: not at all where a thing is hardly to be seen."""
        target, weight = np.zeros((2, len(labels)), np.float32)
        weight += 1
        if self.place in labels:
            target[labels.index(self.place)] = 1
        for name, (x1, y1, x2, y2), hidden in self.things:
            if name not in labels:
                continue
            width = min(x2, window[2]) - max(x1, window[0])
            height = min(y2, window[3]) - max(y1, window[1])
            share = max(0, width) * max(0, height) / ((x2 - x1) * (y2 - y1))
            i = labels.index(name)
            target[i] = max(target[i], share)
            if hidden and share > 0:
                weight[i] = 0
        return target, weight


def draw(program, kinds, seed, n_train, n_validation):
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        subprocess.run([program, "boxes", folder, f"--kinds={kinds}", f"--seed={seed}", "--size=160",
                        f"--train={n_train}", f"--validation={n_validation}", "--test=0"], check=True)
        return [[Picture(folder, name) for name in
                 (folder / "ImageSets" / "Main" / f"{split}.txt").read_text().split()]
                for split in ("train", "val")]


def choose_window(picture, random, difficulty):
    """One thing and a little of what is round it, a whole picture (a square of it, keeping the
    aspect ratio), or anything. difficulty, from 0 to 1: at first nearly all windows fit one thing
    closely, which is what networks learn shapes from soonest."""
    width, height = picture.image.size
    fitting, choice = 0.95 - 0.45 * difficulty, random.random()
    if choice < fitting and picture.things:
        x1, y1, x2, y2 = picture.things[random.integers(len(picture.things))][1]
        w, h = (np.array([x2 - x1, y2 - y1]) * random.uniform(0.9, 1.3 + 0.4 * difficulty, 2))
        x = (x1 + x2 - w) / 2 + w * random.uniform(-0.1, 0.1)
        y = (y1 + y2 - h) / 2 + h * random.uniform(-0.1, 0.1)
    elif choice < (1 + fitting) / 2:
        w = h = min(width, height)
        x, y = random.uniform(0, width - w), random.uniform(0, height - h)
    else:
        w, h = width * random.uniform(0.15, 0.9), height * random.uniform(0.15, 0.9)
        x, y = random.uniform(0, width - w), random.uniform(0, height - h)
    return max(0, x), max(0, y), min(width, x + w), min(height, y + h)


def batch(pictures, labels, random, difficulty):
    inputs = np.empty((len(pictures), 3, SIZE, SIZE), np.float32)
    targets, weights = np.empty((2, len(pictures), len(labels)), np.float32)
    for i, picture in enumerate(pictures):
        window = choose_window(picture, random, difficulty)
        crop = picture.image.resize((SIZE, SIZE), Image.BILINEAR, box=window)
        pixels = (np.asarray(crop, np.float32) - MEAN) * SCALE
        pixels = pixels * random.uniform(0.7, 1.3, 3) + random.uniform(-0.2, 0.2)
        inputs[i] = pixels[:, ::random.choice([-1, 1])].transpose(2, 0, 1)
        targets[i], weights[i] = picture.target(labels, window)
    inputs = torch.from_numpy(inputs).contiguous(memory_format=torch.channels_last)
    return inputs, torch.from_numpy(targets), torch.from_numpy(weights)


# ---- Networks ----

def convolution(inputs, outputs, size=3, stride=1, groups=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
                         nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """Two 3×3 convolutions and a shortcut (He et al., Deep Residual Learning, CVPR 2016)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride)
        self.second = convolution(outputs, outputs)
        self.shortcut = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.shortcut = convolution(inputs, outputs, 1, stride)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class Fire(nn.Module):
    """Squeeze, then expand by a 1×1 and a depthwise 3×3 convolution side by side: SqueezeNet's fire
    module (Iandola et al., 2016) with MobileNet's depthwise convolutions (Howard et al., 2017)."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        half = outputs // 2
        self.squeeze = convolution(inputs, half, 1)
        self.depthwise = convolution(half, half, 3, stride, half)
        self.pool = nn.MaxPool2d(3, stride, 1) if stride > 1 else nn.Identity()
        self.pointwise = convolution(half, half, 1)
        self.mix = convolution(outputs, outputs, 1)

    def forward(self, x):
        x = F.relu(self.squeeze(x))
        x = torch.cat([F.relu(self.pointwise(self.pool(x))), F.relu(self.depthwise(x))], 1)
        return F.relu(self.mix(x))


class Network(nn.Module):
    """Stem, stages at half the resolution each, average over positions, linear classifier. forward
    returns all that can be tapped: each stage's map, the logits, the probabilities."""

    def __init__(self, block, stem, stages, n_labels):
        super().__init__()
        self.stem = convolution(3, stem, 3, 2)
        self.stages, inputs = nn.ModuleList(), stem
        for outputs, depth in stages:
            blocks = [block(inputs, outputs, 2)] + [block(outputs, outputs, 1) for _ in range(1, depth)]
            self.stages.append(nn.Sequential(*blocks))
            inputs = outputs
        self.classifier = nn.Linear(inputs, n_labels)

    def forward(self, x):
        x, maps = F.relu(self.stem(x)), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        logits = self.classifier(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))
        return (*maps, logits, torch.sigmoid(logits))


# ---- Training ----

def loss_of(network, inputs, targets, weights):
    """A window shows few of the labels: those count more."""
    logits = network(inputs)[-2]
    return F.binary_cross_entropy_with_logits(logits, targets, weights * (1 + 3 * targets))


def validate(network, pictures, labels):
    """Mean average precision over labels, of fixed windows of pictures not trained on."""
    network.eval()
    inputs, targets, weights = batch(pictures, labels, np.random.default_rng(1), 1)
    with torch.no_grad():
        scores = torch.cat([network(part)[-1] for part in inputs.split(100)])
    precisions = []
    for score, target, weight in zip(scores.T, targets.T, weights.T):
        clear = (weight > 0) & ((target > 0.7) | (target < 0.1))
        order = score[clear].argsort(descending=True)
        found = (target[clear] > 0.5)[order].float()
        precision = found.cumsum(0) / torch.arange(1, len(found) + 1)
        precisions.append((precision * found).sum() / found.sum())
    return torch.stack(precisions).mean().item()


def train(network, labels, pictures, held_out, epochs, batch_size=64):
    network.to(memory_format=torch.channels_last)
    random = np.random.default_rng(0)
    steps = epochs * (len(pictures) // batch_size)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, steps, pct_start=0.15)
    for epoch in range(epochs):
        network.train()
        order, total = random.permutation(len(pictures)), 0
        for start in range(0, len(order) - batch_size + 1, batch_size):
            chosen = [pictures[i] for i in order[start:start + batch_size]]
            difficulty = min(1, 1.6 * schedule.last_epoch / steps)
            loss = loss_of(network, *batch(chosen, labels, random, difficulty))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        print(f"  epoch {epoch + 1}/{epochs}: loss {total / (len(order) // batch_size):.4f}, "
              f"validation mAP {validate(network, held_out, labels):.4f}", flush=True)


def export(network, path, labels):
    """ONNX with any batch, height and width. The maps keep their names as values of the graph, but
    only the probabilities are an output."""
    names = [f"stage{i + 1}" for i in range(len(network.stages))] + ["logits", "probabilities"]
    axes = {name: {0: "N"} for name in names} | {"pixels": {0: "N", 2: "H", 3: "W"}}
    network.eval().to(memory_format=torch.contiguous_format)
    torch.onnx.export(network, torch.zeros(1, 3, SIZE, SIZE), path, opset_version=13,
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
                      input_names=["pixels"], output_names=names, dynamic_axes=axes)
    model = onnx.load(path)
    del model.graph.output[:-1]
    onnx.helper.set_model_props(model, {"labels": ",".join(labels)})
    onnx.checker.check_model(model)
    onnx.save(model, path)


# Per role: labels, the kinds that most pictures show, the architecture.
PLAN = {
    "original": (STRANGERS + PLACES, "other",
                 lambda n: Network(Fire, 24, [(48, 1), (96, 2), (160, 3)], n)),
    "retrained": (CLASSES, "set", lambda n: Network(Residual, 16, [(24, 1), (48, 2), (96, 2)], n)),
}


def train_role(role, options):
    labels, kinds, build = PLAN[role]
    pictures, held_out = [], []
    for seed, drawn, share in ((20000, kinds, 0.6), (20001, "all", 0.4)):
        more = draw(options.draw_scenes, drawn, seed, int(share * options.pictures), int(800 * share))
        pictures += more[0]
        held_out += more[1]
    torch.manual_seed(0)
    network = build(len(labels))
    print(f"{role}: {sum(p.numel() for p in network.parameters())} parameters", flush=True)
    train(network, labels, pictures, held_out, options.epochs)
    export(network, str(options.folder / f"{role}.onnx"), labels)


def describe(role):
    return {"file": f"{role}.onnx", "role": role, "labels": PLAN[role][0], "size": SIZE, "order": "RGB",
            "mean": [MEAN] * 3, "scale": [SCALE] * 3, "taps": ["stage2", "stage3", "logits"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("draw_scenes", help="the drawing program")
    parser.add_argument("--pictures", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=28)
    parser.add_argument("--only", choices=PLAN, help="train one of the two")
    parser.add_argument("--folder", type=pathlib.Path,
                        default=pathlib.Path(__file__).parent / "networks")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for role in [options.only] if options.only else PLAN:
        train_role(role, options)
    descriptions = {"networks": [describe(role) for role in PLAN]}
    (options.folder / "networks.json").write_text(json.dumps(descriptions, indent=1) + "\n")


if __name__ == "__main__":
    main()
