/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the label layer of a classifier, the last one with weights: it has one output for
 * each class, as a matrix (VGG, ResNet) or as a 1×1 convolution before the pooling (SqueezeNet).
 *
 * It is found from the graph's first output backwards, through what keeps classes apart: pooling,
 * flattening, dropout, softmax, activations, arithmetic with constants. */
#pragma once

#include "graph/op.h"

G_BEGIN_DECLS

/* The Conv, Gemm or MatMul whose weights are constant. NULL with ENS_ERROR_UNSUPPORTED: something
 * else stands between it and the output, which the error names. (transfer none) */
EnsNode *ens_label_layer_find (const EnsGraph *graph, GError **error);

/* New labels. */
typedef struct {
  guint n_classes;
  guint64 seed;      /* of the weights: normal, of deviation ENS_LABEL_LAYER_DEVIATION */
  const float *bias; /* n_classes */
} EnsLabelLayerParams;

#define ENS_LABEL_LAYER_DEVIATION 0.01

/* Clears the label layer and gives it other classes. The graph then has one output, their logits:
 * what is not linear behind the layer (softmax, and a ReLU, with which cleared weights could never
 * learn) passes its input on; pooling, flattening and dropout stay. All values keep their names.
 * nominal: shapes of the inputs. Returns the layer. */
EnsNode *ens_label_layer_replace (EnsGraph *graph, const EnsLabelLayerParams *params,
                                  const EnsShape *nominal, GError **error);

G_END_DECLS
