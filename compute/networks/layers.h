/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the project's own architectures are built of: layers with weights to begin training with.
 *
 * Weights are drawn from a normal distribution of variance 2 / n, n the numbers that one output is
 * summed from: He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", ICCV 2015. The same seed and
 * the same layers in the same order give the same weights, on every machine. Constants are called
 * after their layer: "NAME.weight", "NAME.bias" … */
#pragma once

#include "graph/graph.h"
#include "ops/params.h"

G_BEGIN_DECLS

/* A network that is being built. {graph, seed} begins one. */
typedef struct {
  EnsGraph *graph;
  guint64 seed;
  /*< private >*/
  guint32 n_drawn; /* layers with drawn weights so far */
} EnsLayers;

/* A value (N, H, W, channels), or (N, channels). Before shapes are inferred the value does not
 * know. */
typedef struct {
  EnsValue *value;
  guint channels;
} EnsMap;

typedef struct {
  guint filters, kernel;
  guint stride;      /* 0: 1 */
  gboolean bias;     /* of zeroes */
  gboolean unpadded; /* FALSE: zeroes around the map, so that n elements become ⌈n / stride⌉ */
  gboolean zero;     /* weights of zeroes instead of drawn ones */
} EnsConvLayer;

/* A convolution; odd kernels alone keep the size that `unpadded` speaks of. */
EnsMap ens_layers_conv (EnsLayers *layers, const char *name, EnsMap input,
                        const EnsConvLayer *conv);
/* Batch normalisation that does nothing yet: scale 1, bias 0, mean 0, variance 1. */
EnsMap ens_layers_batch_norm (EnsLayers *layers, const char *name, EnsMap input);
/* An elementwise function of one input, such as ens_op_relu. alpha: its first parameter, where it
 * has one. */
EnsMap ens_layers_activate (EnsLayers *layers, const char *name, const EnsOp *op, float alpha,
                            EnsMap input);
/* Elementwise, with broadcasting; such as ens_op_add. Channels are a's. */
EnsMap ens_layers_combine (EnsLayers *layers, const char *name, const EnsOp *op, EnsMap a,
                           EnsMap b);
/* By channel. */
EnsMap ens_layers_concat (EnsLayers *layers, const char *name, const EnsMap *maps, guint n);
/* The mean of all positions, (N, channels), on which fully connected layers may stand. */
EnsMap ens_layers_average (EnsLayers *layers, const char *name, EnsMap input);
/* (N, channels) to (N, n), with a bias of zeroes. Its value's shape is known, as losses ask. */
EnsMap ens_layers_fully_connected (EnsLayers *layers, const char *name, EnsMap input, guint n);

G_END_DECLS
