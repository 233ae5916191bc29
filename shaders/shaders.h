/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The compiled shaders, part of the program: SPIR-V made by the build. */
#pragma once

#include "base/tensor.h"

G_BEGIN_DECLS

typedef struct {
  const char *stem; /* of its file, STEM.comp */
  EnsType storage;  /* what its elements are in memory: ENS_TYPE_FLOAT32 or ENS_TYPE_FLOAT16 */
  const guint32 *words;
  gsize n_words;
} EnsShader;

/* The shader of that name for that storage, or NULL. */
const EnsShader *ens_shader_find (const char *stem, EnsType storage);
/* All of them, sorted by name. */
const EnsShader *ens_shader_list (guint *n);

G_END_DECLS
