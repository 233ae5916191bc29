# SPDX-License-Identifier: LGPL-2.1-or-later
"""Forward speed beside PyTorch (frozen, plain and channels-last) and ONNX Runtime, in the same
minute on the same machine: images/s of the fastest run, and the ratio to the best peer.

usage: speed.py TIME_NETWORK [NAME …] [--seconds S] [--batch N …] [--threads N …]

ONNX Runtime is left out where Python has no module onnxruntime.
"""
import argparse
import pathlib
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
try:
    import onnxruntime
except ImportError:
    onnxruntime = None

warnings.filterwarnings("ignore")

models = torchvision.models
NETWORKS = {
    "resnet18": models.resnet18,
    "resnet50": models.resnet50,
    "vgg16": models.vgg16,
    "squeezenet1.1": models.squeezenet1_1,
    "mobilenet_v2": models.mobilenet_v2,
}


def fastest(run, seconds):
    """The fastest of the runs that fit into so many seconds, in milliseconds."""
    run()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def time_torch(model, batch, threads, seconds, memory_format):
    torch.set_num_threads(threads)
    image = torch.randn(batch, 3, 224, 224).contiguous(memory_format=memory_format)
    with torch.no_grad():
        model = model.to(memory_format=memory_format)
        traced = torch.jit.freeze(torch.jit.trace(model, image))
        traced = torch.jit.optimize_for_inference(traced)
        return fastest(lambda: traced(image), seconds)


def time_ort(path, batch, threads, seconds):
    if onnxruntime is None:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    images = {"input": torch.randn(batch, 3, 224, 224).numpy()}
    return fastest(lambda: session.run(None, images), seconds)


def time_ours(program, path, batch, threads, seconds):
    result = subprocess.run([program, path, f"{batch}x224x224x3", str(threads), str(seconds)],
                            check=True, capture_output=True, text=True)
    return float(result.stdout)


def measure(arguments, name, model, path, batch, threads):
    """Two rounds, so that a disturbance does not hit one engine alone."""
    peers = {
        "torch": lambda s: time_torch(model, batch, threads, s, torch.contiguous_format),
        "torch channels-last": lambda s: time_torch(model, batch, threads, s, torch.channels_last),
        "ONNX Runtime": lambda s: time_ort(path, batch, threads, s),
        "ours": lambda s: time_ours(arguments.program, path, batch, threads, s),
    }
    best = {}
    for _ in range(2):
        for peer, run in peers.items():
            ms = run(arguments.seconds / 2)
            if ms is not None:
                best[peer] = min(best.get(peer, ms), ms)
    speed = {peer: batch * 1e3 / best[peer] if peer in best else float("nan") for peer in peers}
    ours = speed.pop("ours")
    torch_best = max(speed["torch"], speed["torch channels-last"])
    peer_best = max(value for value in speed.values() if value == value)
    print(f"{name:14} {batch:5} {threads:7} " + " ".join(f"{v:12.1f}" for v in speed.values())
          + f" {ours:8.1f} {ours / torch_best:9.2f} {ours / peer_best:9.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("names", nargs="*", default=list(NETWORKS))
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--batch", type=int, nargs="*", default=[1, 16])
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    arguments = parser.parse_args()
    print(f"{'images/s':14} batch threads        torch torch ch.-l. ONNX Runtime     ours"
          "  ÷ torch    ÷ best")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.names or NETWORKS:
            torch.manual_seed(1)
            model = NETWORKS[name]().eval()
            path = str(pathlib.Path(folder) / "model.onnx")
            torch.onnx.export(model, torch.randn(1, 3, 224, 224), path, opset_version=13,
                              input_names=["input"], dynamic_axes={"input": {0: "batch"}})
            for batch in arguments.batch:
                for threads in arguments.threads:
                    measure(arguments, name, model, path, batch, threads)


main()
