# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a fuzz target on its corpus for FUZZ_SECONDS (60) and prints one line: run.py TARGET NAME

A finding stays beside the target.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import corpus

# A hang, in seconds, and too much memory, in MiB.
TIMEOUT = 20
MEMORY = 2048

target, name = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
seconds = os.environ.get("FUZZ_SECONDS", "60")

with tempfile.TemporaryDirectory(prefix="ensemble-corpus-") as folder:
    n_seeds = corpus.write(name, pathlib.Path(folder))
    dictionary = pathlib.Path(folder) / "dictionary"
    seeds = pathlib.Path(folder) / "seeds"
    run = subprocess.run(
        [target, f"-max_total_time={seconds}", f"-timeout={TIMEOUT}", f"-rss_limit_mb={MEMORY}",
         f"-dict={dictionary}", f"-artifact_prefix={target}-", "-print_final_stats=1", seeds],
        # GLib's own allocator would hide what the sanitizer looks for.
        env={**os.environ, "G_SLICE": "always-malloc", "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")

if run.returncode != 0:
    print(run.stderr[-8000:])
statistics = dict(re.findall(r"stat::(\w+): +(\d+)", run.stderr))
progress = re.findall(r"cov: (\d+) ft: \d+ corp: (\d+)", run.stderr)
coverage, n_kept = progress[-1] if progress else ("0", "0")
print(f"fuzz {name}: {statistics.get('number_of_executed_units', '0')} executions in {seconds} s, "
      f"{coverage} edges, {n_seeds} seeds and {n_kept} inputs kept, "
      f"{'no finding' if run.returncode == 0 else 'A FINDING'}")
sys.exit(run.returncode != 0)
