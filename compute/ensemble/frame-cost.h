/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a frame costs with given settings, and which settings a budget pays for. */
#pragma once

#include "ensemble/cost.h"
#include "ensemble/ensemble.h"
#include "ensemble/extent.h"

G_BEGIN_DECLS

/* What an ensemble has learnt of its costs from all its streams. */
typedef struct _EnsCosts EnsCosts;

EnsCosts *ens_costs_new (gboolean is_gpu);
void ens_costs_free (EnsCosts *costs);
/* Any thread. */
void ens_costs_learn (EnsCosts *costs, const EnsWork *work, const EnsStageTimes *times);

/* The settings for frames of a size. */
typedef struct {
  EnsEnsemble *ensemble;
  const EnsAnalyseOptions *options; /* what the user has set: never NULL */
  guint width, height;              /* of the frame, or of the part of it that is analysed */
} EnsFrameSettings;

/* How much of such a frame is looked at. */
EnsExtent ens_frame_get_extent (const EnsFrameSettings *settings);
/* What that asks for, and takes as far as is known. FALSE with an error if a network does not take
 * such images. Any thread. */
gboolean ens_frame_count_work (const EnsFrameSettings *settings, EnsWork *work, GError **error);
EnsStageTimes ens_frame_estimate (EnsEnsemble *ensemble, const EnsWork *work);

/* As much of the frame as `budget` nanoseconds of processor time pay for (0: all). What the user
 * has set is kept: windows other than -1, sub-images other than automatic, a number of them,
 * scales. before: the last choice with these settings, or NULL (ens_budget_choose ()). Where costs
 * can't be told, nothing is cut. */
EnsExtent ens_frame_fit (const EnsFrameSettings *settings, double budget, const EnsExtent *before);

/* The options that look at no more than the extent: its windows, sub-images and scales. */
EnsAnalyseOptions ens_frame_limit (const EnsFrameSettings *settings, const EnsExtent *extent);

G_END_DECLS
