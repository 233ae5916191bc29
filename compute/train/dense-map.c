/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/dense-map.h"

#include "ensemble/member-graph.h"
#include "graph/infer.h"

/* Positions by which a map's growth is checked. */
#define N_CHECKED 4

/* Rows and columns of the first output; one of vectors. */
static gboolean
infer_map (const EnsGraph *graph, guint input, guint *rows, guint *columns, GError **error)
{
  g_autoptr (EnsGraph) sample = ens_graph_copy (graph);
  const EnsValue *first = g_ptr_array_index (graph->inputs, 0);
  const EnsShape shape = ENS_SHAPE (1, input, input, first->shape.dims[3]);
  const EnsShape *output;

  if (!ens_infer_graph (sample, &shape, error))
    return FALSE;
  output = &((const EnsValue *)g_ptr_array_index (sample->outputs, 0))->shape;
  *rows = output->rank == 4 ? (guint)output->dims[1] : 1;
  *columns = output->rank == 4 ? (guint)output->dims[2] : 1;
  return TRUE;
}

/* The smallest growth of the input by which there are two positions; 0: none up to twice the
 * size. */
static guint
find_stride (const EnsGraph *graph, guint size)
{
  for (guint stride = 1; stride <= size; stride++) {
    guint rows, columns;

    if (infer_map (graph, size + stride, &rows, &columns, NULL) && rows == 2 && columns == 2)
      return stride;
  }
  return 0;
}

static gboolean
grows_linearly (const EnsGraph *graph, guint size, guint stride)
{
  for (guint k = 0; k <= N_CHECKED; k++) {
    guint rows, columns;

    if (!infer_map (graph, size + k * stride, &rows, &columns, NULL) || rows != k + 1
        || columns != k + 1)
      return FALSE;
  }
  return TRUE;
}

/* A map that never grows stands for all of the input. */
gboolean
ens_dense_map_find (const EnsGraph *graph, guint size, guint input, EnsDenseMap *map,
                    GError **error)
{
  guint stride = find_stride (graph, size);

  *map = (EnsDenseMap) {.size = size, .input = input};
  if (!infer_map (graph, input, &map->rows, &map->columns, error))
    return FALSE;
  map->is_linear = stride > 0 && grows_linearly (graph, size, stride);
  if (map->is_linear)
    map->spacing = stride;
  else if (map->rows > 1)
    map->spacing = (double)(input - size) / (map->rows - 1);
  else
    map->size = input;
  return TRUE;
}

EnsRect
ens_dense_map_get_rect (const EnsDenseMap *map, guint row, guint column)
{
  const double side = (double)map->size / map->input;

  return (EnsRect) {(float)(column * map->spacing / map->input),
                    (float)(row * map->spacing / map->input), (float)side, (float)side};
}

/* -- sub-images -- */

/* Of networks of 224 × 224. */
#define STANDARD_SUB_IMAGE 256

guint
ens_scale_side (guint side, guint size)
{
  guint scaled = (side * size + ENS_STANDARD_SIZE / 2) / ENS_STANDARD_SIZE;

  return MAX ((scaled + 16) / 32 * 32, 32);
}

guint
ens_sub_image_size (guint size)
{
  return MAX (ens_scale_side (STANDARD_SUB_IMAGE, size), size);
}

guint
ens_sub_image_count (guint longer, guint size, guint step)
{
  return longer > size ? 1 + (longer - size + step - 1) / step : 1;
}

guint
ens_sub_image_offset (guint longer, guint size, guint step, guint i)
{
  return MIN (i * step, longer > size ? longer - size : 0);
}
