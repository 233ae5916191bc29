# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compiles a shader with glslang and spirv-opt, given the options of glslc that shaders/meson.build uses.

glslang.py GLSLANG SPIRV_OPT [-g] [-O|-O0] [-DNAME] [-Werror] --target-env=ENV -fshader-stage=compute
           [-MD -MF DEPFILE] -o OUTPUT INPUT
"""
import subprocess
import sys

glslang, spirv_opt, *arguments = sys.argv[1:]
command = [glslang, "-V"]
optimize = strict = False
output = None
rest = iter(arguments)
for argument in rest:
    name, _, value = argument.partition("=")
    if argument == "-O":
        optimize = True
    elif argument == "-Werror":
        strict = True
    elif argument == "-o":
        output = next(rest)
    elif argument == "-MF":
        command += ["--depfile", next(rest)]
    elif name == "--target-env":
        command += ["--target-env", value]
    elif name == "-fshader-stage":
        command += ["-S", {"compute": "comp"}[value]]
    elif argument not in ("-O0", "-MD"):
        command.append(argument)

run = subprocess.run(command + ["-o", output], capture_output=True, text=True)
if run.returncode != 0 or strict and "WARNING:" in run.stdout:
    sys.exit(run.stdout + run.stderr)
if optimize and output != "/dev/null":
    subprocess.run([spirv_opt, "-O", output, "-o", output], check=True)
