# SPDX-License-Identifier: LGPL-2.1-or-later
"""Image classifiers of transformers, and classifiers and detectors of ultralytics, as those export them,
against ONNX Runtime: random weights, batches of 1 and 3.

    python3 -m venv venv
    venv/bin/pip install torch torchvision timm transformers ultralytics opencv-python-headless \\
      onnx onnxscript onnxruntime onnxslim
    venv/bin/python tests/peers/hubs.py build/tests/engine/run-network [NAME …]

Transformers are exported by both of PyTorch's exporters, with few layers; ultralytics' networks by their
own export, with and without an open batch and size. Of detectors, boxes and scores are compared apart.
"""
import os
import pathlib
import sys
import tempfile
import warnings

os.environ.update(YOLO_AUTOINSTALL="false", YOLO_OFFLINE="true", YOLO_VERBOSE="false")

from families import (BATCHES, TOLERANCE, find_cause, find_exact, find_files, run_runtime,  # noqa: E402
                      wake)
from networks import Refused, run_ours, randomise, torch  # noqa: E402

import transformers  # noqa: E402
import ultralytics  # noqa: E402

warnings.filterwarnings("ignore")

SHORT = {"num_hidden_layers": 3}
# Class of the configuration and of the model without “Config”, and what is set.
TRANSFORMERS = {
    "vit": ("ViT", "ViTForImageClassification", SHORT),
    "deit": ("DeiT", "DeiTForImageClassification", SHORT),
    "beit": ("Beit", "BeitForImageClassification", SHORT),
    "clip": ("CLIPVision", "CLIPVisionModelWithProjection", SHORT),
    "siglip": ("Siglip", "SiglipForImageClassification", {"vision_config": SHORT}),
    "dinov2": ("Dinov2", "Dinov2ForImageClassification", {**SHORT, "image_size": 224}),
    "dinov2-registers": ("Dinov2WithRegisters", "Dinov2WithRegistersForImageClassification",
                         {**SHORT, "image_size": 224}),
    "dinov3-vit": ("DINOv3ViT", "DINOv3ViTModel", SHORT),
    "swin": ("Swin", "SwinForImageClassification", {"depths": [2, 2, 2, 2]}),
    "swinv2": ("Swinv2", "Swinv2ForImageClassification", {"depths": [2, 2, 2, 2]}),
    "convnext": ("ConvNext", "ConvNextForImageClassification", {}),
    "convnextv2": ("ConvNextV2", "ConvNextV2ForImageClassification", {}),
    "dinov3-convnext": ("DINOv3ConvNext", "DINOv3ConvNextModel", {}),
    "bit": ("Bit", "BitForImageClassification", {}),
    "resnet": ("ResNet", "ResNetForImageClassification", {}),
    "regnet": ("RegNet", "RegNetForImageClassification", {}),
    "efficientnet": ("EfficientNet", "EfficientNetForImageClassification",
                     {"image_size": 224, "width_coefficient": 1.0, "depth_coefficient": 1.0,
                      "hidden_dim": 1280}),
    "mobilenet_v2": ("MobileNetV2", "MobileNetV2ForImageClassification", {}),
    "mobilevit": ("MobileViT", "MobileViTForImageClassification", {}),
    "mobilevitv2": ("MobileViTV2", "MobileViTV2ForImageClassification", {}),
    "swiftformer": ("SwiftFormer", "SwiftFormerForImageClassification", {}),
    "cvt": ("Cvt", "CvtForImageClassification", {}),
    "hgnet_v2": ("HGNetV2", "HGNetV2ForImageClassification", {}),
    "hiera": ("Hiera", "HieraForImageClassification", {}),
    "levit": ("Levit", "LevitForImageClassification", {}),
    "pvt_v2": ("PvtV2", "PvtV2ForImageClassification", {}),
    "segformer": ("Segformer", "SegformerForImageClassification", {}),
    "poolformer": ("PoolFormer", "PoolFormerForImageClassification", {}),
    "focalnet": ("FocalNet", "FocalNetForImageClassification", {}),
}
ULTRALYTICS = ["yolov8n-cls", "yolo11n-cls", "yolo26n-cls", "yolov5nu", "yolov8n", "yolov9t", "yolov10n",
               "yolo11n", "yolo12n", "yolo26n"]
SIZES = {"mobilevit": 256, "mobilevitv2": 256}


class FirstOutput(torch.nn.Module):
    """Scores, or an embedding, of pictures alone."""
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixels):
        return self.model(pixel_values=pixels)[0]


def find_errors(expected, found):
    """The largest of an output; of a detector's, of its boxes and its scores."""
    found = found.reshape(expected.shape)
    parts = [slice(0, 4), slice(4, None)] if expected.dim() == 3 else [slice(None)]
    return max(((found[:, part] - expected[:, part]).abs().max() / expected[:, part].abs().max()).item()
               for part in parts)


def describe(program, folder, files, model):
    """Whether all is well, and the error. Where it is large, ours may be twice as far from double
    precision as ONNX Runtime's."""
    cases = [case for _, case in files]
    try:
        outputs = [run_ours(program, folder, path, [case])[0] for path, case in files]
    except Refused as refusal:
        return False, f"refused: {str(refusal).rpartition('.onnx: ')[2]}"
    worst = max(find_errors(case[1], output) for case, output in zip(cases, outputs))
    if worst <= TOLERANCE:
        return True, f"{worst:.0e}"
    exact = [output for _, output in find_exact(model, cases)]
    ours = max(map(find_errors, exact, outputs))
    runtime = max(find_errors(output, case[1]) for output, case in zip(exact, cases))
    return ours <= 2 * runtime, (f"{worst:.0e}; from double precision {ours:.0e}, "
                                 f"ONNX Runtime {runtime:.0e}")


def check_transformer(program, folder, name):
    config, model, options = TRANSFORMERS[name]
    config = getattr(transformers, f"{config}Config")(**options)
    size = SIZES.get(name, 224)
    model = FirstOutput(getattr(transformers, model)(config)).eval()
    model = randomise(wake(model), (size, size))
    images = [torch.randn(batch, 3, size, size) for batch in BATCHES]
    for exporter in ("old", "dynamo"):
        try:
            batch, files = find_files(folder, [model], images, exporter)
        except Exception as fault:
            yield exporter, True, f"exporter: {find_cause(fault)}"
            continue
        yield f"{exporter}, {batch} batch", *describe(program, folder, files, model)


def check_ultralytics(program, folder, name):
    size = 224 if name.endswith("-cls") else 320
    for options in ({}, {"dynamic": True}, {"dynamic": True, "simplify": False}):
        os.chdir(folder)
        network = ultralytics.YOLO(f"{name}.yaml", verbose=False)
        randomise(network.model, (size, size))
        path = pathlib.Path(network.export(format="onnx", imgsz=size, verbose=False, **options))
        images = [torch.rand(batch, 3, size, size) for batch in (BATCHES if options else [1])]
        files = [(path, (image, run_runtime(path, image))) for image in images]
        told = ", ".join(f"{option}={value}" for option, value in options.items())
        yield told, *describe(program, folder, files, network.model.eval())


def main():
    program, names = os.path.abspath(sys.argv[1]), sys.argv[2:]
    checks = [(name, check_transformer) for name in TRANSFORMERS]
    checks += [(name, check_ultralytics) for name in ULTRALYTICS]
    torch.set_num_threads(1)
    ok = True
    for name, check in checks:
        if names and name not in names:
            continue
        torch.manual_seed(1)
        with tempfile.TemporaryDirectory() as folder:
            for way, good, text in check(program, pathlib.Path(folder), name):
                print(f"{name:18} {way:30} {text}", flush=True)
                ok = ok and good
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
