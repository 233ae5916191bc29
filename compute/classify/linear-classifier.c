/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/linear-classifier.h"

#include <string.h>

#include "kernels/blas.h"
#include "ops/params.h"
#include "passes/rewrite.h"

/* Rows whose roots are taken at a time: enough for a product, and little memory. */
#define ROOTS_AT_ONCE 256

EnsLinearClassifier *
ens_linear_classifier_new (guint n_features, guint n_classes)
{
  EnsLinearClassifier *linear = g_new (EnsLinearClassifier, 1);

  linear->root = FALSE;
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

  copy->root = linear->root;
  memcpy (copy->weights, linear->weights,
          (gsize)linear->n_features * linear->n_classes * sizeof (float));
  memcpy (copy->biases, linear->biases, linear->n_classes * sizeof (float));
  return copy;
}

EnsLinearClassifier *
ens_linear_classifier_copy_class (const EnsLinearClassifier *linear, guint class)
{
  EnsLinearClassifier *copy = ens_linear_classifier_new (linear->n_features, 1);

  copy->root = linear->root;
  memcpy (copy->weights, &linear->weights[(gsize) class * linear->n_features],
          linear->n_features * sizeof (float));
  copy->biases[0] = linear->biases[class];
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

static void
multiply (const EnsLinearClassifier *linear, const float *features, guint n_samples,
          float *decisions, EnsThreadPool *pool)
{
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

void
ens_linear_classifier_decide (const EnsLinearClassifier *linear, const float *features,
                              guint n_samples, float *decisions, EnsThreadPool *pool)
{
  const guint pitch = linear->n_features, at_once = linear->root ? ROOTS_AT_ONCE : n_samples;
  g_autofree float *roots = linear->root ? g_new (float, (gsize)ROOTS_AT_ONCE *pitch) : NULL;

  for (guint first = 0; first < n_samples; first += at_once) {
    const guint n = MIN (at_once, n_samples - first);
    const float *rows = &features[(gsize)first * pitch];

    for (gsize i = 0; linear->root && i < (gsize)n * pitch; i++)
      roots[i] = ens_signed_root (rows[i]);
    multiply (linear, linear->root ? roots : rows, n, &decisions[(gsize)first * linear->n_classes],
              pool);
  }
}

/* ---- As a graph ---- */

#define ROOT_NODES 4

static const EnsGemmParams gemm_params = {.trans_b = TRUE, .alpha = 1, .beta = 1};

/* sign (x) · √|x| */
static EnsValue *
append_root (EnsGraph *graph, EnsValue *value)
{
  EnsValue *sign = ens_graph_apply (graph, ens_op_find ("Sign"), NULL, value, NULL);
  EnsValue *root = ens_graph_apply (graph, ens_op_find ("Abs"), NULL, value, NULL);

  root = ens_graph_apply (graph, ens_op_find ("Sqrt"), NULL, root, NULL);
  return ens_graph_apply (graph, ens_op_find ("Mul"), &(EnsBinaryParams) {0}, sign, root, NULL);
}

/* Whether the graph's first nodes are those of append_root (). */
static gboolean
begins_with_root (const EnsGraph *graph)
{
  static const char *const names[ROOT_NODES] = {"Sign", "Abs", "Sqrt", "Mul"};
  EnsNode *const *nodes = (EnsNode *const *)graph->nodes->pdata;

  for (guint i = 0; i < ROOT_NODES; i++)
    if (!ens_node_is (nodes[i], names[i]))
      return FALSE;
  return nodes[0]->inputs[0] == nodes[1]->inputs[0] && nodes[2]->inputs[0] == nodes[1]->outputs[0]
         && nodes[3]->inputs[0] == nodes[0]->outputs[0]
         && nodes[3]->inputs[1] == nodes[2]->outputs[0]
         && nodes[4]->inputs[0] == nodes[3]->outputs[0];
}

EnsGraph *
ens_linear_classifier_to_graph (const EnsLinearClassifier *linear)
{
  EnsGraph *graph = ens_graph_new ("classifier");
  g_autoptr (EnsTensor) weights = ens_tensor_new_copy (
      ENS_TYPE_FLOAT32, &ENS_SHAPE (linear->n_classes, linear->n_features), linear->weights);
  EnsValue *features = ens_graph_add_input (graph, "features", ENS_TYPE_FLOAT32,
                                            &ENS_SHAPE (-1, linear->n_features));
  EnsValue *inputs[] = {
      linear->root ? append_root (graph, features) : features,
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
  const guint n = graph->nodes->len;
  const EnsNode *node = n > 0 ? graph->nodes->pdata[n - 1] : NULL;

  return (n == 1 || (n == ROOT_NODES + 1 && begins_with_root (graph)))
         && node->op == ens_op_find ("Gemm") && node->n_inputs == 3
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
  node = graph->nodes->pdata[graph->nodes->len - 1];
  weights = node->inputs[1]->constant;
  biases = node->inputs[2]->constant;
  linear = ens_linear_classifier_new ((guint)weights->shape.dims[1], (guint)weights->shape.dims[0]);
  linear->root = graph->nodes->len > 1;
  memcpy (linear->weights, weights->data, ens_tensor_size (weights));
  memcpy (linear->biases, biases->data, ens_tensor_size (biases));
  return linear;
}
