# SPDX-License-Identifier: LGPL-2.1-or-later
"""Operators of ONNX Runtime's own domain, com.microsoft, what its quantiser writes, and recurrent
ones, beside it.

usage: contributed.py RUN_NETWORK [OPERATOR …]

Each case is a network of one such operator on random numbers. The table says how far we are from
ONNX Runtime, which runs the same file without optimising it: relative to the largest magnitude, or,
where the result is quantised, in steps of its scale, and how many results are another step at all.
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TOLERANCE = 1e-5
STEPS = 1


class Network:
    """A file put together node by node. Arrays become initializers."""
    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.initializers, self.step = [], [], None
        self.opset = 17

    def name(self):
        return f"t{len(self.nodes) + len(self.initializers)}"

    def constant(self, array):
        array = np.asarray(array)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        self.initializers.append(numpy_helper.from_array(array, name := self.name()))
        return name

    def add(self, op, *inputs, domain="com.microsoft", outputs=1, output=None, **attributes):
        names = [i if isinstance(i, str) else "" if i is None else self.constant(i) for i in inputs]
        results = [output or f"{op}{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, names, results, domain=domain, **attributes))
        return results[0] if outputs == 1 else results

    def own(self, op, *inputs, **attributes):
        return self.add(op, *inputs, domain="", **attributes)

    def normal(self, *shape):
        return self.random.standard_normal(shape).astype(np.float32)

    def integers(self, low, high, *shape, dtype=np.int8):
        return self.random.integers(low, high, shape).astype(dtype)

    def quantise(self, x, scale, zero, dtype=np.uint8):
        return self.own("QuantizeLinear", x, np.float32(scale), dtype(zero))

    def dequantise(self, q, scale, zero, dtype=np.uint8):
        self.step = scale
        return self.own("DequantizeLinear", q, np.float32(scale), dtype(zero))

    def save(self, path, shape, result):
        self.own("Identity", result, output="y")
        graph = helper.make_graph(
            self.nodes, "case", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], self.initializers)
        model = helper.make_model(graph, ir_version=8, opset_imports=[
            helper.make_opsetid("", self.opset), helper.make_opsetid("com.microsoft", 1)])
        onnx.save(model, path)


# Cases: shape of x, and what is added for it. A function's name is the operator's.
CASES = []


def case(*shape, **options):
    def register(function):
        CASES.append((function.__name__.split("__")[0], shape, function, options))
        return function
    return register


# Of real numbers

def conv(net, x, op="FusedConv", residual=False, **attributes):
    shape = (2, 10, 9, 5) if op.startswith("Nhwc") else (2, 5, 10, 9)
    inputs = [x, net.normal(5, 4, 3, 3) / 4, net.normal(5)]
    if residual:
        inputs.append(net.normal(*shape))
    return net.add(op, *inputs, pads=[1] * 4, **attributes)


for activation, numbers in [("Relu", []), ("Tanh", []), ("Sigmoid", []), ("LeakyRelu", [0.3]),
                            ("Clip", [-0.5, 1.5]), ("HardSigmoid", [0.3, 0.4])]:
    CASES.append(("FusedConv", (2, 4, 10, 9), lambda net, x, a=activation, n=numbers: conv(
        net, x, activation=a, **({"activation_params": n} if n else {})), {}))
CASES.append(("FusedConv", (2, 4, 10, 9), lambda net, x: conv(
    net, x, residual=True, activation="Relu"), {}))


@case(2, 4, 10, 9)
def FusedConv__plain(net, x):
    return conv(net, x)


@case(3, 4, 6)
def FusedMatMul(net, x):
    return net.add("FusedMatMul", x, net.normal(6, 5), alpha=0.3)


@case(3, 4, 6)
def FusedMatMul__trans(net, x):
    return net.add("FusedMatMul", x, net.normal(3, 7, 4), transA=1, transB=1, alpha=-1.5)


@case(4, 3, 6)
def FusedMatMul__batch_a(net, x):
    return net.add("FusedMatMul", x, net.normal(3, 6, 5), transBatchA=1)


@case(6, 3, 4)
def FusedMatMul__batch_a_trans(net, x):
    return net.add("FusedMatMul", x, net.normal(3, 6, 5), transBatchA=1, transA=1)


@case(2, 3, 4, 6)
def FusedMatMul__batch_b(net, x):
    return net.add("FusedMatMul", x, net.normal(6, 2, 3, 5), transBatchB=1, transB=0)


@case(2, 3, 4, 6)
def FusedMatMul__batch_b_trans(net, x):
    return net.add("FusedMatMul", x, net.normal(5, 2, 3, 6), transBatchB=1, transB=1)


@case(3, 4, 6)
def TransposeMatMul(net, x):
    return net.add("TransposeMatMul", x, net.normal(3, 7, 6), transB=1, alpha=0.5)


for activation, numbers in [("Relu", {}), ("LeakyRelu", {"activation_alpha": 0.2}), ("Tanh", {}),
                            ("HardSigmoid", {"activation_alpha": 0.3, "activation_beta": 0.4}),
                            ("Elu", {"activation_alpha": 0.7})]:
    CASES.append(("FusedGemm", (4, 6), lambda net, x, a=activation, n=numbers: net.add(
        "FusedGemm", x, net.normal(5, 6), net.normal(5), transB=1, alpha=0.5, beta=1.5,
        activation=a, **n), {}))


@case(2, 7, 12)
def Gelu(net, x):
    return net.add("Gelu", x)


@case(2, 7, 12)
def FastGelu(net, x):
    return net.add("FastGelu", x, net.normal(12))


@case(2, 7, 12)
def FastGelu__plain(net, x):
    return net.add("FastGelu", x)


@case(2, 7, 12)
def QuickGelu(net, x):
    return net.add("QuickGelu", x)


@case(2, 7, 12)
def QuickGelu__alpha(net, x):
    return net.add("QuickGelu", x, alpha=-0.7)


@case(2, 7, 12)
def BiasGelu(net, x):
    return net.add("BiasGelu", x, net.normal(12))


def skip(net, x, op, inputs, outputs):
    results = net.add(op, x, *inputs, outputs=outputs, epsilon=1e-4)
    return results if outputs == 1 else net.own("Add", results[0], results[-1])


@case(2, 7, 12)
def SkipLayerNormalization(net, x):
    return skip(net, x, "SkipLayerNormalization", [net.normal(2, 7, 12), net.normal(12),
                                                   net.normal(12), net.normal(12)], 1)


@case(2, 7, 12)
def SkipLayerNormalization__sum(net, x):
    return skip(net, x, "SkipLayerNormalization", [net.normal(1, 7, 12), net.normal(12),
                                                   net.normal(12)], 4)


@case(2, 7, 12)
def SkipLayerNormalization__without_beta(net, x):
    return skip(net, x, "SkipLayerNormalization", [net.normal(7, 12), net.normal(12)], 1)


@case(2, 7, 12)
def LayerNormalization(net, x):
    net.opset = 13
    return net.own("LayerNormalization", x, net.normal(12), net.normal(12), axis=-1, epsilon=1e-4)


@case(2, 7, 12)
def SimplifiedLayerNormalization(net, x):
    return net.own("SimplifiedLayerNormalization", x, net.normal(12), axis=-1, epsilon=1e-4)


@case(2, 7, 12)
def SkipSimplifiedLayerNormalization(net, x):
    return skip(net, x, "SkipSimplifiedLayerNormalization",
                [net.normal(2, 7, 12), net.normal(12), net.normal(12)], 4)


def attention(net, x, *inputs, bias=True, mask=None, sizes=None, score_bias=None, **attributes):
    widths = sizes or [12, 12, 12]
    given = [x, net.normal(10, sum(widths)) / 3, net.normal(sum(widths)) if bias else None]
    given += [mask, None, score_bias] if score_bias is not None else [mask]
    if sizes:
        attributes["qkv_hidden_sizes"] = sizes
    return net.add("Attention", *given, num_heads=3, **attributes)


def lower(rows, columns):
    return (np.arange(columns) <= np.arange(rows)[:, None]).astype(np.int32)


for options in [dict(), dict(scale=0.4), dict(unidirectional=1), dict(bias=True, sizes=[12, 12, 6]),
                dict(mask=np.int32([5, 3])), dict(mask=np.int32([5, 7, 1, 2])),
                dict(mask=np.int32([[1] * 6 + [0], [0, 1, 1, 0, 1, 1, 1]])),
                dict(mask=np.stack([lower(7, 7), np.ones((7, 7), np.int32)])),
                dict(mask=np.int32([[1] * 6 + [0], [0, 1, 1, 0, 1, 1, 1]]), mask_filter_value=-2.0),
                dict(score_bias=np.linspace(-1, 1, 3 * 49).reshape(1, 3, 7, 7)),
                dict(score_bias=np.linspace(-1, 1, 6 * 49).reshape(2, 3, 7, 7),
                     mask=np.int32([5, 3]))]:
    CASES.append(("Attention", (2, 7, 10), lambda net, x, o=options: attention(net, x, **o), {}))


def heads(net, x, rows=7, bias=False, values=12, inputs=(), **attributes):
    return net.add("MultiHeadAttention", x, net.normal(2, rows, 12), net.normal(2, rows, values),
                   net.normal(24 + values) if bias else None, *inputs, num_heads=3, **attributes)


for options in [dict(), dict(bias=True), dict(rows=5, bias=True, values=6), dict(unidirectional=1),
                dict(inputs=[np.int32([5, 3])]), dict(rows=5, scale=0.3,
                     inputs=[np.int32([[1, 1, 0, 1, 1], [1, 0, 0, 0, 0]])]),
                dict(inputs=[None, np.linspace(-1, 1, 3 * 49).reshape(1, 3, 7, 7)])]:
    CASES.append(("MultiHeadAttention", (2, 7, 12), lambda net, x, o=options: heads(net, x, **o), {}))


@case(2, 7, 12)
def MultiHeadAttention__keys_by_head(net, x):
    return net.add("MultiHeadAttention", x, net.normal(2, 3, 5, 4), net.normal(2, 3, 5, 4),
                   num_heads=3)


def rotary(net, x, positions, pairs=2, **attributes):
    angles = np.arange(9)[:, None] * np.array([1, 0.3, 0.1])[:pairs]
    return net.add("RotaryEmbedding", x, positions, np.cos(angles), np.sin(angles), **attributes)


PLACES = np.int64([[0, 1, 2, 3, 4, 5, 6], [8, 7, 6, 5, 4, 3, 2]])
for shape, positions, options in [
        ((2, 7, 12), PLACES, {}), ((2, 7, 12), np.int64([2]), {}), ((2, 3, 7, 4), PLACES, {}),
        ((2, 3, 7, 4), PLACES, {"interleaved": 1}),
        ((2, 7, 24), PLACES, {"num_heads": 3, "rotary_embedding_dim": 4})]:
    CASES.append(("RotaryEmbedding", shape, lambda net, x, p=positions, o=options: rotary(
        net, x, p, **o), {}))


@case(2, 7, 12)
def EmbedLayerNormalization(net, x):
    """Words alone can't be the input of a network that takes real numbers."""
    ids = net.own("Cast", net.own("Abs", net.own("ReduceMean", x, axes=[2], keepdims=0)),
                  to=TensorProto.INT32)
    y, _ = net.add("EmbedLayerNormalization", ids, ids, net.normal(9, 16), net.normal(8, 16),
                   net.normal(9, 16), net.normal(16), net.normal(16), outputs=2)
    return y


# Quantised

QUANTISED = {"dtype": (np.uint8, np.int8)}
ZERO = {np.uint8: 120, np.int8: -9}


def unary(op, scale, **attributes):
    def build(net, x, dtype):
        q = net.quantise(x, 0.03, ZERO[dtype], dtype)
        zero = dtype(ZERO[dtype] - 20)
        y = net.add(op, q, np.float32(0.03), dtype(ZERO[dtype]), np.float32(scale), zero, **attributes)
        return net.dequantise(y, scale, zero, dtype)
    return build


for shape, op, scale, attributes in [
        ((2, 6, 9, 8), "QLinearGlobalAveragePool", 0.0047, {}),
        ((2, 9, 8, 6), "QLinearGlobalAveragePool", 0.0047, {"channels_last": 1}),
        ((2, 6, 9, 8), "QLinearAveragePool", 0.0213,
         {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4}),
        ((2, 9, 8, 6), "QLinearAveragePool", 0.0213,
         {"kernel_shape": [2, 2], "channels_last": 1, "count_include_pad": 1, "pads": [1] * 4}),
        ((3, 70), "QLinearLeakyRelu", 0.02, {"alpha": 0.2}),
        ((3, 70), "QLinearSigmoid", 1 / 256, {}),
        ((3, 5, 14), "QLinearSoftmax", 1 / 256, {"axis": -1, "opset": 13}),
        ((3, 5, 14), "QLinearSoftmax", 1 / 256, {"axis": 1, "opset": 12})]:
    CASES.append((op, shape, unary(op, scale, **attributes), QUANTISED))


@case(2, 5, 4, 6, **QUANTISED)
def QLinearAdd(net, x, dtype):
    a = net.quantise(x, 0.03, ZERO[dtype], dtype)
    b = net.integers(-50, 50, 2, 5, 4, 6, dtype=np.int32) + ZERO[dtype]
    b = np.clip(b, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)
    y = net.add("QLinearAdd", a, np.float32(0.03), dtype(ZERO[dtype]), b, np.float32(0.04),
                dtype(ZERO[dtype]), np.float32(0.037), dtype(3))
    return net.dequantise(y, 0.037, 3, dtype)


@case(2, 5, 4, 6, **QUANTISED)
def QLinearMul(net, x, dtype):
    a = net.quantise(x, 0.03, ZERO[dtype], dtype)
    b = net.integers(0, 100, 6, dtype=dtype)
    y = net.add("QLinearMul", a, np.float32(0.03), dtype(ZERO[dtype]), b, np.float32(0.02), dtype(9),
                np.float32(0.037), dtype(3))
    return net.dequantise(y, 0.037, 3, dtype)


@case(2, 5, 4, 6, **QUANTISED)
def QLinearConcat(net, x, dtype):
    a = net.quantise(x, 0.03, ZERO[dtype], dtype)
    b = net.quantise(x, 0.02, 7, dtype)
    y = net.add("QLinearConcat", np.float32(0.025), dtype(11), a, np.float32(0.03),
                dtype(ZERO[dtype]), b, np.float32(0.02), dtype(7), axis=1)
    return net.dequantise(y, 0.025, 11, dtype)


@case(2, 5, 6, **QUANTISED)
def QLinearWhere(net, x, dtype):
    a = net.quantise(x, 0.03, ZERO[dtype], dtype)
    y = net.add("QLinearWhere", net.normal(5, 6) > 0, a, np.float32(0.03), dtype(ZERO[dtype]),
                net.integers(0, 100, 5, 6, dtype=dtype), np.float32(0.02), dtype(7),
                np.float32(0.025), dtype(11))
    return net.dequantise(y, 0.025, 11, dtype)


def q_conv(net, x, dtype, shape=(6, 4, 3, 3), domain="", **attributes):
    scales = net.random.uniform(0.005, 0.02, 6).astype(np.float32)
    q = net.quantise(x, 0.03, ZERO[dtype], dtype)
    y = net.add("QLinearConv", q, np.float32(0.03), dtype(ZERO[dtype]),
                net.integers(-128, 128, *shape), scales, np.zeros(6, np.int8), np.float32(0.1),
                dtype(ZERO[dtype]), net.integers(-900, 900, 6, dtype=np.int32), domain=domain,
                pads=[1] * 4, **attributes)
    return net.dequantise(y, 0.1, ZERO[dtype], dtype)


@case(2, 4, 10, 9, **QUANTISED)
def QLinearConv(net, x, dtype):
    return q_conv(net, x, dtype)


@case(2, 10, 9, 4, **QUANTISED)
def QLinearConv__channels_last(net, x, dtype):
    return q_conv(net, x, dtype, domain="com.microsoft", channels_last=1)


@case(3, 5, 40, **QUANTISED)
def QLinearMatMul(net, x, dtype):
    q = net.quantise(x, 0.03, ZERO[dtype], dtype)
    y = net.own("QLinearMatMul", q, np.float32(0.03), dtype(ZERO[dtype]),
                net.integers(-128, 128, 40, 7), np.float32(0.01), np.int8(0), np.float32(0.1),
                dtype(ZERO[dtype]))
    return net.dequantise(y, 0.1, ZERO[dtype], dtype)


def gemm(net, x, dtype, bias, quantised):
    q = net.quantise(x, 0.03, ZERO[dtype], dtype)
    inputs = [q, np.float32(0.03), dtype(ZERO[dtype]), net.integers(-128, 128, 7, 40),
              net.random.uniform(0.005, 0.02, 7).astype(np.float32), np.zeros(7, np.int8),
              net.integers(-900, 900, 7, dtype=np.int32) if bias else None]
    if quantised:
        inputs += [np.float32(0.1), dtype(ZERO[dtype])]
    y = net.add("QGemm", *inputs, transB=1, alpha=0.7)
    return net.dequantise(y, 0.1, ZERO[dtype], dtype) if quantised else y


@case(5, 40, **QUANTISED)
def QGemm(net, x, dtype):
    return gemm(net, x, dtype, True, True)


@case(5, 40, **QUANTISED)
def QGemm__without_bias(net, x, dtype):
    return gemm(net, x, dtype, False, True)


@case(5, 40, **QUANTISED)
def QGemm__real(net, x, dtype):
    return gemm(net, x, dtype, True, False)


@case(5, 40)
def MatMulIntegerToFloat(net, x):
    q = net.quantise(x, 0.03, 120)
    return net.add("MatMulIntegerToFloat", q, net.integers(-128, 128, 40, 7), np.float32(0.03),
                   net.random.uniform(0.005, 0.02, 7).astype(np.float32), np.uint8(120),
                   np.zeros(7, np.int8), net.normal(7))


@case(1, 5, 40)
def DynamicQuantizeMatMul(net, x):
    return net.add("DynamicQuantizeMatMul", x, net.integers(-128, 128, 40, 7), np.float32(0.01),
                   np.int8(3), net.normal(7))


@case(1, 5, 40)
def DynamicQuantizeLinear(net, x):
    q, scale, zero = net.own("DynamicQuantizeLinear", x, outputs=3)
    y = net.own("MatMulInteger", q, net.integers(-128, 128, 40, 7), zero, np.int8(2))
    y = net.own("Cast", y, to=TensorProto.FLOAT)
    return net.own("Mul", y, net.own("Mul", scale, np.float32(0.01)))


@case(1, 4, 10, 9)
def ConvInteger(net, x):
    q, scale, zero = net.own("DynamicQuantizeLinear", x, outputs=3)
    y = net.own("ConvInteger", q, net.integers(-128, 128, 6, 4, 3, 3), zero, pads=[1] * 4)
    y = net.own("Cast", y, to=TensorProto.FLOAT)
    return net.own("Mul", y, net.own("Mul", scale, np.float32(0.01)))


def qattention(net, x, mask=None, **attributes):
    q = net.quantise(x, 0.03, 120)
    return net.add("QAttention", q, net.integers(-128, 128, 10, 36), net.normal(36), np.float32(0.03),
                   np.float32(0.007), mask, np.uint8(120), np.int8(2), num_heads=3, **attributes)


for options in [dict(), dict(unidirectional=1), dict(mask=np.int32([5, 3]))]:
    CASES.append(("QAttention", (2, 7, 10), lambda net, x, o=options: qattention(net, x, **o), {}))


# Blocks

def nbits(net, x, k, block, bits=4, zeros=None, bias=False):
    n, blocks = 6, -(-k // block)
    packed = net.integers(0, 256, n, blocks, block * bits // 8, dtype=np.uint8)
    inputs = [x, packed, net.random.uniform(0.01, 0.02, n * blocks).astype(np.float32)]
    if zeros == "packed":
        inputs.append(net.integers(0, 256, n * -(-blocks * bits // 8), dtype=np.uint8))
    elif zeros == "real":
        inputs.append(net.random.uniform(0, 15, n * blocks).astype(np.float32))
    if bias:
        inputs += [None] * (5 - len(inputs)) + [net.normal(n)]
    return net.add("MatMulNBits", *inputs, K=k, N=n, bits=bits, block_size=block)


for k, block, bits, zeros, bias in [
        (64, 32, 4, None, False), (48, 32, 4, None, False), (96, 16, 4, "packed", False),
        (80, 32, 4, "packed", True), (64, 64, 8, None, False), (64, 32, 8, "packed", False),
        (128, 128, 4, None, True)]:
    CASES.append(("MatMulNBits", (2, 3, k), lambda net, x, a=(k, block, bits, zeros, bias): nbits(
        net, x, *a), {}))


# Recurrence: seven sequences of five steps

def recurrent(net, x, op, gates, *, biases=True, lengths=None, first=0, peepholes=False, output=0,
              **attributes):
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    inputs = [x, net.normal(directions, 3 * gates, 4), net.normal(directions, 3 * gates, 3) / 2,
              net.normal(directions, 6 * gates) if biases else None,
              np.array(lengths, np.int32) if lengths else None,
              *(net.normal(directions, 7, 3) for _ in range(first))]
    if peepholes:
        inputs += [None] * (7 - len(inputs)) + [net.normal(directions, 9)]
    outputs = 3 if op == "LSTM" else 2
    return net.add(op, *inputs, domain="", outputs=outputs, hidden_size=3, **attributes)[output]


BOTH = {"direction": "bidirectional"}
for op, gates, options in [
        ("LSTM", 4, {}), ("LSTM", 4, {"first": 2, "output": 2, **BOTH}),
        ("LSTM", 4, {"lengths": [5, 1, 2, 3, 4, 5, 5], "output": 1, **BOTH}),
        ("LSTM", 4, {"direction": "reverse", "biases": False, "peepholes": True}),
        ("LSTM", 4, {"clip": 0.4, "lengths": [5, 5, 2, 3, 4, 5, 5]}),
        ("LSTM", 4, {"activations": ["HardSigmoid", "Tanh", "LeakyRelu"],
                     "activation_alpha": [0.25, 0.1], "activation_beta": [0.4]}),
        ("GRU", 3, {}), ("GRU", 3, {"linear_before_reset": 1, "first": 1, **BOTH}),
        ("GRU", 3, {"lengths": [5, 1, 2, 3, 4, 5, 5], "direction": "reverse"}),
        ("GRU", 3, {"clip": 0.4, "linear_before_reset": 1, "output": 1}),
        ("RNN", 1, {"activations": ["Relu"]}),
        ("RNN", 1, {"first": 1, "lengths": [5, 1, 2, 3, 4, 5, 5], **BOTH})]:
    CASES.append((op, (5, 7, 4), lambda net, x, a=(op, gates), o=options: recurrent(
        net, x, *a, **o), {}))


# Comparing

def to_ours(array):
    return array.transpose(0, 2, 3, 1) if array.ndim == 4 else array


def compare(run, folder, index, name, shape, build, dtype):
    net = Network(index)
    path = folder / f"{name}-{index}.onnx"
    result = build(net, "x", dtype) if dtype is not None else build(net, "x")
    net.save(path, shape, result)
    x = np.random.default_rng(index + 1).standard_normal(shape).astype(np.float32) * 1.5

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options,
                                               providers=["CPUExecutionProvider"])
        expected = to_ours(session.run(None, {"x": x})[0])
    except Exception as failure:
        return None, f"ONNX Runtime: {failure}"

    (folder / "x").write_bytes(to_ours(x).tobytes())
    order = "x".join(str(n) for n in to_ours(x).shape)
    done = subprocess.run([run, path, folder / "x", order, folder / "y"], capture_output=True, text=True,
                          errors="replace")
    if done.returncode != 0:
        return None, done.stderr.strip()
    found = np.frombuffer((folder / "y").read_bytes(), np.float32)
    if found.size != expected.size:
        return None, f"{found.size} results, expected {expected.size}"
    difference = np.abs(found - expected.ravel())
    if net.step is None:
        return (difference.max() / np.abs(expected).max(), None, difference.size), None
    steps = np.rint(difference / net.step)
    return (difference.max() / net.step, int(np.count_nonzero(steps)), difference.size), None


def main():
    run, names = sys.argv[1], sys.argv[2:]
    rows, good = {}, True
    with tempfile.TemporaryDirectory() as folder:
        for index, (name, shape, build, options) in enumerate(CASES):
            if names and name not in names:
                continue
            for dtype in options.get("dtype", (None,)):
                found, fault = compare(run, pathlib.Path(folder), index, name, shape, build, dtype)
                if fault is not None:
                    print(f"not ok {name}: {fault}", flush=True)
                    good = False
                else:
                    rows.setdefault(name, []).append(found)
    print(f"{'operator':28}{'cases':>6}{'relative':>11}{'steps':>8}{'another step':>16}")
    for name, found in rows.items():
        real = [error for error, off, n in found if off is None]
        steps = [error for error, off, n in found if off is not None]
        off = sum(off for error, off, n in found if off is not None)
        n = sum(n for error, off, n in found if off is not None)
        bad = max(real, default=0) > TOLERANCE or max(steps, default=0) > STEPS + 0.01
        good &= not bad
        print(f"{name:28}{len(found):6}{max(real):11.1e}" if real else f"{name:28}{len(found):6}{'':11}",
              f"{max(steps):7.2f}{off:8} of {n:5}" if steps else "", "  not ok" if bad else "")
    return good


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(0 if main() else 1)
