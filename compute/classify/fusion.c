/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/fusion.h"

#include <math.h>

#define MARGIN 1e-4

const char *const ens_fusion_kind_names[] = {"probabilities", "log-odds", NULL};

float
ens_log_odds (float probability)
{
  double p = CLAMP ((double)probability, MARGIN, 1 - MARGIN);

  return (float)log (p / (1 - p));
}

/* ---- Networks (M1.6) ---- */

static float
average_value (const EnsFusionInputs *inputs, gsize i)
{
  static const EnsCalibration plain = {1, 0};
  float sum = 0;

  for (guint n = 0; n < inputs->n_networks; n++) {
    float p = inputs->probabilities[n][i];

    sum += inputs->weights[n] * (inputs->kind == ENS_FUSION_LOG_ODDS ? ens_log_odds (p) : p);
  }
  return inputs->kind == ENS_FUSION_LOG_ODDS ? ens_calibration_apply (&plain, sum) : MIN (sum, 1);
}

void
ens_fusion_average (const EnsFusionInputs *inputs, gsize n_values, float *average)
{
  for (gsize i = 0; i < n_values; i++)
    average[i] = inputs->n_networks > 0 ? average_value (inputs, i) : 0;
}

/* ---- Windows (M1.7) ---- */

void
ens_fusion_maximum (const float *windows, guint n_windows, guint n_classes, float *maximum,
                    gint *window)
{
  for (guint c = 0; c < n_classes; c++) {
    maximum[c] = 0;
    window[c] = -1;
    for (guint w = 0; w < n_windows; w++) {
      float p = windows[(gsize)w * n_classes + c];

      if (window[c] < 0 || p > maximum[c]) {
        maximum[c] = p;
        window[c] = (gint)w;
      }
    }
  }
}

/* ---- P (M1.8) ---- */

void
ens_fusion_mix (const EnsFusion *fusion, const float *p1, const float *p2, const float *p3,
                guint n_classes, float *z)
{
  const float share = p3 != NULL ? fusion->share : 0;

  for (guint c = 0; c < n_classes; c++) {
    z[c] = fusion->weight * ens_log_odds (p1[c]) + (1 - fusion->weight) * ens_log_odds (p2[c]);
    if (share > 0)
      z[c] = (1 - share) * z[c] + share * ens_log_odds (p3[c]);
  }
}

/* exp (v) / (1 + Σ exp (v)), divided by the largest term. */
static void
exclude_each_other (const EnsCalibration *softmax, float *u, guint n_classes)
{
  double largest = 0, sum;

  for (guint c = 0; c < n_classes; c++)
    u[c] = softmax->a * u[c] + softmax->b;
  for (guint c = 0; c < n_classes; c++)
    largest = MAX (largest, (double)u[c]);
  sum = exp (-largest);
  for (guint c = 0; c < n_classes; c++)
    sum += exp (u[c] - largest);
  for (guint c = 0; c < n_classes; c++)
    u[c] = (float)(exp (u[c] - largest) / sum);
}

static void
run_log_odds (const EnsFusion *fusion, const float *p1, const float *p2, const float *p3,
              guint n_classes, float *p)
{
  ens_fusion_mix (fusion, p1, p2, p3, n_classes, p);
  for (guint c = 0; c < n_classes; c++)
    p[c] = fusion->softmax != NULL ? fusion->calibration[c].a * p[c] + fusion->calibration[c].b
                                   : ens_calibration_apply (&fusion->calibration[c], p[c]);
  if (fusion->softmax != NULL)
    exclude_each_other (fusion->softmax, p, n_classes);
}

void
ens_fusion_run (const EnsFusion *fusion, const float *p1, const float *p2, const float *p3,
                guint n_classes, float *p)
{
  if (fusion->kind == ENS_FUSION_LOG_ODDS) {
    run_log_odds (fusion, p1, p2, p3, n_classes, p);
    return;
  }
  for (guint c = 0; c < n_classes; c++)
    p[c] = ens_fusion_combine (p1[c], p2[c], p3 != NULL ? p3[c] : 0, fusion->weight);
}
