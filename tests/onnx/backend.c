/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ONNX project's own tests of operators (Debian's libonnx-testdata, or in the folder that
 * ENSEMBLE_ONNX_TESTS names: tests/peers/onnx-nodes.py), run by the operators'
 * references and by networks as users run them: on the CPU, and on a Vulkan device if there is one,
 * with the validation layers on and no message tolerated.
 *
 * A test whose operators are all registered passes, or is skipped for one of the reasons below;
 * everything else is a failure. At the end stands a table of what passed and what was skipped, by
 * operator. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check-main.h"
#include "cpu/interpret.h"
#include "engine/device-private.h"
#include "engine/network-private.h"
#include "engine/network.h"
#include "onnx/onnx-private.h"
#include "onnx/onnx.h"
#include "ops/operands.h"

#define DATA_FOLDER "/usr/share/libonnx-testdata/data"

/* As ONNX's runner compares. */
#define RELATIVE_TOLERANCE 1e-3
#define ABSOLUTE_TOLERANCE 1e-7
/* Results that the test rounds to fewer digits, and we do not. */
#define FLOAT16_TOLERANCE 2e-3
#define BFLOAT16_TOLERANCE 1.6e-2

/* Errors of import that are no surprise: a part of the message, and what it comes down to. */
static const struct {
  const char *message, *reason;
} excuses[] = {
    {"without control flow", "control flow that depends on what is computed"},
    {"which is not supported", "a type or attribute that we do not have"},
    {"attribute “", "a type or attribute that we do not have"},
    {"block_size", "a type or attribute that we do not have"},
    {"is bool, expected", "a type or attribute that we do not have"},
    {"not known before running", "a result whose size depends on its input's contents"},
    {"is not a tensor", "sequences, maps and optional values"},
    {"not supported: ai.onnx.", "another domain"},
    {", is not supported", "an optional output that we do not compute"},
    {"training_mode is set", "training"},
    {"“training_mode” is 1", "training"},
    {"“to” is ONNX's type", "a type or attribute that we do not have"},
};

/* Tests that ask for something else than we do. */
static const struct {
  const char *test, *reason;
} exceptions[] = {
    {"test_resize_downsample_scales_linear_align_corners",
     "expects what the standard does not say"},
    {"test_resize_downsample_scales_cubic_align_corners", "expects what the standard does not say"},
};

/* Of these networks import makes such as compute with real numbers. */
static const char *const quantised[] = {"ConvInteger", "DynamicQuantizeLinear", "MatMulInteger",
                                        "QLinearConv", "QLinearMatMul",         "QuantizeLinear"};

enum { NODE, SIMPLE, CONVERTED, OPERATOR, N_CATEGORIES };

static const char *const categories[N_CATEGORIES] = {"node", "simple", "pytorch-converted",
                                                     "pytorch-operator"};

/* A row of the table: what became of tests of one operator. */
typedef struct {
  const char *operator, * reason; /* reason "": passed */
  guint n[N_CATEGORIES];
} Row;

typedef struct {
  EnsDevice *cpu;
  EnsDevice *vulkan; /* NULL: there is none */
  GHashTable *rows;  /* "OPERATOR REASON" → Row */
  guint n_passed[N_CATEGORIES], n_skipped[N_CATEGORIES], n_failed[N_CATEGORIES];
} Report;

typedef struct {
  Report *report;
  guint category;
  const char *folder;   /* of the test */
  const char *operator; /* its only one, or "several" */
  EnsGraph *graph;
  GPtrArray *inputs, *expected; /* EnsTensor in the graph's order */
  double tolerance;
} Case;

static GBytes *
read_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *contents;
  gsize size;

  if (!g_file_get_contents (path, &contents, &size, NULL))
    return NULL;
  return g_bytes_new_take (contents, size);
}

/* What the table calls a network: its operator if there is only one, beside constants. */
static const char *
name_operator (const Onnx__GraphProto *graph)
{
  const char *name = NULL;

  for (gsize i = 0; i < graph->n_node; i++) {
    if (strcmp (graph->node[i]->op_type, "Constant") == 0 && graph->n_node > 1)
      continue;
    if (name != NULL && strcmp (name, graph->node[i]->op_type) != 0)
      return "several";
    name = graph->node[i]->op_type;
  }
  return g_intern_string (name != NULL ? name : "none");
}

/* The reason why a test can't be tried, or NULL. */
static const char *
find_obstacle (const Onnx__GraphProto *graph)
{
  for (gsize i = 0; i < graph->n_node; i++) {
    const char *op = graph->node[i]->op_type;

    if (!ens_onnx_has_operator (op))
      return graph->n_node == 1 ? "not registered"
                                : g_intern_string (g_strdup_printf ("%s is not registered", op));
    for (guint j = 0; j < G_N_ELEMENTS (quantised); j++)
      if (strcmp (op, quantised[j]) == 0)
        return "real numbers, where the test expects integers";
  }
  return NULL;
}

static const char *
find_excuse (const GError *error)
{
  for (guint i = 0; i < G_N_ELEMENTS (excuses); i++)
    if (g_error_matches (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED)
        && strstr (error->message, excuses[i].message) != NULL)
      return excuses[i].reason;
  return NULL;
}

/* The tensors of input_0.pb, input_1.pb … or output_0.pb …, those of rank 4 with channels last.
 * (transfer full) */
static GPtrArray *
read_tensors (const char *folder, const char *kind, guint n, GError **error)
{
  g_autoptr (GPtrArray) tensors = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);
  EnsPermutation to_last = ens_permutation_to_last (4);

  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_strdup_printf ("test_data_set_0/%s_%u.pb", kind, i);
    g_autoptr (GBytes) bytes = read_file (folder, name);
    g_autoptr (EnsTensor) tensor = NULL;
    Onnx__TensorProto *proto;

    if (bytes == NULL) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s is missing", name);
      return NULL;
    }
    proto =
        onnx__tensor_proto__unpack (NULL, g_bytes_get_size (bytes), g_bytes_get_data (bytes, NULL));
    tensor = ens_onnx_tensor_read (proto, name, NULL, error);
    onnx__tensor_proto__free_unpacked (proto, NULL);
    if (tensor == NULL)
      return NULL;
    if (tensor->shape.rank == 4)
      g_ptr_array_add (tensors, ens_tensor_permute (tensor, &to_last));
    else
      g_ptr_array_add (tensors, g_steal_pointer (&tensor));
  }
  return g_steal_pointer (&tensors);
}

static double
get_element (const EnsTensor *tensor, gint64 i)
{
  EnsView view = ens_view_dense (tensor->type, &tensor->shape, tensor->data);

  return ens_view_real (&view, (gsize)i);
}

static gboolean
is_close (double found, double expected, double tolerance)
{
  if (isnan (found) || isnan (expected))
    return isnan (found) && isnan (expected);
  return found == expected
         || fabs (found - expected) <= ABSOLUTE_TOLERANCE + tolerance * fabs (expected);
}

/* NULL, or what differs. (transfer full) */
static char *
compare (const GPtrArray *outputs, const GPtrArray *expected, double tolerance)
{
  for (guint i = 0; i < expected->len; i++) {
    const EnsTensor *found = g_ptr_array_index (outputs, i);
    const EnsTensor *wanted = g_ptr_array_index (expected, i);
    g_autofree char *shape = ens_shape_to_string (&found->shape);
    g_autofree char *wanted_shape = ens_shape_to_string (&wanted->shape);

    if (found->type != wanted->type || !ens_shape_equal (&found->shape, &wanted->shape))
      return g_strdup_printf ("output %u is %s %s, expected %s %s", i, ens_type_name (found->type),
                              shape, ens_type_name (wanted->type), wanted_shape);
    for (gint64 j = 0; j < ens_shape_elements (&wanted->shape); j++)
      if (!is_close (get_element (found, j), get_element (wanted, j), tolerance))
        return g_strdup_printf ("output %u (%s) [%d] is %g, expected %g", i, shape, (int)j,
                                get_element (found, j), get_element (wanted, j));
  }
  return NULL;
}

static char *
run_reference (const Case *test)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) outputs =
      ens_interpret (test->graph, (EnsTensor *const *)test->inputs->pdata, &error);

  return outputs != NULL ? compare (outputs, test->expected, test->tolerance)
                         : g_strdup (error->message);
}

/* Memory for a plan's outputs, of the types that are expected. (transfer full) */
static GPtrArray *
make_outputs (EnsPlan *plan, const GPtrArray *expected)
{
  GPtrArray *outputs = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);

  for (guint i = 0; i < expected->len; i++)
    g_ptr_array_add (outputs, ens_tensor_new (((EnsTensor *)g_ptr_array_index (expected, i))->type,
                                              ens_plan_get_output_shape (plan, i)));
  return outputs;
}

static char *
run_network (const Case *test, EnsDevice *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsNetwork) network = ens_network_new (ens_graph_copy (test->graph), device, &error);
  guint n_inputs = test->inputs->len, n_outputs = test->expected->len;
  g_autofree EnsShape *shapes = g_new0 (EnsShape, n_inputs + 1);
  g_autofree gconstpointer *inputs = g_new0 (gconstpointer, n_inputs + 1);
  g_autofree gpointer *data = g_new0 (gpointer, n_outputs + 1);
  g_autoptr (GPtrArray) outputs = NULL;
  g_autoptr (EnsPlan) plan = NULL;

  for (guint i = 0; i < n_inputs; i++) {
    const EnsTensor *input = g_ptr_array_index (test->inputs, i);

    shapes[i] = input->shape;
    inputs[i] = input->data;
  }
  if (network == NULL || (plan = ens_network_plan (network, shapes, &error)) == NULL)
    return g_strdup (error->message);
  outputs = make_outputs (plan, test->expected);
  for (guint i = 0; i < n_outputs; i++)
    data[i] = ((EnsTensor *)g_ptr_array_index (outputs, i))->data;
  if (!ens_plan_run (plan, inputs, data, &error))
    return g_strdup (error->message);
  return compare (outputs, test->expected, test->tolerance);
}

/* The same by references after the graph has been written and read again. */
static char *
run_exported (const Case *test)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = ens_onnx_export_bytes (test->graph, &error);
  g_autoptr (EnsGraph) again = NULL;
  Case twin = *test;

  if (bytes == NULL && strstr (error->message, "ONNX has no attribute") != NULL)
    return NULL;
  if (bytes != NULL)
    again = ens_onnx_import_bytes (bytes, "again.onnx", NULL, NULL, &error);
  if (again == NULL)
    return g_strdup (error->message);
  twin.graph = again;
  return run_reference (&twin);
}

/* Results */

static void
count (const Case *test, const char *reason)
{
  g_autofree char *key = g_strconcat (test->operator, " ", reason, NULL);
  Row *row = g_hash_table_lookup (test->report->rows, key);

  if (row == NULL) {
    row = g_new0 (Row, 1);
    row->operator= test->operator;
    row->reason = reason;
    g_hash_table_insert (test->report->rows, g_steal_pointer (&key), row);
  }
  row->n[test->category]++;
  if (*reason == '\0')
    test->report->n_passed[test->category]++;
  else
    test->report->n_skipped[test->category]++;
}

static void
note_failure (const Case *test, const char *how, const char *why)
{
  g_autofree char *name = g_path_get_basename (test->folder);

  g_print ("# %s/%s by %s: %s\n", categories[test->category], name, how, why);
  test->report->n_failed[test->category]++;
}

static void
run_case (const Case *test)
{
  EnsDevice *vulkan = test->report->vulkan;
  g_autofree char *reference = run_reference (test);
  g_autofree char *network = run_network (test, test->report->cpu);
  g_autofree char *on_vulkan = vulkan != NULL ? run_network (test, vulkan) : NULL;
  g_autofree char *exported = run_exported (test);

  if (reference != NULL)
    note_failure (test, "references", reference);
  else if (network != NULL)
    note_failure (test, "a network", network);
  else if (on_vulkan != NULL)
    note_failure (test, "a network on Vulkan", on_vulkan);
  else if (exported != NULL)
    note_failure (test, "references after export", exported);
  else
    count (test, "");
}

/* Whether the error is a reason to skip the test; else it is a failure. */
static void
take_error (const Case *test, const GError *error)
{
  const char *excuse = find_excuse (error);

  if (excuse != NULL)
    count (test, excuse);
  else
    note_failure (test, "import", error->message);
}

/* Makes the test's inputs from this one on part of the model. */
static void
bind_inputs (Onnx__GraphProto *graph, const char *folder, guint from)
{
  for (guint i = from; i < graph->n_input; i++) {
    g_autofree char *name = g_strdup_printf ("test_data_set_0/input_%u.pb", i);
    g_autoptr (GBytes) bytes = read_file (folder, name);
    Onnx__TensorProto *tensor =
        onnx__tensor_proto__unpack (NULL, g_bytes_get_size (bytes), g_bytes_get_data (bytes, NULL));

    free (tensor->name);
    tensor->name = strdup (graph->input[i]->name);
    graph->initializer =
        realloc (graph->initializer, (graph->n_initializer + 1) * sizeof *graph->initializer);
    graph->initializer[graph->n_initializer++] = tensor;
  }
}

static EnsGraph *
import (const Onnx__ModelProto *model, GError **error)
{
  gsize size = onnx__model_proto__get_packed_size (model);
  guint8 *data = g_malloc (size);
  g_autoptr (GBytes) bytes = g_bytes_new_take (data, size);

  onnx__model_proto__pack (model, data);
  return ens_onnx_import_bytes (bytes, "model.onnx", NULL, NULL, error);
}

/* Shapes, axes and the like have to be known while planning. The tests have them as inputs; so all
 * inputs but the first, or all of them, become constants if nothing else helps. */
static EnsGraph *
import_bound (Onnx__ModelProto *model, const char *folder, GError **error)
{
  for (guint from = model->graph->n_input;; from = from > 1 ? 1 : 0) {
    g_autoptr (GError) reason = NULL;
    EnsGraph *graph;

    bind_inputs (model->graph, folder, from);
    model->graph->n_input = from;
    graph = import (model, &reason);
    if (graph != NULL)
      return graph;
    if (from == 0 || strstr (reason->message, "known before running") == NULL) {
      g_propagate_error (error, g_steal_pointer (&reason));
      return NULL;
    }
  }
}

/* By the types that inputs, outputs and their like have in the file. */
static double
find_tolerance (const Onnx__GraphProto *graph)
{
  double tolerance = RELATIVE_TOLERANCE;

  for (gsize i = 0; i < graph->n_input + graph->n_output; i++) {
    const Onnx__TypeProto *type =
        (i < graph->n_input ? graph->input[i] : graph->output[i - graph->n_input])->type;
    int element = type != NULL && type->tensor_type != NULL ? type->tensor_type->elem_type : 0;

    if (element == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16)
      tolerance = MAX (tolerance, FLOAT16_TOLERANCE);
    if (element == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16)
      tolerance = MAX (tolerance, BFLOAT16_TOLERANCE);
  }
  return tolerance;
}

static const char *
find_exception (const char *folder)
{
  for (guint i = 0; i < G_N_ELEMENTS (exceptions); i++)
    if (g_str_has_suffix (folder, exceptions[i].test))
      return exceptions[i].reason;
  return NULL;
}

/* Whether the test's tensors have the types that its model says: Debian's have bfloat16 as uint16.
 */
static gboolean
types_agree (Onnx__ValueInfoProto *const *infos, gsize n, const GPtrArray *tensors)
{
  for (gsize i = 0; i < MIN (n, tensors->len); i++) {
    const Onnx__TypeProto *type = infos[i]->type;
    EnsType expected;

    if (type != NULL && type->tensor_type != NULL
        && ens_onnx_type (type->tensor_type->elem_type, "", &expected, NULL)
        && expected != ((EnsTensor *)g_ptr_array_index (tensors, i))->type)
      return FALSE;
  }
  return TRUE;
}

static void
try_case (Report *report, guint category, const char *folder)
{
  g_autoptr (GBytes) bytes = read_file (folder, "model.onnx");
  g_autoptr (GError) error = NULL;
  g_autoptr (Onnx__ModelProto) model = ens_onnx_parse (bytes, &error);
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (GPtrArray) inputs = NULL;
  g_autoptr (GPtrArray) expected = NULL;
  Case test = {.report = report, .category = category, .folder = folder, .operator= "several" };
  const char *reason;
  gsize n_inputs;

  ck_assert_no_error (error);
  test.operator= name_operator (model->graph);
  test.tolerance = find_tolerance (model->graph);
  reason = find_obstacle (model->graph);
  if (reason == NULL)
    reason = find_exception (folder);
  if (reason != NULL) {
    count (&test, reason);
    return;
  }
  n_inputs = model->graph->n_input;
  test.graph = graph = import_bound (model, folder, &error);
  model->graph->n_input = n_inputs;
  if (graph != NULL)
    test.inputs = inputs = read_tensors (folder, "input", graph->inputs->len, &error);
  if (inputs != NULL)
    test.expected = expected = read_tensors (folder, "output", graph->outputs->len, &error);
  if (error != NULL)
    take_error (&test, error);
  else if (!types_agree (model->graph->input, n_inputs, inputs)
           || !types_agree (model->graph->output, model->graph->n_output, expected))
    count (&test, "tensors of other types than the model says");
  else
    run_case (&test);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* The folder's entries in alphabetical order. (transfer full) */
static GPtrArray *
list_folder (const char *folder)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, g_build_filename (folder, name, NULL));
  g_ptr_array_sort (names, compare_names);
  return names;
}

/* Rows in alphabetical order, what passed before what was skipped. */
static int
compare_rows (gconstpointer a, gconstpointer b)
{
  const Row *x = a, *y = b;
  int order = strcmp (x->operator, y->operator);

  return order != 0 ? order : strcmp (x->reason, y->reason);
}

static void
print_row (const char *operator, const guint * n, const char *reason)
{
  g_print ("# %-26s", operator);
  for (guint i = 0; i < N_CATEGORIES; i++)
    g_print (" %9u", n[i]);
  g_print ("  %s\n", reason);
}

static void
print_report (const Report *report)
{
  g_autoptr (GList) rows =
      g_list_sort (g_hash_table_get_values (report->rows), (GCompareFunc)compare_rows);

  g_print ("# %-26s %9s %9s %9s %9s\n", "operator", "node", "simple", "converted", "operator");
  for (GList *item = rows; item != NULL; item = item->next) {
    const Row *row = item->data;

    print_row (row->operator, row->n, *row->reason == '\0' ? "passed" : row->reason);
  }
  print_row ("all", report->n_passed, "passed");
  print_row ("all", report->n_skipped, "skipped");
  print_row ("all", report->n_failed, "failed");
}

static Report report;

START_TEST (test_category)
{
  const char *given = g_getenv ("ENSEMBLE_ONNX_TESTS");
  g_autofree char *folder =
      g_build_filename (given != NULL ? given : DATA_FOLDER, categories[_i], NULL);
  g_autoptr (GPtrArray) cases = list_folder (folder);

  if (cases->len == 0) {
    test_skip ("no libonnx-testdata");
    return;
  }
  for (guint i = 0; i < cases->len; i++)
    try_case (&report, (guint)_i, g_ptr_array_index (cases, i));
  ck_assert_uint_eq (report.n_failed[_i], 0);
  ck_assert_uint_gt (report.n_passed[_i], 0);
}
END_TEST

int
main (int argc, char **argv)
{
  g_autoptr (GHashTable) rows = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (EnsDevice) cpu = ens_device_open ("cpu", 2, NULL);
  g_autoptr (EnsDevice) vulkan =
      ens_device_open_vulkan ("", 2, &(EnsVulkanOptions) {.validation = TRUE}, NULL);
  int status;

  test_init (&argc, &argv);
  report = (Report) {.cpu = cpu, .vulkan = vulkan, .rows = rows};
  test_suite ("graph/onnx-backend");
  for (guint i = 0; i < N_CATEGORIES; i++)
    test_add_row (NULL, categories[i], test_category, i);
  status = test_run_in_process ();
  print_report (&report);
  return status;
}
