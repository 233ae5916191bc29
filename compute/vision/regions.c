/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/regions.h"

#include <string.h>

#include "base/simd.h"

static void
grow (EnsRegions *regions, const EnsSegmentation *segmentation)
{
  regions->n_regions = segmentation->n_regions;
  regions->regions = g_renew (EnsRegion, regions->regions, segmentation->n_regions);
  memset (regions->regions, 0, segmentation->n_regions * sizeof *regions->regions);
  for (guint r = 0; r < segmentation->n_regions; r++)
    regions->regions[r].box = (EnsBox) {G_MAXUINT16, G_MAXUINT16, 0, 0};
  regions->n_edges = segmentation->n_edges;
  regions->edges = g_renew (EnsComponentEdge, regions->edges, segmentation->n_edges);
  if (segmentation->n_edges > 0) /* a frame of one colour has none, and no memory for them */
    memcpy (regions->edges, segmentation->edges,
            segmentation->n_edges * sizeof *segmentation->edges);
}

void
ens_regions_clear (EnsRegions *regions)
{
  g_clear_pointer (&regions->regions, g_free);
  g_clear_pointer (&regions->edges, g_free);
}

/* From the exact counts, not from other histograms: rounding does not add up over many merges. */
ENS_CLONES static void
normalise (const guint32 *restrict counts, float factor, guint16 *restrict histogram)
{
  for (guint i = 0; i < ENS_HISTOGRAM_SIZE; i++)
    histogram[i] = (guint16)(gint32)((float)(gint32)counts[i] * factor);
}

static void
finish (EnsRegion *region)
{
  normalise (region->counts, (float)ENS_HISTOGRAM_CHANNEL / region->size, region->histogram);
}

static void
add (EnsRegion *region, const EnsRegion *other)
{
  region->size += other->size;
  region->box = ens_box_unite (region->box, other->box);
  for (guint i = 0; i < ENS_HISTOGRAM_SIZE; i++)
    region->counts[i] += other->counts[i];
}

void
ens_region_unite (const EnsRegion *a, const EnsRegion *b, EnsRegion *result)
{
  *result = *a;
  add (result, b);
  finish (result);
}

/* The shares sum to less than 2^16, so that lanes of 16 bits may add them up. */
ENS_CLONES guint32
ens_region_intersect (const EnsRegion *a, const EnsRegion *b)
{
  guint16 sum = 0;

  for (guint i = 0; i < ENS_HISTOGRAM_SIZE; i++)
    sum += MIN (a->histogram[i], b->histogram[i]);
  return sum;
}

/* A run of pixels of one region in one row. */
static void
add_run (EnsRegion *region, guint y, guint begin, guint end, gsize row, const guint8 *const bins[3])
{
  EnsBox run = {(guint16)begin, (guint16)y, (guint16)end, (guint16)(y + 1)};

  region->box = ens_box_unite (region->box, run);
  region->size += end - begin;
  for (gsize i = row + begin; i < row + end; i++)
    for (guint c = 0; c < 3; c++)
      region->counts[c * ENS_HISTOGRAM_BINS + bins[c][i]]++;
}

void
ens_regions_measure (EnsRegions *regions, const EnsSegmentation *segmentation, guint width,
                     guint height, const guint8 *const bins[3])
{
  grow (regions, segmentation);
  for (guint y = 0; y < height; y++) {
    gsize row = (gsize)y * width;
    const guint32 *labels = segmentation->labels + row;

    for (guint begin = 0, end; begin < width; begin = end) {
      for (end = begin + 1; end < width && labels[end] == labels[begin];)
        end++;
      add_run (&regions->regions[labels[begin]], y, begin, end, row, bins);
    }
  }
  for (guint r = 0; r < regions->n_regions; r++)
    finish (&regions->regions[r]);
}
