/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/calibration.h"

#include <math.h>

#define MAX_ITERATIONS 100
#define MIN_STEP 1e-10
#define GRADIENT_TOLERANCE 1e-5
#define RIDGE 1e-12 /* keeps the Hessian invertible */

typedef struct {
  double a, b, aa, ab, bb;
} Derivatives;

/* A convex loss of two parameters. */
typedef struct _Problem Problem;
struct _Problem {
  double (*loss) (const Problem *problem, double a, double b);
  Derivatives (*differentiate) (const Problem *problem, double a, double b);
};

/* Newton steps, halved until they lower the loss enough. */
static void
minimise (const Problem *problem, double *a, double *b)
{
  double now = problem->loss (problem, *a, *b);

  for (guint i = 0; i < MAX_ITERATIONS; i++) {
    Derivatives d = problem->differentiate (problem, *a, *b);
    double determinant = d.aa * d.bb - d.ab * d.ab, step_a, step_b, slope, step, then;

    if (fabs (d.a) < GRADIENT_TOLERANCE && fabs (d.b) < GRADIENT_TOLERANCE)
      return;
    step_a = -(d.bb * d.a - d.ab * d.b) / determinant;
    step_b = -(d.aa * d.b - d.ab * d.a) / determinant;
    slope = d.a * step_a + d.b * step_b;
    for (step = 1; step >= MIN_STEP; step /= 2) {
      then = problem->loss (problem, *a + step * step_a, *b + step * step_b);
      if (then < now + 1e-4 * step * slope)
        break;
    }
    if (step < MIN_STEP)
      return;
    *a += step * step_a;
    *b += step * step_b;
    now = then;
  }
}

/* ---- One class ---- */

typedef struct {
  Problem problem;
  guint n;
  double *decisions, *targets;
} Sigmoid;

static double
probability (double z)
{
  return z >= 0 ? 1 / (1 + exp (-z)) : exp (z) / (1 + exp (z));
}

/* Cross entropy; written so that exp () can't overflow. */
static double
loss (const Problem *problem, double a, double b)
{
  const Sigmoid *fit = (const Sigmoid *)problem;
  double sum = 0;

  for (guint i = 0; i < fit->n; i++) {
    double z = a * fit->decisions[i] + b;

    sum += z >= 0 ? (1 - fit->targets[i]) * z + log1p (exp (-z))
                  : -fit->targets[i] * z + log1p (exp (z));
  }
  return sum;
}

static Derivatives
differentiate (const Problem *problem, double a, double b)
{
  const Sigmoid *fit = (const Sigmoid *)problem;
  Derivatives d = {.aa = RIDGE, .bb = RIDGE};

  for (guint i = 0; i < fit->n; i++) {
    double t = fit->decisions[i], p = probability (a * t + b), curvature = p * (1 - p);

    d.a += t * (p - fit->targets[i]);
    d.b += p - fit->targets[i];
    d.aa += t * t * curvature;
    d.ab += t * curvature;
    d.bb += curvature;
  }
  return d;
}

gboolean
ens_calibration_fit (const EnsLabels *truth, const float *decisions, guint class,
                     EnsCalibration *calibration)
{
  guint n = 0, n_positive = 0;
  g_autofree double *values = g_new (double, truth->n_samples);
  g_autofree double *targets = g_new (double, truth->n_samples);
  double high, low, a = 0, b;
  Sigmoid fit;

  *calibration = (EnsCalibration) {1, 0};
  for (guint i = 0; i < truth->n_samples; i++) {
    if (!ens_labels_knows (truth, i, class))
      continue;
    targets[n] = ens_labels_has (truth, i, class);
    values[n++] = decisions[(gsize)i * truth->n_classes + class];
    n_positive += ens_labels_has (truth, i, class);
  }
  if (n_positive == 0 || n_positive == n)
    return FALSE;
  high = (n_positive + 1.0) / (n_positive + 2.0);
  low = 1 / (n - n_positive + 2.0);
  for (guint i = 0; i < n; i++)
    targets[i] = targets[i] > 0 ? high : low;
  b = log ((n_positive + 1.0) / (n - n_positive + 1.0));
  fit = (Sigmoid) {{loss, differentiate}, n, values, targets};
  minimise (&fit.problem, &a, &b);
  if (!((float)a > 0) || !isfinite ((float)a) || !isfinite ((float)b))
    return FALSE;
  *calibration = (EnsCalibration) {(float)a, (float)b};
  return TRUE;
}

/* ---- Classes that exclude each other ---- */

typedef struct {
  Problem problem;
  guint n_rows, n_classes;
  double *log_odds; /* n_rows × n_classes */
  guint *class;     /* n_classes: none */
  double *weight;
} Softmax;

/* log (1 + Σ exp (a·t + b)), and of Σ p, Σ p·t and Σ p·t² over the classes. */
static double
sum_up (const Softmax *fit, guint row, double a, double b, double *sums)
{
  const double *t = &fit->log_odds[(gsize)row * fit->n_classes];
  double largest = 0, total;

  for (guint c = 0; c < fit->n_classes; c++)
    largest = MAX (largest, a * t[c] + b);
  total = exp (-largest);
  sums[0] = sums[1] = sums[2] = 0;
  for (guint c = 0; c < fit->n_classes; c++) {
    double term = exp (a * t[c] + b - largest);

    total += term;
    sums[0] += term;
    sums[1] += term * t[c];
    sums[2] += term * t[c] * t[c];
  }
  for (guint i = 0; i < 3; i++)
    sums[i] /= total;
  return largest + log (total);
}

static double
softmax_loss (const Problem *problem, double a, double b)
{
  const Softmax *fit = (const Softmax *)problem;
  double sum = 0, sums[3];

  for (guint i = 0; i < fit->n_rows; i++) {
    double row = sum_up (fit, i, a, b, sums);

    if (fit->class[i] < fit -> n_classes)
      row -= a * fit->log_odds[(gsize)i * fit->n_classes + fit->class[i]] + b;
    sum += fit->weight[i] * row;
  }
  return sum;
}

static Derivatives
softmax_differentiate (const Problem *problem, double a, double b)
{
  const Softmax *fit = (const Softmax *)problem;
  Derivatives d = {.aa = RIDGE, .bb = RIDGE};

  for (guint i = 0; i < fit->n_rows; i++) {
    const gboolean is = fit->class[i] < fit->n_classes;
    const double weight = fit->weight[i];
    double sums[3];

    sum_up (fit, i, a, b, sums);
    d.aa += weight * (sums[2] - sums[1] * sums[1]);
    d.ab += weight * (sums[1] - sums[1] * sums[0]);
    d.bb += weight * (sums[0] - sums[0] * sums[0]);
    d.a += weight * sums[1];
    d.b += weight * (sums[0] - is);
    if (is)
      d.a -= weight * fit->log_odds[(gsize)i * fit->n_classes + fit->class[i]];
  }
  return d;
}

static void
softmax_clear (Softmax *fit)
{
  g_free (fit->log_odds);
  g_free (fit->class);
  g_free (fit->weight);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Softmax, softmax_clear)

/* The first class that the example has, n_classes if none; G_MAXUINT if that is not known. */
static guint
find_class (const EnsLabels *truth, guint sample)
{
  guint class = truth->n_classes;

  for (guint c = truth->n_classes; c-- > 0;) {
    if (!ens_labels_knows (truth, sample, c))
      return G_MAXUINT;
    if (ens_labels_has (truth, sample, c))
      class = c;
  }
  return class;
}

static void
add_row (Softmax *fit, const float *log_odds, guint class, double weight)
{
  double *row = &fit->log_odds[(gsize)fit->n_rows * fit->n_classes];

  for (guint c = 0; c < fit->n_classes; c++)
    row[c] = log_odds[c];
  fit->class[fit->n_rows] = class;
  fit->weight[fit->n_rows++] = weight;
}

/* The mean of a class's log odds over the examples of other classes. */
static double
mean_of_others (const Softmax *fit, guint class)
{
  double sum = 0;
  guint n = 0;

  for (guint i = 0; i < fit->n_rows; i++) {
    if (fit->class[i] == class)
      continue;
    sum += fit->log_odds[(gsize)i * fit->n_classes + class];
    n++;
  }
  return n > 0 ? sum / n : 0;
}

/* Each example of a class once more, as it would be without it. */
static void
add_examples_of_none (Softmax *fit, const EnsLabels *truth, const float *log_odds)
{
  g_autofree double *mean = g_new (double, fit->n_classes);

  for (guint c = 0; c < fit->n_classes; c++)
    mean[c] = mean_of_others (fit, c);
  for (guint i = 0; i < truth->n_samples; i++) {
    const guint class = find_class (truth, i);

    if (class >= fit->n_classes)
      continue;
    add_row (fit, &log_odds[(gsize)i * fit->n_classes], fit->n_classes, 1.0 / fit->n_classes);
    fit->log_odds[(gsize)(fit->n_rows - 1) * fit->n_classes + class] = mean[class];
  }
}

gboolean
ens_softmax_fit (const EnsLabels *truth, const float *log_odds, EnsCalibration *calibration)
{
  const guint n_classes = truth->n_classes, most = 2 * truth->n_samples;
  g_auto (Softmax) fit = {.problem = {softmax_loss, softmax_differentiate},
                          .n_classes = n_classes,
                          .log_odds = g_new (double, (gsize)most *n_classes),
                          .class = g_new (guint, most),
                          .weight = g_new (double, most)};
  double a = 1, b = 0;

  *calibration = (EnsCalibration) {1, 0};
  for (guint i = 0; i < truth->n_samples; i++) {
    const guint class = find_class (truth, i);

    if (class <= n_classes)
      add_row (&fit, &log_odds[(gsize)i * n_classes], class, 1);
  }
  if (fit.n_rows == 0)
    return FALSE;
  add_examples_of_none (&fit, truth, log_odds);
  minimise (&fit.problem, &a, &b);
  if (!((float)a > 0) || !isfinite ((float)a) || !isfinite ((float)b))
    return FALSE;
  *calibration = (EnsCalibration) {(float)a, (float)b};
  return TRUE;
}

/* ---- Applying ---- */

float
ens_calibration_apply (const EnsCalibration *calibration, float decision)
{
  return (float)probability ((double)calibration->a * decision + calibration->b);
}
