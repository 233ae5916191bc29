# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the tests of operators of the `onnx` package that is installed: onnx-nodes.py TEST-ONNX-BACKEND

    python3 -m venv venv && venv/bin/pip install onnx
    venv/bin/python tests/peers/onnx-nodes.py build/tests/onnx/test-onnx-backend [--no-vulkan]

Writes them to a temporary folder as Debian's libonnx-testdata has them, and has the project's test of
that package run them: by references, as networks on the CPU and on a Vulkan device, and after having
been written and read again. Prints what passed and what was refused, by operator and reason. Fails if
a result is wrong, or if an operator is refused without a reason.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import warnings

import onnx
from onnx.backend.test import cmd_tools
from onnx.backend.test.case import node

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("program")
parser.add_argument("--no-vulkan", action="store_true", help="on the CPU alone, which is faster")
arguments = parser.parse_args()

warnings.simplefilter("ignore")
cmd_tools.model_test.collect_testcases = lambda: node.collect_testcases(None)
with tempfile.TemporaryDirectory() as folder:
    cmd_tools.generate_data(argparse.Namespace(output=folder))
    print(f"# onnx {onnx.__version__}, opset {onnx.defs.onnx_opset_version()}, "
          f"{len(os.listdir(os.path.join(folder, 'node')))} tests", flush=True)
    environment = dict(os.environ, ENSEMBLE_ONNX_TESTS=folder)
    if arguments.no_vulkan:
        environment["VK_ICD_FILENAMES"] = "/dev/null"
    sys.exit(subprocess.run([arguments.program], env=environment, check=False).returncode)
