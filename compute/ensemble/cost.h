/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the analysis of a frame costs, in processor time: how much each stage has to do is known
 * beforehand, how long it takes for that is learnt from analyses. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  ENS_STAGE_STYLE,   /* adapting a frame; counted in frames */
  ENS_STAGE_SEARCH,  /* selective search; in pixels (ens_windows_preset_count_pixels ()) */
  ENS_STAGE_PREPARE, /* cropping, resizing, normalising; in pixels made */
  ENS_STAGE_WHOLE,   /* networks on the frame and its sub-images; in operations */
  ENS_STAGE_WINDOWS, /* networks on windows; in operations */
  ENS_N_STAGES,
} EnsStage;

/* For people, by value. */
extern const char *const ens_stage_names[ENS_N_STAGES];
extern const char *const ens_stage_units[ENS_N_STAGES];

typedef struct {
  double amounts[ENS_N_STAGES];
} EnsWork;

/* Nanoseconds of processor time, of all threads together. */
typedef struct {
  gint64 nanoseconds[ENS_N_STAGES];
} EnsStageTimes;

typedef struct {
  double rates[ENS_N_STAGES]; /* nanoseconds for one unit */
  gboolean measured[ENS_N_STAGES];
  guint idle[ENS_N_STAGES]; /* analyses since the last one in which the stage ran */
} EnsCostModel;

/* Until a stage has been measured its rate is a stated one: what a processor of ten years ago takes
 * with the small networks that cameras are watched with. Networks on a GPU cost no processor time
 * then. */
void ens_cost_model_init (EnsCostModel *model, gboolean is_gpu);
/* An analysis did this much work in these times: the first one counts whole, later ones move the
 * rates by a fifth of the difference (an exponentially weighted moving average). A stage that a
 * budget leaves out is not measured: it is taken to be a little cheaper with each analysis, so that
 * the budget tries it again, and what it takes then counts the more the longer that was ago. */
void ens_cost_model_learn (EnsCostModel *model, const EnsWork *work, const EnsStageTimes *times);
EnsStageTimes ens_cost_model_estimate (const EnsCostModel *model, const EnsWork *work);
gint64 ens_stage_times_sum (const EnsStageTimes *times);

G_END_DECLS
