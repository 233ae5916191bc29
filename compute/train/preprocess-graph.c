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

#include "ops/params.h"
#include "passes/affine.h"
#include "passes/linear.h"
#include "passes/rewrite.h"
#include "train/preprocess-private.h"

/* Of ImageNet's photographs, of values 0 … 255 in RGB. */
#define IMAGENET_MEAN 123.675, 116.28, 103.53

/* ---- Arithmetic before the first layer ---- */

/* y = scale · x + shift, the network's input being x. */
typedef struct {
  const EnsValue *value; /* y */
  double scale[3], shift[3];
  const EnsNode *first; /* of the nodes that do it; NULL: none does anything */
} Arithmetic;

static gboolean
passes_on (const EnsNode *node)
{
  return ens_node_is_identity (node) || ens_node_is (node, "Cast");
}

static void
follow_arithmetic (const EnsGraph *graph, const EnsValue *input, Arithmetic *arithmetic)
{
  const gint64 n_channels = input->shape.dims[3];
  const EnsNode *node;

  *arithmetic = (Arithmetic) {.value = input, .scale = {1, 1, 1}};
  while ((node = ens_graph_only_reader (graph, arithmetic->value)) != NULL) {
    g_autoptr (EnsAffine) affine = NULL;

    if (!passes_on (node)) {
      affine = ens_affine_read (node, n_channels, 4);
      if (affine == NULL || !ens_affine_is_finite (affine))
        return;
      for (gint64 c = 0; c < n_channels; c++) {
        arithmetic->scale[c] *= affine->scale[c];
        arithmetic->shift[c] = affine->scale[c] * arithmetic->shift[c] + affine->shift[c];
      }
      if (arithmetic->first == NULL)
        arithmetic->first = node;
    }
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
