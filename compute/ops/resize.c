/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resize, which Upsample and Resize of older opsets become on import.
 *
 * An output element is a sum over taps along every axis, products of one weight per axis: one tap
 * where the nearest element is taken, two in linear interpolation, four in cubic convolution (Keys,
 * "Cubic Convolution Interpolation for Digital Image Processing", 1981). Tensors of rank 3 and more
 * have channels last; roi, scales and sizes count axes in ONNX's order (N, C, spatial …). */
#include "graph/infer.h"
#include "ops/gradient.h"
#include "ops/per-image.h"
#include "ops/record.h"
#include "ops/registry.h"
#include "ops/resize.h"

#include <math.h>
#include <string.h>

#include "push/resize.h"

/* Parameters. */

const char *const ens_resize_mode_names[] = {
    [ENS_RESIZE_NEAREST] = "nearest",
    [ENS_RESIZE_LINEAR] = "linear",
    [ENS_RESIZE_CUBIC] = "cubic",
    NULL,
};

const char *const ens_resize_coordinate_names[] = {
    [ENS_RESIZE_HALF_PIXEL] = "half_pixel",
    [ENS_RESIZE_PYTORCH_HALF_PIXEL] = "pytorch_half_pixel",
    [ENS_RESIZE_ALIGN_CORNERS] = "align_corners",
    [ENS_RESIZE_ASYMMETRIC] = "asymmetric",
    [ENS_RESIZE_TF_HALF_PIXEL] = "tf_half_pixel_for_nn",
    [ENS_RESIZE_CROP] = "tf_crop_and_resize",
    [ENS_RESIZE_HALF_PIXEL_SYMMETRIC] = "half_pixel_symmetric",
    NULL,
};

const char *const ens_resize_rounding_names[] = {
    [ENS_RESIZE_PREFER_FLOOR] = "round_prefer_floor",
    [ENS_RESIZE_PREFER_CEIL] = "round_prefer_ceil",
    [ENS_RESIZE_FLOOR] = "floor",
    [ENS_RESIZE_CEIL] = "ceil",
    NULL,
};

const char *const ens_resize_policy_names[] = {
    [ENS_RESIZE_STRETCH] = "stretch",
    [ENS_RESIZE_NOT_LARGER] = "not_larger",
    [ENS_RESIZE_NOT_SMALLER] = "not_smaller",
    NULL,
};

static const EnsAttribute resize_attributes[] = {
    ENS_RESIZE_ATTRIBUTES (EnsResizeParams, ),
    {"roi", ENS_FLOATS_MEMBER (EnsResizeParams, roi), .input = 1, .input_since = 11},
    {"scales", ENS_FLOATS_MEMBER (EnsResizeParams, scales), .input = 2, .input_since = 11},
    {"sizes", ENS_LIST_MEMBER (EnsResizeParams, sizes), .input = 3, .input_since = 11},
    ENS_ATTRIBUTE_END};

static gboolean
resize_shape (EnsOperands *operands, GError **error)
{
  EnsShape shape = operands->inputs[INPUT]->shape;
  EnsResizeParams params;
  EnsResizeAxis axes[ENS_MAX_RANK];

  if (!ens_check_type (operands, INPUT, ENS_TYPES_REAL, error)
      || !ens_check_rank (operands, INPUT, 1, ENS_MAX_RANK, error)
      || !ens_resize_resolve (operands, &params, axes, error))
    return FALSE;
  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = axes[i].resized;
  return ens_set_output (operands, 0, operands->inputs[INPUT]->type, &shape, error);
}

/* Of an element of the output. */
static double
count_all_taps (const EnsOperands *operands)
{
  EnsResizeParams params;
  EnsResizeAxis axes[ENS_MAX_RANK];
  double n = 1;

  ens_resize_resolve (operands, &params, axes, NULL);
  for (guint i = 0; i < operands->inputs[INPUT]->shape.rank; i++)
    n *= ens_resize_count_taps (&params, &axes[i]);
  return n;
}

static double
resize_flops (const EnsOperands *operands)
{
  const EnsResizeParams *params = operands->params;

  if (params->mode == ENS_RESIZE_NEAREST)
    return 0;
  return 2. * count_all_taps (operands) * (double)ens_shape_elements (&operands->outputs[0]->shape);
}

/* The reference. */

typedef struct {
  const EnsView *input;
  gint64 strides[ENS_MAX_RANK];
  EnsResizeTaps taps[ENS_MAX_RANK];
} Sum;

static double
sum_taps (const Sum *sum, guint axis, gsize offset)
{
  const EnsResizeTaps *taps = &sum->taps[axis];
  double total = 0;

  if (axis == sum->input->shape.rank)
    return ens_view_real (sum->input, offset);
  for (guint k = 0; k < taps->n; k++)
    total += taps->weights[k]
             * sum_taps (sum, axis + 1, offset + (gsize)(taps->at[k] * sum->strides[axis]));
  return total;
}

static void
resize_reference (const EnsOperands *operands)
{
  const EnsView *output = operands->outputs[0];
  Sum sum = {.input = operands->inputs[INPUT]};
  EnsResizeParams params;
  EnsResizeAxis axes[ENS_MAX_RANK];
  EnsWalk walk;

  ens_resize_resolve (operands, &params, axes, NULL);
  ens_view_strides (sum.input, sum.strides);
  for (guint i = 0; i < output->shape.rank; i++)
    ens_resize_taps_init (&sum.taps[i], &params, &axes[i]);
  for (ens_walk_begin (&walk, &output->shape, (const EnsView *[]) {output}, 1); walk.remaining > 0;
       ens_walk_next (&walk)) {
    gboolean outside = FALSE;

    for (guint i = 0; i < output->shape.rank; i++) {
      ens_resize_find_taps (&params, &axes[i], walk.index[i], &sum.taps[i]);
      outside = outside || sum.taps[i].n == 0;
    }
    ens_view_set_real (output, walk.offsets[0],
                       outside ? params.extrapolation : sum_taps (&sum, 0, 0));
  }
  for (guint i = 0; i < output->shape.rank; i++)
    ens_resize_taps_clear (&sum.taps[i]);
}

/* The fast kernel: tables of taps made while planning, channels in the inner loop. */

typedef struct {
  guint n_taps;         /* the same for all elements of the axis */
  gboolean *outside;    /* by element of the output */
  gsize *at;            /* n_taps pixels of the input … */
  float *weights;       /* … and as many weights, by element of the output */
  gint64 input, output; /* sizes */
} Table;

typedef struct {
  Table tables[ENS_MAX_SPATIAL]; /* the first ones of a single element where there are fewer axes */
  float extrapolation;
  gsize channels;
} State;

static void
free_state (gpointer data)
{
  State *state = data;

  for (guint i = 0; i < ENS_MAX_SPATIAL; i++) {
    g_free (state->tables[i].outside);
    g_free (state->tables[i].at);
    g_free (state->tables[i].weights);
  }
  g_free (state);
}

static void
fill_table (Table *table, const EnsResizeParams *params, const EnsResizeAxis *axis, gsize stride)
{
  gsize n = (gsize)axis->resized;
  guint taps_each = ens_resize_count_taps (params, axis);
  g_auto (EnsResizeTaps) taps;

  ens_resize_taps_init (&taps, params, axis);
  *table = (Table) {.n_taps = taps_each,
                    .outside = g_new0 (gboolean, n),
                    .at = g_new0 (gsize, n * taps_each),
                    .weights = g_new0 (float, n *taps_each),
                    .input = axis->length,
                    .output = axis->resized};
  for (gsize i = 0; i < n; i++) {
    ens_resize_find_taps (params, axis, (gint64)i, &taps);
    table->outside[i] = taps.n == 0;
    for (guint k = 0; k < taps.n; k++) {
      table->at[i * taps_each + k] = (gsize)taps.at[k] * stride;
      table->weights[i * taps_each + k] = (float)taps.weights[k];
    }
  }
}

/* Rows of the input that a pixel is blended from, at most. */
enum { MAX_ROWS = 1024 };

/* Whether axes between images and channels are resized alone, from not too many rows. */
static gboolean
has_kernel (guint rank, const EnsResizeParams *params, const EnsResizeAxis *axes)
{
  gint64 n = 1;

  if (rank < 3 || rank - 2 > ENS_MAX_SPATIAL || !ens_resize_stays (&axes[rank - 1]))
    return FALSE;
  for (guint i = 1; i < rank - 1 && n <= MAX_ROWS; i++)
    n *= ens_resize_count_taps (params, &axes[i]);
  return n <= MAX_ROWS;
}

static void
resize_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  const EnsResizeAxis one = {.length = 1, .resized = 1, .scale = 1};
  guint rank = operands->inputs[INPUT]->shape.rank;
  gsize stride = 1;
  EnsResizeParams params;
  EnsResizeAxis axes[ENS_MAX_RANK];
  State *state;

  plan->kernel = "reference";
  ens_resize_resolve (operands, &params, axes, NULL);
  if (!has_kernel (rank, &params, axes))
    return;
  plan->kernel = ens_resize_mode_names[params.mode];
  plan->state = state = g_new0 (State, 1);
  plan->free_state = free_state;
  state->extrapolation = params.extrapolation;
  state->channels = (gsize)axes[rank - 1].length;
  for (guint i = ENS_MAX_SPATIAL; i-- > 0;) {
    const EnsResizeAxis *axis =
        i + rank >= 2 + ENS_MAX_SPATIAL ? &axes[i + rank - 1 - ENS_MAX_SPATIAL] : &one;
    EnsResizeParams plain = {.mode = ENS_RESIZE_NEAREST};

    fill_table (&state->tables[i], axis == &one ? &plain : &params, axis, stride);
    stride *= (gsize)axis->length;
  }
}

/* output (+)= the weighted sum of four rows. */
ENS_CLONES static void
blend_four (const float *const *rows, const float *weights, float *output, gsize n, gboolean add)
{
  const float *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3];
  float w0 = weights[0], w1 = weights[1], w2 = weights[2], w3 = weights[3];

  if (add)
    for (gsize i = 0; i < n; i++)
      output[i] += (w0 * a[i] + w1 * b[i]) + (w2 * c[i] + w3 * d[i]);
  else
    for (gsize i = 0; i < n; i++)
      output[i] = (w0 * a[i] + w1 * b[i]) + (w2 * c[i] + w3 * d[i]);
}

ENS_CLONES static void
blend_two (const float *const *rows, const float *weights, float *output, gsize n)
{
  const float *a = rows[0], *b = rows[1];
  float w0 = weights[0], w1 = weights[1];

  for (gsize i = 0; i < n; i++)
    output[i] = w0 * a[i] + w1 * b[i];
}

/* n: 1, 2, or a multiple of 4. */
static void
blend (const float *const *rows, const float *weights, guint n, float *output, gsize channels)
{
  if (n == 1)
    memcpy (output, rows[0], channels * sizeof *output);
  else if (n == 2)
    blend_two (rows, weights, output, channels);
  for (guint k = 0; n >= 4 && k < n; k += 4)
    blend_four (rows + k, weights + k, output, channels, k > 0);
}

typedef struct {
  const State *state;
  const EnsView *input, *output;
} Job;

static void
fill (float *output, gsize n, float value)
{
  for (gsize i = 0; i < n; i++)
    output[i] = value;
}

/* Pixel x of a row of the output whose taps of the outer axes are known: n_outer rows of the input
 * that start at `outer`, with their weights. */
static void
resize_pixel (const Job *job, const float *const *outer, const float *outer_weights, guint n_outer,
              gsize x, float *output)
{
  const Table *table = &job->state->tables[2];
  const float *rows[MAX_ROWS + 2];
  float weights[MAX_ROWS + 2];
  guint n = 0;

  for (guint i = 0; i < n_outer; i++)
    for (guint k = 0; k < table->n_taps; k++, n++) {
      rows[n] = outer[i] + table->at[x * table->n_taps + k] * (gsize)job->input->pitch;
      weights[n] = outer_weights[i] * table->weights[x * table->n_taps + k];
    }
  for (; n > 2 && n % 4 != 0; n++) {
    rows[n] = rows[0];
    weights[n] = 0;
  }
  blend (rows, weights, n, output, job->state->channels);
}

static void
resize_row (const Job *job, const float *image, gsize z, gsize y, float *output)
{
  const Table *planes = &job->state->tables[0], *lines = &job->state->tables[1];
  const Table *pixels = &job->state->tables[2];
  gsize pitch = (gsize)job->output->pitch, in_pitch = (gsize)job->input->pitch;
  gboolean outside = planes->outside[z] || lines->outside[y];
  const float *rows[MAX_ROWS];
  float weights[MAX_ROWS];
  guint n = 0;

  for (guint i = 0; i < planes->n_taps; i++)
    for (guint k = 0; k < lines->n_taps; k++, n++) {
      rows[n] =
          image
          + (planes->at[z * planes->n_taps + i] + lines->at[y * lines->n_taps + k]) * in_pitch;
      weights[n] = planes->weights[z * planes->n_taps + i] * lines->weights[y * lines->n_taps + k];
    }
  for (gsize x = 0; x < (gsize)pixels->output; x++)
    if (outside || pixels->outside[x])
      fill (output + x * pitch, job->state->channels, job->state->extrapolation);
    else
      resize_pixel (job, rows, weights, n, x, output + x * pitch);
}

static void
resize_rows (gconstpointer data, gsize begin, gsize end)
{
  const Job *job = data;
  const Table *tables = job->state->tables;
  gsize depth = (gsize)tables[0].output, height = (gsize)tables[1].output;
  gsize width = (gsize)tables[2].output;
  gsize image = (gsize)(tables[0].input * tables[1].input * tables[2].input);

  for (gsize row = begin; row < end; row++) {
    gsize n = row / height / depth;

    resize_row (job, (const float *)job->input->data + n * image * (gsize)job->input->pitch,
                row / height % depth, row % height,
                (float *)job->output->data + row * width * (gsize)job->output->pitch);
  }
}

static void
resize_cpu (const EnsOperands *operands, const EnsCpuContext *context)
{
  const State *state = context->state;
  Job job = {.state = state, .input = operands->inputs[INPUT], .output = operands->outputs[0]};
  gsize rows;

  if (state == NULL) {
    resize_reference (operands);
    return;
  }
  rows = (gsize)ens_shape_span (&job.output->shape, 0, job.output->shape.rank - 2);
  ens_parallel (context->pool, rows,
                (gsize)state->tables[2].output * state->channels * state->tables[1].n_taps
                    * state->tables[2].n_taps,
                resize_rows, &job);
}

/* On a GPU: the same tables, for up to three axes between images and channels. Channels that are
 * resized themselves are an axis too. */

#define GROUP 128
#define LANES 4

static void
append_taps (GArray *table, const EnsResizeParams *params, const EnsResizeAxis *axis, gint64 stride)
{
  guint n = ens_resize_count_taps (params, axis);
  g_auto (EnsResizeTaps) taps;

  ens_resize_taps_init (&taps, params, axis);
  for (gint64 i = 0; i < axis->resized; i++) {
    ens_resize_find_taps (params, axis, i, &taps);
    for (guint k = 0; k < n; k++) {
      float weight = k < taps.n ? (float)taps.weights[k] : 0;
      guint32 words[ENS_RESIZE_WORDS] = {ENS_RESIZE_OUTSIDE};

      if (k < taps.n)
        words[0] = (guint32)(taps.at[k] * stride);
      memcpy (&words[1], &weight, sizeof weight);
      g_array_append_vals (table, words, ENS_RESIZE_WORDS);
    }
  }
}

/* Axes [first, end) of the tensors as the last ones of three. */
static const EnsView *
record_taps (const EnsOperands *operands, EnsCommands *commands, guint first, guint end,
             EnsResizePush *push)
{
  const EnsResizeAxis one = {.length = 1, .resized = 1, .scale = 1, .end = 1};
  g_autoptr (GArray) table = g_array_new (FALSE, FALSE, sizeof (guint32));
  gint64 strides[ENS_MAX_RANK];
  EnsResizeAxis axes[ENS_MAX_RANK];
  EnsResizeParams params;

  ens_resize_resolve (operands, &params, axes, NULL);
  ens_view_strides (operands->inputs[INPUT], strides);
  for (guint i = 0; i < ENS_MAX_SPATIAL; i++) {
    gboolean used = i + end - first >= ENS_MAX_SPATIAL;
    guint at = used ? i + end - ENS_MAX_SPATIAL : 0;
    const EnsResizeAxis *axis = used ? &axes[at] : &one;

    push->size[i] = (guint32)axis->resized;
    push->n_taps[i] = ens_resize_count_taps (&params, axis);
    push->first[i] = table->len / ENS_RESIZE_WORDS;
    append_taps (table, &params, axis, used ? strides[at] : 0);
  }
  push->extrapolation = params.extrapolation;
  push->image = first > 0 ? (guint32)strides[0] : 0;
  return ens_commands_table (commands, table->data, table->len * sizeof (guint32));
}

static gboolean
channels_stay (const EnsOperands *operands)
{
  guint rank = operands->inputs[INPUT]->shape.rank;
  EnsResizeAxis axes[ENS_MAX_RANK];
  EnsResizeParams params;

  ens_resize_resolve (operands, &params, axes, NULL);
  return rank > 1 && ens_resize_stays (&axes[rank - 1]);
}

static gboolean
resize_gpu (const EnsOperands *operands, EnsCommands *commands)
{
  const EnsView *x = operands->inputs[INPUT], *y = operands->outputs[0];
  guint rank = x->shape.rank, first = rank >= 3 ? 1 : 0, end = rank;
  gboolean apart = channels_stay (operands);
  EnsResizePush push = {.columns = 1, .y_pitch = 1};
  EnsDispatch dispatch = {
      .shader = "resize",
      .bindings = {{x, ENS_ACCESS_READ}, {y, ENS_ACCESS_WRITE}},
      .n_bindings = 3,
      .push = &push,
      .push_size = sizeof push,
  };

  if (apart) {
    end--;
    push.columns = (guint32)ens_view_columns (y);
    push.y_pitch = (guint32)y->pitch;
  }
  if (!ens_record_storage (operands, INPUT, INPUT + 1, &dispatch.storage)
      || end - first > ENS_MAX_SPATIAL || (!apart && !ens_view_is_dense (y))
      || count_all_taps (operands) > ENS_GPU_MAX_ITERATIONS)
    return FALSE;
  if (ens_view_elements (y) == 0)
    return TRUE;
  push.pixels = (guint32)(ens_view_elements (y) / push.columns);
  dispatch.bindings[2] =
      (EnsBinding) {record_taps (operands, commands, first, end, &push), ENS_ACCESS_READ};
  ens_commands_cover (commands, &dispatch,
                      (gsize)push.pixels * ((push.columns + LANES - 1) / LANES), GROUP);
  ens_commands_dispatch (commands, &dispatch);
  return TRUE;
}

static gboolean
resize_gradient (EnsGradient *gradient, GError **error)
{
  const EnsShape *x = &gradient->node->inputs[INPUT]->shape;
  EnsResizeGradParams params = {.input_shape = {.present = TRUE, .n = x->rank}};
  EnsResizeAxis axes[ENS_MAX_RANK];
  g_auto (EnsNodeViews) views;

  ens_node_views_init (&views, gradient->node);
  if (!ens_resize_resolve (&views.operands, &params.resize, axes, error))
    return FALSE;
  for (guint i = 0; i < x->rank; i++)
    params.input_shape.values[i] = x->dims[i];
  if (gradient->wanted[INPUT])
    gradient->inputs[INPUT] =
        ens_gradient_apply (gradient, &ens_op_resize_grad, &params, gradient->outputs[0], NULL);
  return TRUE;
}

static const EnsOpExample resize_examples[] = {
    {"1x3x4x5", &(const EnsResizeParams) {.mode = ENS_RESIZE_LINEAR, .scales = {4, {1, 1, 2, 2}}}},
    {NULL}};

const EnsOp ens_op_resize = {.name = "Resize",
                             .min_inputs = 1,
                             .max_inputs = 4,
                             .min_outputs = 1,
                             .max_outputs = 1,
                             .layout = ENS_LAYOUT_SPATIAL,
                             .flags = ENS_OP_PITCHED,
                             .params_size = sizeof (EnsResizeParams),
                             .attributes = resize_attributes,
                             .shape = resize_shape,
                             .flops = resize_flops,
                             .reference = resize_reference,
                             .cpu = resize_cpu,
                             .cpu_plan = resize_cpu_plan,
                             .gpu = resize_gpu,
                             .gradient = resize_gradient,
                             .per_image = ens_per_image_with_constants,
                             .example = resize_examples};
