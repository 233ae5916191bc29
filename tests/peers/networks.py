"""Whole networks against PyTorch: random weights, exported to ONNX, run by both.

usage: networks.py RUN_NETWORK [NAME …]
"""
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

TOLERANCE = 1e-4


def mobilenet_v1():
    """Howard et al. 2017 as Keras writes it: padding apart, clipped activations."""
    def separable(inputs, outputs, stride):
        layers = []
        if stride == 2:
            layers.append(torch.nn.ZeroPad2d((0, 1, 0, 1)))
        return layers + [
            torch.nn.Conv2d(inputs, inputs, 3, stride, 1 if stride == 1 else 0, groups=inputs,
                            bias=False),
            torch.nn.BatchNorm2d(inputs), torch.nn.ReLU6(),
            torch.nn.Conv2d(inputs, outputs, 1, bias=False),
            torch.nn.BatchNorm2d(outputs), torch.nn.ReLU6()]

    layers = [torch.nn.Conv2d(3, 16, 3, 2, 1, bias=False), torch.nn.BatchNorm2d(16),
              torch.nn.ReLU6()]
    widths = [16, 32, 64, 64, 128, 128, 256, 256, 256, 512]
    for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        layers += separable(inputs, outputs, 2 if i in (1, 3, 5, 8) else 1)
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1),
                               torch.nn.Conv2d(512, 100, 1), torch.nn.Flatten(),
                               torch.nn.Softmax(1))


models = torchvision.models

# name, constructor, opset, sizes (height, width); the first one is exported
ROWS = [
    ("squeezenet1.1", models.squeezenet1_1, 13, [(224, 224), (160, 256)]),
    ("alexnet", models.alexnet, 13, [(224, 224)]),
    ("vgg11", models.vgg11, 13, [(224, 224)]),
    ("vgg16-bn", models.vgg16_bn, 9, [(224, 224)]),
    ("googlenet", lambda: models.googlenet(init_weights=False, aux_logits=False), 13,
     [(224, 224), (256, 256)]),
    ("resnet18", models.resnet18, 13, [(224, 224), (256, 320)]),
    ("resnet18", models.resnet18, 9, [(224, 224)]),
    ("resnet18", models.resnet18, 11, [(224, 224)]),
    ("resnet18", models.resnet18, 16, [(224, 224)]),
    ("resnet50", models.resnet50, 13, [(224, 224), (192, 192)]),
    ("mobilenet_v2", models.mobilenet_v2, 13, [(224, 224), (256, 256)]),
    ("mobilenet_v2", models.mobilenet_v2, 9, [(192, 192)]),
    ("mobilenet_v3_small", models.mobilenet_v3_small, 13, [(224, 224)]),
    ("mobilenet_v1", mobilenet_v1, 11, [(224, 224), (160, 160)]),
    ("shufflenet_v2", models.shufflenet_v2_x0_5, 13, [(224, 224)]),
    ("densenet121", models.densenet121, 13, [(224, 224)]),
    ("efficientnet_b0", models.efficientnet_b0, 13, [(224, 224)]),
    ("mnasnet0_5", models.mnasnet0_5, 13, [(224, 224)]),
]


def randomise(model):
    """Statistics of batch normalisation as a trained network has them, not 0 and 1."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.7, 1.3)
            module.bias.data.normal_(0, 0.1)


def run_ours(program, folder, model_path, image):
    (folder / "input.f32").write_bytes(
        bytes(image.permute(0, 2, 3, 1).contiguous().view(-1).numpy().data.cast("B")))
    shape = "x".join(str(image.shape[i]) for i in (0, 2, 3, 1))
    subprocess.run([program, model_path, folder / "input.f32", shape, folder / "output.f32"],
                   check=True)
    return torch.frombuffer(bytearray((folder / "output.f32").read_bytes()), dtype=torch.float32)


def check(program, folder, name, make, opset, sizes):
    torch.manual_seed(1)
    model = make().eval()
    randomise(model)
    path = folder / "model.onnx"
    worst = 0
    # VGG and AlexNet can't be exported with an open height and width.
    open_axes = {0: "batch", 2: "height", 3: "width"} if len(sizes) > 1 else {0: "batch"}
    torch.onnx.export(model, torch.randn(1, 3, *sizes[0]), path, opset_version=opset,
                      input_names=["input"],
                      dynamic_axes={"input": open_axes})
    for size in sizes:
        for batch in (1, 3):
            image = torch.randn(batch, 3, *size)
            with torch.no_grad():
                expected = model(image).flatten()
            found = run_ours(program, folder, path, image)
            error = ((found - expected).abs().max() / expected.abs().max()).item()
            worst = max(worst, error)
            if not error < TOLERANCE:
                print(f"not ok {name}, opset {opset}, {batch} of {size}: relative error {error:.2g}")
                return False
    print(f"ok {name}, opset {opset}: relative error {worst:.2g}", flush=True)
    return True


def main():
    program, names = sys.argv[1], sys.argv[2:]
    ok = True
    with tempfile.TemporaryDirectory() as folder:
        for row in ROWS:
            if not names or row[0] in names:
                ok = check(program, pathlib.Path(folder), *row) and ok
    return 0 if ok else 1


sys.exit(main())
