/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Spending a budget of processor time on what helps most. */
#pragma once

#include "ensemble/extent.h"

G_BEGIN_DECLS

/* The share of the processors' time that analyses take unless somebody says otherwise: as much is
 * left to decoders and all else. */
#define ENS_BUDGET_SHARE 0.5

typedef struct {
  EnsExtent all;                                       /* without a budget */
  gboolean keep_windows, keep_sub_images, keep_scales; /* whatever they cost */
  gboolean windows_first;                              /* else sub-images */
  /* Nanoseconds for a frame of which at most so much is looked at. */
  double (*estimate) (gpointer data, const EnsExtent *extent);
  gpointer data;
} EnsBudgetParams;

/* Of windows and sub-images as many as `budget` nanoseconds pay for: first all that it pays for of
 * what helps more, in a frame that is as little divided (or has as few windows) as can be; what is
 * left goes to the other. A frame that is too expensive without either loses scales. It is always
 * classified once. before: the last choice, or NULL: it
 * stands unless it costs a tenth more than the budget, or nine tenths pay for more, so that
 * estimates which waver change nothing. */
EnsExtent ens_budget_choose (const EnsBudgetParams *params, double budget, const EnsExtent *before);

G_END_DECLS
