/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/calibration.h"

#include <math.h>

#define MAX_ITERATIONS 100
#define MIN_STEP 1e-10
#define GRADIENT_TOLERANCE 1e-5
#define RIDGE 1e-12 /* keeps the Hessian invertible */

typedef struct {
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
loss (const Sigmoid *fit, double a, double b)
{
  double sum = 0;

  for (guint i = 0; i < fit->n; i++) {
    double z = a * fit->decisions[i] + b;

    sum += z >= 0 ? (1 - fit->targets[i]) * z + log1p (exp (-z))
                  : -fit->targets[i] * z + log1p (exp (z));
  }
  return sum;
}

typedef struct {
  double a, b, aa, ab, bb;
} Derivatives;

static Derivatives
differentiate (const Sigmoid *fit, double a, double b)
{
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

/* Newton steps, halved until they lower the loss enough. */
static void
minimise (const Sigmoid *fit, double *a, double *b)
{
  double now = loss (fit, *a, *b);

  for (guint i = 0; i < MAX_ITERATIONS; i++) {
    Derivatives d = differentiate (fit, *a, *b);
    double determinant = d.aa * d.bb - d.ab * d.ab, step_a, step_b, slope, step, then;

    if (fabs (d.a) < GRADIENT_TOLERANCE && fabs (d.b) < GRADIENT_TOLERANCE)
      return;
    step_a = -(d.bb * d.a - d.ab * d.b) / determinant;
    step_b = -(d.aa * d.b - d.ab * d.a) / determinant;
    slope = d.a * step_a + d.b * step_b;
    for (step = 1; step >= MIN_STEP; step /= 2) {
      then = loss (fit, *a + step * step_a, *b + step * step_b);
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

gboolean
ens_calibration_fit (const EnsLabels *truth, const float *decisions, guint class,
                     EnsCalibration *calibration)
{
  guint n = 0, n_positive = 0;
  g_autofree double *values = g_new (double, truth->n_samples);
  g_autofree double *targets = g_new (double, truth->n_samples);
  double high, low, a = 0, b;

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
  minimise (&(Sigmoid) {n, values, targets}, &a, &b);
  if (!((float)a > 0) || !isfinite ((float)a) || !isfinite ((float)b))
    return FALSE;
  *calibration = (EnsCalibration) {(float)a, (float)b};
  return TRUE;
}

float
ens_calibration_apply (const EnsCalibration *calibration, float decision)
{
  return (float)probability ((double)calibration->a * decision + calibration->b);
}
