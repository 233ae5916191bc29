# SPDX-License-Identifier: LGPL-2.1-or-later
"""Vectors of class names, for gst-ensemble-1.0 zero-shot.

usage: text-vectors.py MODEL NAMES.txt VECTORS.npy [TEMPLATE …]

MODEL is a folder, or a name of the Hugging Face hub, of a CLIP or SigLIP model that Python's
transformers loads, such as openai/clip-vit-base-patch32. NAMES.txt has a class name in each line.
A TEMPLATE is a text with {} where the name goes; the vectors of several are averaged.
"""
import sys

import numpy as np
import torch
import transformers

TEMPLATES = ["a photo of a {}."]


def embed(model, tokenizer, texts):
    # SigLIP was trained on texts of one length.
    padding = "max_length" if "siglip" in model.config.model_type else True
    tokens = tokenizer(texts, padding=padding, truncation=True, return_tensors="pt")
    with torch.no_grad():
        vectors = model.get_text_features(**tokens)
    # Since version 5 transformers gives more than the vectors.
    vectors = getattr(vectors, "pooler_output", vectors).detach().numpy()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def main(source, names_path, vectors_path, templates):
    with open(names_path, encoding="utf-8") as file:
        names = [line.strip() for line in file if line.strip()]
    model = transformers.AutoModel.from_pretrained(source).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    vectors = sum(embed(model, tokenizer, [template.format(name) for name in names])
                  for template in templates)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.save(vectors_path, vectors.astype(np.float32))
    options = f"--names={names_path} --temperature={float(model.logit_scale.exp()):.4g}"
    if hasattr(model, "logit_bias"):
        options += f" --link=sigmoid --bias={float(model.logit_bias):.4g}"
    print(f"{len(names)} vectors of {vectors.shape[1]}; now:")
    print(f"gst-ensemble-1.0 zero-shot {vectors_path} {options} -n PICTURES.onnx -o NAME.ensemble")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:4], sys.argv[4:] or TEMPLATES)
