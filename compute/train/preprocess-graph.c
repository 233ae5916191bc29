/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a network's graph tells of its images.
 *
 * Some networks subtract the mean and divide by the deviation themselves; what they want then are
 * plain pixels. Of the others, the first layer remembers what it was trained on. A batch
 * normalisation behind it holds the mean and the variance of its outputs over the training images.
 * A filter that mostly sums up its window gives a mean of m · S and a deviation of about s · |S|, m
 * and s being the pixels' mean and deviation and S the sum of its weights: that tells m and s well
 * enough to choose among the few preparations that are in use. */
#include <math.h>
#include <string.h>

#include "ops/params.h"
#include "passes/affine.h"
#include "passes/linear.h"
#include "passes/rewrite.h"
#include "train/preprocess-private.h"

/* Of ImageNet's photographs, of values 0 … 255 in RGB. */
#define IMAGENET_MEAN 123.675, 116.28, 103.53

/* ---- Arithmetic before the first layer ---- */

/* y = scale · x + shift for each channel of the network's input x; in y the channels may be in
 * another order. */
typedef struct {
  const EnsValue *value; /* y */
  guint axis;            /* of its channels */
  double scale[3], shift[3];
  guint source[3];      /* by channel of y: the channel of x that it is made from */
  const EnsNode *first; /* of the nodes that compute; NULL: none does */
} Arithmetic;

/* What leaves numbers as they are, or adds some at the edges. */
static gboolean
passes_on (const EnsNode *node)
{
  static const char *const operators[] = {"Cast", "Clip", "Pad", "Resize", "Round", NULL};

  return ens_node_is_identity (node) || g_strv_contains (operators, node->op->name);
}

/* The channels' axis behind a Transpose. */
static gboolean
follow_transpose (const EnsNode *node, Arithmetic *arithmetic)
{
  const EnsList *perm = &((const EnsTransposeParams *)node->params)->perm;

  if (!ens_node_is (node, "Transpose") || perm->n != 4)
    return FALSE;
  for (guint i = 0; i < 4; i++)
    if (perm->values[i] == arithmetic->axis) {
      arithmetic->axis = i;
      return TRUE;
    }
  return FALSE;
}

static gboolean
is_axis (gint64 axis, const Arithmetic *arithmetic)
{
  return (axis < 0 ? axis + 4 : axis) == arithmetic->axis;
}

static void
permute (Arithmetic *arithmetic, const gint64 *order, gint64 n_channels)
{
  guint source[3];

  for (gint64 c = 0; c < n_channels; c++)
    source[c] = arithmetic->source[order[c]];
  memcpy (arithmetic->source, source, (gsize)n_channels * sizeof *source);
}

static gboolean
follow_slice (const EnsNode *node, Arithmetic *arithmetic, gint64 n_channels)
{
  static const gint64 backwards[] = {2, 1, 0};
  const EnsSliceParams *params = node->params;

  if (!ens_node_is (node, "Slice") || !params->axes.present || node->n_inputs != 1)
    return FALSE;
  for (guint i = 0; i < params->axes.n; i++) {
    if (!is_axis (params->axes.values[i], arithmetic))
      continue;
    if (params->axes.n != 1 || n_channels != 3 || !params->steps.present
        || params->steps.values[0] != -1 || node->outputs[0]->shape.dims[arithmetic->axis] != 3)
      return FALSE;
    permute (arithmetic, backwards, n_channels);
  }
  return TRUE;
}

static gboolean
follow_gather (const EnsNode *node, Arithmetic *arithmetic, gint64 n_channels)
{
  const EnsTensor *indices = ens_node_is (node, "Gather") ? ens_node_constant (node, 1) : NULL;
  gint64 order[3];

  if (indices == NULL || indices->type != ENS_TYPE_INT64
      || ens_shape_elements (&indices->shape) != n_channels
      || !is_axis (((const EnsAxisParams *)node->params)->axis, arithmetic))
    return FALSE;
  for (gint64 c = 0; c < n_channels; c++) {
    order[c] = ((const gint64 *)indices->data)[c];
    if (order[c] < 0)
      order[c] += n_channels;
    if (order[c] < 0 || order[c] >= n_channels)
      return FALSE;
  }
  permute (arithmetic, order, n_channels);
  return TRUE;
}

/* A constant with one element, or one for each channel and none along other axes. */
static gboolean
read_channels (const EnsTensor *constant, const Arithmetic *arithmetic, gint64 n_channels,
               double *channels)
{
  gint64 n = constant != NULL ? ens_shape_elements (&constant->shape) : 0;
  guint behind = 3 - arithmetic->axis;

  if (n < 1 || constant->type != ENS_TYPE_FLOAT32 || constant->shape.rank > 4
      || (n > 1
          && (n != n_channels || constant->shape.rank <= behind
              || constant->shape.dims[constant->shape.rank - 1 - behind] != n)))
    return FALSE;
  for (gint64 c = 0; c < n_channels; c++)
    channels[c] = ((const float *)constant->data)[n == 1 ? 0 : c];
  return TRUE;
}

static void
compute (Arithmetic *arithmetic, guint channel, double scale, double shift)
{
  guint c = arithmetic->source[channel];

  arithmetic->scale[c] *= scale;
  arithmetic->shift[c] = scale * arithmetic->shift[c] + shift;
}

static gboolean
follow_binary (const EnsNode *node, Arithmetic *arithmetic, gint64 n_channels)
{
  EnsOpKind kind = node->op->kind;
  gboolean constant_first = ens_node_constant (node, 0) != NULL;
  double constant[3];

  if (!ens_kind_is_arithmetic (kind) || node->n_inputs != 2
      || (kind == ENS_KIND_DIVIDE && constant_first)
      || !read_channels (ens_node_constant (node, constant_first ? 0 : 1), arithmetic, n_channels,
                         constant))
    return FALSE;
  for (guint c = 0; c < n_channels; c++) {
    double sign = kind == ENS_KIND_SUBTRACT && constant_first ? -1 : 1;
    double scale = kind == ENS_KIND_MULTIPLY ? constant[c]
                   : kind == ENS_KIND_DIVIDE ? 1 / constant[c]
                                             : sign;
    double shift = kind == ENS_KIND_ADD        ? constant[c]
                   : kind == ENS_KIND_SUBTRACT ? -sign * constant[c]
                                               : 0;

    if (!isfinite (scale) || scale == 0 || !isfinite (shift))
      return FALSE;
    compute (arithmetic, c, scale, shift);
  }
  return TRUE;
}

static gboolean
follow_batch_norm (const EnsNode *node, Arithmetic *arithmetic, gint64 n_channels)
{
  g_autoptr (EnsAffine) affine = NULL;

  if (!ens_node_is (node, "BatchNormalization") || arithmetic->axis != 3)
    return FALSE;
  affine = ens_affine_read_batch_norm (node);
  if (affine == NULL || affine->n_channels != n_channels || !ens_affine_is_finite (affine))
    return FALSE;
  for (guint c = 0; c < n_channels; c++)
    compute (arithmetic, c, affine->scale[c], affine->shift[c]);
  return TRUE;
}

static void
follow_arithmetic (const EnsGraph *graph, const EnsValue *input, Arithmetic *arithmetic)
{
  const gint64 n_channels = input->shape.dims[3];
  const EnsNode *node;

  *arithmetic = (Arithmetic) {.value = input, .axis = 3, .scale = {1, 1, 1}, .source = {0, 1, 2}};
  while ((node = ens_graph_only_reader (graph, arithmetic->value)) != NULL) {
    gboolean computes = follow_binary (node, arithmetic, n_channels)
                        || follow_batch_norm (node, arithmetic, n_channels);

    if (!computes && !passes_on (node) && !follow_transpose (node, arithmetic)
        && !follow_slice (node, arithmetic, n_channels)
        && !follow_gather (node, arithmetic, n_channels))
      return;
    if (computes && arithmetic->first == NULL)
      arithmetic->first = node;
    arithmetic->value = node->outputs[0];
  }
}

/* The largest value of pixels that such arithmetic is made for: 255, 1, or 0 if it does not tell.
 */
static double
find_unit (const Arithmetic *arithmetic, gint64 n_channels)
{
  double mean = 0, scale = 0;

  for (gint64 c = 0; c < n_channels; c++) {
    mean = MAX (mean, -arithmetic->shift[c] / arithmetic->scale[c]);
    scale = MAX (scale, fabs (arithmetic->scale[c]));
  }
  if (mean > 2)
    return 255;
  if (mean > 0.05)
    return 1;
  if (mean < -0.05)
    return 0;
  return scale > 1.5 ? 1 : scale < 0.1 ? 255 : 0;
}

/* ImageNet's mean tells the order, because its channels differ. */
static void
find_order (EnsPreprocess *preprocess, const Arithmetic *arithmetic, double unit)
{
  const EnsPreprocessSource source = {preprocess, ENS_CERTAINTY_GRAPH,
                                      "ImageNet's mean, which the network subtracts"};
  static const double imagenet_mean[] = {IMAGENET_MEAN};
  gboolean forwards = TRUE, backwards = TRUE;

  for (guint c = 0; c < 3; c++) {
    double mean = -arithmetic->shift[c] / arithmetic->scale[c] * 255 / unit;

    forwards = forwards && fabs (mean - imagenet_mean[c]) < 3;
    backwards = backwards && fabs (mean - imagenet_mean[2 - c]) < 3;
  }
  if (forwards || backwards)
    ens_preprocess_set_order (&source, forwards ? "rgb" : "bgr");
}

static const EnsValue *
get_image (const EnsGraph *graph)
{
  const EnsValue *input = graph->inputs->len > 0 ? graph->inputs->pdata[0] : NULL;

  return input != NULL && input->shape.rank == 4
                 && (input->shape.dims[3] == 1 || input->shape.dims[3] == 3)
             ? input
             : NULL;
}

/* Inputs of integers take pixels as they are, whatever is done to them then. */
static void
take_integers (EnsPreprocess *preprocess, EnsType type)
{
  static const struct {
    EnsType type;
    double mean;
    const char *reason;
  } integers[] = {{ENS_TYPE_UINT8, 0, "the input takes bytes, 0 … 255"},
                  {ENS_TYPE_INT8, 128, "the input takes bytes, −128 … 127"},
                  {ENS_TYPE_INT32, 0, "the input takes integers"},
                  {ENS_TYPE_INT64, 0, "the input takes integers"}};

  for (guint i = 0; i < G_N_ELEMENTS (integers); i++)
    if (integers[i].type == type)
      ens_preprocess_set_range (
          &(EnsPreprocessSource) {preprocess, ENS_CERTAINTY_GRAPH, integers[i].reason}, 1,
          &integers[i].mean, &(const double) {1}, 1);
}

void
ens_preprocess_from_graph (EnsPreprocess *preprocess, const EnsGraph *graph)
{
  const EnsValue *input = get_image (graph);
  Arithmetic arithmetic;
  double unit;
  g_autofree char *name = NULL;
  EnsPreprocessSource source = {preprocess, ENS_CERTAINTY_GRAPH, NULL};

  if (input == NULL)
    return;
  take_integers (preprocess, input->type);
  follow_arithmetic (graph, input, &arithmetic);
  if (arithmetic.first == NULL)
    return;
  unit = find_unit (&arithmetic, input->shape.dims[3]);
  if (unit == 0)
    return;
  if (input->shape.dims[3] == 3)
    find_order (preprocess, &arithmetic, unit);
  name = g_strdup_printf ("node “%s” (%s) prepares values 0 … %g itself", arithmetic.first->name,
                          arithmetic.first->op->name, unit);
  source.name = name;
  ens_preprocess_set_range (&source, 255 / unit, &(const double) {0}, &(const double) {1}, 1);
}

/* ---- Statistics of the first layer ---- */

/* A way to prepare pixels, with the mean and deviation that photographs then have. */
typedef struct {
  double mean, deviation;
  double unit, means[3], deviations[3]; /* (value / unit - mean) / deviation */
} Preparation;

static const Preparation preparations[] = {
    {115, 58, 1, {0, 0, 0}, {1, 1, 1}},
    {0, 58, 1, {IMAGENET_MEAN}, {1, 1, 1}},
    {0.45, 0.23, 255, {0, 0, 0}, {1, 1, 1}},
    {-0.1, 0.45, 1, {127.5, 127.5, 127.5}, {127.5, 127.5, 127.5}},
    {0, 1, 1, {IMAGENET_MEAN}, {58.395, 57.12, 57.375}},
};

enum { MINUS_MEAN = 1, SYMMETRIC = 3, STANDARDISED = 4 };

/* The first convolution and what normalises its outputs. */
typedef struct {
  EnsLinear *linear;
  const float *mean, *variance; /* of the outputs */
} FirstLayer;

static gboolean
find_first_layer (const EnsGraph *graph, FirstLayer *layer)
{
  const EnsValue *input = get_image (graph);
  const EnsNode *node = NULL, *norm = NULL;
  const EnsTensor *mean, *variance;
  Arithmetic arithmetic;

  if (input == NULL)
    return FALSE;
  follow_arithmetic (graph, input, &arithmetic);
  node = ens_graph_only_reader (graph, arithmetic.value);
  if (node != NULL && ens_node_is (node, "Pad"))
    node = ens_graph_only_reader (graph, node->outputs[0]);
  if (arithmetic.first != NULL || node == NULL || !ens_node_is (node, "Conv"))
    return FALSE;
  norm = ens_graph_only_reader (graph, node->outputs[0]);
  if (norm == NULL || !ens_node_is (norm, "BatchNormalization"))
    return FALSE;
  mean = ens_node_constant (norm, 3);
  variance = ens_node_constant (norm, 4);
  layer->linear = ens_linear_read (node);
  if (layer->linear == NULL || mean == NULL || variance == NULL
      || ens_shape_elements (&mean->shape) != layer->linear->n_outputs
      || ens_shape_elements (&variance->shape) != layer->linear->n_outputs) {
    g_clear_pointer (&layer->linear, ens_linear_free);
    return FALSE;
  }
  layer->mean = mean->data;
  layer->variance = variance->data;
  return TRUE;
}

/* Sums of one output's weights, and of their magnitudes. */
static void
sum_weights (const EnsLinear *linear, gint64 output, double *sum, double *magnitude)
{
  const gint64 n = linear->n_taps * linear->group_inputs;
  const float *weights = &linear->weights[output * n];

  *sum = *magnitude = 0;
  for (gint64 i = 0; i < n; i++) {
    *sum += weights[i];
    *magnitude += fabs (weights[i]);
  }
}

/* Each output counts as much as its filter resembles a sum. */
static gboolean
estimate_pixels (const FirstLayer *layer, double *mean, double *deviation)
{
  double weight = 0, log_deviation = 0, products = 0, squares = 0;

  for (gint64 o = 0; o < layer->linear->n_outputs; o++) {
    double sum, magnitude, likeness;

    sum_weights (layer->linear, o, &sum, &magnitude);
    if (!(magnitude > 0) || !(layer->variance[o] > 1e-9f))
      continue;
    likeness = pow (fabs (sum) / magnitude, 4);
    products += likeness * sum * (layer->mean[o] - layer->linear->bias[o]);
    squares += likeness * sum * sum;
    if (sum == 0)
      continue;
    log_deviation += likeness * log (sqrt (layer->variance[o]) / fabs (sum));
    weight += likeness;
  }
  if (!(squares > 0) || !(weight > 1e-6))
    return FALSE;
  *mean = products / squares;
  *deviation = exp (log_deviation / weight);
  return isfinite (*mean) && isfinite (*deviation);
}

static const Preparation *
choose_preparation (double mean, double deviation)
{
  const Preparation *best = NULL;
  double least = G_MAXDOUBLE;

  for (guint i = 0; i < G_N_ELEMENTS (preparations); i++) {
    const Preparation *preparation = &preparations[i];
    double shape = mean / deviation - preparation->mean / preparation->deviation;
    double size = log (deviation / preparation->deviation);
    double distance = shape * shape + size * size;

    if (distance < least) {
      least = distance;
      best = preparation;
    }
  }
  return best;
}

/* ---- Custom ---- */

static gboolean
is_of_caffe (const EnsOnnxAbout *about)
{
  return about->producer != NULL && g_strrstr (about->producer, "caffe") != NULL;
}

/* What most files from this exporter want, where nothing tells more. */
static const Preparation *
choose_custom (const EnsOnnxAbout *about, char **reason)
{
  const char *producer = about->producer != NULL ? about->producer : "";

  if (is_of_caffe (about)) {
    *reason = g_strdup ("usual for networks of Caffe");
    return &preparations[MINUS_MEAN];
  }
  if (about->channels_last || g_strrstr (producer, "tf2onnx") != NULL
      || g_strrstr (producer, "keras") != NULL) {
    *reason = g_strdup ("usual for networks of TensorFlow");
    return &preparations[SYMMETRIC];
  }
  *reason = g_strdup ("usual for networks of PyTorch; nothing in the file tells");
  return &preparations[STANDARDISED];
}

static const Preparation *
choose (const EnsGraph *graph, const EnsOnnxAbout *about, char **reason)
{
  FirstLayer layer = {0};
  double mean, deviation;
  gboolean estimated;

  if (!find_first_layer (graph, &layer))
    return choose_custom (about, reason);
  estimated = estimate_pixels (&layer, &mean, &deviation);
  ens_linear_free (layer.linear);
  if (!estimated)
    return choose_custom (about, reason);
  *reason = g_strdup_printf ("statistics of the first layer suggest pixels of mean %.2g and "
                             "deviation %.2g",
                             mean, deviation);
  return choose_preparation (mean, deviation);
}

void
ens_preprocess_guess (EnsPreprocess *preprocess, const EnsGraph *graph, const EnsOnnxAbout *about)
{
  g_autofree char *reason = NULL;
  const Preparation *preparation = choose (graph, about, &reason);
  EnsPreprocessSource source = {preprocess, ENS_CERTAINTY_GUESS, "the usual order"};
  double means[3], deviations[3];

  if (is_of_caffe (about)) {
    source.name = "usual for networks of Caffe";
    ens_preprocess_set_order (&source, "bgr");
  } else {
    ens_preprocess_set_order (&source, "rgb");
  }
  /* Means are in the network's own order. */
  for (guint c = 0; c < 3; c++) {
    guint from = preprocess->normalise.order == ENS_ORDER_BGR ? 2 - c : c;

    means[c] = preparation->means[from];
    deviations[c] = preparation->deviations[from];
  }
  source.name = reason;
  ens_preprocess_set_range (&source, preparation->unit, means, deviations, 3);
}
