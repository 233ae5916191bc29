# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes what fuzz targets start from: FOLDER/seeds/ and FOLDER/dictionary.

corpus.py NAME FOLDER, with NAME one of WRITERS
"""
import itertools
import json
import math
import pathlib
import sys

import corpus_sets

# ---- Networks ----

X = {"x": [1, 3, 6, 6]}
V = {"x": [2, 8]}
SAME = {"x": [2, 3], "y": [2, 3]}

# Operator, shapes of its inputs, constants (a shape for floats, a list in a tuple for integers),
# attributes.
NODES = [
    ("Conv", X, {"w": [4, 3, 3, 3], "b": [4]}, {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
    ("Conv", X, {"w": [3, 1, 3, 3]}, {"group": 3, "dilations": [2, 2], "auto_pad": "SAME_UPPER"}),
    ("Conv", X, {"w": [8, 3, 1, 1]}, {"kernel_shape": [1, 1]}),
    ("ConvTranspose", X, {"w": [3, 2, 2, 2]}, {"strides": [2, 2]}),
    ("Gemm", V, {"w": [8, 4], "b": [4]}, {"alpha": 0.5, "transB": 0}),
    ("MatMul", V, {"w": [8, 3]}, {}),
    ("BatchNormalization", X, {"s": [3], "b": [3], "m": [3], "v": [3]}, {"epsilon": 1e-5}),
    ("InstanceNormalization", X, {"s": [3], "b": [3]}, {}),
    ("GroupNormalization", X, {"s": [3], "b": [3]}, {"num_groups": 3}),
    ("RMSNormalization", V, {"s": [8]}, {}),
    ("Attention", {"q": [1, 4, 6], "k": [1, 5, 6], "v": [1, 5, 6]}, {},
     {"q_num_heads": 2, "kv_num_heads": 2, "is_causal": 1}),
    ("Attention", {"q": [1, 4, 6], "k": [1, 5, 6], "v": [1, 5, 6], "m": [4, 7], "p": [1, 2, 2, 3],
                   "r": [1, 2, 2, 3]}, {},
     {"q_num_heads": 2, "kv_num_heads": 2, "left_window_size": 3, "qk_matmul_output_mode": 3}),
    ("Det", {"x": [2, 3, 3]}, {}, {}),
    ("RoiAlign", X, {"r": [2, 4], "i": ([0, 0],)}, {"output_height": 2, "mode": "max"}),
    ("GridSample", {"x": [1, 2, 3, 3, 3], "g": [1, 2, 2, 2, 3]}, {}, {"mode": "nearest"}),
    ("RotaryEmbedding", {"x": [1, 2, 4, 6], "c": [1, 4, 3], "s": [1, 4, 3]}, {}, {}),
    ("Einsum", {"a": [2, 3], "b": [3, 4]}, {}, {"equation": "...ij,jk->...ik"}),
    ("GridSample", {"x": [1, 3, 6, 6], "g": [1, 2, 2, 2]}, {}, {"padding_mode": "border"}),
    ("GatherElements", {"x": [4]}, {"i": ([0, 3],)}, {"axis": 0}),
    ("GatherND", V, {"i": ([1],)}, {}),
    ("ScatterElements", {"x": [4]}, {"i": ([0, 1],), "u": [2]}, {"axis": 0}),
    ("LSTM", {"x": [2, 1, 3]}, {"w": [1, 8, 3], "r": [1, 8, 2], "b": [1, 16]}, {"hidden_size": 2}),
    ("GRU", {"x": [2, 1, 3]}, {"w": [2, 6, 3], "r": [2, 6, 2]},
     {"direction": "bidirectional", "linear_before_reset": 1}),
    ("RNN", {"x": [1, 2, 3]}, {"w": [1, 2, 3], "r": [1, 2, 2]}, {"layout": 1, "clip": 0.5}),
    ("Trilu", V, {"k": ([1],)}, {"upper": 0}),
    ("CumSum", V, {"a": ([1],)}, {"exclusive": 1}),
    ("OneHot", {"x": [3]}, {"d": ([4],), "v": [2]}, {}),
    ("Hardmax", V, {}, {"axis": -1}),
    ("AffineGrid", {"t": [1, 2, 3]}, {"s": ([1, 1, 2, 3],)}, {"align_corners": 1}),
    ("CenterCropPad", V, {"s": ([3, 9],)}, {}),
    ("Col2Im", {"x": [1, 4, 9]}, {"i": ([4, 4],), "b": ([2, 2],)}, {}),
    ("LpPool", X, {}, {"kernel_shape": [2, 2], "p": 3}),
    ("LayerNormalization", V, {"s": [8], "b": [8]}, {"axis": -1}),
    ("LRN", X, {}, {"size": 3, "alpha": 1e-4}),
    ("LpNormalization", V, {}, {"axis": 1, "p": 2}),
    ("MaxPool", X, {}, {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    ("AveragePool", X, {}, {"kernel_shape": [2, 2], "pads": [1, 0, 1, 0], "count_include_pad": 1}),
    ("GlobalAveragePool", X, {}, {}),
    ("GlobalMaxPool", X, {}, {}),
    ("Concat", SAME, {}, {"axis": -1}),
    ("Split", V, {}, {"axis": 1, "split": [3, 5]}),
    ("Slice", V, {"starts": ([0],), "ends": ([-1],), "axes": ([1],), "steps": ([2],)}, {}),
    ("Gather", V, {"i": ([1, 0],)}, {"axis": 1}),
    ("Pad", X, {"p": ([0, 0, 1, 1, 0, 0, 1, 1],)}, {"mode": "reflect"}),
    ("Pad", X, {"p": ([0, 0, 1, 9, 0, 0, -1, 1],)}, {"mode": "wrap"}),
    ("Resize", X, {"roi": [0], "s": [4]}, {"mode": "linear"}),
    ("Upsample", X, {"s": [4]}, {"mode": "nearest"}),
    ("Reshape", V, {"s": ([4, -1],)}, {}),
    ("Flatten", X, {}, {"axis": 1}),
    ("Transpose", X, {}, {"perm": [0, 2, 3, 1]}),
    ("Squeeze", {"x": [1, 3, 1]}, {}, {"axes": [0, 2]}),
    ("Unsqueeze", V, {}, {"axes": [0, 3]}),
    ("Expand", {"x": [3, 1]}, {"s": ([2, 3, 4],)}, {}),
    ("Tile", V, {"r": ([1, 2],)}, {}),
    ("Shape", X, {}, {}),
    ("Size", X, {}, {}),
    ("Cast", V, {}, {"to": 7}),
    ("ConstantOfShape", {}, {"s": ([2, 3],)}, {}),
    ("Range", {}, {"a": ([0, 1],), "b": ([5],), "c": ([1],)}, {}),
    ("Where", SAME, {"c": [2, 3]}, {}),
    ("Clip", V, {}, {"min": 0.0, "max": 6.0}),
    ("Softmax", V, {}, {"axis": 1}),
    ("LogSoftmax", V, {}, {"axis": -1}),
    ("Dropout", V, {}, {"ratio": 0.5}),
    ("LeakyRelu", V, {}, {"alpha": 0.1}),
    ("PRelu", X, {"s": [3, 1, 1]}, {}),
    ("HardSigmoid", V, {}, {"alpha": 0.2, "beta": 0.5}),
    ("DepthToSpace", {"x": [1, 8, 3, 3]}, {}, {"blocksize": 2, "mode": "CRD"}),
    ("QuantizeLinear", V, {"s": [1], "z": ([0],)}, {}),
    *((name, V, {}, {}) for name in ["Relu", "Sigmoid", "Tanh", "Exp", "Sqrt", "Abs", "Neg", "Erf",
                                     "Softplus", "HardSwish", "Identity", "Floor", "Elu", "Selu",
                                     "Gelu", "Swish", "Mish", "Sin", "Atan", "IsNaN", "IsInf"]),
    *((name, SAME, {}, {}) for name in ["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum"]),
    *((name, X, {}, {"axes": [2, 3], "keepdims": 0}) for name in
      ["ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2", "ReduceSumSquare"]),
]
OPSETS = [9, 11, 13, 17, 25]

T = {"x": [1, 2, 4]}
# Scale and zero point.
Q = {"xs": [], "xz": b"\x80"}
# Those of com.microsoft. Constants of bytes are of 8 bits.
CONTRIBUTED = [
    ("FusedConv", X, {"w": [4, 3, 3, 3], "b": [4]}, {"activation": "LeakyRelu",
                                                     "activation_params": [0.5]}),
    ("NhwcConv", X, {"w": [4, 6, 3, 3]}, {"pads": [1, 1, 1, 1]}),
    ("FusedMatMul", V, {"w": [3, 8]}, {"transB": 1, "transBatchA": 0, "alpha": 0.5}),
    ("FusedGemm", V, {"w": [8, 4], "b": [4]}, {"activation": "Relu", "activation_alpha": 0.5}),
    ("Gelu", V, {}, {}),
    ("FastGelu", V, {"b": [8]}, {}),
    ("QuickGelu", V, {}, {"alpha": 1.5}),
    ("BiasSplitGelu", T, {"b": [4]}, {}),
    ("SkipLayerNormalization", {"x": [1, 2, 4], "y": [1, 2, 4]}, {"s": [4], "b": [4], "c": [4]},
     {"epsilon": 1e-5}),
    ("GroupNorm", X, {"s": [6], "b": [6]}, {"groups": 2, "activation": 1}),
    ("Attention", T, {"w": [4, 12], "b": [12], "m": ([1],)}, {"num_heads": 2, "unidirectional": 1}),
    ("MultiHeadAttention", T, {"k": [1, 3, 4], "v": [1, 3, 4], "b": [12], "m": ([2],)},
     {"num_heads": 2, "scale": 0.5}),
    ("RotaryEmbedding", T, {"p": ([1],), "c": [3, 2], "s": [3, 2]}, {"interleaved": 1}),
    ("EmbedLayerNormalization", {}, {"i": ([1, 0],), "j": ([0, 1],), "w": [2, 4], "p": [2, 4],
                                     "s": [2, 4], "g": [4], "b": [4]}, {}),
    ("QLinearAdd", {}, {"x": b"\1\2", **Q, "y": b"\3\4", "ys": [], "yz": b"\0", "zs": [],
                        "zz": b"\0"}, {}),
    ("QLinearConcat", {}, {"zs": [], "zz": b"\0", "x": b"\1\2", **Q}, {"axis": 0}),
    ("QLinearSoftmax", V, {**Q, "ys": [], "yz": b"\0"}, {"axis": 1, "opset": 13}),
    ("QLinearAveragePool", X, {**Q, "ys": [], "yz": b"\0"}, {"kernel_shape": [2, 2],
                                                            "channels_last": 1}),
    ("QGemm", V, {**Q, "w": [8, 2], "ws": [2], "wz": b"\0"}, {"alpha": 0.5, "transB": 0}),
    ("QAttention", T, {"w": [4, 12], "b": [12], "xs": [], "ws": [12]}, {"num_heads": 2}),
    ("DynamicQuantizeMatMul", V, {"w": [8, 2], "ws": [2]}, {}),
    ("MatMulIntegerToFloat", V, {"w": [8, 2], "xs": [], "ws": [2]}, {}),
    ("MatMulNBits", {"x": [2, 16]}, {"w": bytes(16), "s": [2]},
     {"K": 16, "N": 2, "bits": 4, "block_size": 16}),
]


def make_node_models():
    from onnx import TensorProto, helper
    rows = [(*node, "", opset) for node, opset in itertools.product(NODES, OPSETS)]
    rows += [(*node, "com.microsoft", 17) for node in CONTRIBUTED]
    for op, inputs, constants, attributes, domain, opset in rows:
        tensors = []
        for name, shape in constants.items():
            if isinstance(shape, bytes):
                tensors.append(helper.make_tensor(name, TensorProto.UINT8, [len(shape)], shape, True))
            elif isinstance(shape, tuple):
                tensors.append(helper.make_tensor(name, TensorProto.INT64, [len(shape[0])], shape[0]))
            else:
                n = math.prod(shape)
                tensors.append(helper.make_tensor(name, TensorProto.FLOAT, shape,
                                                  [(i % 7 - 2) / 4 for i in range(n)]))
        node = helper.make_node(op, [*inputs, *constants], ["out"], name="node", domain=domain,
                                **attributes)
        graph = helper.make_graph(
            [node], "g",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
             for name, shape in inputs.items()],
            [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)], tensors)
        yield helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset),
                                                      helper.make_opsetid("com.microsoft", 1)])


def make_whole_model():
    """A small network as exporters write them: open sizes, shape arithmetic, a residual."""
    from onnx import TensorProto, helper
    weights = [("w1", [4, 3, 3, 3]), ("w2", [4, 4, 3, 3]), ("w3", [2, 4])]
    tensors = [helper.make_tensor(name, TensorProto.FLOAT, shape,
                                  [0.1] * (shape[0] * shape[1] * (9 if len(shape) > 2 else 1)))
               for name, shape in weights]
    tensors.append(helper.make_tensor("zero", TensorProto.INT64, [], [0]))
    tensors.append(helper.make_tensor("rest", TensorProto.INT64, [1], [-1]))
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c2", "r1"], ["a"]),
        helper.make_node("GlobalAveragePool", ["a"], ["p"]),
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"], axis=0),
        helper.make_node("Unsqueeze", ["n"], ["n1"], axes=[0]),
        helper.make_node("Concat", ["n1", "rest"], ["shape"], axis=0),
        helper.make_node("Reshape", ["p", "shape"], ["f"]),
        helper.make_node("Gemm", ["f", "w3"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)])


def make_body_models():
    """What becomes part of a graph before its operators are looked at: functions that call each
    other, branches, outputs that can't be computed, images of bytes and in TensorFlow's order."""
    from onnx import AttributeProto, TensorProto, helper
    own = helper.make_opsetid("own", 1)
    opsets = [helper.make_opsetid("", 13), own]

    def model(nodes, outputs, kind=TensorProto.FLOAT, shape=("n", 3, 6, 6), functions=()):
        graph = helper.make_graph(
            nodes, "g", [helper.make_tensor_value_info("x", kind, shape)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs])
        return helper.make_model(graph, opset_imports=opsets, functions=functions)

    slope = helper.make_node("LeakyRelu", ["a"], ["b"])
    slope.attribute.append(AttributeProto(name="alpha", ref_attr_name="slope",
                                          type=AttributeProto.FLOAT))
    inner = helper.make_function("own", "Inner", ["a"], ["b"], [slope], opsets, ["slope"])
    outer = helper.make_function(
        "own", "Outer", ["a", "c"], ["d"],
        [helper.make_node("Inner", ["a"], ["t"], domain="own", slope=0.5),
         helper.make_node("Add", ["t", "c"], ["d"])], opsets)
    yield model([helper.make_node("Outer", ["x", "x"], ["y"], domain="own")], ["y"],
                functions=[inner, outer])

    def branch(op):
        return helper.make_graph([helper.make_node(op, ["x"], [op])], op, [],
                                 [helper.make_tensor_value_info(op, TensorProto.FLOAT, None)])

    index = helper.make_tensor("", TensorProto.INT64, [], [2])
    limit = helper.make_tensor("", TensorProto.INT64, [], [7])
    yield model([helper.make_node("Shape", ["x"], ["s"]),
                 helper.make_node("Constant", [], ["i"], value=index),
                 helper.make_node("Constant", [], ["l"], value=limit),
                 helper.make_node("Gather", ["s", "i"], ["d"]),
                 helper.make_node("Less", ["d", "l"], ["c"]),
                 helper.make_node("If", ["c"], ["y"], then_branch=branch("Relu"),
                                  else_branch=branch("Neg"))], ["y"])
    yield model([helper.make_node("Softmax", ["x"], ["p"]),
                 helper.make_node("ZipMap", ["p"], ["m"], domain="ai.onnx.ml")], ["m"])
    yield model([helper.make_node("Cast", ["x"], ["f"], to=1),
                 helper.make_node("Transpose", ["f"], ["t"], perm=[0, 3, 1, 2]),
                 helper.make_node("GlobalAveragePool", ["t"], ["y"])], ["y"],
                TensorProto.UINT8, ("n", 6, 6, 3))


def onnx_corpus():
    models = [*make_node_models(), make_whole_model(), *make_body_models()]
    seeds = [model.SerializeToString() for model in models]
    rows = NODES + CONTRIBUTED
    words = {op for op, *_ in rows} | {name for *_, attributes in rows for name in attributes}
    words |= {"If", "then_branch", "else_branch", "ZipMap", "TopK", "own", "Inner", "Outer", "slope"}
    words |= {"Constant", "value", "axes", "perm", "NOTSET", "VALID", "SAME_LOWER", "constant",
              "edge", "nearest", "cubic", "asymmetric", "half_pixel", "align_corners"}
    return seeds, words


# ---- Manifests ----

def make_manifest(role, classes):
    calibration = {name: [1.5, -0.25] for name in classes}
    channels = 1 if role == "retrained" else 3
    network = {
        "name": "a", "role": role, "network": "a.onnx", "classifier": "b.onnx", "taps": ["pool", "fc"],
        "normalise": {"order": "gray" if channels == 1 else "bgr", "mean": [104.5] * channels,
                      "scale": [0.017] * channels},
        "size": 227, "scales": [256, 384], "weight": 1, "calibration": calibration,
    }
    if role == "retrained":
        network |= {"window_classifier": "c.onnx", "window_sizes": [128],
                    "window_calibration": calibration}
    return {
        "schema": "gst-ensemble/bundle/2", "name": "shop", "version": "7",
        "classes": [{"name": name, "threshold": 0.5} for name in classes],
        "fusion": {"kind": "log-odds", "window_weight": 0.6, "whole_weight": 0.4,
                   "window_share": 0.5, "link": "softmax", "calibration": calibration,
                   "whole_calibration": calibration, "softmax": [1, 0], "whole_softmax": [1, 0]},
        "windows": {"count": 100, "preset": "balanced"}, "networks": [network],
        "provenance": {"made": "by hand", "accuracy": [0.5, None, True]},
    }


def bundle_corpus():
    manifests = [make_manifest(role, classes) for role in ["original", "retrained"]
                 for classes in [["a"], ["dress", "Hüte", "x \"y\""]]]
    two = make_manifest("original", ["a"])
    two["networks"] += make_manifest("retrained", ["a"])["networks"]
    two["networks"][1]["name"] = "b"
    manifests.append(two)
    seeds = [json.dumps(manifest, indent=indent).encode()
             for manifest in manifests for indent in [None, 2]]
    words = {f'"{name}"' for manifest in manifests for name in corpus_sets.members(manifest)}
    words |= {'"rgb"', '"fast"', '"quality"', "null", "true", "1e999", "-0.0", "../a.onnx", "/a.onnx",
              "\\u0000", "\\ud800", "4096", "10000", "18446744073709551616"}
    return seeds, words


# ---- Pictures ----

def picture_corpus():
    exif = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"

    def chunk(name, data):
        return len(data).to_bytes(4, "big") + name + data + b"\0\0\0\0"

    def riff(name, data):
        return name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) & 1)

    webp = b"WEBP" + riff(b"VP8X", b"\x0a\0\0\0\x2f\0\0\x1f\0\0") + riff(b"EXIF", exif)
    seeds = [
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0\0\0\x30\0\0\0\x20\x08\2\0\0\0") + chunk(b"eXIf", exif)
        + chunk(b"IDAT", b"\0" * 9) + chunk(b"IEND", b""),
        b"\xff\xd8\xff\xe1\0\x22Exif\0\0" + exif + b"\xff\xc0\0\x0b\x08\0\x20\0\x30\1\1\x11\0"
        + b"\xff\xda\0\x08\1\1\0\0\x3f\0ab\xff\xd9",
        riff(b"RIFF", webp), riff(b"RIFF", b"WEBP" + riff(b"VP8L", b"\x2f\x2f\xc0\x07\0")),
        exif, b"II*\0\x08\0\0\0\2\0\0\1\3\0\1\0\0\0\x30\0\0\0\1\1\3\0\1\0\0\0\x20\0\0\0\0\0\0\0",
        b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0" + b"\0\1\x10\0\1" + b"\0" * 19,
        b"GIF89a\x30\0\x20\0\x80\0\0" + b"\0" * 6 + b"!\xf9\4\0\5\0\0\0,\0\0\0\0\x30\0\x20\0\0\2\1D\0;",
        b"BM" + b"\0" * 12 + b"\x28\0\0\0\x30\0\0\0\xe0\xff\xff\xff" + b"\0" * 40,
        b"P6 # c\n48 32\n255\n" + b"\0" * 20, b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", b" <svg/>", b"#EXTM3U\n"]
    words = {"IHDR", "eXIf", "IEND", "VP8X", "VP8L", "VP8 ", "EXIF", "RIFF", "WEBP", "II*", "MM", "GIF89a", "BM"}
    return seeds, words


WRITERS = {"bundle": bundle_corpus, "onnx": onnx_corpus, "picture": picture_corpus,
           **{name: getattr(corpus_sets, name.replace("-", "_") + "_corpus")
              for name in ["coco", "csv", "cub", "cvat", "json-lines", "json-list", "labelme", "list",
                           "open-images", "via", "voc", "yolo"]}}


def quote(word):
    return "".join(c if c.isalnum() and c.isascii() else "".join(f"\\x{b:02x}" for b in c.encode())
                   for c in word)


def write(name, folder):
    """Returns the number of seeds."""
    seeds, words = WRITERS[name]()
    (folder / "seeds").mkdir(parents=True, exist_ok=True)
    for i, seed in enumerate(seeds):
        (folder / "seeds" / f"{i:04}").write_bytes(seed)
    (folder / "dictionary").write_text("".join(f'"{quote(word)}"\n' for word in sorted(words)))
    return len(seeds)


if __name__ == "__main__":
    print(write(sys.argv[1], pathlib.Path(sys.argv[2])), "seeds")
