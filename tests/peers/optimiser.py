# SPDX-License-Identifier: LGPL-2.1-or-later
"""Optimisers beside PyTorch's: 50 steps on the same gradients.

usage: optimiser.py RUN_OPTIMISER
"""
import subprocess
import sys

try:
    import numpy
    import torch
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

N, STEPS, RATE, TOLERANCE = 1000, 50, 0.01, 1e-6

SGD, ADAM, ADAMW = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
BETAS = ["beta1=0.9", "beta2=0.999", "epsilon=1e-8"]
ROWS = [
    ("plain", SGD, {}, ["sgd"]),
    ("momentum", SGD, {"momentum": 0.9}, ["sgd", "momentum=0.9"]),
    ("nesterov", SGD, {"momentum": 0.9, "nesterov": True}, ["sgd", "momentum=0.9", "nesterov=1"]),
    ("decay", SGD, {"momentum": 0.9, "weight_decay": 0.05}, ["sgd", "momentum=0.9", "decay=0.05"]),
    ("adam", ADAM, {}, ["adam", *BETAS]),
    ("adam-decay", ADAM, {"weight_decay": 0.05}, ["adam", "decay=0.05", *BETAS]),
    ("adamw", ADAMW, {"weight_decay": 0.05}, ["adam", "decay=0.05", "decoupled=1", *BETAS]),
    ("clip", SGD, {"momentum": 0.9}, ["sgd", "momentum=0.9", "clip=20"]),
]


def run_torch(make, options, clip, values):
    parameters = torch.nn.Parameter(torch.from_numpy(values[0].astype(numpy.float64)))
    optimiser = make([parameters], lr=RATE, **options)
    for gradients in values[1:]:
        parameters.grad = torch.from_numpy(gradients.astype(numpy.float64))
        if clip:
            torch.nn.utils.clip_grad_norm_([parameters], clip)
        optimiser.step()
    return parameters.detach().numpy()


def main():
    values = numpy.random.default_rng(1).standard_normal((STEPS + 1, N)).astype(numpy.float32)
    failed = False
    for name, make, options, arguments in ROWS:
        expected = run_torch(make, options, 20 if name == "clip" else None, values)
        ours = subprocess.run([sys.argv[1], *arguments, f"n={N}", f"rate={RATE}"],
                              input=values.tobytes(), stdout=subprocess.PIPE, check=True).stdout
        error = numpy.abs(numpy.frombuffer(ours, numpy.float32) - expected).max()
        error /= numpy.abs(expected).max()
        failed |= not error <= TOLERANCE
        print(f"{name:12} {error:.1e}")
    return 1 if failed else 0


sys.exit(main())
