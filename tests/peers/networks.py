# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole networks against PyTorch: torchvision's for classification, without attention, and the
layers of networks that make images; random weights, exported to ONNX, run by both.

usage: networks.py RUN_NETWORK [--all] [--opsets N …] [NAME …]

Prints the worst relative error of each network by opset, over batches of 1 and 3 at the size that
it was made for and, where its classifier allows that, at another one. A "b" stands behind it where
the exporter could leave the batch alone open, an "f" where it could leave nothing open, "exporter"
in its place where it could do nothing at all. Without --all and names it runs a cross-section that
takes less than a minute.
"""
import argparse
import inspect
import pathlib
import subprocess
import sys
import tempfile
import warnings

try:
    import torch
    import torchvision
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

warnings.filterwarnings("ignore")

nn, models = torch.nn, torchvision.models

TOLERANCE = 1e-4
OPSETS = [9, 11, 13, 17]
BATCHES = [1, 3]

# Outputs that hardly depend on the image would agree whatever the layers compute.
LEAST_SPREAD = 1e-3


def mobilenet_v1():
    """Howard et al. 2017 as Keras writes it: padding apart, clipped activations."""
    def separable(inputs, outputs, stride):
        layers = []
        if stride == 2:
            layers.append(nn.ZeroPad2d((0, 1, 0, 1)))
        return layers + [
            nn.Conv2d(inputs, inputs, 3, stride, 1 if stride == 1 else 0, groups=inputs,
                      bias=False),
            nn.BatchNorm2d(inputs), nn.ReLU6(),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs), nn.ReLU6()]

    layers = [nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6()]
    widths = [16, 32, 64, 64, 128, 128, 256, 256, 256, 512]
    for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        layers += separable(inputs, outputs, 2 if i in (1, 3, 5, 8) else 1)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Conv2d(512, 100, 1), nn.Flatten(),
                         nn.Softmax(1))


class Resized(nn.Module):
    """Brings its input to the size of another map, as U-Nets do."""
    def __init__(self, inner, mode):
        super().__init__()
        self.inner, self.mode = inner, mode

    def forward(self, x):
        corners = False if self.mode != "nearest" else None
        y = self.inner(x)
        return x + nn.functional.interpolate(y, x.shape[2:], mode=self.mode, align_corners=corners)


class ChannelsLastNorm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def generator():
    """The layers of image-to-image networks. Before opset 11 Resize had no coordinates like those of
    PyTorch's bilinear interpolation."""
    return nn.Sequential(
        nn.ReflectionPad2d(3), nn.Conv2d(3, 16, 7), nn.InstanceNorm2d(16, affine=True),
        nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, 4, 2, 1), nn.GroupNorm(4, 32), nn.GELU(),
        nn.ReplicationPad2d(1), nn.Conv2d(32, 32, 3), ChannelsLastNorm(32), nn.PReLU(32),
        Resized(nn.Conv2d(32, 32, 3, 2, 1), "nearest"),
        Resized(nn.Conv2d(32, 32, 3, 2, 1), "bilinear"),
        nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(32, 16, 3, 1, 1), nn.Hardswish(),
        nn.ConvTranspose2d(16, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.ELU(),
        nn.ConvTranspose2d(16, 16, 3, 2, 1, output_padding=1, groups=4), nn.Softplus(),
        nn.Conv2d(16, 12, 3, 2, 1), nn.PixelShuffle(2), nn.Tanh())


def cubic():
    """What exporters know since opset 11."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.Upsample(scale_factor=2, mode="bicubic"),
        nn.Upsample(scale_factor=0.5, mode="bilinear"), Resized(nn.Conv2d(8, 8, 3, 2, 1), "bicubic"),
        nn.Upsample(scale_factor=3, mode="bilinear", align_corners=True), nn.SiLU())


def without_auxiliary(make):
    return lambda: make(init_weights=False, aux_logits=False)


# Names in torchvision, their standard size (224 if none is given), and another size. Those of which
# one size is given have a classifier for one size of map.
FAMILIES = [
    (["alexnet", "vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn",
      "vgg19_bn"], [(224, 224)]),
    (["squeezenet1_0", "squeezenet1_1", "resnet18", "resnet34", "resnet50", "resnet101",
      "resnet152", "resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2",
      "wide_resnet101_2", "densenet121", "densenet161", "densenet169", "densenet201",
      "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "shufflenet_v2_x0_5",
      "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0", "mnasnet0_5",
      "mnasnet0_75", "mnasnet1_0", "mnasnet1_3", "regnet_x_400mf", "regnet_x_800mf",
      "regnet_x_1_6gf", "regnet_x_3_2gf", "regnet_x_8gf", "regnet_x_16gf", "regnet_x_32gf",
      "regnet_y_400mf", "regnet_y_800mf", "regnet_y_1_6gf", "regnet_y_3_2gf", "regnet_y_8gf",
      "regnet_y_16gf", "regnet_y_32gf", "convnext_tiny", "convnext_small", "convnext_base",
      "convnext_large", "googlenet"], [(224, 224), (160, 256)]),
    (["inception_v3"], [(299, 299), (235, 267)]),
    (["efficientnet_b0"], [(224, 224), (160, 256)]),
    (["efficientnet_b1"], [(240, 240), (160, 256)]),
    (["efficientnet_b2"], [(288, 288), (160, 256)]),
    (["efficientnet_b3"], [(300, 300), (160, 256)]),
    (["efficientnet_b4"], [(380, 380), (160, 256)]),
    (["efficientnet_b5"], [(456, 456), (160, 256)]),
    (["efficientnet_b6"], [(528, 528), (160, 256)]),
    (["efficientnet_b7"], [(600, 600), (160, 256)]),
    (["efficientnet_v2_s"], [(384, 384), (160, 256)]),
    (["efficientnet_v2_m", "efficientnet_v2_l"], [(480, 480), (160, 256)]),
]
OWN = {
    "mobilenet_v1": (mobilenet_v1, [(224, 224), (160, 160)]),
    "generator": (generator, [(64, 64), (48, 80)]),
    "cubic": (cubic, [(64, 64), (48, 80)]),
}
SINCE = {"generator": 11, "cubic": 11}
AUXILIARY = ("googlenet", "inception_v3")

NETWORKS = dict(OWN)
for names, sizes in FAMILIES:
    for name in names:
        make = getattr(models, name)
        NETWORKS[name] = (without_auxiliary(make) if name in AUXILIARY else make, sizes)

# Network, opset.
CROSS_SECTION = [
    ("squeezenet1_1", 13), ("alexnet", 9), ("vgg11", 17), ("googlenet", 11), ("resnet18", 9),
    ("resnet18", 17), ("resnext50_32x4d", 13), ("densenet121", 11), ("mobilenet_v1", 11),
    ("mobilenet_v2", 9), ("mobilenet_v3_small", 17), ("shufflenet_v2_x0_5", 9),
    ("shufflenet_v2_x0_5", 13), ("mnasnet0_5", 13), ("efficientnet_b0", 11),
    ("regnet_y_400mf", 13), ("convnext_tiny", 17), ("inception_v3", 9), ("generator", 11),
    ("generator", 17), ("cubic", 11),
]


class Refused(Exception):
    """Our program's message."""


def randomise(model, size, batch=4):
    """Statistics of batch normalisation as a trained network has them, those of its own maps, and
    no layer scaled to nothing. Most units are active: otherwise a hundred random layers amplify
    rounding as no trained ones do."""
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.weight.data.uniform_(0.7, 1.3)
        norm.bias.data.normal_(0.2, 0.2)
        norm.train()
    for name, parameter in model.named_parameters():
        if name.endswith("layer_scale"):
            parameter.data.uniform_(0.1, 0.5)
    if norms:
        with torch.no_grad():
            model(torch.randn(batch, 3, *size))
    return model.eval()


def export(model, image, path, opset, **options):
    """By the exporter that all of PyTorch's versions have; since 2.9 another one is the default."""
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False
    torch.onnx.export(model, (image,), str(path), opset_version=opset, input_names=["input"], **options)


def to_bytes(tensor):
    """Channels last, if there are any."""
    if tensor.dim() == 4:
        tensor = tensor.permute(0, 2, 3, 1)
    return bytes(tensor.contiguous().view(-1).numpy().data.cast("B"))


def make_cases(model, sizes):
    """Images and what PyTorch makes of them."""
    cases = []
    for size in sizes:
        for batch in BATCHES:
            image = torch.randn(batch, 3, *size)
            with torch.no_grad():
                cases.append((image, model(image)))
    return cases


def find_spread(cases):
    """By how much outputs differ between images, as a part of the largest."""
    output = cases[1][1].flatten(1)
    return (output.std(0).max() / output.abs().max()).item()


def run_ours(program, folder, path, cases):
    arguments = []
    for i, (image, _) in enumerate(cases):
        (folder / f"{i}.in").write_bytes(to_bytes(image))
        shape = "x".join(str(image.shape[axis]) for axis in (0, 2, 3, 1))
        arguments += [folder / f"{i}.in", shape, folder / f"{i}.out"]
    result = subprocess.run([program, path] + arguments, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise Refused(result.stderr.strip() or f"exit status {result.returncode}")
    return [torch.frombuffer(bytearray((folder / f"{i}.out").read_bytes()), dtype=torch.float32)
            for i in range(len(cases))]


def find_error(cases, outputs):
    worst = 0
    for (_, expected), found in zip(cases, outputs):
        expected = torch.frombuffer(bytearray(to_bytes(expected)), dtype=torch.float32)
        if found.numel() != expected.numel():
            return float("inf")
        error = ((found - expected).abs().max() / expected.abs().max()).item()
        worst = max(worst, error if error == error else float("inf"))
    return worst


# What exporters need to be told the less of, the older the opset: axes left open, and which cases
# have a file in common.
WAYS = [
    ("", {0: "batch", 2: "height", 3: "width"}, lambda image: None),
    (" b", {0: "batch"}, lambda image: image.shape[2:]),
    (" f", None, lambda image: image.shape),
]


def run_way(program, folder, model, opset, cases, axes, key):
    """The worst error of all cases. The exporter raises whatever it likes."""
    path, worst, groups = folder / "model.onnx", 0, {}
    for image, expected in cases:
        groups.setdefault(key(image), []).append((image, expected))
    for group in groups.values():
        export(model, group[0][0], path, opset, dynamic_axes={"input": axes} if axes else None)
        worst = max(worst, find_error(group, run_ours(program, folder, path, group)))
        path.unlink()
    return worst


def check_opset(program, folder, model, opset, sizes, cases):
    """A cell of the table, and what is wrong if something is."""
    for mark, axes, key in WAYS if len(sizes) > 1 else WAYS[1:]:
        try:
            error = run_way(program, folder, model, opset, cases, axes, key)
        except Refused as refusal:
            return "refused", str(refusal)
        except Exception:
            continue
        return f"{error:.1e}{mark}", None if error < TOLERANCE else f"relative error {error:.2g}"
    return "exporter", None


def check(program, folder, name, opsets):
    """Prints a row; returns whether all is well."""
    make, sizes = NETWORKS[name]
    torch.manual_seed(1)
    model = randomise(make(), tuple(min(side, 224) for side in sizes[0]))
    cases = make_cases(model, sizes)
    spread = find_spread(cases)
    cells, faults = {}, []
    for opset in opsets:
        if opset < SINCE.get(name, 0):
            continue
        cells[opset], fault = check_opset(program, folder, model, opset, sizes, cases)
        if fault:
            faults.append(f"opset {opset}: {fault}")
    if spread < LEAST_SPREAD:
        faults.append(f"outputs hardly depend on the image: {spread:.1e}")
    row = "".join(f"{cells.get(opset, ''):>11}" for opset in OPSETS)
    shapes = ", ".join(f"{height}×{width}" for height, width in sizes)
    print(f"{name:20}{row}{spread:9.2g}  {shapes}", flush=True)
    for fault in faults:
        print(f"not ok {name}, {fault}", flush=True)
    return not faults


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("names", nargs="*", choices=[[]] + list(NETWORKS), metavar="NAME")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--opsets", nargs="+", type=int, default=OPSETS)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.all or arguments.names:
        rows = {name: arguments.opsets for name in arguments.names or NETWORKS}
    else:
        rows = {}
        for name, opset in CROSS_SECTION:
            rows.setdefault(name, []).append(opset)
    ok = True
    header = "".join(f"{f'opset {opset}':>11}" for opset in OPSETS)
    print(f"{'network':20}{header}{'spread':>9}  sizes, batches of {BATCHES}")
    with tempfile.TemporaryDirectory() as folder:
        for name, opsets in rows.items():
            ok = check(arguments.program, pathlib.Path(folder), name, opsets) and ok
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
