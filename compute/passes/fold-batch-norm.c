/* Batch normalisation with fixed statistics is y = scale · x + shift per channel; so are Mul, Add,
 * Sub and Div with one constant per channel. */
#include "passes/passes.h"

#include <math.h>

#include "ops/params.h"
#include "passes/linear.h"
#include "passes/rewrite.h"

typedef struct {
  EnsValue *input;
  gint64 n_channels;
  float *scale, *shift;
} Affine;

static Affine *
affine_new (EnsValue *input, gint64 n_channels)
{
  Affine *affine = g_new0 (Affine, 1);

  affine->input = input;
  affine->n_channels = n_channels;
  affine->scale = g_new0 (float, n_channels);
  affine->shift = g_new0 (float, n_channels);
  return affine;
}

static void
affine_free (Affine *affine)
{
  g_free (affine->scale);
  g_free (affine->shift);
  g_free (affine);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Affine, affine_free)

static Affine *
read_batch_norm (const EnsNode *node)
{
  const EnsNormalizationParams *params = node->params;
  const EnsTensor *scale = ens_node_constant (node, 1), *shift = ens_node_constant (node, 2);
  const EnsTensor *mean = ens_node_constant (node, 3), *variance = ens_node_constant (node, 4);
  gint64 n = scale != NULL ? ens_shape_elements (&scale->shape) : 0;
  g_autofree float *mean_data = g_new (float, n), *variance_data = g_new (float, n);
  g_autoptr (Affine) affine = affine_new (node->inputs[0], n);

  if (n == 0 || node->n_outputs > 1 || !ens_constant_as_channels (scale, 1, n, affine->scale)
      || !ens_constant_as_channels (shift, 1, n, affine->shift)
      || !ens_constant_as_channels (mean, 1, n, mean_data)
      || !ens_constant_as_channels (variance, 1, n, variance_data))
    return NULL;
  for (gint64 i = 0; i < n; i++) {
    double factor = affine->scale[i] / sqrt ((double)variance_data[i] + params->epsilon);

    affine->shift[i] = (float)(affine->shift[i] - factor * mean_data[i]);
    affine->scale[i] = (float)factor;
  }
  return g_steal_pointer (&affine);
}

/* What the arithmetic does to channel i of the operand that is not constant. */
static void
set_arithmetic (Affine *affine, gint64 i, char op, float constant, gboolean constant_first)
{
  affine->scale[i] = op == '*' ? constant : op == '/' ? 1 / constant : 1;
  affine->shift[i] = op == '+' ? constant : op == '-' ? -constant : 0;
  if (op == '-' && constant_first) {
    affine->scale[i] = -1;
    affine->shift[i] = constant;
  }
}

static Affine *
read_arithmetic (const EnsNode *node, char op, gint64 n_channels, guint rank)
{
  guint i = ens_node_constant (node, 0) != NULL ? 0 : 1;
  const EnsBinaryParams *params = node->params;
  g_autofree float *constant = g_new (float, n_channels);
  Affine *affine;

  if ((params != NULL && params->activation.kind != ENS_ACTIVATION_NONE)
      || !ens_constant_as_channels (ens_node_constant (node, i), rank, n_channels, constant)
      || (op == '/' && i == 0))
    return NULL;
  affine = affine_new (node->inputs[1 - i], n_channels);
  for (gint64 j = 0; j < n_channels; j++)
    set_arithmetic (affine, j, op, constant[j], i == 0);
  return affine;
}

static const struct {
  const char *name;
  char op;
} arithmetic[] = {{"Mul", '*'}, {"Div", '/'}, {"Add", '+'}, {"Sub", '-'}};

/* A glance, before weights are copied. */
static gboolean
may_be_affine (const EnsNode *node)
{
  for (guint i = 0; i < G_N_ELEMENTS (arithmetic); i++)
    if (ens_node_is (node, arithmetic[i].name))
      return ens_node_constant (node, 0) != NULL || ens_node_constant (node, 1) != NULL;
  return ens_node_is (node, "BatchNormalization");
}

/* The node as scale and shift of tensors with this rank and number of channels, or NULL if it is
 * something else. (transfer full) */
static Affine *
read_affine (const EnsNode *node, gint64 n_channels, guint rank)
{
  if (ens_node_is (node, "BatchNormalization")) {
    g_autoptr (Affine) affine = read_batch_norm (node);

    return affine != NULL && affine->n_channels == n_channels ? g_steal_pointer (&affine) : NULL;
  }
  for (guint i = 0; i < G_N_ELEMENTS (arithmetic); i++)
    if (ens_node_is (node, arithmetic[i].name))
      return read_arithmetic (node, arithmetic[i].op, n_channels, rank);
  return NULL;
}

/* Whether all numbers are finite: a variance of −epsilon is the file's to give. */
static gboolean
is_finite (const Affine *affine)
{
  for (gint64 i = 0; i < affine->n_channels; i++)
    if (!isfinite (affine->scale[i]) || !isfinite (affine->shift[i]))
      return FALSE;
  return TRUE;
}

/* Conv or Gemm, then the affine node. */
static gboolean
fold_behind (EnsGraph *graph, EnsNode *node)
{
  for (guint i = 0; i < node->n_inputs && i < 2; i++) {
    EnsNode *producer = node->inputs[i] != NULL ? node->inputs[i]->producer : NULL;
    g_autoptr (EnsLinear) linear = ens_linear_read (producer);
    g_autoptr (Affine) affine = NULL;

    if (linear == NULL || ens_graph_only_reader (graph, node->inputs[i]) != node)
      continue;
    affine = read_affine (node, linear->n_outputs, linear->rank);
    if (affine == NULL || affine->input != node->inputs[i] || !is_finite (affine))
      continue;
    ens_linear_scale_outputs (linear, affine->scale, affine->shift);
    ens_linear_write (linear, graph, producer);
    ens_graph_replace_uses (graph, node->outputs[0], node->inputs[i]);
    return TRUE;
  }
  return FALSE;
}

/* The affine node, then Conv or Gemm. What a convolution pads would have to be −shift / scale then,
 * so that it must not pad. */
static gboolean
fold_before (EnsGraph *graph, EnsNode *node)
{
  EnsNode *reader = ens_graph_only_reader (graph, node->outputs[0]);
  g_autoptr (EnsLinear) linear = ens_linear_read (reader);
  g_autoptr (Affine) affine = NULL;

  if (linear == NULL || linear->pads || reader->inputs[0] != node->outputs[0])
    return FALSE;
  affine = read_affine (node, linear->n_inputs, linear->rank);
  if (affine == NULL || !is_finite (affine))
    return FALSE;
  ens_linear_scale_inputs (linear, affine->scale, affine->shift);
  ens_linear_write (linear, graph, reader);
  reader->inputs[0] = affine->input;
  return TRUE;
}

/* A batch normalisation of maps by itself: a convolution that can also take over an activation. */
static gboolean
make_depthwise (EnsGraph *graph, EnsNode *node)
{
  g_autoptr (Affine) affine = NULL;
  EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT};
  g_autoptr (EnsTensor) weights = NULL;
  EnsNewNode conv = {.op = "Conv", .name = node->name, .params = &params, .n_inputs = 3};

  if (!ens_node_is (node, "BatchNormalization") || node->outputs[0]->shape.rank != 4)
    return FALSE;
  affine = read_batch_norm (node);
  if (affine == NULL || !is_finite (affine))
    return FALSE;
  params.group = affine->n_channels;
  weights = ens_tensor_new_copy (ENS_TYPE_FLOAT32, &ENS_SHAPE (affine->n_channels, 1, 1, 1),
                                 affine->scale);
  conv.inputs[0] = affine->input;
  conv.inputs[1] = ens_graph_add_constant (graph, node->inputs[1]->name, weights);
  conv.inputs[2] =
      ens_graph_add_vector (graph, node->inputs[2]->name, affine->shift, affine->n_channels);
  ens_graph_replace_uses (graph, node->outputs[0],
                          ens_graph_insert_node (graph, node, &conv)->outputs[0]);
  return TRUE;
}

gboolean
ens_pass_fold_batch_norm (EnsGraph *graph)
{
  gboolean progress = FALSE;

  for (guint i = 0; i < graph->nodes->len; i++) {
    EnsNode *node = ens_graph_node (graph, i);

    if (may_be_affine (node))
      progress = fold_behind (graph, node) || fold_before (graph, node) || progress;
  }
  /* Only what could not be folded. */
  for (guint i = 0; i < graph->nodes->len && !progress; i++)
    progress = make_depthwise (graph, ens_graph_node (graph, i));
  return progress;
}
