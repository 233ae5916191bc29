/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small graphs with random weights for tests. Shapes are inferred as nodes are added. */
#pragma once

#include "graph/op.h"
#include "ops/params.h"

typedef struct {
  EnsGraph *graph;
  GRand *rand;
} Builder;

void builder_init (Builder *builder, guint32 seed);
void builder_clear (Builder *builder);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Builder, builder_clear)

/* Numbers in [−1, 1). */
EnsTensor *random_tensor (GRand *rand, const EnsShape *shape);

EnsValue *build_input (Builder *builder, const EnsShape *shape);
EnsValue *build_constant (Builder *builder, const EnsShape *shape);
EnsValue *build_number (Builder *builder, float number);
/* Inputs up to a NULL. */
EnsValue *build (Builder *builder, const char *op, gconstpointer params,
                 ...) G_GNUC_NULL_TERMINATED;

typedef struct {
  gint64 filters, kernel, stride, pad, group; /* 0: 1 */
  gboolean no_bias;
} ConvRow;

EnsValue *build_conv (Builder *builder, EnsValue *input, ConvRow row);
EnsValue *build_batch_norm (Builder *builder, EnsValue *input);
/* Transposed weights, bias. */
EnsValue *build_gemm (Builder *builder, EnsValue *input, gint64 columns);
EnsValue *build_concat (Builder *builder, gint64 axis, EnsValue *const *inputs, guint n_inputs);
EnsValue *build_reshape (Builder *builder, EnsValue *input, const EnsShape *shape);
EnsValue *build_transpose (Builder *builder, EnsValue *input, const gint64 *perm);
/* (N, H, W, C) → (N, C · H · W) as ONNX means it. */
EnsValue *build_flatten (Builder *builder, EnsValue *input);

/* Random inputs for the graph's inputs as they are shaped. (transfer full) */
GPtrArray *random_inputs (const EnsGraph *graph, guint32 seed);

/* The first output for one input, as operators' references give it. (transfer full) */
EnsTensor *run_graph (const EnsGraph *graph, EnsTensor *input);

/* The largest absolute difference over the largest absolute value of `b`. */
double relative_error (const float *a, const float *b, gsize n);

typedef gboolean (*Pass) (EnsGraph *graph);

/* Makes `output`, unless it is NULL, an output of the graph, and runs the pass as often as it finds
 * something: what is left computes the same. `ops`: the operators that are left, in order; NULL:
 * any but those that the pass is about. */
void check_pass (Builder *builder, EnsValue *output, Pass pass, const char *ops);
