/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every row on a Vulkan device, as a graph of its own, with the validation layers on and no message
 * tolerated: with float32 and float16 storage; alone, and among other nodes, so that it works in
 * place or on slices of wider tensors that begin at odd places. */
#include "case.h"
#include "compare.h"

#include "check-main.h"
#include "cpu/interpret.h"
#include "cpu/weights.h"
#include "graph/infer.h"
#include "ops/operands.h"
#include "vulkan/executor.h"

#include <string.h>

/* Sixteen bits: half a unit in the last place of what is read and written, several times where a
 * node takes several steps. */
#define FLOAT16_TOLERANCE 2e-3
/* Of the most exact rows: no less than a few units in the last place. */
#define LEAST_TOLERANCE 1e-6

/* How rows are run: as users' software devices run them, and, of those that have other shaders for
 * graphics cards, as these do, by each way to multiply that the device has. */
typedef struct {
  const char *path;
  EnsVulkanOptions options;
  const char *const *operators; /* NULL: all */
} Mode;

static const char *const products[] = {"Conv", "Gemm", "MatMul", NULL};
static const char *const more_products[] = {"Conv", "ConvTranspose", "Gemm", "MatMul", NULL};

/* What the validation layers put into shaders of matrices takes minutes to compile in software:
 * those run without. */
static const Mode modes[] = {
    {"vulkan", {.validation = TRUE}},
    {"vulkan-no-texels",
     {.validation = TRUE, .no_texels = TRUE, .matrices = ENS_MATRIX_MODE_NONE},
     more_products},
    {"vulkan-subgroup-matrices",
     {.no_texels = TRUE, .matrices = ENS_MATRIX_MODE_SUBGROUP},
     products},
    {"vulkan-workgroup-matrices",
     {.no_texels = TRUE, .matrices = ENS_MATRIX_MODE_WORKGROUP},
     products},
};

typedef struct {
  const Mode *mode;
  EnsVulkanDevice *device; /* NULL: there is none */
  char *reason;
  EnsThreadPool *pool;
  GHashTable *counts; /* operator → Count */
} Fixture;

/* Runs of an operator's rows that have operands of types that shaders read. */
typedef struct {
  guint n, n_on_cpu;
} Count;

typedef enum {
  ALONE,
  IN_PLACE, /* between nodes whose memory it may use */
  SLICED,   /* its float operands are slices of wider tensors */
  N_SURROUNDINGS,
} Surroundings;

static const char *const surroundings_names[N_SURROUNDINGS] = {"alone", "in place", "sliced"};

typedef struct {
  const char *op;
  const TestRow *row;
  Fixture *fixture;
} Check;

/* A row's node in a graph with what goes into it. */
typedef struct {
  EnsGraph *graph;
  GPtrArray *inputs; /* EnsTensor */
  const TestCase *test_case;
  EnsType storage;
  Surroundings surroundings;
} Scene;

/* Tensors */

static EnsTensor *
convert (const EnsTensor *tensor, EnsType type)
{
  EnsTensor *converted = ens_tensor_new (type, &tensor->shape);
  EnsView from = ens_view_dense (tensor->type, &tensor->shape, tensor->data);
  EnsView to = ens_view_dense (type, &converted->shape, converted->data);
  gsize n = ens_view_elements (&from);

  for (gsize i = 0; i < n; i++)
    ens_view_set_real (&to, i, ens_view_real (&from, i));
  return converted;
}

static EnsValue *
add_input (Scene *scene, EnsTensor *tensor)
{
  g_ptr_array_add (scene->inputs, tensor);
  return ens_graph_add_input (scene->graph, "input", tensor->type, &tensor->shape);
}

/* Numbers beside the ones that matter: (…, columns). */
static EnsTensor *
make_margin (Scene *scene, const EnsShape *shape, gint64 columns)
{
  EnsShape wide = *shape;
  EnsTensor *tensor;
  EnsView view;

  wide.dims[wide.rank - 1] = columns;
  tensor = ens_tensor_new (scene->storage, &wide);
  view = ens_view_dense (tensor->type, &tensor->shape, tensor->data);
  for (gsize i = 0; i < ens_view_elements (&view); i++)
    ens_view_set_real (&view, i, 1000 + (double)i);
  return tensor;
}

/* Nodes around the row's */

static EnsValue *
apply (Scene *scene, const char *op, const char *attributes, EnsValue *const *inputs,
       guint n_inputs)
{
  const EnsOp *found = ens_op_find (op);
  g_autoptr (EnsAttributes) read = test_read_attributes (attributes);
  g_autofree gpointer params = g_malloc0 (found->params_size);
  EnsParse parse = {.node = op, .opset = 17, .n_outputs = 1, .attributes = read};

  ck_assert (ens_op_read_attributes (found, &parse, params, NULL));
  return ens_graph_add_node (scene->graph, found, op, params, inputs, n_inputs, 1)->outputs[0];
}

/* The same numbers, computed. */
static EnsValue *
pass_on (Scene *scene, EnsValue *value)
{
  EnsValue *negative = apply (scene, "Neg", NULL, &value, 1);

  return apply (scene, "Neg", NULL, &negative, 1);
}

#define BEFORE 3
#define BEHIND 2

/* The tensor as the middle part of a wider one. */
static EnsValue *
add_sliced_input (Scene *scene, EnsTensor *tensor)
{
  const EnsShape *shape = &tensor->shape;
  EnsValue *parts[] = {add_input (scene, make_margin (scene, shape, BEFORE)),
                       add_input (scene, tensor),
                       add_input (scene, make_margin (scene, shape, BEHIND))};
  EnsValue *wide = pass_on (scene, apply (scene, "Concat", "axis=-1", parts, 3));
  EnsSplitParams params = {
      .axis = -1, .n_sizes = 3, .sizes = {BEFORE, shape->dims[shape->rank - 1], BEHIND}};

  return ens_graph_add_node (scene->graph, ens_op_find ("Split"), "Split", &params, &wide, 1, 3)
      ->outputs[1];
}

static void
add_sliced_output (Scene *scene, EnsValue *value, const EnsShape *shape)
{
  EnsValue *parts[] = {add_input (scene, make_margin (scene, shape, BEFORE)), value};

  ens_graph_add_output (scene->graph, apply (scene, "Concat", "axis=-1", parts, 2));
}

/* The row's node */

static gboolean
is_float (EnsType type)
{
  return type == ENS_TYPE_FLOAT32 || type == ENS_TYPE_FLOAT16;
}

static EnsValue *
add_operand (Scene *scene, const TestTensor *operand)
{
  g_autoptr (EnsTensor) tensor = NULL;

  if (operand->absent)
    return NULL;
  tensor = operand->tensor->type == ENS_TYPE_FLOAT32 ? convert (operand->tensor, scene->storage)
                                                     : ens_tensor_ref (operand->tensor);
  if (operand->constant)
    return ens_graph_add_constant (scene->graph, "constant", tensor);
  if (!is_float (tensor->type) || scene->surroundings == ALONE)
    return add_input (scene, g_steal_pointer (&tensor));
  if (scene->surroundings == IN_PLACE)
    return pass_on (scene, add_input (scene, g_steal_pointer (&tensor)));
  return tensor->shape.rank < 2 ? add_input (scene, g_steal_pointer (&tensor))
                                : add_sliced_input (scene, g_steal_pointer (&tensor));
}

static void
add_result (Scene *scene, EnsValue *value, const EnsValue *inferred)
{
  if (scene->surroundings == IN_PLACE && inferred->type == ENS_TYPE_FLOAT32)
    ens_graph_add_output (scene->graph, pass_on (scene, value));
  else if (scene->surroundings == SLICED && inferred->type == ENS_TYPE_FLOAT32
           && inferred->shape.rank >= 2)
    add_sliced_output (scene, value, &inferred->shape);
  else
    ens_graph_add_output (scene->graph, value);
}

/* FALSE if the operator has no rule for these types. */
static gboolean
scene_build (Scene *scene)
{
  const EnsNode *node = scene->test_case->node;
  g_autofree EnsValue **inputs = g_new0 (EnsValue *, node->n_inputs + 1);
  const EnsNode *copy;

  scene->graph = ens_graph_new ("row");
  scene->inputs = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);
  for (guint i = 0; i < node->n_inputs; i++)
    inputs[i] = add_operand (scene, &g_array_index (scene->test_case->inputs, TestTensor, i));
  copy = ens_graph_add_node (scene->graph, node->op, "row", node->params, inputs, node->n_inputs,
                             node->n_outputs);
  for (guint i = 0; i < node->n_outputs; i++)
    add_result (scene, copy->outputs[i], node->outputs[i]);
  for (guint i = 0; i < scene->graph->nodes->len; i++)
    if (!ens_infer_node (g_ptr_array_index (scene->graph->nodes, i), FALSE, NULL))
      return FALSE;
  return TRUE;
}

static void
scene_clear (Scene *scene)
{
  g_clear_pointer (&scene->graph, ens_graph_free);
  g_clear_pointer (&scene->inputs, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Scene, scene_clear)

/* Running */

static gpointer
get_data (const GPtrArray *tensors, guint i)
{
  return ((const EnsTensor *)g_ptr_array_index (tensors, i))->data;
}

/* *on_device: no node ran on the CPU. (transfer full) */
static GPtrArray *
run (const Scene *scene, const Fixture *fixture, gboolean *on_device)
{
  g_autoptr (EnsVulkanWeights) weights = ens_vulkan_weights_new (fixture->device);
  g_autoptr (EnsPackedWeights) cpu_weights = ens_packed_weights_new ();
  g_autofree gconstpointer *inputs = g_new0 (gconstpointer, scene->inputs->len + 1);
  g_autofree gpointer *outputs = g_new0 (gpointer, scene->graph->outputs->len + 1);
  GPtrArray *found = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsVulkanExecutor) executor = ens_vulkan_executor_new (
      ens_graph_copy (scene->graph),
      &(EnsVulkanContext) {fixture->device, weights, fixture->pool, cpu_weights}, &error);

  ck_assert_no_error (error);
  for (guint i = 0; i < scene->inputs->len; i++)
    inputs[i] = get_data (scene->inputs, i);
  for (guint i = 0; i < scene->graph->outputs->len; i++) {
    const EnsValue *value = g_ptr_array_index (scene->graph->outputs, i);

    g_ptr_array_add (found, ens_tensor_new (value->type, &value->shape));
    outputs[i] = get_data (found, i);
  }
  ens_vulkan_executor_run (executor, inputs, outputs, NULL, NULL, &error);
  ck_assert_no_error (error);
  *on_device = ens_vulkan_executor_get_info (executor)->n_cpu_steps == 0;
  return found;
}

static void
compare_outputs (const Scene *scene, const GPtrArray *found, const GPtrArray *expected)
{
  const TestRow *row = scene->test_case->row;
  double tolerance = MAX (test_row_tolerance (row), LEAST_TOLERANCE);

  if (scene->storage == ENS_TYPE_FLOAT16)
    tolerance = MAX (tolerance, FLOAT16_TOLERANCE);
  for (guint i = 0; i < expected->len; i++) {
    g_autofree char *difference = test_compare (
        g_ptr_array_index (found, i), g_ptr_array_index (expected, i), tolerance, row->each);

    if (difference != NULL)
      ck_abort_msg ("in %s, %s: output %u%s", ens_type_name (scene->storage),
                    surroundings_names[scene->surroundings], i, difference);
  }
}

/* Whether there is an input of one of the types. */
static gboolean
has_type (const TestCase *test_case, guint types)
{
  for (guint i = 0; i < test_case->inputs->len; i++) {
    const TestTensor *input = &g_array_index (test_case->inputs, TestTensor, i);

    if (!input->absent && (ENS_TYPES (input->tensor->type) & types) != 0)
      return TRUE;
  }
  return FALSE;
}

/* Cooperative matrices, which are float16. */
static gboolean
multiplies_matrices (const Mode *mode)
{
  return mode->options.matrices > ENS_MATRIX_MODE_NONE;
}

static gboolean
has_floats (const TestCase *test_case)
{
  return has_type (test_case, ENS_TYPES (ENS_TYPE_FLOAT32));
}

static gboolean
applies (const Check *check, const TestCase *test_case, EnsType storage, Surroundings surroundings)
{
  EnsOpFlags flags = test_case->node->op->flags;

  if (storage != ENS_TYPE_FLOAT16 && multiplies_matrices (check->fixture->mode))
    return FALSE;
  if (storage == ENS_TYPE_FLOAT16 && !has_floats (test_case))
    return FALSE;
  switch (surroundings) {
  case IN_PLACE:
    return (flags & (ENS_OP_IN_PLACE | ENS_OP_RESIDUAL_IN_PLACE)) != 0 && has_floats (test_case);
  case SLICED:
    return (flags & ENS_OP_PITCHED) != 0 && has_floats (test_case);
  default:
    return TRUE;
  }
}

static void
count (const Check *check, gboolean on_device)
{
  Count *count = g_hash_table_lookup (check->fixture->counts, check->op);

  if (count == NULL) {
    count = g_new0 (Count, 1);
    g_hash_table_insert (check->fixture->counts, (gpointer)check->op, count);
  }
  count->n++;
  count->n_on_cpu += !on_device;
}

static void
check_scene (const Check *check, const TestCase *test_case, EnsType storage,
             Surroundings surroundings)
{
  guint n_messages = ens_vulkan_device_get_counters (check->fixture->device).n_messages;
  g_auto (Scene) scene = {.test_case = test_case, .storage = storage, .surroundings = surroundings};
  g_autoptr (GPtrArray) expected = NULL, found = NULL;
  g_autoptr (GError) error = NULL;
  gboolean on_device;

  if (!scene_build (&scene))
    return;
  expected = ens_interpret (scene.graph, (EnsTensor *const *)scene.inputs->pdata, &error);
  ck_assert_no_error (error);
  found = run (&scene, check->fixture, &on_device);
  compare_outputs (&scene, found, expected);
  ck_assert_uint_eq (ens_vulkan_device_get_counters (check->fixture->device).n_messages,
                     n_messages);
  ck_assert_uint_eq (ens_vulkan_device_get_counters (check->fixture->device).n_refused, 0);
  if (has_type (test_case, ENS_TYPES (ENS_TYPE_FLOAT32) | ENS_TYPES (ENS_TYPE_BOOL)))
    count (check, on_device);
}

static Fixture fixtures[G_N_ELEMENTS (modes)];
static GArray *checks; /* Check, of all modes' rows */

START_TEST (check_row)
{
  static const EnsType storages[] = {ENS_TYPE_FLOAT32, ENS_TYPE_FLOAT16};
  const Check *check = &g_array_index (checks, Check, _i);
  g_autoptr (GError) error = NULL;
  g_autoptr (TestCase) test_case =
      test_case_new (check->op, check->row, check->row->inputs, &error);

  ck_assert_no_error (error);
  ens_infer_node (test_case->node, FALSE, &error);
  ck_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (storages); i++)
    for (Surroundings s = ALONE; s < N_SURROUNDINGS; s++)
      if (applies (check, test_case, storages[i], s))
        check_scene (check, test_case, storages[i], s);
}
END_TEST

/* An operator that has shaders but runs no row by them has none that works. The others are listed,
 * and what of an operator's rows its shaders don't take. */
START_TEST (check_used)
{
  const Fixture *fixture = &fixtures[_i];
  const EnsOp *const *ops = ens_op_list ();

  for (guint i = 0; ops[i] != NULL; i++) {
    const Count *count = g_hash_table_lookup (fixture->counts, ops[i]->name);

    if (ops[i]->gpu == NULL)
      test_message ("%s has no shader", ops[i]->name);
    else if (count == NULL || count->n_on_cpu == count->n)
      ck_abort_msg ("%s ran no row on the device", ops[i]->name);
    else if (count->n_on_cpu > 0)
      test_message ("%s: %u of %u runs used the CPU", ops[i]->name, count->n_on_cpu, count->n);
  }
}
END_TEST

START_TEST (skip)
{
  test_skip (fixtures[_i].reason);
}
END_TEST

static gboolean
is_partial (const Fixture *fixture)
{
  return fixture->mode->operators != NULL;
}

/* All shaders have activations from the same code: they are checked once. */
static gboolean
has_activation (const TestRow *row)
{
  return row->attributes != NULL && strstr (row->attributes, "activation=") != NULL;
}

static void
add_rows (Fixture *fixture, const TestOperator *operator)
{
  for (const TestRow *row = operator->rows; row->inputs != NULL; row++) {
    Check check = {operator->op, row, fixture};

    if (row->error != NULL || (is_partial (fixture) && has_activation (row)))
      continue;
    test_add_row (operator->op, row->name, check_row, checks->len);
    g_array_append_val (checks, check);
  }
}

static void
fixture_init (Fixture *fixture, const Mode *mode)
{
  g_autoptr (GError) error = NULL;

  *fixture = (Fixture) {.mode = mode,
                        .pool = ens_thread_pool_new (2),
                        .counts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free)};
  fixture->device = ens_vulkan_device_open ("", &mode->options, &error);
  if (fixture->device == NULL) {
    fixture->reason = g_strdup (error->message);
  } else if (multiplies_matrices (mode)
             && ens_vulkan_device_get_info (fixture->device)->matrices != mode->options.matrices) {
    fixture->reason = g_strdup_printf ("%s has no such matrices",
                                       ens_vulkan_device_get_info (fixture->device)->description);
    g_clear_pointer (&fixture->device, ens_vulkan_device_unref);
  }
}

static void
fixture_add (guint mode)
{
  Fixture *fixture = &fixtures[mode];
  const char *const *only = fixture->mode->operators;

  test_suite (fixture->mode->path);
  if (fixture->device == NULL) {
    test_add_row (NULL, "device", skip, mode);
    return;
  }
  for (guint i = 0; test_operators[i] != NULL; i++)
    for (const TestOperator *operator= test_operators[i]; operator->op != NULL; operator++)
      if (only == NULL || g_strv_contains (only, operator->op))
        add_rows (fixture, operator);
  if (!is_partial (fixture))
    test_add_row ("every-operator", "uses-its-shaders", check_used, mode);
}

static void
fixture_clear (Fixture *fixture)
{
  g_clear_pointer (&fixture->device, ens_vulkan_device_unref);
  g_clear_pointer (&fixture->pool, ens_thread_pool_unref);
  g_clear_pointer (&fixture->counts, g_hash_table_unref);
  g_clear_pointer (&fixture->reason, g_free);
}

int
test_run_vulkan (void)
{
  int result;

  checks = g_array_new (FALSE, FALSE, sizeof (Check));
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    fixture_init (&fixtures[i], &modes[i]);
    fixture_add (i);
  }
  result = test_run_in_process ();
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    fixture_clear (&fixtures[i]);
  g_array_unref (checks);
  return result;
}
