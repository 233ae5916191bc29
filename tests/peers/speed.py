# SPDX-License-Identifier: LGPL-2.1-or-later
"""Forward speed beside PyTorch (frozen, plain and channels-last), ONNX Runtime and OpenVINO, in the
same minute on the same machine: images/s of the fastest run, and the ratio to the best peer.

usage: speed.py TIME_NETWORK [NAME …] [--seconds S] [--batch N …] [--threads N …]
                [--without-torch]

Names are those below or timm's; "transformers" stands for ten of timm's. Engines that Python has no
module of are left out.
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
try:
    import openvino
except ImportError:
    openvino = None
try:
    import timm
except ImportError:
    timm = None

from networks import export

warnings.filterwarnings("ignore")

models = torchvision.models
NETWORKS = {
    "resnet18": models.resnet18,
    "resnet50": models.resnet50,
    "vgg16": models.vgg16,
    "squeezenet1.1": models.squeezenet1_1,
    "mobilenet_v2": models.mobilenet_v2,
}
# Vision transformers, and what has come since: of timm.
TRANSFORMERS = [
    "vit_small_patch16_224", "deit_tiny_patch16_224", "swin_tiny_patch4_window7_224",
    "maxvit_tiny_tf_224", "convnext_tiny", "convnextv2_atto", "mobilenetv4_conv_small",
    "efficientformer_l1", "efficientvit_b0", "vit_base_patch32_clip_224"]


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


def time_openvino(path, batch, threads, seconds):
    if openvino is None:
        return None
    core = openvino.Core()
    options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32",
               "NUM_STREAMS": 1}
    request = core.compile_model(core.read_model(path), "CPU", options).create_infer_request()
    images = torch.randn(batch, 3, 224, 224).numpy()
    return fastest(lambda: request.infer([images]), seconds)


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
        "OpenVINO": lambda s: time_openvino(path, batch, threads, s),
        "ours": lambda s: time_ours(arguments.program, path, batch, threads, s),
    }
    if arguments.without_torch:
        peers = {peer: run for peer, run in peers.items() if not peer.startswith("torch")}
    best = {}
    for _ in range(2):
        for peer, run in peers.items():
            ms = run(arguments.seconds / 2)
            if ms is not None:
                best[peer] = min(best.get(peer, ms), ms)
    speed = {peer: batch * 1e3 / best[peer] if peer in best else float("nan") for peer in peers}
    ours = speed.pop("ours")
    torch_best = max([speed[peer] for peer in speed if peer.startswith("torch")] or [float("nan")])
    peer_best = max(value for value in speed.values() if value == value)
    print(f"{name:28} {batch:5} {threads:7} " + " ".join(f"{v:12.1f}" for v in speed.values())
          + f" {ours:8.1f} {ours / torch_best:9.2f} {ours / peer_best:9.2f}", flush=True)


def export_open(model, path):
    opset = 17 if timm is not None else 13
    export(model, torch.randn(1, 3, 224, 224), path, opset, dynamic_axes={"input": {0: "batch"}})


def list_names(names):
    return [name for given in names or NETWORKS
            for name in (TRANSFORMERS if given == "transformers" else [given])]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("names", nargs="*", default=[])
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--batch", type=int, nargs="*", default=[1, 16])
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--without-torch", action="store_true")
    arguments = parser.parse_args()
    torch_columns = "" if arguments.without_torch else "        torch torch ch.-l. "
    print(f"{'images/s':28} batch threads {torch_columns}ONNX Runtime     OpenVINO     ours"
          "  ÷ torch    ÷ best")
    with tempfile.TemporaryDirectory() as folder:
        for name in list_names(arguments.names):
            torch.manual_seed(1)
            model = (NETWORKS[name]() if name in NETWORKS else timm.create_model(name)).eval()
            path = str(pathlib.Path(folder) / "model.onnx")
            export_open(model, path)
            for batch in arguments.batch:
                for threads in arguments.threads:
                    measure(arguments, name, model, path, batch, threads)


main()
