/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble kernels: scaled dot-product attention,
 *
 *   Y = softmax (scale · Q · Kᵀ + mask) · V
 *
 * of each image and head (Vaswani et al., "Attention Is All You Need", 2017). The scores of a block
 * of queries stay in the cache between the products, and are never stored as a whole. The result
 * does not depend on the number of threads. */
#pragma once

#include "base/thread-pool.h"
#include "kernels/gemm.h"
#include "kernels/level.h"

G_BEGIN_DECLS

/* All ≥ 1. */
typedef struct {
  guint batch, heads, key_heads; /* heads / key_heads neighbouring heads share keys and values */
  guint queries, keys;
  guint depth, value_depth; /* elements of a query or key, and of a value */
} EnsAttentionShape;

/* Where rows are, in floats; the elements of a row are neighbours. */
typedef struct {
  gsize batch, head, row;
} EnsAttentionStrides;

/* What is added to scores, or which of them count; strides of 0 repeat it. */
typedef struct {
  const float *addend;    /* or NULL */
  const guint8 *selected; /* the others are −infinity; or NULL */
  gsize batch, head, row, column;
} EnsAttentionMask;

typedef struct {
  EnsAttentionShape shape;
  gsize scratch_size; /* floats */
  /*< private >*/
  const EnsKernels *kernels;
  guint block, blocks;              /* queries of a block, blocks of a task */
  guint tasks;                      /* of a head */
  EnsGemmPlan scores[2], values[2]; /* of a whole block, and of the last one */
  gsize worker_size;
} EnsAttentionPlan;

void ens_attention_plan (EnsAttentionPlan *plan, const EnsAttentionShape *shape,
                         const EnsKernels *kernels, guint n_threads);

typedef struct {
  const float *query, *key, *value;
  float *output;
  EnsAttentionStrides query_strides, key_strides, value_strides, output_strides;
  EnsAttentionMask mask;
  float scale;
  float softcap;        /* scores become softcap · tanh (score / softcap); 0: they stay */
  guint before, behind; /* query i sees keys from i − before to i + behind */
  float *scratch;       /* plan->scratch_size floats, 64-byte aligned; contents don't matter */
} EnsAttentionArguments;

void ens_attention_run (const EnsAttentionPlan *plan, const EnsAttentionArguments *arguments,
                        EnsThreadPool *pool);

G_END_DECLS
