# SPDX-License-Identifier: LGPL-2.1-or-later
"""Resize beside ONNX Runtime and, where they differ, beside the ONNX project's own reference:

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime
    venv/bin/python tests/peers/resize.py build/tests/engine/run-network

Every way to find coordinates, with every way to round and to interpolate, on rows of some lengths by
scales and to sizes, larger and smaller; regions, proportions that are kept, axes by number, both axes
at once, and opset 10. A network has all ratios of a way and a length. Prints how many of each way are
as ONNX Runtime's, and the others, one by one, with what the reference says.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper, reference
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

warnings.simplefilter("ignore")
TOLERANCE = 2e-5
COORDINATES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric",
               "half_pixel_symmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"]
MODES = [{"mode": "nearest", "nearest_mode": mode}
         for mode in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")]
MODES += [{"mode": "linear"}, {"mode": "linear", "antialias": 1}, {"mode": "cubic"},
          {"mode": "cubic", "cubic_coeff_a": -0.5, "exclude_outside": 1},
          {"mode": "cubic", "antialias": 1}, {"mode": "cubic", "antialias": 1, "exclude_outside": 1}]
LENGTHS = [1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 16, 25, 57]
SCALES = [0.1, 0.15, 0.2, 0.25, 0.3, 1 / 3, 0.4, 0.5, 0.6, 2 / 3, 0.7, 0.75, 0.8, 0.9, 0.99, 1.01, 1.1, 1.2,
          1.25, 4 / 3, 1.5, 1.6, 1.7, 2, 2.3, 2.5, 2.94, 3, 3.3, 4, 7.5]
SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 14, 17, 20, 24, 31, 50, 64, 112]
REGIONS = [(0, 1), (0.1, 0.9), (0.4, 0.6), (-0.2, 0.7), (0.3, 1.2), (0.5, 0.5), (0.8, 0.2), (0.25, 0.75)]


class Case:
    """A Resize node: of which inputs, with which attributes."""
    def __init__(self, attributes, scales=None, sizes=None, roi=None, opset=19):
        self.attributes, self.scales, self.sizes, self.roi = attributes, scales, sizes, roi
        self.opset = opset

    def __str__(self):
        told = [f"{name}={value}" for name, value in self.attributes.items()]
        told += [f"{name}={getattr(self, name)}" for name in ("scales", "sizes", "roi")
                 if getattr(self, name) is not None]
        return " ".join(told + [f"opset={self.opset}"])

    def add(self, i, nodes, constants):
        def constant(name, values, kind):
            if values is None:
                return ""
            constants.append(numpy_helper.from_array(np.array(values, kind), f"{name}{i}"))
            return f"{name}{i}"

        lists = [constant("roi", self.roi, np.float32), constant("scales", self.scales, np.float32),
                 constant("sizes", self.sizes, np.int64)]
        inputs = ["x"] + (lists[1:2] if self.opset < 11 else lists)
        while not inputs[-1]:
            inputs.pop()
        nodes.append(helper.make_node("Resize", inputs, [f"r{i}"], **self.attributes))
        nodes.append(helper.make_node("Flatten", [f"r{i}"], [f"f{i}"], axis=1))


def make_model(cases, shape):
    nodes, constants = [], []
    for i, case in enumerate(cases):
        case.add(i, nodes, constants)
    nodes.append(helper.make_node("Concat", [f"f{i}" for i in range(len(cases))], ["y"], axis=1))
    graph = helper.make_graph(
        nodes, "resizes", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
         for name in ["y"] + [f"f{i}" for i in range(len(cases))]], constants)
    return helper.make_model(graph, ir_version=9,
                             opset_imports=[helper.make_opsetid("", cases[0].opset)])


def run_runtime(model, x):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[1:]


def run_ours(program, folder, model, x):
    model = onnx.ModelProto.FromString(model.SerializeToString())
    del model.graph.output[1:]
    onnx.save(model, folder / "resize.onnx")
    x.transpose(0, 2, 3, 1).tofile(folder / "x")
    shape = "x".join(str(x.shape[axis]) for axis in (0, 2, 3, 1))
    found = subprocess.run([*program, folder / "resize.onnx", folder / "x", shape, folder / "y"],
                           stderr=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        raise ValueError(found.stderr.strip())
    return np.fromfile(folder / "y", np.float32)


def run_reference(case, x):
    try:
        return reference.ReferenceEvaluator(make_model([case], list(x.shape))).run(None, {"x": x})[0]
    except Exception as fault:  # it raises whatever it likes
        return f"fails: {str(fault)[:60]}"


def is_close(a, b):
    return not isinstance(b, str) and a.size == b.size and np.allclose(
        a.ravel(), b.ravel(), rtol=0, atol=TOLERANCE * max(np.abs(b).max(initial=0), 1e-9))


def judge(program, folder, cases, x):
    """(case, verdict): "" where ours is ONNX Runtime's."""
    model = make_model(cases, list(x.shape))
    try:
        expected = run_runtime(model, x)
    except Exception as fault:
        if len(cases) > 1:
            return [pair for case in cases for pair in judge(program, folder, [case], x)]
        return [(cases[0], f"refused by ONNX Runtime: {str(fault)[:80]}")]
    try:
        found = run_ours(program, folder, model, x)
    except ValueError as refusal:
        if len(cases) > 1:
            return [pair for case in cases for pair in judge(program, folder, [case], x)]
        return [(cases[0], f"refused by ours: {refusal}")]
    verdicts, at = [], 0
    for case, output in zip(cases, expected):
        ours, at = found[at:at + output.size], at + output.size
        verdict = ""
        if not is_close(ours, output):
            right = run_reference(case, x)
            verdict = "differs; the reference is as " + (
                "ours" if is_close(ours, right) else "ONNX Runtime" if is_close(output, right)
                else f"neither {right if isinstance(right, str) else ''}")
        verdicts.append((case, verdict))
    return verdicts


def make_groups():
    """(way, cases, shape): of each way, all ratios of a length."""
    for coordinates in COORDINATES:
        for mode in MODES:
            attributes = {**mode, "coordinate_transformation_mode": coordinates}
            regions = REGIONS if coordinates == "tf_crop_and_resize" else [None]
            for length in LENGTHS:
                cases = []
                for region in regions:
                    roi = None if region is None else [0, 0, 0, region[0], 1, 1, 1, region[1]]
                    extra = {} if region is None else {"extrapolation_value": 0.5}
                    cases += [Case({**attributes, **extra}, scales=[1, 1, 1, scale], roi=roi)
                              for scale in SCALES if np.floor(np.float32(scale) * np.float32(length)) >= 1]
                    cases += [Case({**attributes, **extra}, sizes=[1, 2, 3, size], roi=roi) for size in SIZES]
                yield f"{coordinates} {' '.join(map(str, mode.values()))}", cases, [1, 2, 3, length]
    for mode in (MODES[0], MODES[4]):
        for policy in ("not_larger", "not_smaller"):
            for length in LENGTHS:
                yield f"{policy} {mode['mode']}", [
                    Case({**mode, "axes": [2, 3], "keep_aspect_ratio_policy": policy}, sizes=[size, other])
                    for size in SIZES for other in (1, 3, 8, 13)], [1, 2, 7, length]
        for length in LENGTHS:
            yield f"axes {mode['mode']}", [Case({**mode, "axes": axes}, scales=[0.6, scale])
                                           for axes in ([2, 3], [3, 2], [-1, -2]) for scale in SCALES
                                           if np.floor(np.float32(scale) * np.float32(length)) >= 1
                                           and np.floor(np.float32(scale) * 9) >= 1
                                           and length > 1], [1, 2, 9, length]
            yield f"both {mode['mode']}", [Case(mode, scales=[1, 1, 0.6, scale]) for scale in SCALES
                                           if np.floor(np.float32(scale) * np.float32(length)) >= 1
                                           ], [1, 3, 5, length]
    for mode in ("nearest", "linear"):
        for length in LENGTHS:
            yield f"opset 10 {mode}", [Case({"mode": mode}, scales=[1, 1, 1, scale], opset=10)
                                       for scale in SCALES
                                       if np.floor(np.float32(scale) * np.float32(length)) >= 1
                                       ], [1, 2, 3, length]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program", nargs="+", help="run-network, and words before it")
    program, ways, told, bad = parser.parse_args().program, {}, {}, 0
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        for way, cases, shape in make_groups():
            x = random.standard_normal(shape).astype(np.float32)
            for case, verdict in judge(program, pathlib.Path(folder), cases, x) if cases else []:
                counts = ways.setdefault(way, {})
                counts[verdict] = counts.get(verdict, 0) + 1
                if verdict.startswith("differs") or verdict.startswith("refused by ours"):
                    bad += 1
                    told.setdefault((way, verdict), f"{'x'.join(map(str, shape))} {case}")
    for way, counts in ways.items():
        others = ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if verdict)
        print(f"{way:52} {counts.get('', 0):5} as ONNX Runtime{', ' if others else ''}{others}")
    for (way, verdict), example in told.items():
        print(f"{way}: {verdict}: {example}")
    return 1 if bad > 0 else 0


if __name__ == "__main__":
    sys.exit(main())
