# SPDX-License-Identifier: LGPL-2.1-or-later
"""Parts of vision transformers beside ONNX Runtime: transformer-parts.py TIME_NETWORK [--threads N]

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime
    venv/bin/python tests/peers/transformer-parts.py build/tests/peers/time-network

Parts are spelled out as exporters do up to opset 17, at the sizes of ViT-B/16: 197 tokens of 768
elements, 12 heads, 3072 elements between the layers. Both engines run in turn, twice; milliseconds of
the fastest runs.
"""
import argparse
import pathlib
import subprocess
import tempfile
import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

TOKENS, WIDTH, HEADS, INNER = 197, 768, 12, 3072
rng = numpy.random.default_rng(1)


class Builder:
    """Nodes and constants of a graph, values by name."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value):
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(numpy.asarray(value), name))
        return name

    def number(self, value):
        return self.constant(numpy.float32(value))

    def weight(self, *shape):
        return self.constant(rng.standard_normal(shape, numpy.float32) / shape[0] ** 0.5)

    def __call__(self, op, *inputs, **attributes):
        name = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name


def gelu(b, x):
    y = b("Add", b("Erf", b("Div", x, b.number(2 ** 0.5))), b.number(1))
    return b("Mul", b("Mul", x, y), b.number(0.5))


def gelu_tanh(b, x):
    y = b("Add", x, b("Mul", b("Pow", x, b.number(3)), b.number(0.044715)))
    y = b("Add", b("Tanh", b("Mul", y, b.number((2 / numpy.pi) ** 0.5))), b.number(1))
    return b("Mul", b("Mul", x, b.number(0.5)), y)


def layer_normalization(b, x):
    d = b("Sub", x, b("ReduceMean", x, axes=[-1]))
    root = b("Add", b("ReduceMean", b("Pow", d, b.number(2)), axes=[-1]), b.number(1e-5))
    y = b("Mul", b("Div", d, b("Sqrt", root)), b.weight(WIDTH))
    return b("Add", y, b.weight(WIDTH))


def linear(b, x, inputs, outputs):
    return b("Add", b("MatMul", x, b.weight(inputs, outputs)), b.weight(outputs))


def perceptron(b, x):
    y = gelu(b, linear(b, layer_normalization(b, x), WIDTH, INNER))
    return b("Add", x, linear(b, y, INNER, WIDTH))


def heads(b, x, perm):
    shape = b.constant(numpy.array([0, TOKENS, HEADS, WIDTH // HEADS]))
    return b("Transpose", b("Reshape", x, shape), perm=perm)


def attention(b, x):
    scores = b("MatMul", heads(b, x, [0, 2, 1, 3]), heads(b, x, [0, 2, 3, 1]))
    weights = b("Softmax", b("Mul", scores, b.number((WIDTH // HEADS) ** -0.5)), axis=-1)
    y = b("Transpose", b("MatMul", weights, heads(b, x, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
    return b("Reshape", y, b.constant(numpy.array([0, TOKENS, WIDTH])))


def attention_23(b, x):
    return b("Attention", x, x, x, q_num_heads=HEADS, kv_num_heads=HEADS)


# Part, what it reads, opset, and the other form that ONNX Runtime gets.
PARTS = {
    "Erf": (lambda b, x: b("Erf", x), (1, TOKENS, INNER), 17, None),
    "Gelu": (gelu, (1, TOKENS, INNER), 17, None),
    "Gelu, tanh": (gelu_tanh, (1, TOKENS, INNER), 17, None),
    "LayerNormalization": (layer_normalization, (1, TOKENS, WIDTH), 17, None),
    "Softmax": (lambda b, x: b("Softmax", x, axis=-1), (HEADS, TOKENS, TOKENS), 17, None),
    "perceptron": (perceptron, (1, TOKENS, WIDTH), 17, None),
    "attention": (attention, (1, TOKENS, WIDTH), 17, None),
    "Attention, opset 23": (attention_23, (1, TOKENS, WIDTH), 23, attention),
}


def write(build, shape, opset, path):
    b = Builder()
    y = b("Identity", build(b, "x"))
    graph = helper.make_graph(b.nodes, "part",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(y, TensorProto.FLOAT, None)],
                              b.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 10
    onnx.save(model, path)


def time_ort(path, shape, threads, seconds):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {"x": rng.standard_normal(shape, numpy.float32)}
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        session.run(None, feed)
        best = min(best, time.perf_counter() - start)
    return best * 1e3


def time_ours(program, path, shape, threads, seconds):
    result = subprocess.run([program, path, "x".join(map(str, shape)), str(threads), str(seconds)],
                            check=True, capture_output=True, text=True)
    return float(result.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1)
    arguments = parser.parse_args()
    print(f"{'part':22} {'ONNX Runtime ' + onnxruntime.__version__:>22} {'ours':>9} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        path, other = (str(pathlib.Path(folder) / name) for name in ("part.onnx", "other.onnx"))
        for name, (build, shape, opset, alternative) in PARTS.items():
            write(build, shape, opset, path)
            write(alternative or build, shape, 17 if alternative else opset, other)
            times = [(time_ort(other, shape, arguments.threads, arguments.seconds),
                      time_ours(arguments.program, path, shape, arguments.threads,
                                arguments.seconds)) for _ in range(2)]
            ort, ours = (min(column) for column in zip(*times))
            print(f"{name:22} {ort:19.3f} ms {ours:6.3f} ms {ort / ours:6.2f}", flush=True)


main()
