/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/self-test.h"

#include <math.h>
#include <string.h>

#include "cpu/interpret.h"
#include "engine/device-private.h"
#include "engine/network-private.h"
#include "ops/operands.h"

/* Making */

/* Numbers as the example wants them; NULL: from −1 to 1. */
static void
fill (EnsTensor *tensor, GRand *rand, const EnsOpExample *example)
{
  gint64 n = ens_shape_elements (&tensor->shape);
  gboolean above_one = example != NULL && example->above_one;
  gboolean positive = example != NULL && example->positive;
  double low = above_one ? 1.1 : positive ? 0.1 : -1, high = above_one ? 3 : positive ? 2 : 1;

  for (gint64 i = 0; i < n; i++)
    if (tensor->type == ENS_TYPE_BOOL)
      ((guint8 *)tensor->data)[i] = g_rand_boolean (rand);
    else
      ((float *)tensor->data)[i] = (float)g_rand_double_range (rand, low, high);
}

static EnsTensor *
make_list (const char *word)
{
  g_auto (GStrv) numbers = g_strsplit (word, ",", ENS_MAX_RANK);
  guint n = g_strv_length (numbers);
  EnsTensor *tensor = ens_tensor_new (ENS_TYPE_INT64, &ENS_SHAPE (n));

  for (guint i = 0; i < n; i++)
    ((gint64 *)tensor->data)[i] = g_ascii_strtoll (numbers[i], NULL, 10);
  return tensor;
}

static EnsTensor *
make_random (const char *word, EnsType type, GRand *rand, const EnsOpExample *example)
{
  g_auto (GStrv) dims = g_strsplit (word, "x", ENS_MAX_RANK);
  EnsShape shape = {.rank = g_strv_length (dims)};
  EnsTensor *tensor;

  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = g_ascii_strtoll (dims[i], NULL, 10);
  tensor = ens_tensor_new (type, &shape);
  fill (tensor, rand, example);
  return tensor;
}

/* A graph, and what goes into it. */
typedef struct {
  EnsGraph *graph;
  GPtrArray *inputs; /* EnsTensor */
  GRand *rand;
} Subject;

static void
subject_init (Subject *subject)
{
  subject->graph = ens_graph_new ("self-test");
  subject->inputs = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);
  subject->rand = g_rand_new_with_seed (1);
}

static void
subject_clear (Subject *subject)
{
  g_clear_pointer (&subject->graph, ens_graph_free);
  g_ptr_array_unref (subject->inputs);
  g_rand_free (subject->rand);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Subject, subject_clear)

static EnsValue *
add_input (Subject *subject, EnsTensor *tensor)
{
  g_ptr_array_add (subject->inputs, tensor);
  return ens_graph_add_input (subject->graph, "input", tensor->type, &tensor->shape);
}

static EnsValue *
add_word (Subject *subject, const char *word, const EnsOpExample *example)
{
  g_autoptr (EnsTensor) constant = NULL;

  if (g_str_has_prefix (word, "=["))
    constant = make_list (word + 2);
  else if (g_str_has_prefix (word, "=?"))
    constant = make_random (word + 2, ENS_TYPE_BOOL, subject->rand, example);
  else if (*word == '=')
    constant = make_random (word + 1, ENS_TYPE_FLOAT32, subject->rand, example);
  else if (*word == '?')
    return add_input (subject, make_random (word + 1, ENS_TYPE_BOOL, subject->rand, example));
  else
    return add_input (subject, make_random (word, ENS_TYPE_FLOAT32, subject->rand, example));
  return ens_graph_add_constant (subject->graph, "constant", constant);
}

static void
add_example (Subject *subject, const EnsOp *op, const EnsOpExample *example)
{
  g_auto (GStrv) words = g_strsplit (example->inputs, " ", -1);
  guint n = g_strv_length (words);
  g_autofree EnsValue **inputs = g_new (EnsValue *, n);
  g_autofree gpointer params = g_malloc0 (op->params_size);
  const EnsNode *node;

  if (example->params != NULL)
    memcpy (params, example->params, op->params_size);
  for (guint i = 0; i < n; i++)
    inputs[i] = add_word (subject, words[i], example);
  node = ens_graph_add_node (subject->graph, op, NULL, params, inputs, n,
                             MAX (MAX (op->min_outputs, example->n_outputs), 1));
  for (guint i = 0; i < node->n_outputs; i++)
    ens_graph_add_output (subject->graph, node->outputs[i]);
}

static EnsValue *
add_weights (Subject *subject, const char *shape)
{
  return add_word (subject, shape, NULL);
}

static EnsValue *
add_conv (Subject *subject, EnsValue *x, const char *weights, const char *bias)
{
  EnsConvParams params = {.sliding = ENS_SLIDING_DEFAULT, .group = 1};
  gboolean wide = strstr (weights, "x3x3x") != NULL;

  params.sliding.rank = 2;
  for (guint i = 0; i < 2; i++) {
    params.sliding.kernel[i] = wide ? 3 : 1;
    params.sliding.pads_begin[i] = params.sliding.pads_end[i] = wide;
  }
  x = ens_graph_apply (subject->graph, ens_op_find ("Conv"), &params, x,
                       add_weights (subject, weights), add_weights (subject, bias), NULL);
  return ens_graph_apply (subject->graph, ens_op_find ("Relu"), NULL, x, NULL);
}

/* Convolutions, pooling, a residual, branches that are concatenated, and a classifier: what
 * networks for pictures are made of, as passes fuse it. */
static void
add_network (Subject *subject, const char *input)
{
  const EnsPoolParams pool = {
      .sliding = {.rank = 2, .kernel = {2, 2}, .strides = {2, 2, 1}, .dilations = {1, 1, 1}}};
  EnsGraph *graph = subject->graph;
  EnsValue *x = add_word (subject, input, NULL), *branches[2];

  x = add_conv (subject, x, "=16x3x3x3", "=16");
  x = ens_graph_apply (graph, ens_op_find ("MaxPool"), &pool, x, NULL);
  x = ens_graph_apply (graph, ens_op_find ("Add"), &(EnsBinaryParams) {0}, x,
                       add_conv (subject, x, "=16x3x3x16", "=16"), NULL);
  branches[0] = add_conv (subject, x, "=8x1x1x16", "=8");
  branches[1] = add_conv (subject, x, "=8x3x3x16", "=8");
  x = ens_graph_apply (graph, ens_op_find ("Concat"), &(EnsAxisParams) {3}, branches[0],
                       branches[1], NULL);
  x = ens_graph_apply (graph, ens_op_find ("GlobalAveragePool"), NULL, x, NULL);
  x = ens_graph_apply (graph, ens_op_find ("Flatten"), &(EnsAxisParams) {1}, x, NULL);
  x = ens_graph_apply (graph, ens_op_find ("Gemm"),
                       &(EnsGemmParams) {.trans_b = TRUE, .alpha = 1, .beta = 1}, x,
                       add_weights (subject, "=10x16"), add_weights (subject, "=10"), NULL);
  ens_graph_add_output (graph, x);
  ens_graph_add_output (graph, ens_graph_apply (graph, ens_op_find ("Softmax"),
                                                &(EnsSoftmaxParams) {.axis = -1}, x, NULL));
}

/* Comparing */

static double
compare (const EnsTensor *found, const EnsTensor *expected)
{
  EnsView a = ens_view_dense (found->type, &found->shape, found->data);
  EnsView b = ens_view_dense (expected->type, &expected->shape, expected->data);
  gsize n = ens_view_elements (&b);
  double largest = 1e-30, difference = 0;

  for (gsize i = 0; i < n; i++) {
    double x = ens_view_real (&a, i), y = ens_view_real (&b, i);

    largest = fmax (largest, fabs (y));
    difference = fmax (difference, isfinite (x) ? fabs (x - y) : INFINITY);
  }
  return difference / largest;
}

static gpointer
get_data (gpointer tensor)
{
  return ((EnsTensor *)tensor)->data;
}

/* Runs a plan and compares what it gives with what is expected. */
static gboolean
run_plan (EnsPlan *plan, const Subject *subject, const GPtrArray *expected,
          EnsSelfTestResult *result, GError **error)
{
  guint n_nodes = ens_plan_get_n_nodes (plan);
  g_autofree EnsNodeTime *times = g_new0 (EnsNodeTime, n_nodes + 1);
  g_autofree gconstpointer *inputs = g_new (gconstpointer, subject->inputs->len);
  g_autofree gpointer *outputs = g_new (gpointer, expected->len);
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);

  for (guint i = 0; i < subject->inputs->len; i++)
    inputs[i] = get_data (g_ptr_array_index (subject->inputs, i));
  for (guint i = 0; i < expected->len; i++) {
    const EnsTensor *tensor = g_ptr_array_index (expected, i);

    g_ptr_array_add (found, ens_tensor_new (tensor->type, &tensor->shape));
    outputs[i] = get_data (g_ptr_array_index (found, i));
  }
  if (!ens_plan_profile (plan, inputs, outputs, times, error))
    return FALSE;
  for (guint i = 0; i < expected->len; i++)
    result->error = fmax (result->error,
                          compare (g_ptr_array_index (found, i), g_ptr_array_index (expected, i)));
  if (n_nodes == 1)
    result->kernel = g_strdup (times[0].kernel);
  return TRUE;
}

static gboolean
run_subject (Subject *subject, EnsDevice *device, EnsSelfTestResult *result, GError **error)
{
  g_autofree EnsShape *shapes = g_new (EnsShape, subject->inputs->len + 1);
  g_autoptr (GPtrArray) expected =
      ens_interpret (subject->graph, (EnsTensor **)subject->inputs->pdata, error);
  g_autoptr (EnsNetwork) network = NULL;
  g_autoptr (EnsPlan) plan = NULL;

  for (guint i = 0; i < subject->inputs->len; i++)
    shapes[i] = ((const EnsTensor *)g_ptr_array_index (subject->inputs, i))->shape;
  return expected != NULL
         && (network = ens_network_new (g_steal_pointer (&subject->graph), device, error)) != NULL
         && (plan = ens_network_plan (network, shapes, error)) != NULL
         && run_plan (plan, subject, expected, result, error);
}

static EnsSelfTestResult *
try_subject (Subject *subject, const char *name, EnsDevice *device)
{
  EnsSelfTestResult *result = g_new0 (EnsSelfTestResult, 1);
  g_autoptr (GError) error = NULL;

  result->name = name;
  if (run_subject (subject, device, result, &error))
    result->passed =
        result->error <= (ens_device_wants_float16 (device) ? ENS_SELF_TEST_FLOAT16_TOLERANCE
                                                            : ENS_SELF_TEST_TOLERANCE);
  else
    result->problem = g_strdup (error->message);
  return result;
}

static EnsSelfTestResult *
try_example (const EnsOp *op, const EnsOpExample *example, EnsDevice *device)
{
  g_auto (Subject) subject;

  subject_init (&subject);
  add_example (&subject, op, example);
  return try_subject (&subject, op->name, device);
}

static EnsSelfTestResult *
try_network (const char *name, const char *input, EnsDevice *device)
{
  g_auto (Subject) subject;

  subject_init (&subject);
  add_network (&subject, input);
  return try_subject (&subject, name, device);
}

static void
free_result (gpointer data)
{
  EnsSelfTestResult *result = data;

  g_free (result->kernel);
  g_free (result->problem);
  g_free (result);
}

GPtrArray *
ens_self_test (EnsDevice *device)
{
  GPtrArray *results = g_ptr_array_new_with_free_func (free_result);

  for (const EnsOp *const *op = ens_op_list (); *op != NULL; op++)
    for (const EnsOpExample *example = (*op)->example; example->inputs != NULL; example++)
      g_ptr_array_add (results, try_example (*op, example, device));
  g_ptr_array_add (results, try_network ("a whole network", "1x32x32x3", device));
  g_ptr_array_add (results, try_network ("… on a batch", "3x20x28x3", device));
  return results;
}
