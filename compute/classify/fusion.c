/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/fusion.h"

void
ens_fusion_average (const float *const *probabilities, const float *weights, guint n_networks,
                    gsize n_values, float *average)
{
  for (gsize i = 0; i < n_values; i++) {
    float sum = 0;

    for (guint n = 0; n < n_networks; n++)
      sum += weights[n] * probabilities[n][i];
    average[i] = MIN (sum, 1);
  }
}

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
