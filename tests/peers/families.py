# SPDX-License-Identifier: LGPL-2.1-or-later
"""One network of each family of timm and torchvision against ONNX Runtime: the smallest variant,
random weights, written by both of PyTorch's exporters, for batches of 1 and 3.

    python3 -m venv venv && venv/bin/pip install torch torchvision timm onnx onnxscript onnxruntime
    venv/bin/python tests/peers/families.py build/tests/engine/run-network RESULTS.jsonl [FAMILY …]
    venv/bin/python tests/peers/families.py --table RESULTS.jsonl

A family is a module of the library, as timm/levit or torchvision/vgg. Each network runs at the smallest
of some sizes that it takes. Outputs agree with ONNX Runtime's within 1e-4 of the largest. A few random
networks amplify rounding more than that: there they are at most twice as far from PyTorch's in double
precision as the further of PyTorch's in single precision and ONNX Runtime's.
Results are lines of JSON; what is in the file already is not run again. --table writes FAMILIES.md of
them. One process does the work of each network and exporter, with a limit of time and memory.
"""
import argparse
import collections
import importlib.metadata
import itertools
import json
import os
import pathlib
import re
import resource
import signal
import sys
import tempfile
import time
import warnings

TOLERANCE = 1e-4
SIZES = [128, 160, 192, 224, 256, 299, 384, 448, 512, 768, 1024]
EXPORTERS = ["old", "dynamo"]
BATCHES = [3, 1]
STATISTICS = 16   # images from which batch normalisation learns
OPSETS = [17, 20]   # that the old exporter tries; the new one chooses


def list_families():
    import timm
    from torchvision import models
    families = {f"timm/{module}": [name for name in timm.list_models(module=module)
                                   if not name.startswith("test_")]
                for module in timm.list_modules()}
    for name in models.list_models(module=models):
        module = models.get_model_builder(name).__module__.rpartition(".")[2]
        families.setdefault(f"torchvision/{module}", []).append(name)
    return {family: names for family, names in families.items() if names}


def make(family, name, exportable=False):
    """exportable: in the form that timm has for exporters, with attention spelled out."""
    import timm
    import torchvision
    if family.startswith("timm/"):
        return timm.create_model(name, exportable=exportable)
    options = {}
    if name in ("googlenet", "inception_v3"):
        options = {"init_weights": False, "aux_logits": False}
    return torchvision.models.get_model(name, weights=None, **options)


def choose(family, names):
    """The variant with the fewest parameters. Networks that can't be made without memory for their
    weights are made with it if no other can."""
    import torch
    for device in ("meta", "cpu"):
        best = None
        for name in names:
            try:
                with torch.device(device):
                    model = make(family, name)
            except Exception:
                continue
            count = sum(parameter.numel() for parameter in model.parameters())
            if best is None or count < best[0]:
                best = count, name
        if best:
            return best
    raise RuntimeError(f"none of {len(names)} variants can be made")


def find_size(model):
    import torch
    for size in SIZES:
        try:
            with torch.no_grad():
                model(torch.randn(2, 3, size, size))
            return size
        except Exception as refusal:
            last = refusal
    raise RuntimeError(f"takes none of the sizes: {last}")


def find_own_size(model):
    """The one that it was made for."""
    return getattr(model, "default_cfg", {}).get("input_size", (3, 224, 224))[-1]


def wake(model):
    """Weights that begin as a constant near 0 would hide the layers that they scale."""
    import torch
    for name, parameter in model.named_parameters():
        value = parameter.data
        if value.numel() > 1 and (value == value.flatten()[0]).all():
            if name.endswith("bias"):
                value.normal_(0, 0.1)
            elif value.abs().max() < 0.1:
                value.uniform_(0.1, 0.5)
    return model


def first_of(output):
    """Of several results the first, as run-network writes it."""
    if isinstance(output, dict):
        output = list(output.values())
    return first_of(output[0]) if isinstance(output, (list, tuple)) else output


def export(model, image, path, exporter, is_open, opset):
    import networks
    import torch
    if exporter == "old":
        axes = {"input": {0: "batch"}} if is_open else None
        networks.export(model, image, path, opset, dynamic_axes=axes)
        return
    shapes = ({0: torch.export.Dim.DYNAMIC},) if is_open else None
    torch.onnx.export(model, (image,), str(path), input_names=["input"], dynamo=True, verbose=False,
                      dynamic_shapes=shapes)


def run_runtime(path, image):
    import onnxruntime
    import torch
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {session.get_inputs()[0].name: image.numpy()})[0])


def find_cause(fault):
    """What the exporters say, without what they say of what was said."""
    while fault.__cause__ is not None:
        fault = fault.__cause__
    return f"{type(fault).__name__}: {fault}".strip().split("\n")[0][:300]


def try_way(folder, model, images, exporter, is_open, opset):
    """Pairs of file and case; raises what the exporter or ONNX Runtime does."""
    files = []
    for image in images:
        path = files[0][0] if is_open and files else folder / f"{len(files)}.onnx"
        if path.name == f"{len(files)}.onnx":
            export(model, image, path, exporter, is_open, opset)
        files.append((path, (image, run_runtime(path, image))))
    return files


def find_files(folder, models, images, exporter):
    """By the first way that works: with an open batch, if possible. Raises what the last one does."""
    opsets = OPSETS if exporter == "old" else [None]
    for is_open, model, opset in itertools.product((True, False), models, opsets):
        try:
            files = try_way(folder, model, images, exporter, is_open, opset)
        except Exception as fault:
            last = fault
            continue
        return "open" if is_open else "fixed", files
    raise last


def find_exact(model, cases):
    """What a model gives in double precision."""
    import copy
    import torch
    exact = copy.deepcopy(model).double()
    with torch.no_grad():
        return [(image, first_of(exact(image.double())).float()) for image, _ in cases]


def compare(program, folder, models, size, exporter):
    """Fields of a result."""
    import torch
    from networks import Refused, find_error, find_spread, run_ours
    model = models[0]
    images = [torch.randn(batch, 3, size, size) for batch in BATCHES]
    with torch.no_grad():
        torch_cases = [(image, first_of(model(image))) for image in images]
    result = {"spread": find_spread([None, torch_cases[0]])}
    try:
        result["batch"], files = find_files(folder, models, images, exporter)
    except Exception as fault:
        return {**result, "status": "exporter", "message": find_cause(fault)}
    cases = [case for _, case in files]
    result["runtime"] = max(find_error([expected], [find_flat(found)])
                            for expected, (_, found) in zip(torch_cases, cases))
    try:
        outputs = [run_ours(program, folder, path, [case])[0] for path, case in files]
    except Refused as refusal:
        return {**result, "status": "refused", "message": str(refusal)}
    result["errors"] = [find_error([case], [output]) for case, output in zip(cases, outputs)]
    if max(result["errors"]) > TOLERANCE:
        exact = find_exact(model, cases)
        result["exact"] = {"ours": find_error(exact, outputs), **{
            peer: find_error(exact, [find_flat(output) for _, output in peer_cases])
            for peer, peer_cases in (("runtime", cases), ("torch", torch_cases))}}
    status = "agrees" if is_close(result) else "differs"
    return {**result, "status": status}


def is_close(result):
    if max(result["errors"]) <= TOLERANCE:
        return True
    exact = result["exact"]
    return exact["ours"] <= 2 * max(exact["runtime"], exact["torch"])


def make_exportable(job, model):
    other = make(job["family"], job["model"], exportable=True).eval()
    other.load_state_dict(model.state_dict())
    return other


def find_flat(tensor):
    import torch
    from networks import to_bytes
    return torch.frombuffer(bytearray(to_bytes(tensor)), dtype=torch.float32)


def work(job, program, names):
    import torch
    from networks import randomise
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(1)
    if job["job"] == "choose":
        job["parameters"], job["model"] = choose(job["family"], names)
        return job
    model = make(job["family"], job["model"]).eval()
    job["size"] = find_size(model)
    model = randomise(wake(model), (job["size"], job["size"]), STATISTICS)
    models = [model, make_exportable(job, model)] if job["family"].startswith("timm/") else [model]
    # Some sizes are for PyTorch alone: the old exporter has no pooling into parts of unlike sizes.
    for size in dict.fromkeys((job["size"], find_own_size(model))):
        with tempfile.TemporaryDirectory() as folder:
            result = compare(program, pathlib.Path(folder), models, size, job["job"])
        if result["status"] != "exporter" or size == job["size"]:
            job.update(result, size=size)
        if result["status"] != "exporter":
            break
    return job


def run_child(pipe, job, arguments, names):
    os.setsid()
    limit = arguments.memory << 30
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        job = work(job, arguments.program, names)
    except BaseException as fault:
        job.update(status="failed", message=f"{type(fault).__name__}: {fault}"[:300])
    os.write(pipe, json.dumps(job).encode())
    os._exit(0)


def run_job(job, arguments, names, results):
    """In a process of its own, which loads no library again."""
    start = time.time()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        run_child(write, dict(job), arguments, names)
    os.close(write)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(arguments.seconds)
    with os.fdopen(read) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    signal.alarm(0)
    result = json.loads(text) if text else {
        **job, "status": "limit", "message": f"took more than {arguments.seconds} s or was killed"}
    result["seconds"] = round(time.time() - start)
    results[job["family"], job["job"]] = result
    with open(arguments.results, "a") as file:
        file.write(json.dumps(result) + "\n")
    return result


def read_results(path):
    """The last result of each job."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {(result["family"], result["job"]): result for result in map(json.loads, lines)}


# Without a file that ONNX Runtime runs, but the first.
STATUSES = {"refused": "refused", "exporter": "exporter fails", "failed": "PyTorch fails", "limit": "no file"}


def describe(result):
    if result is None:
        return "–"
    if "errors" in result:
        text = f"{max(result['errors']):.0e}".replace("e-0", "e-")
        if max(result["errors"]) > TOLERANCE:
            exact = max(result["exact"]["runtime"], result["exact"]["torch"])
            text = f"**{text}** ({exact:.0e})".replace("e-0", "e-")
        return text
    message = re.sub(r".*\.onnx(: | failed:)", "", result.get("message", "")).replace("|", "\\|")
    return f"{STATUSES[result['status']]}: {message[:80].strip()}"


HEAD = """# A network of each family

The smallest variant of each module of timm {timm} and of torchvision {torchvision}'s classifiers, random
weights, written by both exporters of PyTorch {torch}, for batches of 1 and 3: the largest difference from
ONNX Runtime {onnxruntime}, relative to the largest output. {date}; Python with `torch`, `torchvision`, `timm`,
`onnx`, `onnxscript` and `onnxruntime`:

    python3 tests/peers/families.py build/tests/engine/run-network RESULTS.jsonl
    python3 tests/peers/families.py --table RESULTS.jsonl > compute/onnx/FAMILIES.md

| exporter | families | files written | within 1e-4 | as close as others | further | refused by operator | within 1e-4, of the files | of all |
|---|---:|---:|---:|---:|---:|---:|---:|---:|"""
NOTES = """
Where the exporter refuses a network as it is, timm's form for exporters is taken. An exporter fails where it
refuses, or writes what ONNX Runtime does not load, with an open batch and with a fixed one, and at the size
that the network was made for. Differences in bold are above 1e-4. In parentheses stands how far PyTorch and
ONNX Runtime are from double precision, where outputs differ by more than 1e-4: random weights amplify
rounding there, and 3×3 convolutions by Winograd's F(4×4) round five times as much as others. At most twice
as far is as close as others.

| family | network | size | old exporter | dynamo |
|---|---|---:|---|---|"""


def print_shares(results, families, exporter):
    found = [results[family, exporter] for family in families if (family, exporter) in results]
    counts = collections.Counter(result["status"] for result in found)
    n_within = sum(max(result.get("errors", [1])) <= TOLERANCE for result in found)
    n_files = counts["agrees"] + counts["differs"] + counts["refused"]
    print(f"| {exporter} | {len(families)} | {n_files} | {n_within} | {counts['agrees'] - n_within} | "
          f"{counts['differs']} | {counts['refused']} | {100 * n_within / max(n_files, 1):.1f} % | "
          f"{100 * n_within / len(families):.1f} % |")


def print_document(results):
    """FAMILIES.md"""
    packages = ("timm", "torchvision", "torch", "onnxruntime")
    families = sorted({family for family, _ in results})
    print(HEAD.format(date=time.strftime("%B %Y"),
                      **{name: importlib.metadata.version(name) for name in packages}))
    for exporter in EXPORTERS:
        print_shares(results, families, exporter)
    print(NOTES)
    for family in families:
        found = [results.get((family, exporter)) for exporter in EXPORTERS]
        size = next((result["size"] for result in found if result and "size" in result), "")
        model = results[family, "choose"].get("model", "")
        print(f"| {family} | {model} | {size} | " + " | ".join(map(describe, found)) + " |")


def warm_up(exporters):
    """What the first export of a process loads, children find loaded."""
    import networks  # noqa: F401
    import onnx, onnxruntime, onnxscript, torch  # noqa: F401, E401
    torch.set_num_threads(1)
    for exporter in exporters:
        with tempfile.TemporaryDirectory() as folder:
            export(torch.nn.Conv2d(3, 1, 1).eval(), torch.zeros(3, 3, 8, 8),
                   pathlib.Path(folder) / "0.onnx", exporter, True, OPSETS[0])


def choose_all(arguments, families, results):
    """Families with their variant, smallest first."""
    for family in arguments.families or families:
        if (family, "choose") not in results:
            run_job({"family": family, "job": "choose"}, arguments, families[family], results)
    chosen = [results[family, "choose"] for family in arguments.families or families]
    return sorted((result for result in chosen if "model" in result),
                  key=lambda result: result["parameters"])


def sweep(arguments):
    warm_up(arguments.exporters)
    families = list_families()
    results = read_results(arguments.results)
    chosen = choose_all(arguments, families, results)
    for exporter in arguments.exporters:
        for choice in chosen:
            family = choice["family"]
            if (family, exporter) in results and not arguments.families:
                continue
            job = {"family": family, "job": exporter, "model": choice["model"]}
            result = run_job(job, arguments, families[family], results)
            print(f"{family:36} {job['model']:36} {exporter:7} {describe(result)}", flush=True)
    bad = [result for result in results.values() if result.get("status") == "differs"]
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--exporters", nargs="+", default=EXPORTERS, choices=EXPORTERS)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--memory", type=int, default=8, help="GiB")
    parser.add_argument("paths", nargs="+", metavar="RUN_NETWORK RESULTS [FAMILY …]")
    arguments = parser.parse_args()
    if arguments.table:
        return print_document(read_results(pathlib.Path(arguments.paths[0])))
    arguments.program, arguments.results, *arguments.families = arguments.paths
    arguments.results = pathlib.Path(arguments.results)
    return sweep(arguments)


if __name__ == "__main__":
    sys.exit(main())
