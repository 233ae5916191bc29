# SPDX-License-Identifier: LGPL-2.1-or-later
"""Forward and backward time of single layers beside PyTorch's, in the same minutes.

usage: gradients.py TIME_GRADIENT [THREADS [NETWORK]]

Layers of networks at batch 32 and 128 × 128 pixels. Both run by turns; medians in milliseconds, of
processor time where there is one thread; and how many times as fast as PyTorch (the faster of its two
memory orders) we are.
"""
import statistics
import subprocess
import sys
import time

import torch

RUNS = 9
BATCH = 32
# layer, height and width, channels, filters, kernel, stride, pad, groups; how often it occurs
NETWORKS = {
    "resnet-18": [
        ("conv", 128, 3, 64, 7, 2, 3, 1, 1),
        ("max-pool", 64, 64, 64, 3, 2, 1, 1, 1),
        ("conv", 32, 64, 64, 3, 1, 1, 1, 4),
        ("conv", 32, 64, 128, 3, 2, 1, 1, 1),
        ("conv", 32, 64, 128, 1, 2, 0, 1, 1),
        ("conv", 16, 128, 128, 3, 1, 1, 1, 3),
        ("conv", 16, 128, 256, 3, 2, 1, 1, 1),
        ("conv", 16, 128, 256, 1, 2, 0, 1, 1),
        ("conv", 8, 256, 256, 3, 1, 1, 1, 3),
        ("conv", 8, 256, 512, 3, 2, 1, 1, 1),
        ("conv", 8, 256, 512, 1, 2, 0, 1, 1),
        ("conv", 4, 512, 512, 3, 1, 1, 1, 3),
        ("dense", 1, 512, 1000, 1, 1, 0, 1, 1),
    ],
    "squeezenet-1.1": [
        ("conv", 128, 3, 64, 3, 2, 0, 1, 1),
        ("max-pool", 63, 64, 64, 3, 2, 0, 1, 1),
        ("conv", 31, 64, 16, 1, 1, 0, 1, 1),
        ("conv", 31, 128, 16, 1, 1, 0, 1, 1),
        ("conv", 31, 16, 64, 1, 1, 0, 1, 2),
        ("conv", 31, 16, 64, 3, 1, 1, 1, 2),
        ("conv", 15, 128, 32, 1, 1, 0, 1, 1),
        ("conv", 15, 32, 128, 1, 1, 0, 1, 2),
        ("conv", 15, 32, 128, 3, 1, 1, 1, 2),
        ("conv", 7, 256, 48, 1, 1, 0, 1, 1),
        ("conv", 7, 48, 192, 1, 1, 0, 1, 2),
        ("conv", 7, 48, 192, 3, 1, 1, 1, 2),
        ("conv", 7, 64, 256, 3, 1, 1, 1, 2),
        ("conv", 7, 512, 1000, 1, 1, 0, 1, 1),
    ],
    "mobilenet-v2": [
        ("conv", 128, 3, 32, 3, 2, 1, 1, 1),
        ("conv", 64, 32, 32, 3, 1, 1, 32, 1),
        ("conv", 64, 32, 16, 1, 1, 0, 1, 1),
        ("conv", 64, 16, 96, 1, 1, 0, 1, 1),
        ("conv", 64, 96, 96, 3, 2, 1, 96, 1),
        ("conv", 32, 96, 24, 1, 1, 0, 1, 1),
        ("conv", 32, 24, 144, 1, 1, 0, 1, 2),
        ("conv", 32, 144, 144, 3, 1, 1, 144, 1),
        ("conv", 32, 144, 24, 1, 1, 0, 1, 1),
        ("conv", 32, 144, 144, 3, 2, 1, 144, 1),
        ("conv", 16, 32, 192, 1, 1, 0, 1, 3),
        ("conv", 16, 192, 192, 3, 1, 1, 192, 2),
        ("conv", 8, 384, 384, 3, 1, 1, 384, 4),
        ("conv", 8, 64, 384, 1, 1, 0, 1, 4),
        ("conv", 8, 384, 64, 1, 1, 0, 1, 3),
        ("conv", 8, 576, 576, 3, 2, 1, 576, 1),
        ("conv", 4, 960, 960, 3, 1, 1, 960, 3),
        ("conv", 4, 160, 960, 1, 1, 0, 1, 3),
        ("conv", 4, 960, 160, 1, 1, 0, 1, 2),
        ("conv", 4, 320, 1280, 1, 1, 0, 1, 1),
        ("dense", 1, 1280, 1000, 1, 1, 0, 1, 1),
    ],
}


def now():
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


class Torch:
    """The layer in PyTorch, its tensors in one of its two orders of memory."""

    def __init__(self, row, memory_format):
        layer, size, channels, filters, kernel, stride, pad, groups, _ = row
        self.module, shape = None, (BATCH, channels, size, size)
        if layer == "dense":
            self.module, shape = torch.nn.Linear(channels, filters, bias=False), (BATCH, channels)
        elif layer == "conv":
            self.module = torch.nn.Conv2d(channels, filters, kernel, stride, pad, groups=groups, bias=False)
        else:
            self.module = torch.nn.MaxPool2d(kernel, stride, pad)
        self.x = torch.randn(shape)
        if layer != "dense":
            self.module = self.module.to(memory_format=memory_format)
            self.x = self.x.contiguous(memory_format=memory_format)
        self.x.requires_grad_()
        self.dy = torch.randn_like(self.module(self.x).detach())

    def run(self):
        self.x.grad = None
        for parameter in self.module.parameters():
            parameter.grad = None
        start = now()
        self.module(self.x).backward(self.dy)
        return (now() - start) * 1e3


class Ours:
    def __init__(self, program, threads, row):
        layer, size, *rest, _ = row
        self.process = subprocess.Popen([program, str(threads), layer, str(BATCH), str(size), str(size),
                                         *map(str, rest)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def finish(self):
        nodes = self.process.communicate()[0]
        return [f"{line.split()[4]} {line.split()[0]}" for line in nodes.splitlines()]


def main():
    program, threads = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    torch.set_num_threads(threads)
    print(f"{'layer':36} {'n':>2} {'ours':>8} {'NCHW':>8} {'NHWC':>8} {'speed':>6}  nodes")
    for network, rows in NETWORKS.items():
        if len(sys.argv) > 3 and sys.argv[3] != network:
            continue
        totals = [0, 0, 0]
        for row in rows:
            ours = Ours(program, threads, row)
            runners = [ours, Torch(row, torch.contiguous_format), Torch(row, torch.channels_last)]
            times = [[runner.run() for runner in runners] for _ in range(RUNS + 2)][2:]
            medians = [statistics.median(column) for column in zip(*times)]
            totals = [total + median * row[-1] for total, median in zip(totals, medians)]
            name = "{} {}² {}→{} {}×{} /{} groups {}".format(row[0], row[1], row[2], row[3], row[4], row[4], row[5], row[7])
            print(f"{name:36} {row[-1]:2} {medians[0]:8.2f} {medians[1]:8.2f} {medians[2]:8.2f} "
                  f"{min(medians[1:]) / medians[0]:6.2f}  {', '.join(ours.finish())}", flush=True)
        print(f"{network:36}    {totals[0]:8.2f} {totals[1]:8.2f} {totals[2]:8.2f} "
              f"{min(totals[1:]) / totals[0]:6.2f}", flush=True)


main()
