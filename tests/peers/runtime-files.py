# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files that ONNX Runtime writes: optimised, quantised and both, in our hands.

usage: runtime-files.py RUN_NETWORK [NETWORK …]

Small networks with random weights, and those of ENSEMBLE_TEST_DATA, are saved by its optimiser at all
levels, by its optimiser of transformers, and by its quantisers. The table says how far our results
are from those of ONNX Runtime, which runs the same file without optimising it further, relative to
the largest; beside it, how far quantising has moved ONNX Runtime's own results, which is more than
ours may differ, or by a step of the output: where sums come to half a step, rounding may go the
other way. Then come the operators of the file that the original lacks.
"""
import contextlib
import logging
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, shape_inference
    from onnxruntime import quantization
    from onnxruntime.quantization import shape_inference as preprocessing
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from contributed import Network, to_ours

logging.disable(logging.WARNING)

TOLERANCE = 1e-4


# Networks: what they are fed, and how they are built.

def conv(net, x, inputs, outputs, size, stride=1, group=1):
    scale = (2 / (inputs // group * size * size)) ** 0.5
    return net.own("Conv", x, net.normal(outputs, inputs // group, size, size) * scale,
                   net.normal(outputs) / 10, pads=[size // 2] * 4, strides=[stride] * 2, group=group)


def residual(net, x):
    """Convolutions with Relu, a sum, averages, concatenation, a classifier."""
    x = net.own("Relu", conv(net, x, 3, 16, 3, 2))
    y = net.own("Relu", conv(net, x, 16, 16, 3))
    x = net.own("Relu", net.own("Add", conv(net, y, 16, 16, 3), x))
    y = net.own("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    z = net.own("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = net.own("Concat", y, z, axis=1)
    x = net.own("LeakyRelu", conv(net, x, 32, 24, 1), alpha=0.1)
    x = net.own("Flatten", net.own("GlobalAveragePool", x))
    return net.own("Gemm", x, net.normal(10, 24) / 4, net.normal(10), transB=1)


def mobile(net, x):
    """Depthwise convolutions, HardSwish, squeeze and excitation, clipped activations."""
    def hard_swish(x):
        y = net.own("Clip", net.own("Add", x, np.float32(3)), np.float32(0), np.float32(6))
        return net.own("Mul", x, net.own("Div", y, np.float32(6)))
    x = hard_swish(conv(net, x, 3, 16, 3, 2))
    y = net.own("Clip", conv(net, x, 16, 16, 3, group=16), np.float32(0), np.float32(6))
    gate = net.own("Relu", conv(net, net.own("GlobalAveragePool", y), 16, 8, 1))
    gate = net.own("Sigmoid", conv(net, gate, 8, 16, 1))
    x = net.own("Add", conv(net, net.own("Mul", y, gate), 16, 16, 1), x)
    x = hard_swish(conv(net, x, 16, 32, 1))
    x = net.own("Flatten", net.own("GlobalAveragePool", x))
    return net.own("Softmax", net.own("Gemm", x, net.normal(10, 32) / 3, net.normal(10), transB=1),
                   axis=-1)


def norm(net, x, width):
    return net.own("LayerNormalization", x, 1 + net.normal(width) / 10, net.normal(width) / 10,
                   axis=-1, epsilon=1e-6)


def linear(net, x, inputs, outputs):
    x = net.own("MatMul", x, net.normal(inputs, outputs) / inputs ** 0.5)
    return net.own("Add", net.normal(outputs) / 10, x)


def gelu(net, x):
    y = net.own("Erf", net.own("Div", x, np.float32(2 ** 0.5)))
    y = net.own("Mul", x, net.own("Add", y, np.float32(1)))
    return net.own("Mul", y, np.float32(0.5))


def attend(net, x, width, heads, mask=None):
    """As PyTorch writes it."""
    def split(x, perm):
        x = net.own("Reshape", x, np.int64([0, 0, heads, width // heads]))
        return net.own("Transpose", x, perm=perm)
    q = split(linear(net, x, width, width), [0, 2, 1, 3])
    k = split(linear(net, x, width, width), [0, 2, 3, 1])
    v = split(linear(net, x, width, width), [0, 2, 1, 3])
    scores = net.own("Div", net.own("MatMul", q, k), np.float32((width // heads) ** 0.5))
    if mask is not None:
        scores = net.own("Add", scores, mask)
    y = net.own("MatMul", net.own("Softmax", scores, axis=-1), v)
    y = net.own("Transpose", y, perm=[0, 2, 1, 3])
    return linear(net, net.own("Reshape", y, np.int64([0, 0, width])), width, width)


def vit(net, x, width=48, heads=3, depth=2):
    x = net.own("Conv", x, net.normal(width, 3, 8, 8) / 8, net.normal(width) / 10,
                kernel_shape=[8, 8], strides=[8, 8])
    x = net.own("Transpose", net.own("Reshape", x, np.int64([0, width, 16])), perm=[0, 2, 1])
    x = net.own("Add", x, net.normal(1, 16, width) / 4)
    for _ in range(depth):
        x = net.own("Add", attend(net, norm(net, x, width), width, heads), x)
        y = gelu(net, linear(net, norm(net, x, width), width, 4 * width))
        x = net.own("Add", linear(net, y, 4 * width, width), x)
    x = net.own("ReduceMean", norm(net, x, width), axes=[1], keepdims=0)
    return net.own("Gemm", x, net.normal(10, width) / 4, net.normal(10), transB=1)


def bert(net, x, width=48, heads=3, depth=2):
    """Normalised behind sums, with a mask."""
    mask = net.constant(np.float32([[[[0] * 9 + [-10000] * 3]]]))
    x = norm(net, x, width)
    for _ in range(depth):
        x = norm(net, net.own("Add", attend(net, x, width, heads, mask), x), width)
        y = linear(net, gelu(net, linear(net, x, width, 2 * width)), 2 * width, width)
        x = norm(net, net.own("Add", y, x), width)
    return x


NETWORKS = {"residual": (residual, (3, 32, 32)), "mobile": (mobile, (3, 32, 32)),
            "vit": (vit, (3, 32, 32)), "bert": (bert, (12, 48))}
FILES = ["squeezenet1.1", "resnet20-cifar10"]


def make(folder):
    """Name, file, shape of one image."""
    for index, (name, (build, shape)) in enumerate(NETWORKS.items()):
        net = Network(index + 100)
        net.save(folder / f"{name}.onnx", ("batch", *shape), build(net, "x"))
        yield name, folder / f"{name}.onnx", shape
    data = pathlib.Path(os.environ.get("ENSEMBLE_TEST_DATA", folder)) / "networks"
    for name in FILES:
        if (data / f"{name}.onnx").exists():
            model = onnx.version_converter.convert_version(onnx.load(data / f"{name}.onnx"), 13)
            dims = model.graph.input[0].type.tensor_type.shape.dim
            dims[0].dim_param = model.graph.output[0].type.tensor_type.shape.dim[0].dim_param = "batch"
            onnx.save(model, folder / f"{name}.onnx")
            yield name, folder / f"{name}.onnx", tuple(dim.dim_value for dim in dims[1:])


# Images with something in them: white noise is all alike to a mean.
def make_images(shape, n, seed):
    random = np.random.default_rng(seed)
    if len(shape) == 2:
        return random.standard_normal((n, *shape)).astype(np.float32)
    coarse = random.standard_normal((n, shape[0], 4, 4))
    rows, columns = (np.arange(size) * 4 // size for size in shape[1:])
    return coarse[:, :, rows][..., columns].astype(np.float32)


# What ONNX Runtime writes

def optimise(source, target, level):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 4
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def optimise_transformer(source, target, kind, heads=3, width=48):
    from onnxruntime.transformers import optimizer
    optimizer.optimize_model(str(source), kind, heads, width, opt_level=0).save_model_to_file(
        str(target))


class Reader(quantization.CalibrationDataReader):
    def __init__(self, name, shape):
        self.feeds = iter([{name: make_images(shape, 8, 7)} for _ in range(2)])

    def get_next(self):
        return next(self.feeds, None)


def quantise_static(source, target, shape, form, activations, channels, **extra):
    prepared = target.with_suffix(".prepared.onnx")
    preprocessing.quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    name = onnx.load(prepared).graph.input[0].name
    quantization.quantize_static(
        str(prepared), str(target), Reader(name, shape), per_channel=channels,
        quant_format=getattr(quantization.QuantFormat, form),
        activation_type=getattr(quantization.QuantType, activations),
        weight_type=quantization.QuantType.QInt8, extra_options=extra)


def quantise_dynamic(source, target, weights):
    quantization.quantize_dynamic(str(source), str(target),
                                  weight_type=getattr(quantization.QuantType, weights))


def quantise_blocks(source, target, bits, form="QOperator"):
    from onnxruntime.quantization import matmul_nbits_quantizer
    options = {"bits": bits, "quant_format": getattr(quantization.QuantFormat, form)}
    model = onnx.load(source)
    if form == "QDQ":  # since opset 21
        model = onnx.version_converter.convert_version(model, 21)
    quantizer = matmul_nbits_quantizer.MatMulNBitsQuantizer(
        model, block_size=32, is_symmetric=bits == 8, **options)
    quantizer.process()
    onnx.save(quantizer.model.model, target)


# Name, whether it is quantised, how it is made from the original.
WAYS = [
    ("original", False, lambda s, t, shape: t.write_bytes(s.read_bytes())),
    ("basic", False, lambda s, t, shape: optimise(s, t, "ORT_ENABLE_BASIC")),
    ("extended", False, lambda s, t, shape: optimise(s, t, "ORT_ENABLE_EXTENDED")),
    ("all", False, lambda s, t, shape: optimise(s, t, "ORT_ENABLE_ALL")),
    ("transformers", False, lambda s, t, shape: optimise_transformer(
        s, t, "vit" if len(shape) == 3 else "bert")),
    ("QOperator uint8", True, lambda s, t, shape: quantise_static(
        s, t, shape, "QOperator", "QUInt8", False)),
    ("QOperator int8", True, lambda s, t, shape: quantise_static(
        s, t, shape, "QOperator", "QInt8", True)),
    ("QDQ uint8", True, lambda s, t, shape: quantise_static(s, t, shape, "QDQ", "QUInt8", True)),
    ("QDQ int8", True, lambda s, t, shape: quantise_static(
        s, t, shape, "QDQ", "QInt8", False, ActivationSymmetric=True)),
    ("QDQ uint16", True, lambda s, t, shape: quantise_static(s, t, shape, "QDQ", "QUInt16", True)),
    ("dynamic int8", True, lambda s, t, shape: quantise_dynamic(s, t, "QInt8")),
    ("dynamic uint8", True, lambda s, t, shape: quantise_dynamic(s, t, "QUInt8")),
    ("blocks of 4 bits", True, lambda s, t, shape: quantise_blocks(s, t, 4)),
    ("blocks of 4 bits, QDQ", True, lambda s, t, shape: quantise_blocks(s, t, 4, "QDQ")),
    ("blocks of 8 bits", True, lambda s, t, shape: quantise_blocks(s, t, 8)),
]
AGAIN = ["QOperator uint8", "QDQ uint8", "QDQ int8", "dynamic int8", "dynamic uint8"]


# Comparing

def run_theirs(path, images):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    # One by one: what is quantised dynamically depends on the batch there.
    return np.concatenate([to_ours(session.run(None, {name: image[None]})[0]).reshape(1, -1)
                           for image in images])


def run_ours(run, folder, path, images):
    (folder / "x").write_bytes(to_ours(images).tobytes())
    order = "x".join(str(n) for n in to_ours(images).shape)
    done = subprocess.run([run, path, folder / "x", order, folder / "y"], capture_output=True,
                          text=True, errors="replace")
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return np.frombuffer((folder / "y").read_bytes(), np.float32).reshape(len(images), -1)


def list_operators(path):
    return {(node.domain.replace("ai.onnx", ""), node.op_type) for node in onnx.load(path).graph.node}


def compare(run, folder, path, images, exact, quantised):
    """The text of a row, and whether it is good."""
    try:
        theirs = run_theirs(path, images)
    except Exception as failure:
        return f"ONNX Runtime can't run it: {str(failure).splitlines()[0][:60]}", True
    try:
        ours = run_ours(run, folder, path, images)
    except RuntimeError as failure:
        refused = "one kind of processor" in str(failure)
        return ("refused: made for one kind of processor" if refused else str(failure)), refused
    error, moved = (np.abs(x - theirs) / np.abs(theirs).max() for x in (ours, exact))
    # Between what an 8-bit output can be.
    step = 1.01 * np.diff(np.unique(theirs)).min() / np.abs(theirs).max()
    good = error.max() < (max(TOLERANCE, moved.max(), step) if quantised else TOLERANCE)
    return f"{error.max():9.1e}" + (f"{moved.max():10.1e}" if quantised else ""), good


def check(run, folder, network, source, shape):
    images, good = make_images(shape, 3, 1), True
    exact, usual = run_theirs(source, images), list_operators(source)
    ways = list(WAYS)
    for name in AGAIN:
        make = next(make for known, _, make in WAYS if known == name)

        def again(s, t, shape, make=make):
            make(s, t.with_suffix(".once.onnx"), shape)
            optimise(t.with_suffix(".once.onnx"), t, "ORT_ENABLE_EXTENDED")
        ways.append((name + ", extended", True, again))
    for name, quantised, make in ways:
        path = folder / "file.onnx"
        path.unlink(missing_ok=True)
        with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
            try:
                make(source, path, shape)
            except Exception as failure:
                print(f"{network:18}{name:27}{failure}", file=sys.stderr)
        if not path.exists():
            continue
        text, fine = compare(run, folder, path, images, exact, quantised)
        new = sorted(domain + "." * bool(domain) + op for domain, op in list_operators(path) - usual)
        new = " ".join(new).replace("com.microsoft.", "ms.")
        print(f"{network:18}{name:27}{text:19}  {'' if fine else 'not ok'}  {new}", flush=True)
        good &= fine
    return good


def main():
    run, names, good = sys.argv[1], sys.argv[2:], True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        print(f"{'network':18}{'file':27}{'ours':>9}{'moved':>10}  operators (ms: com.microsoft)")
        for network, source, shape in make(folder):
            if not names or network in names:
                good &= check(run, folder, network, source, shape)
    return good


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(0 if main() else 1)
