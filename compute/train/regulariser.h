/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: a regulariser of what batch normalisation learns.
 *
 * A term of the loss, λ R, over the P scales and shifts θ of all batch normalisations:
 *
 *   sum    R = ½ Σ θ²       gradient λ θ
 *   mean   R = 1/P Σ θ²     gradient 2 λ θ / P
 *
 * A coupled decay (train/optimiser.h) adds the same to gradients, so the regulariser is a share of
 * the decay. A network has tens of thousands of such parameters: with a λ below the decay the mean
 * moves them by less than floats resolve, and only the sum acts. The mean with λ P / 2 is the sum
 * with λ. With a decoupled decay the share is taken from the parameters themselves, as the decay
 * is.
 *
 * Source: Wu, Chen, Fan et al., "Tencent ML-Images", IEEE Access 2019, which takes the sum, with a
 * tenth of the decay. */
#pragma once

#include "train/optimiser.h"
#include "train/step.h"

G_BEGIN_DECLS

typedef enum { ENS_REGULARISER_SUM, ENS_REGULARISER_MEAN } EnsRegulariserForm;

typedef struct {
  EnsRegulariserForm form;
  double share; /* λ over the optimiser's decay, usually 0.1; 0: none */
} EnsRegulariser;

/* Parameters are a step's, and graph what the step was made of. */

/* P, elements of scales and shifts. */
gsize ens_regulariser_count (const EnsGraph *graph, const EnsParameter *parameters, guint n);
/* R of values, which are all parameters'; 0 without any. */
double ens_regulariser_measure (EnsRegulariserForm form, const EnsGraph *graph,
                                const EnsParameter *parameters, guint n, const float *values);
/* Sets the decay factors of groups, one for each parameter: the regulariser's for scales and
 * shifts, 1 for weights, 0 for all others. */
void ens_regulariser_set_decay (const EnsRegulariser *regulariser, const EnsGraph *graph,
                                const EnsParameter *parameters, guint n, EnsParameterGroup *groups);

G_END_DECLS
