# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks the quickstart's networks: what networks.json says of them, their size and their axes."""
import json
import pathlib
import sys

try:
    import onnx
except ImportError:
    sys.exit(77)

folder = pathlib.Path(sys.argv[1])
networks = json.loads((folder / "networks.json").read_text())["networks"]
assert {network["role"] for network in networks} == {"original", "retrained"}
assert sum((folder / network["file"]).stat().st_size for network in networks) < 3e6

for network in networks:
    model = onnx.load(folder / network["file"])
    onnx.checker.check_model(model)
    graph = model.graph
    assert [opset.version for opset in model.opset_import] == [13], model.opset_import
    batch, channels, height, width = graph.input[0].type.tensor_type.shape.dim
    assert batch.dim_param and height.dim_param and width.dim_param and channels.dim_value == 3
    labels = graph.output[0].type.tensor_type.shape.dim[1].dim_value
    assert labels == len(network["labels"]), (labels, network["labels"])
    values = {name for node in graph.node for name in node.output}
    taps = set(network.get("taps", []))
    assert taps <= values, (taps, values)
    assert network["order"].upper() == "RGB" and len(network["mean"]) == len(network["scale"]) == 3
    print(network["file"], sorted({node.op_type for node in graph.node}))
