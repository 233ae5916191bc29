/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Concrete sizes for networks that leave theirs open. */
#include "graph/infer.h"
#include "onnx/onnx-private.h"

#define USUAL_CHANNELS 3

const guint ens_onnx_nominal_sizes[] = {224, 227, 299, 256, 32, 28, 0};

EnsShape
ens_onnx_nominal_shape (const EnsShape *declared, guint channel_axis, gint64 batch, gint64 size)
{
  EnsShape shape = *declared;

  for (guint i = 0; i < shape.rank; i++)
    if (shape.dims[i] < 0)
      shape.dims[i] = i == 0 ? batch : i == channel_axis && shape.rank > 2 ? USUAL_CHANNELS : size;
  return shape;
}

static gboolean
is_open (const EnsGraph *graph)
{
  for (guint i = 0; i < graph->inputs->len; i++)
    if (ens_shape_elements (&((EnsValue *)g_ptr_array_index (graph->inputs, i))->shape) < 0)
      return TRUE;
  return FALSE;
}

static EnsGraph *
infer_at (const EnsGraph *graph, gint64 batch, gint64 size, GError **error)
{
  g_autoptr (EnsGraph) copy = ens_graph_copy (graph);
  g_autofree EnsShape *shapes = g_new (EnsShape, copy->inputs->len);

  for (guint i = 0; i < copy->inputs->len; i++) {
    const EnsShape *declared = &((EnsValue *)g_ptr_array_index (copy->inputs, i))->shape;

    shapes[i] = ens_onnx_nominal_shape (declared, declared->rank == 4 ? 3 : 1, batch, size);
  }
  return ens_infer_graph (copy, shapes, error) ? g_steal_pointer (&copy) : NULL;
}

/* Opens the dimensions of computed values that are others in `other`; all of them if that is NULL.
 */
static void
open_dims (EnsGraph *graph, const EnsGraph *other)
{
  for (guint i = 0; i < graph->values->len; i++) {
    EnsValue *value = g_ptr_array_index (graph->values, i);
    const EnsValue *twin = other != NULL ? g_ptr_array_index (other->values, i) : NULL;

    for (guint j = 0; value->producer != NULL && j < value->shape.rank; j++)
      if (twin == NULL || twin->shape.dims[j] != value->shape.dims[j])
        value->shape.dims[j] = -1;
  }
}

EnsGraph *
ens_onnx_infer_open (const EnsGraph *graph, GError **error)
{
  g_autoptr (GError) first = NULL;
  EnsGraph *inferred = infer_at (graph, 1, ens_onnx_nominal_sizes[0], &first);
  guint size = ens_onnx_nominal_sizes[0];

  for (guint i = 1; inferred == NULL && is_open (graph) && ens_onnx_nominal_sizes[i] != 0; i++) {
    size = ens_onnx_nominal_sizes[i];
    inferred = infer_at (graph, 1, size, NULL);
  }
  if (inferred == NULL) {
    g_propagate_error (error, g_steal_pointer (&first));
    return NULL;
  }
  if (is_open (graph)) {
    g_autoptr (EnsGraph) other = infer_at (graph, 2, size + 32, NULL);

    if (other == NULL)
      other = infer_at (graph, 2, size, NULL);
    open_dims (inferred, other);
  }
  return inferred;
}
