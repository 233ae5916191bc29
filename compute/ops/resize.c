/* Resize, which Upsample and Resize of older opsets become on import.
 *
 * An output element is a sum over taps along every axis, products of one weight per axis: one tap
 * where the nearest element is taken, two in linear interpolation, four in cubic convolution (Keys,
 * "Cubic Convolution Interpolation for Digital Image Processing", 1981). Tensors of rank 3 and more
 * have channels last; roi, scales and sizes count axes in ONNX's order (N, C, spatial …). */
#include "ops/operands.h"
#include "ops/registry.h"
#include "ops/sliding.h"

#include <math.h>
#include <string.h>

enum { INPUT, ROI, SCALES, SIZES };

static const char *const resize_inputs[] = {NULL, "roi", "scales", "sizes"};

/* Parameters. */

static const char *const mode_names[] = {
    [ENS_RESIZE_NEAREST] = "nearest",
    [ENS_RESIZE_LINEAR] = "linear",
    [ENS_RESIZE_CUBIC] = "cubic",
};

static const char *const coordinate_names[] = {
    [ENS_RESIZE_HALF_PIXEL] = "half_pixel",
    [ENS_RESIZE_PYTORCH_HALF_PIXEL] = "pytorch_half_pixel",
    [ENS_RESIZE_ALIGN_CORNERS] = "align_corners",
    [ENS_RESIZE_ASYMMETRIC] = "asymmetric",
    [ENS_RESIZE_TF_HALF_PIXEL] = "tf_half_pixel_for_nn",
    [ENS_RESIZE_CROP] = "tf_crop_and_resize",
};

static const char *const rounding_names[] = {
    [ENS_RESIZE_PREFER_FLOOR] = "round_prefer_floor",
    [ENS_RESIZE_PREFER_CEIL] = "round_prefer_ceil",
    [ENS_RESIZE_FLOOR] = "floor",
    [ENS_RESIZE_CEIL] = "ceil",
};

static gboolean
parse_name (EnsParse *parse, const char *attribute, const char *const *names, guint n, guint *value,
            GError **error)
{
  const char *name = ens_attributes_string (parse->attributes, attribute, names[0]);

  for (*value = 0; *value < n; ++*value)
    if (strcmp (name, names[*value]) == 0)
      return TRUE;
  return ens_parse_error (parse, error, ENS_ERROR_UNSUPPORTED, "unknown %s “%s”", attribute, name);
}

static EnsFloats
parse_floats (EnsParse *parse, const char *name)
{
  EnsFloats list = {0};

  list.n = ens_attributes_floats (parse->attributes, name, list.values, G_N_ELEMENTS (list.values));
  return list;
}

static gboolean
resize_parse (EnsParse *parse, gpointer data, GError **error)
{
  EnsResizeParams *params = data;
  EnsAttributes *attributes = parse->attributes;
  guint mode, coordinates, rounding;

  if (!parse_name (parse, "mode", mode_names, G_N_ELEMENTS (mode_names), &mode, error)
      || !parse_name (parse, "coordinate_transformation_mode", coordinate_names,
                      G_N_ELEMENTS (coordinate_names), &coordinates, error)
      || !parse_name (parse, "nearest_mode", rounding_names, G_N_ELEMENTS (rounding_names),
                      &rounding, error))
    return FALSE;
  params->mode = mode;
  params->coordinates = coordinates;
  params->rounding = rounding;
  params->cubic_a = ens_attributes_float (attributes, "cubic_coeff_a", -0.75f);
  params->exclude_outside = ens_attributes_int (attributes, "exclude_outside", 0) != 0;
  params->extrapolation = ens_attributes_float (attributes, "extrapolation_value", 0);
  params->roi = parse_floats (parse, "roi");
  params->scales = parse_floats (parse, "scales");
  params->sizes = ens_parse_list (parse, "sizes");
  return TRUE;
}

static void
write_floats (const EnsFloats *list, const char *name, EnsAttributes *attributes)
{
  if (list->n > 0)
    ens_attributes_set_floats (attributes, name, list->values, list->n);
}

static void
resize_write (gconstpointer data, EnsAttributes *attributes)
{
  const EnsResizeParams *params = data;

  ens_attributes_set_string (attributes, "mode", mode_names[params->mode]);
  ens_attributes_set_string (attributes, "coordinate_transformation_mode",
                             coordinate_names[params->coordinates]);
  if (params->mode == ENS_RESIZE_NEAREST || params->rounding != ENS_RESIZE_PREFER_FLOOR)
    ens_attributes_set_string (attributes, "nearest_mode", rounding_names[params->rounding]);
  if (params->mode == ENS_RESIZE_CUBIC || params->cubic_a != -0.75f)
    ens_attributes_set_float (attributes, "cubic_coeff_a", params->cubic_a);
  if (params->exclude_outside)
    ens_attributes_set_int (attributes, "exclude_outside", 1);
  if (params->extrapolation != 0)
    ens_attributes_set_float (attributes, "extrapolation_value", params->extrapolation);
  write_floats (&params->roi, "roi", attributes);
  write_floats (&params->scales, "scales", attributes);
  ens_write_list (&params->sizes, "sizes", attributes);
}

/* Axes. */

typedef struct {
  gint64 length, resized; /* of the input and the output */
  double scale;
  double start, end; /* of the region, as parts of the length */
} Axis;

/* Where lists have the numbers of a tensor's axis. */
static guint
list_position (guint axis, guint rank)
{
  if (rank < 3 || axis == 0)
    return axis;
  return axis + 1 == rank ? 1 : axis + 1;
}

/* The numbers of an input whose contents must be known while planning, or the params'. */
static gboolean
find_floats (const EnsOperands *operands, guint input, EnsFloats *list, GError **error)
{
  const EnsView *view = ens_operands_input (operands, input);

  if (view == NULL)
    return TRUE;
  if (!ens_check_type (operands, input, ENS_TYPES_REAL, error)
      || !ens_check_rank (operands, input, 1, 1, error))
    return FALSE;
  if (ens_view_elements (view) > G_N_ELEMENTS (list->values))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "input %u has too many numbers", input);
  list->n = (guint)ens_view_elements (view);
  if (view->data == NULL && list->n > 0)
    return ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                         "the contents of input %u are not known before running", input);
  for (guint i = 0; i < list->n; i++)
    list->values[i] = (float)ens_view_real (view, i);
  return TRUE;
}

/* The params with all lists in them, of lengths that fit the input. */
static gboolean
find_lists (const EnsOperands *operands, EnsResizeParams *params, GError **error)
{
  guint rank = operands->inputs[INPUT]->shape.rank;
  EnsList given;

  *params = *(const EnsResizeParams *)operands->params;
  given = params->sizes;
  if (!find_floats (operands, ROI, &params->roi, error)
      || !find_floats (operands, SCALES, &params->scales, error)
      || !ens_check_list_or (operands, SIZES, &given, &params->sizes, error))
    return FALSE;
  if ((params->scales.n > 0) == (params->sizes.n > 0))
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "expected either scales or sizes, found %s",
                         params->scales.n > 0 ? "both" : "neither");
  if (params->scales.n + params->sizes.n != rank)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                         "%u scales or sizes, expected %u as the input has dimensions",
                         params->scales.n + params->sizes.n, rank);
  if (params->coordinates == ENS_RESIZE_CROP && params->roi.n != 2 * rank)
    return ens_op_error (operands, error, ENS_ERROR_SHAPE, "%u numbers as roi, expected %u",
                         params->roi.n, 2 * rank);
  return TRUE;
}

/* The batch is never resized. Files with a fixed batch have its size among the sizes, which is not
 * read. */
static gboolean
check_batch (const EnsOperands *operands, const EnsResizeParams *params, GError **error)
{
  return params->scales.n == 0 || params->scales.values[0] == 1
         || ens_op_error (operands, error, ENS_ERROR_UNSUPPORTED,
                          "the batch is scaled by %g, supported is 1",
                          (double)params->scales.values[0]);
}

static gboolean
resolve_axis (const EnsOperands *operands, const EnsResizeParams *params, guint i, Axis *axis,
              GError **error)
{
  const EnsShape *shape = &operands->inputs[INPUT]->shape;
  guint at = list_position (i, shape->rank);

  *axis = (Axis) {.length = shape->dims[i], .resized = shape->dims[i], .scale = 1, .end = 1};
  if (!ens_check_length (operands, "the input's size", axis->length, 0, error))
    return FALSE;
  if (i == 0 && shape->rank >= 3)
    return check_batch (operands, params, error);
  if (params->sizes.n > 0) {
    axis->resized = params->sizes.values[at];
    axis->scale = (double)axis->resized / (double)MAX (axis->length, 1);
  } else {
    float resized = floorf (params->scales.values[at] * (float)axis->length);

    axis->scale = params->scales.values[at];
    if (!(axis->scale > 0) || !(resized < 1e9f))
      return ens_op_error (operands, error, ENS_ERROR_SHAPE,
                           "can't scale %" G_GINT64_FORMAT " by %g", axis->length, axis->scale);
    axis->resized = (gint64)resized;
  }
  if (params->coordinates == ENS_RESIZE_CROP) {
    axis->start = params->roi.values[at];
    axis->end = params->roi.values[shape->rank + at];
  }
  return ens_check_length (operands, "the output's size", axis->resized, axis->length > 0 ? 1 : 0,
                           error)
         && (axis->length > 0 || axis->resized == 0
             || ens_op_error (operands, error, ENS_ERROR_SHAPE,
                              "there is nothing to make %" G_GINT64_FORMAT " elements of",
                              axis->resized));
}

static gboolean
resolve (const EnsOperands *operands, EnsResizeParams *params, Axis *axes, GError **error)
{
  if (!find_lists (operands, params, error))
    return FALSE;
  for (guint i = 0; i < operands->inputs[INPUT]->shape.rank; i++)
    if (!resolve_axis (operands, params, i, &axes[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
resize_shape (EnsOperands *operands, GError **error)
{
  EnsShape shape = operands->inputs[INPUT]->shape;
  EnsResizeParams params;
  Axis axes[ENS_MAX_RANK];

  if (!ens_check_type (operands, INPUT, ENS_TYPES_REAL, error)
      || !ens_check_rank (operands, INPUT, 1, ENS_MAX_RANK, error)
      || !resolve (operands, &params, axes, error))
    return FALSE;
  for (guint i = 0; i < shape.rank; i++)
    shape.dims[i] = axes[i].resized;
  return ens_set_output (operands, 0, operands->inputs[INPUT]->type, &shape, error);
}

/* Taps. */

#define MAX_TAPS 4

/* n = 0: outside the region's image, where the extrapolation value stands. */
typedef struct {
  guint n;
  gint64 at[MAX_TAPS];
  double weights[MAX_TAPS];
} Taps;

/* Where output element i lies on the input's axis. */
static double
find_position (const EnsResizeParams *params, const Axis *axis, gint64 i)
{
  double last = (double)(axis->length - 1), last_resized = (double)(axis->resized - 1);

  switch (params->coordinates) {
  case ENS_RESIZE_PYTORCH_HALF_PIXEL:
    return axis->resized > 1 ? ((double)i + 0.5) / axis->scale - 0.5 : 0;
  case ENS_RESIZE_ALIGN_CORNERS:
    return axis->resized > 1 ? (double)i * last / last_resized : 0;
  case ENS_RESIZE_ASYMMETRIC:
    return (double)i / axis->scale;
  case ENS_RESIZE_TF_HALF_PIXEL:
    return ((double)i + 0.5) / axis->scale;
  case ENS_RESIZE_CROP:
    if (axis->resized == 1)
      return 0.5 * (axis->start + axis->end) * last;
    return axis->start * last + (double)i * (axis->end - axis->start) * last / last_resized;
  case ENS_RESIZE_HALF_PIXEL:
    break;
  }
  return ((double)i + 0.5) / axis->scale - 0.5;
}

static double
round_position (EnsResizeRounding rounding, double x)
{
  switch (rounding) {
  case ENS_RESIZE_PREFER_CEIL:
    return floor (x + 0.5);
  case ENS_RESIZE_FLOOR:
    return floor (x);
  case ENS_RESIZE_CEIL:
    return ceil (x);
  case ENS_RESIZE_PREFER_FLOOR:
    break;
  }
  return ceil (x - 0.5);
}

static void
set_cubic_weights (double a, double t, double *weights)
{
  double u = 1 - t;

  weights[0] = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a;
  weights[1] = ((a + 2) * t - (a + 3)) * t * t + 1;
  weights[2] = ((a + 2) * u - (a + 3)) * u * u + 1;
  weights[3] = ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a;
}

/* Taps beyond the ends show the elements there, or count for nothing. */
static void
keep_inside (const EnsResizeParams *params, const Axis *axis, Taps *taps)
{
  double sum = 0;

  for (guint k = 0; k < taps->n; k++) {
    gint64 at = CLAMP (taps->at[k], 0, axis->length - 1);

    if (params->exclude_outside && at != taps->at[k])
      taps->weights[k] = 0;
    taps->at[k] = at;
    sum += taps->weights[k];
  }
  for (guint k = 0; params->exclude_outside && k < taps->n; k++)
    taps->weights[k] /= sum;
}

/* Whether an axis shows the input as it is. */
static gboolean
stays (const Axis *axis)
{
  return axis->resized == axis->length && axis->scale == 1 && axis->start == 0 && axis->end == 1;
}

static Taps
find_taps (const EnsResizeParams *params, const Axis *axis, gint64 i)
{
  Taps taps = {.n = 1, .weights = {1}};
  double x, below;

  /* No formula moves elements of an axis that stays as it is. */
  if (stays (axis)) {
    taps.at[0] = i;
    return taps;
  }
  x = find_position (params, axis, i);
  if (params->coordinates == ENS_RESIZE_CROP && !(x >= 0 && x <= (double)(axis->length - 1)))
    return (Taps) {0};
  below = params->mode == ENS_RESIZE_NEAREST ? round_position (params->rounding, x) : floor (x);
  if (params->mode == ENS_RESIZE_LINEAR) {
    taps.n = 2;
    taps.weights[0] = 1 - (x - below);
    taps.weights[1] = x - below;
  } else if (params->mode == ENS_RESIZE_CUBIC) {
    taps.n = 4;
    set_cubic_weights (params->cubic_a, x - below, taps.weights);
    below--;
  }
  for (guint k = 0; k < taps.n; k++)
    taps.at[k] = (gint64)below + k;
  keep_inside (params, axis, &taps);
  return taps;
}

static gint64
resize_flops (const EnsOperands *operands)
{
  const EnsResizeParams *params = operands->params;
  gint64 taps = params->mode == ENS_RESIZE_CUBIC ? 16 : params->mode == ENS_RESIZE_LINEAR ? 4 : 0;

  return 2 * taps * ens_shape_elements (&operands->outputs[0]->shape);
}

/* The reference. */

typedef struct {
  const EnsView *input;
  gint64 strides[ENS_MAX_RANK];
  Taps taps[ENS_MAX_RANK];
} Sum;

static double
sum_taps (const Sum *sum, guint axis, gsize offset)
{
  const Taps *taps = &sum->taps[axis];
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
  Axis axes[ENS_MAX_RANK];
  EnsWalk walk;

  resolve (operands, &params, axes, NULL);
  ens_view_strides (sum.input, sum.strides);
  for (ens_walk_begin (&walk, &output->shape, (const EnsView *[]) {output}, 1); walk.remaining > 0;
       ens_walk_next (&walk)) {
    gboolean outside = FALSE;

    for (guint i = 0; i < output->shape.rank; i++) {
      sum.taps[i] = find_taps (&params, &axes[i], walk.index[i]);
      outside = outside || sum.taps[i].n == 0;
    }
    ens_view_set_real (output, walk.offsets[0],
                       outside ? params.extrapolation : sum_taps (&sum, 0, 0));
  }
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
fill_table (Table *table, const EnsResizeParams *params, const Axis *axis, gsize stride)
{
  static const guint n_taps[] = {
      [ENS_RESIZE_NEAREST] = 1, [ENS_RESIZE_LINEAR] = 2, [ENS_RESIZE_CUBIC] = MAX_TAPS};
  gsize n = (gsize)axis->resized;
  guint taps_each = stays (axis) ? 1 : n_taps[params->mode];

  *table = (Table) {.n_taps = taps_each,
                    .outside = g_new0 (gboolean, n),
                    .at = g_new0 (gsize, n * taps_each),
                    .weights = g_new0 (float, n *taps_each),
                    .input = axis->length,
                    .output = axis->resized};
  for (gsize i = 0; i < n; i++) {
    Taps taps = find_taps (params, axis, (gint64)i);

    table->outside[i] = taps.n == 0;
    for (guint k = 0; k < taps.n; k++) {
      table->at[i * taps_each + k] = (gsize)taps.at[k] * stride;
      table->weights[i * taps_each + k] = (float)taps.weights[k];
    }
  }
}

static void
resize_cpu_plan (const EnsOperands *operands, EnsCpuPlan *plan)
{
  const Axis one = {.length = 1, .resized = 1, .scale = 1};
  guint rank = operands->inputs[INPUT]->shape.rank, spatial = rank - 2;
  gsize stride = 1;
  EnsResizeParams params;
  Axis axes[ENS_MAX_RANK];
  State *state;

  plan->kernel = "reference";
  resolve (operands, &params, axes, NULL);
  if (rank < 3 || spatial > ENS_MAX_SPATIAL || !stays (&axes[rank - 1]))
    return;
  plan->kernel = mode_names[params.mode];
  plan->state = state = g_new0 (State, 1);
  plan->free_state = free_state;
  state->extrapolation = params.extrapolation;
  state->channels = (gsize)axes[rank - 1].length;
  for (guint i = ENS_MAX_SPATIAL; i-- > 0;) {
    const Axis *axis =
        i >= ENS_MAX_SPATIAL - spatial ? &axes[i + rank - 1 - ENS_MAX_SPATIAL] : &one;
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

/* n is a power of two. */
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

#define MAX_ROWS (MAX_TAPS * MAX_TAPS * MAX_TAPS)

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
  const float *rows[MAX_ROWS];
  float weights[MAX_ROWS];
  guint n = 0;

  for (guint i = 0; i < n_outer; i++)
    for (guint k = 0; k < table->n_taps; k++, n++) {
      rows[n] = outer[i] + table->at[x * table->n_taps + k] * (gsize)job->input->pitch;
      weights[n] = outer_weights[i] * table->weights[x * table->n_taps + k];
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
  const float *rows[MAX_TAPS * MAX_TAPS];
  float weights[MAX_TAPS * MAX_TAPS];
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

const EnsOp ens_op_resize = {.name = "Resize",
                             .min_inputs = 1,
                             .max_inputs = 4,
                             .min_outputs = 1,
                             .max_outputs = 1,
                             .layout = ENS_LAYOUT_SPATIAL,
                             .flags = ENS_OP_PITCHED,
                             .params_size = sizeof (EnsResizeParams),
                             .input_attributes = resize_inputs,
                             .parse = resize_parse,
                             .write = resize_write,
                             .shape = resize_shape,
                             .flops = resize_flops,
                             .reference = resize_reference,
                             .cpu = resize_cpu,
                             .cpu_plan = resize_cpu_plan};
