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
affords (const Search *search, guint windows, guint sub_images)
{
  const EnsBudgetParams *params = search->params;

  return params->estimate (params->data, windows, sub_images) <= search->budget;
}

/* The next smaller number of windows that is tried: multiples of 16, 8, none. */
static guint
fewer_windows (guint windows)
{
  if (windows > WINDOW_STEP)
    return (windows - 1) / WINDOW_STEP * WINDOW_STEP;
  return windows > WINDOW_STEP / 2 ? WINDOW_STEP / 2 : 0;
}

static guint
choose_windows (const Search *search, guint sub_images)
{
  guint windows = search->params->all.windows;

  while (!search->params->keep_windows && windows > 0 && !affords (search, windows, sub_images))
    windows = fewer_windows (windows);
  return windows;
}

static guint
choose_sub_images (const Search *search, guint windows)
{
  guint sub_images = search->params->all.sub_images;

  while (!search->params->keep_sub_images && sub_images > 1
         && !affords (search, windows, sub_images))
    sub_images--;
  return sub_images;
}

static EnsExtent
choose (const EnsBudgetParams *params, double budget)
{
  const Search search = {params, budget};
  EnsExtent chosen = params->all;

  if (params->windows_first) {
    chosen.windows = choose_windows (&search, params->keep_sub_images ? chosen.sub_images : 1);
    chosen.sub_images = choose_sub_images (&search, chosen.windows);
  } else {
    chosen.sub_images = choose_sub_images (&search, params->keep_windows ? chosen.windows : 0);
    chosen.windows = choose_windows (&search, chosen.sub_images);
  }
  return chosen;
}

static gboolean
is_more (const EnsExtent *a, const EnsExtent *b)
{
  return a->windows > b->windows || a->sub_images > b->sub_images;
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
  return bounded;
}

EnsExtent
ens_budget_choose (const EnsBudgetParams *params, double budget, const EnsExtent *before)
{
  EnsExtent careful, kept;

  if (before == NULL)
    return choose (params, budget);
  kept = bound (before, params);
  if (params->estimate (params->data, kept.windows, kept.sub_images) > budget * (1 + TOLERANCE))
    return choose (params, budget);
  careful = choose (params, budget * (1 - TOLERANCE));
  return is_more (&careful, &kept) ? careful : kept;
}
