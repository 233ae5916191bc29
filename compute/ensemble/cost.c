/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/cost.h"

#include <math.h>

/* How much a new measurement counts. */
#define LEARNING_RATE 0.2

/* What a rate is taken to be after each analysis in which its stage did not run: a guess is doubted
 * sooner than a measurement. Neither is doubted further than to the least share. */
#define GUESS_AGEING 0.9
#define AGEING 0.99
#define LEAST_SHARE 0.05

/* About four times what a server's processor with AVX-512 takes for SqueezeNet 1.1 and MobileNet v1
 * 0.5. */
static const double stated_rates[ENS_N_STAGES] = {
    [ENS_STAGE_STYLE] = 0,    [ENS_STAGE_SEARCH] = 200,   [ENS_STAGE_PREPARE] = 8,
    [ENS_STAGE_WHOLE] = 0.02, [ENS_STAGE_WINDOWS] = 0.03,
};

const char *const ens_stage_names[ENS_N_STAGES] = {
    [ENS_STAGE_STYLE] = "style",
    [ENS_STAGE_SEARCH] = "selective search",
    [ENS_STAGE_PREPARE] = "preprocessing",
    [ENS_STAGE_WHOLE] = "networks on tiles and whole frame",
    [ENS_STAGE_WINDOWS] = "networks on windows",
};

const char *const ens_stage_units[ENS_N_STAGES] = {
    [ENS_STAGE_STYLE] = "frames",       [ENS_STAGE_SEARCH] = "pixels",
    [ENS_STAGE_PREPARE] = "pixels",     [ENS_STAGE_WHOLE] = "operations",
    [ENS_STAGE_WINDOWS] = "operations",
};

void
ens_cost_model_init (EnsCostModel *model, gboolean is_gpu)
{
  *model = (EnsCostModel) {0};
  for (guint i = 0; i < ENS_N_STAGES; i++)
    model->rates[i] = stated_rates[i];
  if (is_gpu)
    model->rates[ENS_STAGE_WHOLE] = model->rates[ENS_STAGE_WINDOWS] = 0;
}

/* The longer ago the last measurement, the less of it is left. */
static double
get_learning_rate (const EnsCostModel *model, guint stage)
{
  return model->measured[stage] ? 1 - pow (1 - LEARNING_RATE, 1 + model->idle[stage]) : 1;
}

void
ens_cost_model_learn (EnsCostModel *model, const EnsWork *work, const EnsStageTimes *times)
{
  for (guint i = 0; i < ENS_N_STAGES; i++) {
    double rate;

    if (!(work->amounts[i] > 0) || times->nanoseconds[i] < 0) {
      model->idle[i]++;
      continue;
    }
    rate = (double)times->nanoseconds[i] / work->amounts[i];
    model->rates[i] += get_learning_rate (model, i) * (rate - model->rates[i]);
    model->measured[i] = TRUE;
    model->idle[i] = 0;
  }
}

static double
get_share (const EnsCostModel *model, guint stage)
{
  double share = pow (model->measured[stage] ? AGEING : GUESS_AGEING, model->idle[stage]);

  return MAX (share, LEAST_SHARE);
}

EnsStageTimes
ens_cost_model_estimate (const EnsCostModel *model, const EnsWork *work)
{
  EnsStageTimes times;

  for (guint i = 0; i < ENS_N_STAGES; i++)
    times.nanoseconds[i] = llround (work->amounts[i] * model->rates[i] * get_share (model, i));
  return times;
}

gint64
ens_stage_times_sum (const EnsStageTimes *times)
{
  gint64 sum = 0;

  for (guint i = 0; i < ENS_N_STAGES; i++)
    sum += times->nanoseconds[i];
  return sum;
}
