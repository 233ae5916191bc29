/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: optimisers, which change parameters along their gradients.
 *
 * Parameters, gradients and the optimiser's own state are flat arrays of floats in the same order,
 * group behind group. All arithmetic is on one thread and in a fixed order: the same gradients give
 * the same bits everywhere that floats are IEEE 754's. With g the gradient, r the rate (the
 * schedule's times the group's factor), w the decay (the options' times the group's factor):
 *
 *   SGD   v = m v + g (v = g in the first step);  p -= r v, or r (g + m v) with Nesterov's momentum
 *   Adam  a = β1 a + (1 - β1) g;  b = β2 b + (1 - β2) g²;
 *         p -= r / (1 - β1^t) · a / (√(b / (1 - β2^t)) + ε)
 *
 * A coupled decay adds w p to g, as L2 regularisation does; a decoupled one takes p -= r w p before
 * the step. Both as torch.optim computes them.
 *
 * Sources: Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum
 * in deep learning", ICML 2013; Kingma and Ba, "Adam: a method for stochastic optimization", ICLR
 * 2015; Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019 (AdamW);
 * clipping: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks",
 * ICML 2013. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum { ENS_OPTIMISER_SGD, ENS_OPTIMISER_ADAM, ENS_N_OPTIMISERS } EnsOptimiserKind;

typedef struct {
  EnsOptimiserKind kind;
  gboolean nesterov;        /* SGD */
  gboolean decoupled_decay; /* with Adam: AdamW */
  double momentum;          /* SGD, in [0, 1) */
  double beta1, beta2;      /* Adam, in [0, 1) */
  double epsilon;           /* Adam, > 0 */
  double decay;             /* ≥ 0 */
  double clip;              /* the largest norm of all gradients together; 0: any */
} EnsOptimiserOptions;

/* clang-format off */
#define ENS_OPTIMISER_SGD_DEFAULTS \
  ((EnsOptimiserOptions) {.kind = ENS_OPTIMISER_SGD, .momentum = 0.9})
#define ENS_OPTIMISER_ADAM_DEFAULTS                                                             \
  ((EnsOptimiserOptions) {.kind = ENS_OPTIMISER_ADAM, .beta1 = 0.9, .beta2 = 0.999,             \
                          .epsilon = 1e-8})
/* clang-format on */

/* One parameter tensor. */
typedef struct {
  const char *name;    /* for messages */
  gsize size;          /* elements */
  double rate_factor;  /* 0: the parameter stays as it is */
  double decay_factor; /* the share of the decay that it gets: usually 1 for weights, 0 for biases
                          and what batch normalisation has (train/regulariser.h gives it some) */
} EnsParameterGroup;

typedef struct _EnsOptimiser EnsOptimiser;

/* groups are copied, their names too. (transfer full) */
EnsOptimiser *ens_optimiser_new (const EnsOptimiserOptions *options,
                                 const EnsParameterGroup *groups, guint n_groups);
void ens_optimiser_free (EnsOptimiser *optimiser);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsOptimiser, ens_optimiser_free)

/* Elements of all groups. */
gsize ens_optimiser_get_size (const EnsOptimiser *optimiser);

/* The norm of the gradients of all groups that are trained. */
double ens_optimiser_norm (const EnsOptimiser *optimiser, const float *gradients);
/* The first group with a gradient that is not finite, or NULL. */
const EnsParameterGroup *ens_optimiser_find_overflow (const EnsOptimiser *optimiser,
                                                      const float *gradients);

/* Changes one group's factor from the next step on. */
void ens_optimiser_set_rate_factor (EnsOptimiser *optimiser, guint group, double factor);

/* One step; gradients stay as they are. Returns their norm before clipping. */
double ens_optimiser_step (EnsOptimiser *optimiser, double rate, const float *gradients,
                           float *parameters);

/* What has to be kept to go on later: floats, and the number of steps so far. */
float *ens_optimiser_get_state (EnsOptimiser *optimiser, gsize *n);
guint64 ens_optimiser_get_steps (const EnsOptimiser *optimiser);
void ens_optimiser_set_steps (EnsOptimiser *optimiser, guint64 n_steps);

/* Moves an exponential moving average of parameters by one step: average = d average + (1 - d)
 * value, d the smaller one of `decay` and (1 + step) / (10 + step), so that early values are soon
 * forgotten. step counts from 0. */
void ens_average_update (float *average, const float *values, gsize n, double decay, guint64 step);

G_END_DECLS
