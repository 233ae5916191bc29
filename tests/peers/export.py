# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks as we write them, in the hands of others: ONNX's checker, ONNX Runtime and ourselves.

usage: export.py RUN_NETWORK REWRITE_NETWORK [NAME …]

Each network is exported by PyTorch, read and written by us. ONNX's checker has to find nothing, what
we read and write once more has to be the same file, and run the same bits. ONNX Runtime, if
Python has the module onnxruntime, has to give what PyTorch gives.
"""
import pathlib
import subprocess
import sys
import tempfile

from networks import (NETWORKS, TOLERANCE, export, find_error, make_cases, randomise, run_ours,
                      torch)

try:
    import onnx
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
try:
    import onnxruntime
except ImportError:
    onnxruntime = None

# Name, opset.
ROWS = [("squeezenet1_1", 13), ("resnet18", 17), ("mobilenet_v2", 9), ("mobilenet_v3_small", 17),
        ("shufflenet_v2_x0_5", 11), ("efficientnet_b0", 13), ("convnext_tiny", 17),
        ("mobilenet_v1", 13), ("generator", 17), ("cubic", 13)]


def find_runtime_error(path, cases):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    worst = 0
    for image, expected in cases:
        found = torch.from_numpy(session.run(None, {name: image.numpy()})[0]).flatten()
        expected = expected.flatten()
        worst = max(worst, ((found - expected).abs().max() / expected.abs().max()).item())
    return worst


def check(run, rewrite, folder, name, opset):
    make, sizes = NETWORKS[name]
    torch.manual_seed(1)
    model = randomise(make(), sizes[0])
    cases = make_cases(model, sizes)
    # The files have one name, which goes into what is written.
    original, written, again = (folder / stem / "model.onnx" for stem in ("a", "b", "c"))
    for path in (original, written, again):
        path.parent.mkdir(exist_ok=True)
    axes = {0: "batch", 2: "height", 3: "width"} if len(sizes) > 1 else {0: "batch"}
    export(model, cases[0][0], original, opset, dynamic_axes={"input": axes})
    subprocess.run([rewrite, original, written], check=True)
    subprocess.run([rewrite, written, again], check=True)

    faults = []
    try:
        onnx.checker.check_model(onnx.load(written), full_check=True)
    except Exception as failure:
        faults.append(f"ONNX's checker: {failure}")
    if written.read_bytes() != again.read_bytes():
        faults.append("read and written again, the file is another one")
    before, after = (run_ours(run, folder, path, cases) for path in (original, written))
    if not all(torch.equal(x, y) for x, y in zip(before, after)):
        faults.append("what was written gives other bits")
    error = find_error(cases, after)
    runtime = find_runtime_error(written, cases) if onnxruntime else None
    for who, difference in (("we", error), ("ONNX Runtime", runtime)):
        if difference is not None and not difference < TOLERANCE:
            faults.append(f"{who}: relative error {difference:.2g}")
    shown = f"{runtime:.1e}" if runtime is not None else "-"
    version = onnx.load(written).opset_import[0].version
    print(f"{name:20}{opset:8}{version:9}{error:10.1e}{shown:>15}", flush=True)
    for fault in faults:
        print(f"not ok {name}, opset {opset}: {fault}", flush=True)
    return not faults


def main():
    run, rewrite, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    ok = True
    print(f"{'network':20}{'opset':>8}{'written':>9}{'ours':>10}{'ONNX Runtime':>15}")
    with tempfile.TemporaryDirectory() as folder:
        for name, opset in ROWS:
            if not names or name in names:
                ok = check(run, rewrite, pathlib.Path(folder), name, opset) and ok
    return 0 if ok else 1


sys.exit(main())
