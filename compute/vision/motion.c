/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/motion.h"

#include "vision/block-means.h"

/* Six standard deviations of the noise: the median of the absolute values of a normal distribution
 * is 0.674 of one. */
#define MEDIANS 9

/* Grey levels that a block's mean may always differ by: compression renews pictures by that much,
 * and by no more than the upper bound. */
#define MIN_THRESHOLD (3 * ENS_BLOCK_UNIT)
#define MAX_THRESHOLD (16 * ENS_BLOCK_UNIT)

/* The noise rises by a quarter from frame to frame at most, and in any case by this. */
#define RISE 4
#define MIN_RISE 1

/* The most that the first two frames can tell of noise. */
#define FIRST_NOISE ENS_BLOCK_UNIT

struct _EnsMotion {
  EnsBlockMeans kept, previous, current;
  guint noise; /* median difference, in block units */
  gboolean noise_known;
};

EnsMotion *
ens_motion_new (void)
{
  return g_new0 (EnsMotion, 1);
}

void
ens_motion_reset (EnsMotion *motion)
{
  ens_block_means_clear (&motion->kept);
  ens_block_means_clear (&motion->previous);
  ens_block_means_clear (&motion->current);
  motion->noise = 0;
  motion->noise_known = FALSE;
}

void
ens_motion_free (EnsMotion *motion)
{
  if (motion == NULL)
    return;
  ens_motion_reset (motion);
  g_free (motion);
}

static gsize
count_blocks (const EnsBlockMeans *blocks)
{
  return (gsize)blocks->columns * blocks->rows;
}

static guint
find_median (const EnsBlockMeans *a, const EnsBlockMeans *b)
{
  g_autofree guint32 *histogram = g_new0 (guint32, ENS_BLOCK_MAX + 1);
  gsize n = count_blocks (a), seen = 0;
  guint median = 0;

  for (gsize i = 0; i < n; i++)
    histogram[ens_block_means_difference (a, b, i)]++;
  while (seen + histogram[median] <= n / 2)
    seen += histogram[median++];
  return median;
}

static void
follow_noise (EnsMotion *motion)
{
  guint median = find_median (&motion->previous, &motion->current);
  guint most =
      motion->noise_known ? motion->noise + MAX (motion->noise / RISE, MIN_RISE) : FIRST_NOISE;

  motion->noise = MIN (median, most);
  motion->noise_known = TRUE;
}

static guint
get_threshold (const EnsMotion *motion)
{
  return CLAMP (MEDIANS * motion->noise, MIN_THRESHOLD, MAX_THRESHOLD);
}

double
ens_motion_get_threshold (const EnsMotion *motion)
{
  return (double)get_threshold (motion) / ENS_BLOCK_UNIT;
}

double
ens_motion_measure (EnsMotion *motion, const EnsFrame *frame)
{
  const EnsBlockMeans previous = motion->previous;
  gsize n, n_changed = 0;
  guint threshold;

  motion->previous = motion->current;
  motion->current = previous;
  ens_block_means_run (frame, 0, &motion->current);
  if (motion->previous.means != NULL && ens_block_means_match (&motion->previous, &motion->current))
    follow_noise (motion);
  if (motion->kept.means == NULL || !ens_block_means_match (&motion->kept, &motion->current))
    return 1;
  n = count_blocks (&motion->current);
  threshold = get_threshold (motion);
  for (gsize i = 0; i < n; i++)
    n_changed += ens_block_means_difference (&motion->kept, &motion->current, i) > threshold;
  return (double)n_changed / n;
}

void
ens_motion_keep (EnsMotion *motion)
{
  EnsBlockMeans *kept = &motion->kept;
  gsize n = count_blocks (&motion->current) * motion->current.channels;

  ens_block_means_clear (kept);
  *kept = motion->current;
  kept->means = g_memdup2 (motion->current.means, n * sizeof *kept->means);
}
