# SPDX-License-Identifier: LGPL-2.1-or-later
"""A quantised network works, and its user is told: quantised.py MAKE-COLOUR-BUNDLE TOOL"""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import onnx
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

WARNING = "is quantised (2 nodes, the first is node “quantise” (QuantizeLinear))"


def quantise_input(path):
    """Lets the network see its input through 8 bits."""
    model = onnx.load(path)
    graph = model.graph
    pixels = graph.input[0].name
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name == pixels:
                node.input[i] = "real"
    numbers = [pixels, "scale", "zero"]
    graph.initializer.extend([
        onnx.helper.make_tensor("scale", onnx.TensorProto.FLOAT, [], [1 / 64]),
        onnx.helper.make_tensor("zero", onnx.TensorProto.UINT8, [], [128])])
    nodes = [onnx.helper.make_node("QuantizeLinear", numbers, ["bits"], "quantise"),
             onnx.helper.make_node("DequantizeLinear", ["bits", "scale", "zero"], ["real"])]
    for i, node in enumerate(nodes):
        graph.node.insert(i, node)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert result.returncode == 0, (command, result.stdout)
    return result.stdout


def main(make_bundle, tool):
    with tempfile.TemporaryDirectory() as folder:
        bundle = run(make_bundle, folder).strip()
        manifest = json.loads((pathlib.Path(bundle) / "ensemble.json").read_text())
        network = manifest["networks"][0]
        path = pathlib.Path(bundle) / network["network"]
        quantise_input(path)
        image = pathlib.Path(folder) / "red.png"
        frames = ["videotestsrc", "num-buffers=1", "pattern=red", "!",
                  "video/x-raw,width=64,height=48", "!"]
        run("gst-launch-1.0", *frames, "pngenc", "!", "filesink", f"location={image}")

        for command in (
                [tool, "inspect", path],
                [tool, "benchmark", "-s", "32", path],
                [tool, "classify", "-m", bundle, image],
                ["gst-launch-1.0", *frames, "ensembleclassify", f"model={bundle}", "device=cpu",
                 "!", "fakesink"]):
            assert WARNING in run(*command), (command, run(*command))
        result = json.loads(run(tool, "classify", "--json", "-m", bundle, image).splitlines()[-1])
        red = [c["p"] for c in result["classes"] if c["name"] == "red"]
        assert red and red[0] > 0.9, result


main(*sys.argv[1:])
