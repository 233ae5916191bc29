# SPDX-License-Identifier: LGPL-2.1-or-later
"""Training whole networks against PyTorch: gradients of all parameters, running statistics, and the
losses of ten steps of gradient descent, batch normalisation in training mode.

usage: training.py TRAIN_NETWORK [--device DEVICE] [NAME …]
       training.py TRAIN_NETWORK --speed [--batch N] [--size N] [NAME …]

With --speed it prints seconds and memory per step of both, run by turns, on two threads.
"""
import argparse
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import warnings

try:
    import torch
    import torchvision
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

warnings.filterwarnings("ignore")

TOLERANCE = 1e-3
STEPS = 10
THREADS = 2
NAMES = ["resnet18", "squeezenet1_1", "vgg11", "mobilenet_v2"]


def make_network(name, size):
    """Without dropout, whose random numbers differ, and without VGG's pooling to 7 × 7, which has no
    form in ONNX for maps that are smaller."""
    torch.manual_seed(0)
    network = getattr(torchvision.models, name)(num_classes=10)
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    if name.startswith("vgg"):
        network.avgpool = torch.nn.Identity()
        network.classifier[0] = torch.nn.Linear(512 * (size // 32) ** 2, 4096)
    return network


def export(network, path, size):
    """In inference mode, so that batch normalisation stands in the file as users have it, but without
    folding it."""
    network.eval()
    torch.onnx.export(network, torch.zeros(1, 3, size, size), path, opset_version=13,
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
                      input_names=["image"], dynamic_axes={"image": {0: "batch"}})
    network.train()


def make_batch(n, size):
    generator = torch.Generator().manual_seed(1)
    return (torch.rand(n, 3, size, size, generator=generator) * 4 - 2,
            torch.randint(0, 10, (n,), generator=generator))


def to_bytes(tensor):
    return bytes(tensor.contiguous().view(-1).numpy().data.cast("B"))


def to_first(tensor):
    """Filters as PyTorch has them."""
    return tensor.permute(0, 3, 1, 2) if tensor.dim() == 4 else tensor


def run_ours(options, path, images, labels, steps, rate):
    """Gradients and statistics after one step, by name; losses; what the program says it took."""
    n, _, height, width = images.shape
    found = subprocess.run(
        [options.program, path, str(n), str(height), str(width), str(steps), str(rate),
         str(THREADS), options.device],
        input=to_bytes(images.permute(0, 2, 3, 1)) + to_bytes(labels), capture_output=True)
    if found.returncode != 0:
        sys.exit(found.stderr.decode())
    head, _, data = found.stdout.partition(b"\n\n")
    numbers = torch.frombuffer(bytearray(data), dtype=torch.float32)
    arrays = {}
    for line in head.decode().split("\n"):
        if line == "statistics":
            continue
        name, shape = line.split(" ")
        dims = [int(length) for length in shape.split("x")]
        size = torch.Size(dims).numel()
        arrays[name] = to_first(numbers[:size].view(dims))
        numbers = numbers[size:]
    return arrays, numbers, found.stderr.decode().strip()


def train_peer(network, images, labels, steps, rate):
    parameters = dict(network.named_parameters())
    losses, first = [], {}
    for step in range(steps):
        network.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            first = {name: value.grad.clone() for name, value in parameters.items()}
            first.update({name: value.clone() for name, value in network.named_buffers()
                          if "running" in name})
        with torch.no_grad():
            for value in parameters.values():
                value -= rate * value.grad
    return first, torch.tensor(losses)


def find_error(found, expected):
    return ((found - expected).norm() / expected.norm().clamp(min=1e-12)).item()


def compare(options, name, folder):
    images, labels = make_batch(4, 64)
    path = str(folder / f"{name}.onnx")
    network = make_network(name, 64)
    export(network, path, 64)
    arrays, losses, _ = run_ours(options, path, images, labels, STEPS, 0.01)
    expected, expected_losses = train_peer(network, images, labels, STEPS, 0.01)
    missing = set(expected) - set(arrays)
    # Biases that batch normalisation makes void have gradients of rounding errors alone.
    scale = max(value.norm().item() for value in expected.values())
    worst = max((find_error(arrays[key], expected[key]), key) for key in set(expected) & set(arrays)
                if expected[key].norm() > 1e-6 * scale)
    losses_error = ((losses - expected_losses).abs() / expected_losses.abs()).max().item()
    print(f"{name:16} gradients {worst[0]:.1e} ({worst[1]}), losses {losses_error:.1e} "
          f"({expected_losses[0]:.4f} → {expected_losses[-1]:.4f})")
    if missing:
        print(f"  missing: {', '.join(sorted(missing))}")
    return not missing and worst[0] < TOLERANCE and losses_error < TOLERANCE


def time_peer(network, images, labels, rate):
    """The least of several steps."""
    best = float("inf")
    for _ in range(5):
        start = time.monotonic()
        train_peer(network, images, labels, 1, rate)
        best = min(best, time.monotonic() - start)
    return best


def measure(options, name, folder):
    images, labels = make_batch(options.batch, options.size)
    path = str(folder / f"{name}.onnx")
    network = make_network(name, options.size)
    export(network, path, options.size)
    _, _, ours = run_ours(options, path, images, labels, 5, 0.001)
    seconds = time_peer(network, images, labels, 0.001)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    own = float(ours.split(" ")[0])
    print(f"{name:16} {ours}; PyTorch {seconds:.4f} s, its process {peak:.0f} MB at most; "
          f"{seconds / own:.2f} × its speed", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        if options.speed:
            for name in options.names:
                measure(options, name, pathlib.Path(folder))
            return
        results = [compare(options, name, pathlib.Path(folder)) for name in options.names]
    sys.exit(0 if all(results) else 1)


main()
