/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/linear-classifier.h"

#include <string.h>

#include "kernels/blas.h"
#include "ops/params.h"
#include "passes/rewrite.h"

EnsLinearClassifier *
ens_linear_classifier_new (guint n_features, guint n_classes)
{
  EnsLinearClassifier *linear = g_new (EnsLinearClassifier, 1);

  linear->n_features = n_features;
  linear->n_classes = n_classes;
  linear->weights = g_new0 (float, (gsize)n_features *n_classes);
  linear->biases = g_new0 (float, n_classes);
  return linear;
}

EnsLinearClassifier *
ens_linear_classifier_copy (const EnsLinearClassifier *linear)
{
  EnsLinearClassifier *copy = ens_linear_classifier_new (linear->n_features, linear->n_classes);

  memcpy (copy->weights, linear->weights,
          (gsize)linear->n_features * linear->n_classes * sizeof (float));
  memcpy (copy->biases, linear->biases, linear->n_classes * sizeof (float));
  return copy;
}

void
ens_linear_classifier_free (EnsLinearClassifier *linear)
{
  if (linear == NULL)
    return;
  g_free (linear->weights);
  g_free (linear->biases);
  g_free (linear);
}

void
ens_linear_classifier_decide (const EnsLinearClassifier *linear, const float *features,
                              guint n_samples, float *decisions, EnsThreadPool *pool)
{
  if (n_samples > 0)
    ens_blas_multiply_float64 (&(EnsBlasProduct) {.rows = n_samples,
                                                  .inner = linear->n_features,
                                                  .columns = linear->n_classes,
                                                  .a = features,
                                                  .a_pitch = linear->n_features,
                                                  .b = linear->weights,
                                                  .b_pitch = linear->n_features,
                                                  .c = decisions,
                                                  .c_pitch = linear->n_classes},
                               linear->biases, pool);
}

/* ---- As a graph ---- */

static const EnsGemmParams gemm_params = {.trans_b = TRUE, .alpha = 1, .beta = 1};

EnsGraph *
ens_linear_classifier_to_graph (const EnsLinearClassifier *linear)
{
  EnsGraph *graph = ens_graph_new ("classifier");
  g_autoptr (EnsTensor) weights = ens_tensor_new_copy (
      ENS_TYPE_FLOAT32, &ENS_SHAPE (linear->n_classes, linear->n_features), linear->weights);
  EnsValue *features = ens_graph_add_input (graph, "features", ENS_TYPE_FLOAT32,
                                            &ENS_SHAPE (-1, linear->n_features));
  EnsValue *inputs[] = {
      features,
      ens_graph_add_constant (graph, "weights", weights),
      ens_graph_add_vector (graph, "biases", linear->biases, linear->n_classes),
  };
  EnsNode *node = ens_graph_add_node (graph, ens_op_find ("Gemm"), "decisions", &gemm_params,
                                      inputs, G_N_ELEMENTS (inputs), 1);

  ens_graph_add_output (graph, node->outputs[0]);
  return graph;
}

static gboolean
is_linear (const EnsGraph *graph)
{
  const EnsNode *node = graph->nodes->len == 1 ? graph->nodes->pdata[0] : NULL;

  return node != NULL && node->op == ens_op_find ("Gemm") && node->n_inputs == 3
         && memcmp (node->params, &gemm_params, sizeof gemm_params) == 0
         && node->inputs[1]->constant != NULL && node->inputs[2] != NULL
         && node->inputs[2]->constant != NULL && node->inputs[2]->constant->shape.rank == 1;
}

EnsLinearClassifier *
ens_linear_classifier_from_graph (const EnsGraph *graph)
{
  const EnsNode *node;
  const EnsTensor *weights, *biases;
  EnsLinearClassifier *linear;

  if (!is_linear (graph))
    return NULL;
  node = graph->nodes->pdata[0];
  weights = node->inputs[1]->constant;
  biases = node->inputs[2]->constant;
  linear = ens_linear_classifier_new ((guint)weights->shape.dims[1], (guint)weights->shape.dims[0]);
  memcpy (linear->weights, weights->data, ens_tensor_size (weights));
  memcpy (linear->biases, biases->data, ens_tensor_size (biases));
  return linear;
}
