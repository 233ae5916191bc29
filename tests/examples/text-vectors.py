# SPDX-License-Identifier: LGPL-2.1-or-later
"""examples/python/text-vectors.py with a text model that is easily worked out.

usage: text-vectors.py SCRIPT
"""
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

# As much of the modules as the script uses. A text's vector: its letters and its words.
TORCH = """
import contextlib
no_grad = contextlib.nullcontext
"""
TRANSFORMERS = """
import types
import numpy as np

class Array (np.ndarray):
    detach = numpy = lambda self: self

class Model:
    config = types.SimpleNamespace (model_type="siglip")
    logit_bias = -2.5
    logit_scale = types.SimpleNamespace (exp=lambda: 8.0)
    def eval (self):
        return self
    def get_text_features (self, texts):
        return np.array ([[len (text), len (text.split ())] for text in texts], float).view (Array)

class AutoModel:
    from_pretrained = staticmethod (lambda name: Model ())

class AutoTokenizer:
    from_pretrained = staticmethod (lambda name: tokenize)

def tokenize (texts, padding, truncation, return_tensors):
    assert padding == "max_length"
    return {"texts": texts}
"""


# Version 5 gives more than the vectors.
TRANSFORMERS_5 = TRANSFORMERS.replace("return np.array (", "return types.SimpleNamespace (pooler_output=np.array (") \
    .replace(".view (Array)", ".view (Array))")


def check(transformers):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "torch.py").write_text(TORCH)
        (folder / "transformers.py").write_text(transformers)
        (folder / "names.txt").write_text("cat\n\n  fire engine \n")
        done = subprocess.run(
            [sys.executable, sys.argv[1], "any", "names.txt", "vectors.npy", "{}", "a {}"],
            cwd=folder, env={"PYTHONPATH": name, "PATH": ""}, capture_output=True, text=True)
        print(done.stdout + done.stderr)
        if done.returncode != 0:
            return False
        found = np.load(folder / "vectors.npy")
    unit = lambda *values: np.array(values) / np.linalg.norm(values)
    expected = np.array([unit(*(unit(3, 1) + unit(5, 2))), unit(*(unit(11, 2) + unit(13, 3)))])
    if found.dtype != np.float32 or not np.allclose(found, expected, atol=1e-6):
        print(f"found {found}, expected {expected}")
        return False
    wanted = "--temperature=8 --link=sigmoid --bias=-2.5"
    if wanted not in done.stdout:
        print(f"does not say {wanted}")
        return False
    return True


if __name__ == "__main__":
    sys.exit(0 if check(TRANSFORMERS) and check(TRANSFORMERS_5) else 1)
