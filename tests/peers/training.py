# SPDX-License-Identifier: LGPL-2.1-or-later
"""Training whole networks against PyTorch: gradients of all parameters, running statistics, and the
losses of ten steps of gradient descent, batch normalisation in training mode.

Gradients are compared with PyTorch's in double precision. Where a rounding error moves a number over
the edge of a ReLU, or makes another one the largest of a window, gradients jump: sizes are such that
this does not happen, or, as in MobileNet v2, happens to PyTorch in single precision as well; then ours
may be three times as far from double precision. Losses are compared in single precision, as parts of
the first one; where those of PyTorch's two memory orders drift apart, ours may three times as far.

usage: training.py TRAIN_NETWORK [--device DEVICE] [NAME …]
       training.py TRAIN_NETWORK --speed [--batch N] [--size N] [--threads N] [NAME …]

With --speed it prints seconds and memory per step of both, one after the other.
"""
import argparse
import copy
import os
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

from networks import export

warnings.filterwarnings("ignore")

TOLERANCE = 1e-3
STEPS, RATE = 10, 0.002
# Pictures, and their size.
NETWORKS = {"resnet18": (4, 64), "squeezenet1_1": (4, 64), "vgg11": (8, 96), "mobilenet_v2": (8, 96)}


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


def export_unfolded(network, path, size):
    """In inference mode, so that batch normalisation stands in the file as users have it, but without
    folding it."""
    network.eval()
    export(network, torch.zeros(1, 3, size, size), path, 13, do_constant_folding=False,
           training=torch.onnx.TrainingMode.PRESERVE, dynamic_axes={"input": {0: "batch"}})
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


def to_peer(name):
    """A parameter of our own networks as PyTorch's modules call it; PyTorch's stay."""
    layer, _, part = name.replace("/", ".").rpartition(".")
    part = {"scale": "weight", "mean": "running_mean", "variance": "running_var"}.get(part, part)
    return f"{layer}.{part}"


def read_arrays(head, data):
    """Arrays by name, and the numbers behind them. The head has a line for each: name, dimensions."""
    numbers = torch.frombuffer(bytearray(data), dtype=torch.float32)
    arrays = {}
    for line in head.decode().split("\n"):
        if line == "statistics":
            continue
        name, shape = line.split(" ")
        dims = [int(length) for length in shape.split("x")]
        size = torch.Size(dims).numel()
        arrays[to_peer(name)] = to_first(numbers[:size].view(dims))
        numbers = numbers[size:]
    return arrays, numbers


def run_ours(options, path, images, labels, steps, rate):
    """Gradients and statistics after one step, by name; losses; what the program says it took."""
    n, _, height, width = images.shape
    found = subprocess.run(
        [options.program, path, str(n), str(height), str(width), str(steps), str(rate),
         str(options.threads), options.device],
        input=to_bytes(images.permute(0, 2, 3, 1)) + to_bytes(labels), capture_output=True)
    if found.returncode != 0:
        sys.exit(found.stderr.decode())
    head, _, data = found.stdout.partition(b"\n\n")
    arrays, numbers = read_arrays(head, data)
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
    return first, torch.tensor(losses, dtype=torch.float64)


def find_error(arrays, expected):
    """The worst of all arrays, and its name. Biases that batch normalisation makes void have gradients
    of rounding errors alone, and are left out."""
    scale = max(value.norm().item() for value in expected.values())
    return max((((arrays[key] - value).norm() / value.norm()).item(), key)
               for key, value in expected.items() if value.norm() > 1e-6 * scale)


def compare(options, name, network, path, images, labels):
    """The network in training mode with the file that it was exported to."""
    exact = copy.deepcopy(network).double()
    arrays, losses, _ = run_ours(options, path, images, labels, STEPS, RATE)
    expected, _ = train_peer(exact, images.double(), labels, 1, RATE)
    missing = set(expected) - set(arrays)
    if missing:
        print(f"{name}: no {', '.join(sorted(missing))}")
        return False
    other = copy.deepcopy(network).to(memory_format=torch.channels_last)
    single, expected_losses = train_peer(network, images, labels, STEPS, RATE)
    _, other_losses = train_peer(other, images.to(memory_format=torch.channels_last), labels, STEPS,
                                 RATE)
    (worst, key), (peer, _) = find_error(arrays, expected), find_error(single, expected)
    loss, drift = (((found - expected_losses).abs().max() / expected_losses[0]).item()
                   for found in (losses, other_losses))
    print(f"{name:16} gradients {worst:.1e} ({key}), PyTorch {peer:.1e}; losses {loss:.1e} "
          f"({expected_losses[0]:.4f} → {expected_losses[-1]:.4f}), PyTorch {drift:.1e}", flush=True)
    return worst < max(TOLERANCE, 3 * peer) and loss < max(TOLERANCE, 3 * drift)


def compare_exported(options, name, folder):
    batch, size = NETWORKS.get(name, (8, 96))
    path = str(folder / f"{name}.onnx")
    network = make_network(name, size)
    export_unfolded(network, path, size)
    return compare(options, name, network, path, *make_batch(batch, size))


def time_peer(options, name, images, labels):
    """The least seconds of several steps, of processor time too, by the faster memory order."""
    best = float("inf"), float("inf")
    for order in torch.contiguous_format, torch.channels_last:
        network = make_network(name, options.size).to(memory_format=order)
        network.train()
        images = images.to(memory_format=order)
        for _ in range(5):
            start = time.monotonic(), time.process_time()
            train_peer(network, images, labels, 1, RATE)
            best = (min(best[0], time.monotonic() - start[0]),
                    min(best[1], time.process_time() - start[1]))
    return best


def get_peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def measure(options, name):
    """In a process of its own, so that its peak is its own."""
    images, labels = make_batch(options.batch, options.size)
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / f"{name}.onnx")
        export_unfolded(make_network(name, options.size), path, options.size)
        *_, ours = run_ours(options, path, images, labels, 5, RATE)
    wall, processor, values, own_peak = (float(word) for word in ours.split())
    start = get_peak()
    peer_wall, peer_processor = time_peer(options, name, images, labels)
    print(f"{name:14} {wall:.3f} s, {processor:.3f} s of processor time; PyTorch {peer_wall:.3f} s, "
          f"{peer_processor:.3f} s: {peer_processor / processor:.2f} × the speed. Process at most "
          f"{own_peak:.0f} MB ({values:.0f} MB intermediate values); PyTorch "
          f"{get_peak():.0f} MB, {start:.0f} MB of them before", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("names", nargs="*", default=list(NETWORKS))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_intermixed_args()
    torch.set_num_threads(options.threads)
    if options.speed:
        for name in options.names:
            if os.fork() == 0:
                measure(options, name)
                os._exit(0)
            os.wait()
        return
    with tempfile.TemporaryDirectory() as folder:
        results = [compare_exported(options, name, pathlib.Path(folder)) for name in options.names]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
