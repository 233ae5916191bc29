# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole networks and matrix products on a GPU, beside PyTorch on the same one.

usage: gpu.py [--small] [--all-paths] [--device DEVICE] TOOL FOLDER

Prints images/s of gst-ensemble-1.0 benchmark with float32 and float16 storage (by the GPU's clock, without copying
inputs; in parentheses from memory to memory), and of PyTorch's float16, channels last, as it is and
compiled, with inputs that are on the GPU already. Then TFLOP/s of a square matrix product, in float16
by each path that the device has: without cooperative matrices, by those of subgroups, by those of
workgroups (ENSEMBLE_VULKAN_MATRICES). --all-paths measures the networks by each, too. ONNX files are
written to FOLDER.
"""
import argparse
import os
import pathlib
import re
import subprocess
import time
import warnings

import torch
import torchvision

from networks import export

warnings.filterwarnings("ignore")

NETWORKS = {
    "squeezenet1.1": torchvision.models.squeezenet1_1,
    "resnet18": torchvision.models.resnet18,
    "resnet50": torchvision.models.resnet50,
    "vgg16": torchvision.models.vgg16,
}


# How float16 matrices are multiplied, the simplest way first.
PATHS = ["none", "subgroup", "workgroup"]


class Product(torch.nn.Module):
    """Rows times a square of weights: one Gemm node."""

    def __init__(self, size):
        super().__init__()
        self.linear = torch.nn.Linear(size, size, bias=False)

    def forward(self, rows):
        return self.linear(rows)


def export_open(network, path, example):
    export(network, example, path, 13, dynamic_axes={"input": {0: "N"}})


def environment(path):
    """How the tool is told to take a path; None leaves the choice to it."""
    return dict(os.environ, **({"ENSEMBLE_VULKAN_MATRICES": path} if path else {}))


def benchmark(tool, path, device, *options, matrices=None):
    """The tool's figures: images/s of nodes alone, and from memory to memory; the path it took."""
    run = subprocess.run([tool, "benchmark", "-d", device, *options, str(path)],
                         capture_output=True, text=True, env=environment(matrices))
    if run.returncode != 0:
        print(f"  {device}: {(run.stderr or run.stdout).strip()}")
        return None
    for line in run.stderr.splitlines():
        print("  " + line)
    taken = re.search(r"^matrices\s+(\w+)", run.stdout, re.M)
    return [float(re.search(rf"^{label}\s+([\d.]+)", run.stdout, re.M)[1])
            for label in ("nodes alone", "images/s")] + [taken[1] if taken else "none"]


def torch_rate(run, items):
    """Items/s, after as many runs as compiling and warming up take."""
    with torch.inference_mode():
        for _ in range(10):
            run()
        torch.cuda.synchronize()
        start, n = time.perf_counter(), 0
        while time.perf_counter() - start < 2 or n < 10:
            run()
            torch.cuda.synchronize()
            n += 1
        return items * n / (time.perf_counter() - start)


def torch_rates(network, batch, size):
    """images/s of PyTorch's float16: eager and compiled; None where there is no CUDA."""
    if not torch.cuda.is_available():
        return None, None
    form = {"memory_format": torch.channels_last}
    network = network.half().cuda().to(**form)
    images = torch.randn(batch, 3, size, size, device="cuda", dtype=torch.float16).to(**form)
    eager = torch_rate(lambda: network(images), batch)
    try:
        compiled = torch.compile(network)
        return eager, torch_rate(lambda: compiled(images), batch)
    except Exception as error:  # the compiler's own faults are no reason to lose the other figures
        print(f"  torch.compile: {type(error).__name__}")
        return eager, None


def cell(value, digits):
    return f"{value:>12.{digits}f}" if value is not None else f"{'-':>12}"


def measure_networks(options, batch, size, matrices=None):
    print(f"images/s at {size}x{size}, batch {batch} (from memory to memory)"
          + (f", matrices: {matrices}" if matrices else "") + "\n")
    print(f"{'network':<15}{'float32':>12}{'':>12}{'float16':>12}{'':>12}"
          f"{'torch eager':>12}{'compiled':>12}{'÷ eager':>12}{'÷ compiled':>12}")
    for name, make in NETWORKS.items():
        torch.manual_seed(0)
        network = make(weights=None).eval()
        path = options.folder / f"{name}.onnx"
        # Larger images go through VGG's fully connected layers as through convolutions, which PyTorch
        # can't export.
        export_open(network, path, torch.zeros(1, 3, 224, 224))
        rates = [benchmark(options.tool, path, device, "-b", str(batch), "-s", str(size),
                           matrices=matrices)
                 for device in (options.device, options.device + "+float16")]
        path.unlink()
        eager, compiled = torch_rates(network, batch, size) if not matrices else (None, None)
        half = rates[1][0] if rates[1] else None
        print(f"{name:<15}" + "".join(
            cell(rate[0], 1) + f"{f'({rate[1]:.1f})':>12}" if rate else cell(None, 1) * 2
            for rate in rates) + cell(eager, 1) + cell(compiled, 1) + "".join(
                cell(half / peer if half and peer else None, 2) for peer in (eager, compiled)),
              flush=True)


def measure_products(options, size):
    print(f"\nTFLOP/s of a product of {size}x{size} matrices\n")
    path = options.folder / "product.onnx"
    export_open(Product(size).eval(), path, torch.zeros(1, size))
    half = options.device + "+float16"
    for device, matrices in [(options.device, None)] + [(half, way) for way in PATHS]:
        rate = benchmark(options.tool, path, device, "-b", str(size), matrices=matrices)
        if rate and matrices in (None, rate[2]):
            label = f"{device}, matrices: {matrices}" if matrices else device
            print(f"{label:<44}{rate[0] * 2 * size ** 2 / 1e12:>10.3f}", flush=True)
        elif rate:
            print(f"{device} has no matrices of {matrices}s", flush=True)
    path.unlink()
    if torch.cuda.is_available():
        matrices = torch.randn(2, size, size, device="cuda", dtype=torch.float16)
        rate = torch_rate(lambda: matrices[0] @ matrices[1], 2 * size ** 3)
        print(f"{'PyTorch float16':<44}{rate / 1e12:>10.3f}")


parser = argparse.ArgumentParser()
parser.add_argument("--small", action="store_true")
parser.add_argument("--all-paths", action="store_true")
parser.add_argument("--device", default="vulkan")
parser.add_argument("tool")
parser.add_argument("folder", type=pathlib.Path)
arguments = parser.parse_args()
sizes = (1, 224) if arguments.small else (100, 256)
measure_networks(arguments, *sizes)
for way in PATHS if arguments.all_paths else []:
    measure_networks(arguments, *sizes, matrices=way)
measure_products(arguments, 256 if arguments.small else 8192)
