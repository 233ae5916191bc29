/* The ONNX project's own tests of operators (Debian's libonnx-testdata), run by the operators'
 * references and by networks as users run them.
 *
 * A test whose operators are all registered passes, or is skipped for one of the reasons in
 * `excuses`; everything else is a failure. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ensemble/network.h>

#include "cpu/interpret.h"
#include "engine/network.h"
#include "graph/onnx-private.h"
#include "graph/onnx.h"

#define DATA_FOLDER "/usr/share/libonnx-testdata/data"

/* As ONNX's runner compares. */
#define RELATIVE_TOLERANCE 1e-3
#define ABSOLUTE_TOLERANCE 1e-7

/* Errors of import that are no surprise: a part of the message, and what it comes down to. */
static const struct {
  const char *message, *reason;
} excuses[] = {
    {"which is not supported", "type or attribute that we do not have"},
    {"is not a tensor", "sequences, maps and optional values"},
    {"has no declared shape", "input of unknown rank"},
    {"operators of the domain", "another domain"},
    {"only 7 to 17 are", "opset"},
    {", is not supported", "optional output for training"},
    {"training_mode is set", "training"},
    {"can't cast to", "type or attribute that we do not have"},
};

typedef struct {
  const char *category;
  guint n_passed, n_failed;
  GHashTable *skipped; /* reason → number */
} Report;

typedef struct {
  const char *folder; /* of the test */
  EnsGraph *graph;
  GPtrArray *inputs, *expected; /* EnsTensor in the graph's order */
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

/* The reason why a test can't be tried: an operator nobody has registered. (transfer full) */
static char *
find_unknown_operator (const Onnx__GraphProto *graph)
{
  for (gsize i = 0; i < graph->n_node; i++) {
    const char *op = graph->node[i]->op_type;

    if (strcmp (op, "Constant") != 0 && ens_op_find (op) == NULL)
      return g_strdup_printf ("operator %s", op);
  }
  return NULL;
}

static const char *
find_excuse (const GError *error, gboolean raised)
{
  if (raised
      && (strstr (error->message, "unknown attribute") || strstr (error->message, "(PRelu)")))
    return "rules of opset 6";
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
  switch (tensor->type) {
  case ENS_TYPE_FLOAT32:
    return ((const float *)tensor->data)[i];
  case ENS_TYPE_INT64:
    return (double)((const gint64 *)tensor->data)[i];
  case ENS_TYPE_INT32:
    return ((const gint32 *)tensor->data)[i];
  case ENS_TYPE_INT8:
    return ((const gint8 *)tensor->data)[i];
  default:
    return ((const guint8 *)tensor->data)[i];
  }
}

static gboolean
is_close (double found, double expected)
{
  if (isnan (found) || isnan (expected))
    return isnan (found) && isnan (expected);
  return found == expected
         || fabs (found - expected) <= ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * fabs (expected);
}

/* NULL, or what differs. (transfer full) */
static char *
compare (const GPtrArray *outputs, const GPtrArray *expected)
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
      if (!is_close (get_element (found, j), get_element (wanted, j)))
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

  return outputs != NULL ? compare (outputs, test->expected) : g_strdup (error->message);
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
  return compare (outputs, test->expected);
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

static void
skip (Report *report, const char *reason)
{
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (report->skipped, reason));

  g_hash_table_insert (report->skipped, g_strdup (reason), GUINT_TO_POINTER (n + 1));
}

static void
fail (Report *report, const char *folder, const char *how, const char *why)
{
  g_autofree char *name = g_path_get_basename (folder);

  g_print ("# %s/%s by %s: %s\n", report->category, name, how, why);
  report->n_failed++;
}

static void
run_case (Report *report, Case *test, EnsDevice *device)
{
  g_autofree char *reference = run_reference (test);
  g_autofree char *network = run_network (test, device);
  g_autofree char *exported = run_exported (test);

  if (reference != NULL)
    fail (report, test->folder, "references", reference);
  else if (network != NULL)
    fail (report, test->folder, "a network", network);
  else if (exported != NULL)
    fail (report, test->folder, "references after export", exported);
  else
    report->n_passed++;
}

/* Whether the error is a reason to skip the test; else it is a failure. */
static void
take_error (Report *report, const char *folder, const GError *error, gboolean raised)
{
  const char *excuse = find_excuse (error, raised);

  if (excuse != NULL)
    skip (report, excuse);
  else
    fail (report, folder, "import", error->message);
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

static void
remove_attribute (Onnx__NodeProto *node, const char *name)
{
  for (gsize i = node->n_attribute; i-- > 0;)
    if (strcmp (node->attribute[i]->name, name) == 0) {
      onnx__attribute_proto__free_unpacked (node->attribute[i], NULL);
      node->attribute[i] = node->attribute[--node->n_attribute];
    }
}

/* The models from PyTorch and some others are of opset 6 and below, most of whose operators mean
 * the same in opset 7. */
static gboolean
raise_opset (Onnx__ModelProto *model)
{
  gboolean raised = FALSE;

  for (gsize i = 0; i < model->n_opset_import; i++) {
    raised |= model->opset_import[i]->version < ENS_ONNX_MIN_OPSET;
    model->opset_import[i]->version = MAX (model->opset_import[i]->version, ENS_ONNX_MIN_OPSET);
  }
  for (gsize i = 0; raised && i < model->graph->n_node; i++)
    remove_attribute (model->graph->node[i], "is_test");
  return raised;
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

static void
try_case (Report *report, const char *folder, EnsDevice *device)
{
  g_autoptr (GBytes) bytes = read_file (folder, "model.onnx");
  g_autoptr (GError) error = NULL;
  g_autoptr (Onnx__ModelProto) model = ens_onnx_parse (bytes, &error);
  g_autofree char *unknown = model != NULL ? find_unknown_operator (model->graph) : NULL;
  g_autoptr (EnsGraph) graph = NULL;
  g_autoptr (GPtrArray) inputs = NULL;
  g_autoptr (GPtrArray) expected = NULL;
  gboolean raised = FALSE;
  gsize n_inputs;

  if (unknown != NULL) {
    skip (report, unknown);
    return;
  }
  if (model != NULL) {
    raised = raise_opset (model);
    n_inputs = model->graph->n_input;
    graph = import_bound (model, folder, &error);
    model->graph->n_input = n_inputs;
  }
  if (graph != NULL)
    inputs = read_tensors (folder, "input", graph->inputs->len, &error);
  if (inputs != NULL)
    expected = read_tensors (folder, "output", graph->outputs->len, &error);
  if (error != NULL)
    take_error (report, folder, error, raised);
  else
    run_case (report, &(Case) {folder, graph, inputs, expected}, device);
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

static void
print_report (const Report *report)
{
  g_autoptr (GList) reasons =
      g_list_sort (g_hash_table_get_keys (report->skipped), (GCompareFunc)strcmp);
  guint n_skipped = 0;

  for (GList *reason = reasons; reason != NULL; reason = reason->next) {
    guint n = GPOINTER_TO_UINT (g_hash_table_lookup (report->skipped, reason->data));

    g_print ("# %5u skipped: %s\n", n, (char *)reason->data);
    n_skipped += n;
  }
  g_print ("# %s: %u passed, %u failed, %u skipped\n", report->category, report->n_passed,
           report->n_failed, n_skipped);
}

static void
test_category (gconstpointer category)
{
  g_autofree char *folder = g_build_filename (DATA_FOLDER, category, NULL);
  g_autoptr (GPtrArray) cases = list_folder (folder);
  g_autoptr (GHashTable) skipped = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 2, NULL);
  Report report = {.category = category, .skipped = skipped};

  if (cases->len == 0) {
    g_test_skip ("no libonnx-testdata");
    return;
  }
  for (guint i = 0; i < cases->len; i++)
    try_case (&report, g_ptr_array_index (cases, i), device);
  print_report (&report);
  g_assert_cmpuint (report.n_failed, ==, 0);
  g_assert_cmpuint (report.n_passed, >, 0);
}

int
main (int argc, char **argv)
{
  static const char *const categories[] = {"node", "simple", "pytorch-converted",
                                           "pytorch-operator"};

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (categories); i++) {
    g_autofree char *path = g_strdup_printf ("/graph/onnx-backend/%s", categories[i]);

    g_test_add_data_func (path, categories[i], test_category);
  }
  return g_test_run ();
}
