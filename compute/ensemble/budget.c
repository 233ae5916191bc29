/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/budget.h"

/* How far the last choice may be off. */
#define TOLERANCE 0.1

/* Windows go by batches, each of which is a plan: these are few. */
#define WINDOW_STEP 16

typedef struct {
  const EnsBudgetParams *params;
  double budget;
} Search;

static gboolean
affords (const Search *search, const EnsExtent *extent)
{
  return search->params->estimate (search->params->data, extent) <= search->budget;
}

/* The next smaller number of windows that is tried: multiples of 16, 8, none. */
static guint
fewer_windows (guint windows)
{
  if (windows > WINDOW_STEP)
    return (windows - 1) / WINDOW_STEP * WINDOW_STEP;
  return windows > WINDOW_STEP / 2 ? WINDOW_STEP / 2 : 0;
}

static void
cut_windows (const Search *search, EnsExtent *extent)
{
  while (!search->params->keep_windows && extent->windows > 0 && !affords (search, extent))
    extent->windows = fewer_windows (extent->windows);
}

static void
cut_sub_images (const Search *search, EnsExtent *extent)
{
  while (!search->params->keep_sub_images && extent->sub_images > 1 && !affords (search, extent))
    extent->sub_images--;
}

static void
cut_scales (const Search *search, EnsExtent *extent)
{
  while (!search->params->keep_scales && extent->scales > 1 && !affords (search, extent))
    extent->scales--;
}

static EnsExtent
choose (const EnsBudgetParams *params, double budget)
{
  const Search search = {params, budget};
  EnsExtent chosen = params->all;

  if (!params->keep_windows)
    chosen.windows = 0;
  if (!params->keep_sub_images)
    chosen.sub_images = 1;
  cut_scales (&search, &chosen);
  if (params->windows_first) {
    chosen.windows = params->all.windows;
    cut_windows (&search, &chosen);
    chosen.sub_images = params->all.sub_images;
    cut_sub_images (&search, &chosen);
  } else {
    chosen.sub_images = params->all.sub_images;
    cut_sub_images (&search, &chosen);
    chosen.windows = params->all.windows;
    cut_windows (&search, &chosen);
  }
  return chosen;
}

static gboolean
is_more (const EnsExtent *a, const EnsExtent *b)
{
  return a->windows > b->windows || a->sub_images > b->sub_images || a->scales > b->scales;
}

/* Of the last choice, what is wanted now. */
static EnsExtent
bound (const EnsExtent *before, const EnsBudgetParams *params)
{
  EnsExtent bounded = params->all;

  if (!params->keep_windows)
    bounded.windows = MIN (before->windows, bounded.windows);
  if (!params->keep_sub_images)
    bounded.sub_images = MIN (before->sub_images, bounded.sub_images);
  if (!params->keep_scales)
    bounded.scales = MIN (before->scales, bounded.scales);
  return bounded;
}

EnsExtent
ens_budget_choose (const EnsBudgetParams *params, double budget, const EnsExtent *before)
{
  EnsExtent careful, kept;

  if (before == NULL)
    return choose (params, budget);
  kept = bound (before, params);
  if (params->estimate (params->data, &kept) > budget * (1 + TOLERANCE))
    return choose (params, budget);
  careful = choose (params, budget * (1 - TOLERANCE));
  return is_more (&careful, &kept) ? careful : kept;
}
