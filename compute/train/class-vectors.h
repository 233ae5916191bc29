/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Classes given by vectors, one each, such as a text model makes of their names: matrices in files
 * of NumPy (.npy) and of safetensors.
 *
 * Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html,
 * https://huggingface.co/docs/safetensors */
#pragma once

#include "base/error.h"

typedef struct {
  guint n, length;
  float *values; /* n × length; each vector of length 1 (L2) */
  char **names;  /* NULL-terminated */
} EnsClassVectors;

/* A .npy file holds a matrix of float16, float32 or float64, a row per class. A .safetensors file
 * holds that or bfloat16: one matrix, or a vector per class, called as the class. `names` is a text
 * file with the names of a matrix's rows, a line each; NULL for vectors that have names. What is
 * wrong is said with file and place. (transfer full) */
EnsClassVectors *ens_class_vectors_load (const char *path, const char *names, GError **error);
void ens_class_vectors_free (EnsClassVectors *vectors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsClassVectors, ens_class_vectors_free)
