/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/label-layer.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "kernels/blas.h"

#define DECAY 1e-4

/* Of weights that nothing is known of. */
#define DEVIATION 0.01

/* Steps that L-BFGS remembers. */
#define MEMORY 8

/* How often a step is halved before it counts as none. */
#define MAX_HALVINGS 40

gboolean
ens_label_layer_is_multi_label (const EnsLabels *truth)
{
  for (guint i = 0; i < truth->n_samples; i++) {
    guint n = 0;

    for (guint c = 0; c < truth->n_classes; c++)
      n += ens_labels_has (truth, i, c) ? 1 : ens_labels_knows (truth, i, c) ? 0 : 2;
    if (n != 1)
      return TRUE;
  }
  return FALSE;
}

static void
softmax (float *v, guint n)
{
  float highest = v[0];
  double sum = 0;

  for (guint c = 1; c < n; c++)
    highest = MAX (highest, v[c]);
  for (guint c = 0; c < n; c++)
    sum += exp (v[c] - highest);
  for (guint c = 0; c < n; c++)
    v[c] = (float)(exp (v[c] - highest) / sum);
}

/* ---- Loss and gradient ---- */

/* Parameters are W and then b in one vector of n_values. */
typedef struct {
  const EnsExamples *examples;
  EnsThreadPool *pool;
  gboolean multi_label;
  gsize n_values;
  EnsLinearClassifier *layer; /* what is evaluated */
  float *transposed;          /* n_features × n_samples */
  float *errors;              /* width × n_samples: d loss / d v */
  float *v;                   /* n_samples × width */
  float *weights_gradient;    /* width × n_features */
  float *no_bias;             /* zeroes, as many as features */
} Problem;

static void
problem_init (Problem *problem, EnsLinearClassifier *layer, const EnsExamples *examples,
              EnsThreadPool *pool)
{
  gsize n = examples->truth.n_samples, k = layer->n_classes, d = layer->n_features;

  *problem = (Problem) {examples, pool, ens_label_layer_is_multi_label (&examples->truth),
                        k * d + k, layer};
  problem->transposed = g_new (float, d *n);
  problem->errors = g_new (float, k *n);
  problem->v = g_new (float, n *k);
  problem->weights_gradient = g_new (float, k *d);
  problem->no_bias = g_new0 (float, d);
  for (gsize i = 0; i < n; i++)
    for (gsize f = 0; f < d; f++)
      problem->transposed[f * n + i] = examples->features[i * d + f];
}

static void
problem_clear (Problem *problem)
{
  g_free (problem->transposed);
  g_free (problem->errors);
  g_free (problem->v);
  g_free (problem->weights_gradient);
  g_free (problem->no_bias);
}

static void
set_layer (EnsLinearClassifier *layer, const double *values)
{
  gsize n_weights = (gsize)layer->n_classes * layer->n_features;

  for (gsize i = 0; i < n_weights; i++)
    layer->weights[i] = (float)values[i];
  for (guint c = 0; c < layer->n_classes; c++)
    layer->biases[c] = (float)values[n_weights + c];
}

/* −log S (side·v), without overflow. */
static double
binary_loss (double v, gboolean present)
{
  double margin = present ? v : -v;

  return margin > 0 ? log1p (exp (-margin)) : log1p (exp (margin)) - margin;
}

/* One example's share of the cross entropy; v becomes d loss / d v, where it is a class's. */
static double
differentiate (const Problem *problem, guint sample, float *v)
{
  const EnsLabels *truth = &problem->examples->truth;
  double loss = 0;

  if (!problem->multi_label)
    softmax (v, truth->n_classes);
  for (guint c = 0; c < truth->n_classes; c++) {
    gboolean present = ens_labels_has (truth, sample, c);

    if (!problem->multi_label) {
      loss -= present ? log (MAX (v[c], 1e-30F)) : 0;
      v[c] -= present ? 1 : 0;
    } else if (!ens_labels_knows (truth, sample, c)) {
      v[c] = 0;
    } else {
      loss += binary_loss (v[c], present);
      v[c] = 1 / (1 + expf (-v[c])) - (present ? 1 : 0);
    }
  }
  return loss;
}

static void
multiply_gradient (Problem *problem)
{
  guint n = problem->examples->truth.n_samples;

  ens_blas_multiply_float64 (&(EnsBlasProduct) {.rows = problem->layer->n_classes,
                                                .inner = n,
                                                .columns = problem->layer->n_features,
                                                .a = problem->errors,
                                                .a_pitch = n,
                                                .b = problem->transposed,
                                                .b_pitch = n,
                                                .c = problem->weights_gradient,
                                                .c_pitch = problem->layer->n_features},
                             problem->no_bias, problem->pool);
}

/* The loss at these values, and its gradient. */
static double
evaluate (Problem *problem, const double *values, double *gradient)
{
  guint n = problem->examples->truth.n_samples, k = problem->layer->n_classes;
  guint n_classes = problem->examples->truth.n_classes;
  gsize n_weights = problem->n_values - k;
  double scale = 1.0 / ((double)n * (problem->multi_label ? n_classes : 1)), loss = 0;

  set_layer (problem->layer, values);
  ens_linear_classifier_decide (problem->layer, problem->examples->features, n, problem->v,
                                problem->pool);
  memset (&gradient[n_weights], 0, k * sizeof *gradient);
  for (guint i = 0; i < n; i++) {
    float *v = &problem->v[(gsize)i * k];

    loss += scale * differentiate (problem, i, v);
    memset (&v[n_classes], 0, (k - n_classes) * sizeof *v);
    for (guint c = 0; c < k; c++) {
      problem->errors[(gsize)c * n + i] = v[c];
      gradient[n_weights + c] += scale * v[c];
    }
  }
  multiply_gradient (problem);
  for (gsize i = 0; i < n_weights; i++) {
    gradient[i] = scale * problem->weights_gradient[i] + 2 * DECAY * values[i];
    loss += DECAY * values[i] * values[i];
  }
  return loss;
}

/* ---- L-BFGS ---- */

typedef struct {
  gsize n;
  double *values, *gradient, *direction;
  double *tried, *tried_gradient;
  double *steps[MEMORY], *changes[MEMORY]; /* of values and of the gradient, the latest first */
  guint n_steps;
} Search;

static void
search_init (Search *search, const EnsLinearClassifier *layer, gsize n)
{
  gsize n_weights = n - layer->n_classes;

  *search = (Search) {.n = n};
  for (guint i = 0; i < MEMORY; i++) {
    search->steps[i] = g_new (double, n);
    search->changes[i] = g_new (double, n);
  }
  search->values = g_new (double, n);
  search->gradient = g_new (double, n);
  search->direction = g_new (double, n);
  search->tried = g_new (double, n);
  search->tried_gradient = g_new (double, n);
  for (gsize i = 0; i < n; i++)
    search->values[i] = i < n_weights ? layer->weights[i] : layer->biases[i - n_weights];
}

static void
search_clear (Search *search)
{
  for (guint i = 0; i < MEMORY; i++) {
    g_free (search->steps[i]);
    g_free (search->changes[i]);
  }
  g_free (search->values);
  g_free (search->gradient);
  g_free (search->direction);
  g_free (search->tried);
  g_free (search->tried_gradient);
}

static double
multiply (const double *a, const double *b, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

static void
add (double *to, double factor, const double *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    to[i] += factor * values[i];
}

/* Downhill, by what the latest steps tell of the curvature: the two loops of the paper. */
static void
find_direction (Search *search)
{
  double weights[MEMORY], *direction = search->direction;
  gsize n = search->n;
  double scale = 1 / MAX (sqrt (multiply (search->gradient, search->gradient, n)), 1e-30);

  memcpy (direction, search->gradient, n * sizeof *direction);
  for (guint i = 0; i < search->n_steps; i++) {
    weights[i] = multiply (search->steps[i], direction, n)
                 / multiply (search->steps[i], search->changes[i], n);
    add (direction, -weights[i], search->changes[i], n);
  }
  if (search->n_steps > 0)
    scale = multiply (search->steps[0], search->changes[0], n)
            / multiply (search->changes[0], search->changes[0], n);
  for (gsize i = 0; i < n; i++)
    direction[i] *= scale;
  for (guint i = search->n_steps; i-- > 0;)
    add (direction,
         weights[i]
             - multiply (search->changes[i], direction, n)
                   / multiply (search->steps[i], search->changes[i], n),
         search->steps[i], n);
  for (gsize i = 0; i < n; i++)
    direction[i] = -direction[i];
}

/* What was tried is the place to go on from. */
static void
accept (Search *search)
{
  double *step = search->steps[MEMORY - 1], *change = search->changes[MEMORY - 1], *swapped;

  for (gsize i = 0; i < search->n; i++) {
    step[i] = search->tried[i] - search->values[i];
    change[i] = search->tried_gradient[i] - search->gradient[i];
  }
  if (multiply (step, change, search->n) > 0) {
    memmove (&search->steps[1], &search->steps[0], (MEMORY - 1) * sizeof *search->steps);
    memmove (&search->changes[1], &search->changes[0], (MEMORY - 1) * sizeof *search->changes);
    search->steps[0] = step;
    search->changes[0] = change;
    search->n_steps = MIN (search->n_steps + 1, MEMORY);
  } else {
    search->n_steps = MIN (search->n_steps, MEMORY - 1); /* the last one was overwritten */
  }
  swapped = search->values;
  search->values = search->tried;
  search->tried = swapped;
  swapped = search->gradient;
  search->gradient = search->tried_gradient;
  search->tried_gradient = swapped;
}

/* A step that is halved while it leads uphill, or below the range. FALSE if there is none. */
static gboolean
take_step (Problem *problem, Search *search, double low, double *loss)
{
  double slope = multiply (search->direction, search->gradient, search->n), length = 1;

  for (guint i = 0; i < MAX_HALVINGS; i++, length /= 2) {
    double tried;

    memcpy (search->tried, search->values, search->n * sizeof *search->tried);
    add (search->tried, length, search->direction, search->n);
    tried = evaluate (problem, search->tried, search->tried_gradient);
    if (!(tried <= *loss + 1e-4 * length * slope) || tried < low)
      continue;
    *loss = tried;
    accept (search);
    return TRUE;
  }
  return FALSE;
}

static EnsLabelLayerFit
descend (Problem *problem, Search *search, const EnsLossRange *range)
{
  double loss = evaluate (problem, search->values, search->gradient), before = loss;
  EnsLabelLayerFit fit = {0};

  while (loss > range->high && fit.rounds < ENS_LABEL_MAX_ROUNDS) {
    find_direction (search);
    if (!take_step (problem, search, range->low, &loss))
      break;
    fit.rounds++;
    if (fit.rounds % ENS_LABEL_PATIENCE != 0)
      continue;
    if (before - loss < ENS_LABEL_MIN_GAIN)
      break;
    before = loss;
  }
  fit.loss = loss;
  fit.reached = loss >= range->low && loss <= range->high;
  return fit;
}

void
ens_label_layer_begin (EnsLinearClassifier *layer)
{
  EnsRandom random;

  ens_random_init (&random, &(EnsRandomStream) {0, ENS_RANDOM_WEIGHTS, 0, 0});
  for (gsize i = 0; i < (gsize)layer->n_classes * layer->n_features; i++)
    layer->weights[i] = (float)(DEVIATION * ens_random_normal (&random));
}

EnsLabelLayerFit
ens_label_layer_train (EnsLinearClassifier *layer, const EnsExamples *examples,
                       const EnsLossRange *range, EnsThreadPool *pool)
{
  EnsLabelLayerFit fit;
  Problem problem;
  Search search;

  problem_init (&problem, layer, examples, pool);
  search_init (&search, layer, problem.n_values);
  fit = descend (&problem, &search, range);
  set_layer (layer, search.values);
  search_clear (&search);
  problem_clear (&problem);
  return fit;
}
