# SPDX-License-Identifier: LGPL-2.1-or-later
"""Residual networks as our builder makes them beside the same written for PyTorch: logits, gradients of
all parameters, running statistics and the losses of ten steps of gradient descent.

usage: residual.py BUILD_RESIDUAL RUN_NETWORK TRAIN_NETWORK [--device DEVICE]
"""
import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile

import networks
import training

torch, nn = training.torch, training.torch.nn

# Pictures and their size are such that no rounding error moves a number over the edge of a ReLU.
BATCH, SIZE, CLASSES = 4, 64, 10
INITIAL, WIDTHS = 32, (64, 128, 256, 512)
BLOCKS = (1, 2, 1, 1)
FORMS = ("variant", "stride-everywhere", "plain")


class PreActivated(nn.Conv2d):
    """Behind its own batch normalisation and ReLU."""
    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(inputs)

    def activate(self, x):
        return torch.relu(self.norm(x))

    def convolve(self, activated):
        return super().forward(activated)

    def forward(self, x):
        return self.convolve(self.activate(x))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, projects, plain):
        super().__init__()
        inner = outputs // 4
        self.plain = plain
        self.conv1 = PreActivated(inputs, inner, 1, stride if plain else 1)
        self.conv2 = PreActivated(inner, inner, 3, 1 if plain else stride)
        self.conv3 = PreActivated(inner, outputs, 1)
        self.shortcut = None
        if projects and plain:
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        elif projects:
            self.shortcut = PreActivated(inputs, outputs, 1, stride)

    def forward(self, x):
        activated = self.conv1.activate(x)
        branch = self.conv3(self.conv2(self.conv1.convolve(activated)))
        if self.shortcut is None:
            return branch + x
        return branch + self.shortcut(activated if self.plain else x)


class Features(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        return torch.relu(self.norm(x)).mean((2, 3))


def make_network(form):
    layers = collections.OrderedDict(initial=nn.Conv2d(3, INITIAL, 3, 1, 1, bias=False))
    channels = INITIAL
    for stage, (blocks, width) in enumerate(zip(BLOCKS, WIDTHS), 1):
        inside = collections.OrderedDict()
        for i in range(blocks):
            reduces = i == 0 or form == "stride-everywhere"
            inside[f"block{i + 1}"] = Block(channels, width, 2 if reduces else 1, reduces,
                                            form == "plain")
            channels = width
        layers[f"stage{stage}"] = nn.Sequential(inside)
    layers["features"] = Features(channels)
    layers["logits"] = nn.Linear(channels, CLASSES)
    return nn.Sequential(layers)


def build(options, form, path):
    """Writes our network, and returns PyTorch's with its parameters."""
    blocks = ",".join(str(n) for n in BLOCKS)
    found = subprocess.run([options.build, path, str(SIZE), str(CLASSES), blocks, form],
                           capture_output=True)
    if found.returncode != 0:
        sys.exit(found.stderr.decode())
    head, _, data = found.stdout.partition(b"\n\n")
    arrays, _ = training.read_arrays(head, data)
    network = make_network(form)
    state = network.state_dict()
    state.update(arrays)
    network.load_state_dict(state)
    missing = set(state) - set(arrays)
    if any(not name.endswith("num_batches_tracked") for name in missing):
        sys.exit(f"{form}: our network has no {', '.join(sorted(missing))}")
    return network


def compare(options, form, folder):
    path = str(folder / f"{form}.onnx")
    network = build(options, form, path)
    images, labels = training.make_batch(BATCH, SIZE)
    network.eval()
    with torch.no_grad():
        cases = [(images, network(images))]
    error = networks.find_error(cases, networks.run_ours(options.run, folder, path, cases))
    print(f"{form:17} logits {error:.1e}")
    network.train()
    return training.compare(options, form, network, path, images, labels) and error < 1e-3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("run")
    parser.add_argument("program")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = [compare(options, form, pathlib.Path(folder)) for form in FORMS]
    return 0 if all(results) else 1


sys.exit(main())
