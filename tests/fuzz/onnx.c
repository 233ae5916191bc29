/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever bytes come, import refuses them or makes a sound graph, which export takes, and which
 * can be planned and run or is refused. */
#include "engine/network-private.h"
#include "fuzz.h"
#include "graph/infer.h"
#include "onnx/onnx.h"

/* Networks with more elements than this in all their values are not run: it would take too long. */
#define MAX_ELEMENTS 65536
/* Dimensions that the file leaves open. */
#define OPEN_SIZE 6

static EnsShape *
choose_shapes (const EnsGraph *graph)
{
  EnsShape *shapes = g_new0 (EnsShape, graph->inputs->len + 1);

  for (guint i = 0; i < graph->inputs->len; i++) {
    shapes[i] = ((const EnsValue *)graph->inputs->pdata[i])->shape;
    for (guint d = 0; d < shapes[i].rank; d++)
      if (shapes[i].dims[d] < 0)
        shapes[i].dims[d] = OPEN_SIZE;
  }
  return shapes;
}

/* The graph with its shapes known, or NULL if it doesn't fit them or is too large to run. */
static EnsGraph *
infer (const EnsGraph *graph, const EnsShape *shapes)
{
  g_autoptr (EnsGraph) sample = ens_graph_copy (graph);
  g_autoptr (GError) error = NULL;
  gint64 n_elements = 0;

  if (!ens_infer_graph (sample, shapes, &error)) {
    FUZZ_EXPECT (error != NULL);
    return NULL;
  }
  for (guint i = 0; i < sample->values->len && n_elements <= MAX_ELEMENTS; i++)
    n_elements += ens_shape_elements (&((const EnsValue *)sample->values->pdata[i])->shape);
  return n_elements <= MAX_ELEMENTS ? g_steal_pointer (&sample) : NULL;
}

/* A tensor of zeroes for every value, and where its elements are. (transfer full) */
static GPtrArray *
make_tensors (const GPtrArray *values, gpointer *data)
{
  GPtrArray *tensors = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_tensor_unref);

  for (guint i = 0; i < values->len; i++) {
    const EnsValue *value = values->pdata[i];
    EnsTensor *tensor = ens_tensor_new (value->type, &value->shape);

    data[i] = tensor->data;
    g_ptr_array_add (tensors, tensor);
  }
  return tensors;
}

/* Takes the graph. */
static void
run (EnsGraph *graph, const EnsGraph *sample, const EnsShape *shapes)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 1, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsNetwork) network = ens_network_new (graph, device, &error);
  g_autoptr (EnsPlan) plan = NULL;
  g_autofree gpointer *from = g_new (gpointer, sample->inputs->len + 1);
  g_autofree gpointer *to = g_new (gpointer, sample->outputs->len + 1);
  g_autoptr (GPtrArray) inputs = NULL, outputs = NULL;

  if (network != NULL)
    plan = ens_network_plan (network, shapes, &error);
  FUZZ_EXPECT ((plan == NULL) == (error != NULL));
  if (plan == NULL)
    return;
  inputs = make_tensors (sample->inputs, from);
  outputs = make_tensors (sample->outputs, to);
  FUZZ_EXPECT (ens_plan_run (plan, (const gconstpointer *)from, to, NULL));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsGraph) graph = ens_onnx_import_bytes (bytes, "fuzz.onnx", NULL, NULL, &error);
  g_autoptr (EnsGraph) sample = NULL;
  g_autoptr (GBytes) exported = NULL;
  g_autofree EnsShape *shapes = NULL;

  FUZZ_EXPECT ((graph == NULL) == (error != NULL));
  if (graph == NULL)
    return 0;
  FUZZ_EXPECT (ens_graph_validate (graph, NULL));
  exported = ens_onnx_export_bytes (graph, NULL);
  shapes = choose_shapes (graph);
  sample = infer (graph, shapes);
  if (sample != NULL)
    run (g_steal_pointer (&graph), sample, shapes);
  return 0;
}
