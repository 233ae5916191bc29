/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ResizeGrad: each element of the input gets the gradients of all elements of the output that were
 * made of it, with the weights that they were made with. Tables of these are made axis by axis. */
#include "ops/example.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"
#include "ops/resize.h"

#include <string.h>

#include "push/resize-grad.h"

static const EnsAttribute resize_grad_attributes[] = {
    ENS_RESIZE_ATTRIBUTES (EnsResizeGradParams, resize.),
    {"roi", ENS_FLOATS_MEMBER (EnsResizeGradParams, resize.roi)},
    {"scales", ENS_FLOATS_MEMBER (EnsResizeGradParams, resize.scales)},
    {"sizes", ENS_LIST_MEMBER (EnsResizeGradParams, resize.sizes)},
    {"input_shape", ENS_LIST_MEMBER (EnsResizeGradParams, input_shape),
     .flags = ENS_ATTRIBUTE_REQUIRED},
    ENS_ATTRIBUTE_END};

/* The axes of the Resize whose gradient it is. */
static gboolean
resolve (const EnsOperands *operands, EnsResizeAxis *axes, EnsShape *shape, GError **error)
{
  const EnsResizeGradParams *params = operands->params;
  const EnsView *dy = operands->inputs[0];
  EnsView x = {.type = dy->type, .shape = {.rank = params->input_shape.n}};
  const EnsView *inputs[] = {&x};
  EnsOperands forward = {
      .node = operands->node, .params = &params->resize, .n_inputs = 1, .inputs = inputs};
  EnsResizeParams lists;

  memcpy (x.shape.dims, params->input_shape.values, x.shape.rank * sizeof *x.shape.dims);
  if (x.shape.rank >= 3)
    x.shape.dims[0] = dy->shape.dims[0];
  *shape = x.shape;
  return ens_resize_resolve (&forward, &lists, axes, error);
}

static gboolean
resize_grad_shape (EnsOperands *operands, GError **error)
{
  const EnsResizeGradParams *params = operands->params;
  const EnsShape *dy = &operands->inputs[0]->shape;
  EnsResizeAxis axes[ENS_MAX_RANK];
  EnsShape shape;

  if (!ens_check_type (operands, 0, ENS_TYPES_REAL, error)
      || !ens_check_rank (operands, 0, MAX (params->input_shape.n, 1),
                          MAX (params->input_shape.n, 1), error)
      || !resolve (operands, axes, &shape, error))
    return FALSE;
  for (guint i = 0; i < shape.rank; i++)
    if (axes[i].resized != dy->dims[i])
      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "the output's gradient has %" G_GINT64_FORMAT
                           " elements along axis %u, expected %" G_GINT64_FORMAT,
                           dy->dims[i], i, axes[i].resized);
  return ens_set_output (operands, 0, operands->inputs[0]->type, &shape, error);
}

/* Each element of the output is given to all that it was made of. */
static double
resize_grad_visits (const EnsOperands *operands)
{
  const EnsResizeGradParams *params = operands->params;
  double n = (double)ens_view_elements (operands->inputs[0]);
  EnsResizeAxis axes[ENS_MAX_RANK];
  EnsShape shape;

  resolve (operands, axes, &shape, NULL);
  for (guint i = 0; i < shape.rank; i++)
    n *= ens_resize_count_taps (&params->resize, &axes[i]);
  return n;
}

/* Tables */

/* Which elements of the output's axis an element of the input's is part of: those of element i are
 * [starts[i], starts[i + 1]). */
typedef struct {
  gsize length, resized;
  gsize *starts;
  gsize *at;
  double *weights;
} Table;

static void
table_clear (Table *table)
{
  g_free (table->starts);
  g_free (table->at);
  g_free (table->weights);
}

static void
fill (Table *table, const EnsResizeParams *params, const EnsResizeAxis *axis)
{
  g_autofree gsize *next = g_memdup2 (table->starts, table->length * sizeof *next);
  g_auto (EnsResizeTaps) taps;

  ens_resize_taps_init (&taps, params, axis);
  for (gsize j = 0; j < table->resized; j++) {
    ens_resize_find_taps (params, axis, (gint64)j, &taps);
    for (guint k = 0; k < taps.n; k++) {
      gsize to = next[taps.at[k]]++;

      table->at[to] = j;
      table->weights[to] = taps.weights[k];
    }
  }
}

static void
table_init (Table *table, const EnsResizeParams *params, const EnsResizeAxis *axis)
{
  g_auto (EnsResizeTaps) taps;

  *table = (Table) {.length = (gsize)axis->length, .resized = (gsize)axis->resized};
  table->starts = g_new0 (gsize, table->length + 1);
  ens_resize_taps_init (&taps, params, axis);
  for (gsize j = 0; j < table->resized; j++) {
    ens_resize_find_taps (params, axis, (gint64)j, &taps);
    for (guint k = 0; k < taps.n; k++)
      table->starts[taps.at[k] + 1]++;
  }
  for (gsize i = 0; i < table->length; i++)
    table->starts[i + 1] += table->starts[i];
  table->at = g_new (gsize, table->starts[table->length]);
  table->weights = g_new (double, table->starts[table->length]);
  fill (table, params, axis);
}

/* The reference. */

typedef struct {
  const EnsView *dy;
  gint64 strides[ENS_MAX_RANK];
  Table tables[ENS_MAX_RANK];
} Sum;

static double
sum_axis (const Sum *sum, guint axis, const gint64 *index, gsize offset)
{
  const Table *table = &sum->tables[axis];
  double total = 0;

  if (axis == sum->dy->shape.rank)
    return ens_view_real (sum->dy, offset);
  for (gsize i = table->starts[index[axis]]; i < table->starts[index[axis] + 1]; i++)
    total += table->weights[i]
             * sum_axis (sum, axis + 1, index, offset + table->at[i] * (gsize)sum->strides[axis]);
  return total;
}

static void
resize_grad_reference (const EnsOperands *operands)
{
  const EnsResizeGradParams *params = operands->params;
  const EnsView *dx = operands->outputs[0];
  Sum sum = {.dy = operands->inputs[0]};
  guint rank = dx->shape.rank;
  EnsResizeAxis axes[ENS_MAX_RANK];
  EnsShape shape;
  EnsWalk walk;

  resolve (operands, axes, &shape, NULL);
  ens_view_strides (sum.dy, sum.strides);
  for (guint i = 0; i < rank; i++)
    table_init (&sum.tables[i], &params->resize, &axes[i]);
  for (ens_walk_begin (&walk, &dx->shape, (const EnsView *[]) {dx}, 1); walk.remaining > 0;
       ens_walk_next (&walk))
    ens_view_set_real (dx, walk.offsets[0], sum_axis (&sum, 0, walk.index, 0));
  for (guint i = 0; i < rank; i++)
    table_clear (&sum.tables[i]);
}

/* The fast kernel: up to three axes between images and channels. */

typedef struct {
  Table tables[ENS_MAX_SPATIAL]; /* the first ones of a single element where there are fewer axes */
  gsize channels;
} State;

static void
free_state (gpointer data)
{
  State *state = data;

  for (guint i = 0; i < ENS_MAX_SPATIAL; i++)
    table_clear (&state->tables[i]);
  g_free (state);
}

static void
make_tables (const EnsOperands *operands, const EnsResizeAxis *axes, Table *tables)
{
  const EnsResizeAxis one = {.length = 1, .resized = 1, .scale = 1, .end = 1};
  const EnsResizeGradParams *params = operands->params;
  guint rank = operands->inputs[0]->shape.rank;

  for (guint i = 0; i < ENS_MAX_SPATIAL; i++)
    table_init (&tables[i], &params->resize,
                i + rank >= 2 + ENS_MAX_SPATIAL ? &axes[i + rank - 1 - ENS_MAX_SPATIAL] : &one);
}

/* Whether tables of the axes between images and channels say all. */
static gboolean
is_spatial (const EnsOperands *operands, EnsResizeAxis *axes)
{
  guint rank = operands->inputs[0]->shape.rank;
  EnsShape shape;

  resolve (operands, axes, &shape, NULL);
  return rank >= 3 && rank <= 2 + ENS_MAX_SPATIAL && ens_resize_stays (&axes[rank - 1]);
}

static void
resize_grad_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  EnsResizeAxis axes[ENS_MAX_RANK];
  State *state;

  plan->kernel = "reference";
  if (!is_spatial (operands, axes))
    return;
  plan->kernel = "gather";
  plan->state = state = g_new0 (State, 1);
  plan->free_state = free_state;
  state->channels = ens_view_columns (operands->inputs[0]);
  make_tables (operands, axes, state->tables);
}

typedef struct {
  const State *state;
  const EnsView *dy, *dx;
} Job;

ENS_CLONES static void
add_scaled (const float *from, float weight, float *to, gsize n)
{
  for (gsize i = 0; i < n; i++)
    to[i] += weight * from[i];
}

/* Adds to a pixel of the input what comes from one line of the output. */
static void
add_line (const Job *job, const float *line, double weight, gsize x, float *to)
{
  const Table *table = &job->state->tables[2];

  for (gsize i = table->starts[x]; i < table->starts[x + 1]; i++)
    add_scaled (line + table->at[i] * (gsize)job->dy->pitch, (float)(weight * table->weights[i]),
                to, job->state->channels);
}

/* image: of the output, in pixels. */
static void
sum_pixel (const Job *job, gsize image, const gsize *position, float *to)
{
  const Table *planes = &job->state->tables[0], *lines = &job->state->tables[1];
  gsize width = job->state->tables[2].resized;

  memset (to, 0, job->state->channels * sizeof *to);
  for (gsize i = planes->starts[position[0]]; i < planes->starts[position[0] + 1]; i++)
    for (gsize k = lines->starts[position[1]]; k < lines->starts[position[1] + 1]; k++) {
      gsize line = (planes->at[i] * lines->resized + lines->at[k]) * width;

      add_line (job, (const float *)job->dy->data + (image + line) * (gsize)job->dy->pitch,
                planes->weights[i] * lines->weights[k], position[2], to);
    }
}

static void
sum_rows (gconstpointer data, gsize begin, gsize end)
{
  const Job *job = data;
  const Table *tables = job->state->tables;
  gsize image = tables[0].resized * tables[1].resized * tables[2].resized;

  for (gsize row = begin; row < end; row++) {
    gsize position[] = {row / tables[1].length % tables[0].length, row % tables[1].length, 0};
    gsize n = row / tables[1].length / tables[0].length;

    for (; position[2] < tables[2].length; position[2]++)
      sum_pixel (job, n * image, position,
                 (float *)job->dx->data
                     + (row * tables[2].length + position[2]) * (gsize)job->dx->pitch);
  }
}

static void
resize_grad_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const State *state = context->state;
  Job job = {.state = state, .dy = operands->inputs[0], .dx = operands->outputs[0]};
  gsize rows;

  if (state == NULL) {
    resize_grad_reference (operands);
    return;
  }
  rows = ens_view_rows (job.dx) / MAX (state->tables[2].length, 1);
  ens_parallel (context->pool, rows, ens_view_elements (job.dy) / MAX (rows, 1), sum_rows, &job);
}

/* On a GPU, the same tables. */

static const EnsView *
record_tables (const Table *tables, EnsCommands *commands, EnsResizeGradPush *push)
{
  g_autoptr (GArray) words = g_array_new (FALSE, TRUE, sizeof (guint32));

  for (guint axis = 0; axis < ENS_MAX_SPATIAL; axis++) {
    const Table *table = &tables[axis];
    guint first = words->len, entries = first + (guint)table->length + 1;

    push->size[axis] = (guint32)table->length;
    push->resized[axis] = (guint32)table->resized;
    push->starts[axis] = first;
    for (gsize i = 0; i <= table->length; i++) {
      guint32 start = entries + ENS_RESIZE_GRAD_WORDS * (guint32)table->starts[i];

      g_array_append_val (words, start);
    }
    for (gsize i = 0; i < table->starts[table->length]; i++) {
      guint32 entry[ENS_RESIZE_GRAD_WORDS] = {(guint32)table->at[i]};
      float weight = (float)table->weights[i];

      memcpy (&entry[1], &weight, sizeof weight);
      g_array_append_vals (words, entry, ENS_RESIZE_GRAD_WORDS);
    }
  }
  return ens_commands_table (commands, words->data, words->len * sizeof (guint32));
}

static gboolean
resize_grad_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  enum { GROUP = 128, LANES = 4 };
  const EnsView *dy = operands->inputs[0], *dx = operands->outputs[0];
  EnsResizeGradPush push = {.columns = (guint32)ens_view_columns (dx),
                            .dy_pitch = (guint32)dy->pitch,
                            .dx_pitch = (guint32)dx->pitch,
                            .pixels = (guint32)ens_view_rows (dx)};
  EnsDispatch dispatch = {
      .shader = "resize-grad",
      .bindings = {{dy, ENS_ACCESS_READ}, {dx, ENS_ACCESS_WRITE}},
      .n_bindings = 3,
      .push = &push,
      .push_size = sizeof push,
  };
  EnsResizeAxis axes[ENS_MAX_RANK];
  Table tables[ENS_MAX_SPATIAL];

  if (!ens_record_storage (operands, 0, 1, &dispatch.storage) || !is_spatial (operands, axes)
      || ens_view_elements (dy) == 0)
    return FALSE;
  if (ens_view_elements (dx) == 0)
    return TRUE;
  make_tables (operands, axes, tables);
  dispatch.bindings[2] = (EnsBinding) {record_tables (tables, commands, &push), ENS_ACCESS_READ};
  for (guint i = 0; i < ENS_MAX_SPATIAL; i++)
    table_clear (&tables[i]);
  ens_commands_cover (commands, &dispatch,
                      (gsize)push.pixels * ((push.columns + LANES - 1) / LANES), GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

static const EnsOpExample resize_grad_examples[] = {
    {"1x6x8x5", &(const EnsResizeGradParams) {.resize = {.mode = ENS_RESIZE_LINEAR,
                                                         .scales = {4, {1, 1, 2, 2}}},
                                              .input_shape = ENS_EXAMPLE_LIST (4, 1, 3, 4, 5)}},
    {NULL}};

const EnsOp ens_op_resize_grad = {.name = "ResizeGrad",
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .min_outputs = 1,
                                  .max_outputs = 1,
                                  .layout = ENS_LAYOUT_SPATIAL,
                                  .flags = ENS_OP_PITCHED | ENS_OP_INTERNAL,
                                  .params_size = sizeof (EnsResizeGradParams),
                                  .attributes = resize_grad_attributes,
                                  .shape = resize_grad_shape,
                                  .visits = resize_grad_visits,
                                  .reference = resize_grad_reference,
                                  .cpu = resize_grad_cpu,
                                  .cpu_plan = resize_grad_cpu_plan,
                                  .gpu = resize_grad_gpu,
                                  .per_image = ens_per_image_with_constants,
                                  .example = resize_grad_examples};
