/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/optimiser.h"

#include <math.h>

struct _EnsOptimiser {
  EnsOptimiserOptions options;
  EnsParameterGroup *groups;
  guint n_groups;
  gsize size;
  float *state; /* SGD: momentum; Adam: first moments of all, then second moments */
  guint64 n_steps;
};

/* What a step does to one group. */
typedef struct {
  const EnsOptimiserOptions *options;
  float rate;
  float gradient_scale; /* of clipping */
  float decay;          /* coupled */
  float shrink;         /* decoupled: the share of a parameter that is taken away */
  guint64 step;         /* counted from 1 */
} Step;

static guint
count_states (EnsOptimiserKind kind)
{
  return kind == ENS_OPTIMISER_ADAM ? 2 : 1;
}

EnsOptimiser *
ens_optimiser_new (const EnsOptimiserOptions *options, const EnsParameterGroup *groups,
                   guint n_groups)
{
  EnsOptimiser *optimiser = g_new0 (EnsOptimiser, 1);

  optimiser->options = *options;
  optimiser->groups = g_memdup2 (groups, n_groups * sizeof *groups);
  optimiser->n_groups = n_groups;
  for (guint i = 0; i < n_groups; i++) {
    optimiser->groups[i].name = g_strdup (groups[i].name);
    optimiser->size += groups[i].size;
  }
  optimiser->state = g_new0 (float, optimiser->size *count_states (options->kind));
  return optimiser;
}

void
ens_optimiser_free (EnsOptimiser *optimiser)
{
  for (guint i = 0; i < optimiser->n_groups; i++)
    g_free ((char *)optimiser->groups[i].name);
  g_free (optimiser->groups);
  g_free (optimiser->state);
  g_free (optimiser);
}

gsize
ens_optimiser_get_size (const EnsOptimiser *optimiser)
{
  return optimiser->size;
}

float *
ens_optimiser_get_state (EnsOptimiser *optimiser, gsize *n)
{
  *n = optimiser->size * count_states (optimiser->options.kind);
  return optimiser->state;
}

guint64
ens_optimiser_get_steps (const EnsOptimiser *optimiser)
{
  return optimiser->n_steps;
}

void
ens_optimiser_set_steps (EnsOptimiser *optimiser, guint64 n_steps)
{
  optimiser->n_steps = n_steps;
}

void
ens_optimiser_set_rate_factor (EnsOptimiser *optimiser, guint group, double factor)
{
  g_return_if_fail (group < optimiser->n_groups);
  optimiser->groups[group].rate_factor = factor;
}

/* -- gradients as a whole -- */

static double
sum_squares (const float *values, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += (double)values[i] * values[i];
  return sum;
}

double
ens_optimiser_norm (const EnsOptimiser *optimiser, const float *gradients)
{
  double sum = 0;

  for (guint i = 0; i < optimiser->n_groups; gradients += optimiser->groups[i++].size)
    if (optimiser->groups[i].rate_factor != 0)
      sum += sum_squares (gradients, optimiser->groups[i].size);
  return sqrt (sum);
}

const EnsParameterGroup *
ens_optimiser_find_overflow (const EnsOptimiser *optimiser, const float *gradients)
{
  for (guint i = 0; i < optimiser->n_groups; gradients += optimiser->groups[i++].size)
    for (gsize j = 0; j < optimiser->groups[i].size; j++)
      if (!isfinite (gradients[j]))
        return &optimiser->groups[i];
  return NULL;
}

/* -- one step -- */

static void
step_sgd (const Step *step, gsize n, const float *gradients, float *momenta, float *parameters)
{
  const float momentum = (float)step->options->momentum;
  const float old = step->step > 1 ? momentum : 0;
  const float ahead = step->options->nesterov ? momentum : 1;
  const float direct = step->options->nesterov ? 1 : 0;

  for (gsize i = 0; i < n; i++) {
    float gradient = step->gradient_scale * gradients[i] + step->decay * parameters[i];

    momenta[i] = old * momenta[i] + gradient;
    parameters[i] -=
        step->shrink * parameters[i] + step->rate * (direct * gradient + ahead * momenta[i]);
  }
}

static void
step_adam (const Step *step, gsize n, const float *gradients, float *first, float *second,
           float *parameters)
{
  const EnsOptimiserOptions *options = step->options;
  const float beta1 = (float)options->beta1, rest1 = (float)(1 - options->beta1);
  const float beta2 = (float)options->beta2, rest2 = (float)(1 - options->beta2);
  const float rate = step->rate / (float)(1 - pow (options->beta1, (double)step->step));
  const float root = (float)sqrt (1 - pow (options->beta2, (double)step->step));
  const float epsilon = (float)options->epsilon;

  for (gsize i = 0; i < n; i++) {
    float gradient = step->gradient_scale * gradients[i] + step->decay * parameters[i];

    first[i] = beta1 * first[i] + rest1 * gradient;
    second[i] = beta2 * second[i] + rest2 * gradient * gradient;
    parameters[i] -=
        step->shrink * parameters[i] + rate * (first[i] / (sqrtf (second[i]) / root + epsilon));
  }
}

static void
step_group (const EnsOptimiser *optimiser, const Step *step, gsize at, gsize n,
            const float *gradients, float *parameters)
{
  float *state = optimiser->state + at;

  if (optimiser->options.kind == ENS_OPTIMISER_ADAM)
    step_adam (step, n, gradients + at, state, state + optimiser->size, parameters + at);
  else
    step_sgd (step, n, gradients + at, state, parameters + at);
}

double
ens_optimiser_step (EnsOptimiser *optimiser, double rate, const float *gradients, float *parameters)
{
  const EnsOptimiserOptions *options = &optimiser->options;
  const double norm = ens_optimiser_norm (optimiser, gradients);
  gsize at = 0;

  optimiser->n_steps++;
  for (guint i = 0; i < optimiser->n_groups; at += optimiser->groups[i++].size) {
    const EnsParameterGroup *group = &optimiser->groups[i];
    const double decay = options->decay * group->decay_factor, r = rate * group->rate_factor;
    const Step step = {
        .options = options,
        .rate = (float)r,
        .gradient_scale =
            options->clip > 0 && norm > options->clip ? (float)(options->clip / norm) : 1,
        .decay = options->decoupled_decay ? 0 : (float)decay,
        .shrink = options->decoupled_decay ? (float)(r * decay) : 0,
        .step = optimiser->n_steps,
    };

    if (group->rate_factor != 0)
      step_group (optimiser, &step, at, group->size, gradients, parameters);
  }
  return norm;
}

void
ens_average_update (float *average, const float *values, gsize n, double decay, guint64 step)
{
  const float keep = (float)fmin (decay, (1.0 + (double)step) / (10.0 + (double)step));

  for (gsize i = 0; i < n; i++)
    average[i] += (1 - keep) * (values[i] - average[i]);
}
