/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/record.h"

#include <string.h>

#include "push/activation.h"
#include "push/copy.h"
#include "push/reduce.h"
#include "push/softmax.h"
#include "push/tile.h"

/* Invocations of a workgroup of elementwise shaders, and elements of each. */
#define GROUP 128
#define LANES 4

static gboolean
is_countable (const EnsView *view)
{
  return (double)ens_view_rows (view) * (double)view->pitch < G_MAXINT32;
}

gboolean
ens_record_takes (const EnsView *view)
{
  return (view->type == ENS_TYPE_FLOAT32 || view->type == ENS_TYPE_FLOAT16) && is_countable (view);
}

static gboolean
add_view (const EnsView *view, EnsType *storage)
{
  if (*storage == ENS_N_TYPES)
    *storage = view->type;
  return view->type == *storage && ens_record_takes (view);
}

gboolean
ens_record_storage (const EnsOperands *operands, guint first, guint end, EnsType *storage)
{
  *storage = ENS_N_TYPES;
  for (guint i = first; i < MIN (end, operands->n_inputs); i++)
    if (operands->inputs[i] != NULL && !add_view (operands->inputs[i], storage))
      return FALSE;
  for (guint i = 0; i < operands->n_outputs; i++)
    if (!add_view (operands->outputs[i], storage))
      return FALSE;
  return *storage != ENS_N_TYPES;
}

/* Axes */

void
ens_axes_append (EnsAxes *axes, const EnsStrided *strided, guint n)
{
  for (guint axis = n; axis-- > 0;) {
    guint32 *words = axes->words + axes->n++ * ENS_AXIS_WORDS;

    words[0] = (guint32)strided->dims[axis];
    for (guint i = 0; i < strided->n; i++)
      words[1 + i] = (guint32)strided->strides[i][axis];
  }
}

const EnsView *
ens_axes_record (const EnsAxes *axes, EnsCommands *commands)
{
  guint n = MAX (axes->n, 1);

  return ens_commands_table (commands, axes->words, n * ENS_AXIS_WORDS * sizeof *axes->words);
}

EnsBroadcast
ens_broadcast_record (const EnsView *output, const EnsView *const *inputs, guint n,
                      EnsCommands *commands)
{
  const EnsView *views[ENS_MAX_STRIDED] = {output};
  EnsBroadcast broadcast = {0};
  EnsAxes axes = {0};
  EnsStrided strided;
  guint last;

  for (guint i = 0; i < n; i++)
    views[1 + i] = inputs[i];
  strided = ens_strided_broadcast (&output->shape, views, 1 + n);
  ens_strided_merge (&strided);
  ens_strided_keep_contiguous (&strided, 1);
  last = strided.rank - 1;
  ens_axes_append (&axes, &strided, last);
  broadcast.axes = ens_axes_record (&axes, commands);
  broadcast.n_axes = axes.n;
  broadcast.columns = (guint32)strided.dims[last];
  broadcast.rows = (guint32)(ens_strided_elements (&strided) / broadcast.columns);
  for (guint i = 0; i < n; i++)
    broadcast.steps[i] = (guint32)strided.strides[1 + i][last];
  return broadcast;
}

/* Functions */

void
ens_record_function (EnsCommands *commands, const EnsView *x, const EnsView *y, guint32 function,
                     float alpha, float beta)
{
  gboolean dense = ens_view_is_dense (x) && ens_view_is_dense (y);
  EnsActivationPush push = {
      .rows = dense ? 1 : (guint32)ens_view_rows (y),
      .columns = (guint32)(dense ? ens_view_elements (y) : ens_view_columns (y)),
      .x_pitch = (guint32)x->pitch,
      .y_pitch = (guint32)y->pitch,
      .alpha = alpha,
      .beta = beta,
  };
  EnsDispatch dispatch = {
      .shader = "activation",
      .storage = y->type,
      .bindings = {{x, ENS_ACCESS_READ}, {y, ENS_ACCESS_WRITE}},
      .n_bindings = 2,
      .constants = {function},
      .n_constants = 1,
      .push = &push,
      .push_size = sizeof push,
  };

  if (ens_view_elements (y) == 0)
    return;
  ens_commands_cover (commands, &dispatch, (gsize)push.rows * ((push.columns + LANES - 1) / LANES),
                      GROUP);
  ens_commands_dispatch (commands, &dispatch);
}

/* Copies */

void
ens_record_copy (EnsCommands *commands, EnsCopy *copy)
{
  EnsStrided *strided = &copy->strided;
  EnsAxes axes = {0};
  EnsCopyPush push = {.x_start = (guint32)copy->x_start, .y_start = (guint32)copy->y_start};
  EnsDispatch dispatch = {
      .shader = "copy",
      .storage = copy->y->type,
      .n_bindings = 3,
      .push = &push,
      .push_size = sizeof push,
  };
  gsize n = ens_strided_elements (strided);
  guint last;

  if (n == 0)
    return;
  ens_strided_merge (strided);
  last = strided->rank - 1;
  ens_axes_append (&axes, strided, last);
  push.n_axes = axes.n;
  push.columns = (guint32)strided->dims[last];
  push.rows = (guint32)(n / push.columns);
  push.y_step = (guint32)strided->strides[0][last];
  push.x_step = (guint32)strided->strides[1][last];
  dispatch.bindings[0] = (EnsBinding) {copy->x, ENS_ACCESS_READ};
  dispatch.bindings[1] = (EnsBinding) {copy->y, ENS_ACCESS_WRITE};
  dispatch.bindings[2] = (EnsBinding) {ens_axes_record (&axes, commands), ENS_ACCESS_READ};
  ens_commands_cover (commands, &dispatch, (gsize)push.rows * ((push.columns + LANES - 1) / LANES),
                      GROUP);
  ens_commands_dispatch (commands, &dispatch);
}

/* Reductions */

static gboolean
is_too_long (const EnsTileLines *lines, guint32 across)
{
  gsize along = ENS_TILE / across, rounds = (lines->columns + along - 1) / along + 1;

  return (double)lines->passes * (double)MAX (lines->rows, 1) * (double)rounds
         > ENS_GPU_MAX_ITERATIONS;
}

guint32
ens_tile_across (const EnsTileLines *lines)
{
  gsize length = MAX (lines->rows, 1) * lines->columns;
  guint32 across = lines->neighbours || length < ENS_TILE / 2 ? ENS_TILE_ACROSS : 1;

  while (across > 0 && is_too_long (lines, across))
    across /= 2;
  return across;
}

void
ens_tile_cover (const EnsCommands *commands, EnsDispatch *dispatch, gsize n)
{
  guint32 across = dispatch->constants[0];

  ens_commands_cover (commands, dispatch, (n + across - 1) / across * ENS_TILE, ENS_TILE);
}

gboolean
ens_record_reduction (EnsCommands *commands, const EnsReduction *reduction)
{
  const EnsStrided *kept = &reduction->kept, *reduced = &reduction->reduced;
  guint last = kept->rank - 1, last_reduced = reduced->rank - 1;
  EnsAxes axes = {0};
  EnsReducePush push = {
      .n_kept = kept->rank,
      .n_reduced = last_reduced,
      .n = (guint32)ens_strided_elements (kept),
      .extent = (guint32)ens_strided_elements (reduced),
      .columns = (guint32)reduced->dims[last_reduced],
      .step = (guint32)reduced->strides[0][last_reduced],
  };
  const EnsTileLines lines = {.rows = push.extent / MAX (push.columns, 1),
                              .columns = push.columns,
                              .passes = reduction->kind == ENS_REDUCE_LOG_SUM_EXP ? 2 : 1,
                              .neighbours = kept->strides[1][last] == 1 && push.n > 1};
  EnsDispatch dispatch = {
      .shader = "reduce",
      .storage = reduction->y->type,
      .n_bindings = 3,
      .constants = {ens_tile_across (&lines), reduction->kind},
      .n_constants = 2,
      .push = &push,
      .push_size = sizeof push,
  };

  if (push.n == 0)
    return TRUE;
  if (dispatch.constants[0] == 0)
    return FALSE;
  ens_axes_append (&axes, kept, kept->rank);
  ens_axes_append (&axes, reduced, last_reduced);
  dispatch.bindings[0] = (EnsBinding) {reduction->x, ENS_ACCESS_READ};
  dispatch.bindings[1] = (EnsBinding) {reduction->y, ENS_ACCESS_WRITE};
  dispatch.bindings[2] = (EnsBinding) {ens_axes_record (&axes, commands), ENS_ACCESS_READ};
  ens_tile_cover (commands, &dispatch, push.n);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

/* Lines */

EnsLines
ens_lines_along (const EnsShape *shape, guint first, guint end)
{
  return (EnsLines) {(gsize)ens_shape_span (shape, 0, first),
                     (gsize)ens_shape_span (shape, first, end),
                     (gsize)ens_shape_span (shape, end, shape->rank)};
}

gboolean
ens_record_lines (const EnsOperands *operands, EnsCommands *commands, const EnsLines *lines,
                  guint32 kind)
{
  const EnsView *x = operands->inputs[0], *y = operands->outputs[0];
  guint32 outer = (guint32)(lines->length * lines->inner);
  EnsSoftmaxPush push = {
      .n = (guint32)(lines->outer * lines->inner),
      .extent = (guint32)lines->length,
      .inner = (guint32)lines->inner,
      .x_outer = outer,
      .x_step = (guint32)lines->inner,
      .y_outer = outer,
      .y_step = (guint32)lines->inner,
  };
  EnsDispatch dispatch = {
      .shader = "softmax",
      .bindings = {{x, ENS_ACCESS_READ}, {y, ENS_ACCESS_WRITE}},
      .n_bindings = 2,
      .constants = {ens_tile_across (&(EnsTileLines) {
                        .columns = lines->length, .passes = 3, .neighbours = lines->inner > 1}),
                    kind},
      .n_constants = 2,
      .push = &push,
      .push_size = sizeof push,
  };

  if (!ens_record_storage (operands, 0, 1, &dispatch.storage) || dispatch.constants[0] == 0)
    return FALSE;
  if (ens_view_elements (y) > 0) {
    ens_tile_cover (commands, &dispatch, push.n);
    ens_commands_dispatch (commands, &dispatch);
  }
  return TRUE;
}
