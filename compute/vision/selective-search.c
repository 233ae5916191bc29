/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Selective Search: segment a small copy of the frame in several colour spaces and at several
 * scales, group the regions of each segmentation by several measures of similarity, rank the boxes
 * of all groups. Segmentations of one colour space share its pixels and sorted edges; they don't
 * share regions, since regions that don't nest find more objects. */
#include "vision/selective-search.h"

#include <math.h>

#include "base/simd.h"
#include "vision/colour-space.h"
#include "vision/grouping.h"
#include "vision/ranking.h"
#include "vision/crop-resize.h"
#include "vision/segmentation.h"
#include "vision/smooth.h"

#define MAX_SPACES 3
#define N_SCALES 2
#define N_SIMILARITIES 2
#define MAX_HIERARCHIES (MAX_SPACES * N_SCALES * N_SIMILARITIES)

static const EnsSimilarity similarities[N_SIMILARITIES] = {ENS_SIMILARITY_COLOUR_SIZE_FILL,
                                                           ENS_SIMILARITY_SIZE_FILL};

typedef struct {
  const char *name;
  guint long_side; /* of the image that is segmented */
  guint n_spaces;
  EnsColourSpace spaces[MAX_SPACES];
  EnsSegmentationSettings scales[N_SCALES];
} Preset;

static const Preset presets[ENS_N_WINDOWS_PRESETS] = {
    [ENS_WINDOWS_FAST] =
        {
            .name = "fast",
            .long_side = 320,
            .n_spaces = 1,
            .spaces = {ENS_COLOUR_YCBCR},
            .scales = {{150, 10, 1024}, {450, 20, 1024}},
        },
    [ENS_WINDOWS_BALANCED] =
        {
            .name = "balanced",
            .long_side = 320,
            .n_spaces = 2,
            .spaces = {ENS_COLOUR_YCBCR, ENS_COLOUR_HSV},
            .scales = {{150, 10, 1024}, {450, 20, 1024}},
        },
    [ENS_WINDOWS_QUALITY] =
        {
            .name = "quality",
            .long_side = 640,
            .n_spaces = 3,
            .spaces = {ENS_COLOUR_YCBCR, ENS_COLOUR_HSV, ENS_COLOUR_RGI},
            .scales = {{150, 20, 2048}, {450, 40, 2048}},
        },
};

/* The work in one colour space. */
typedef struct {
  EnsColourSpace space;
  gint16 *planes[3], *smoothed[3];
  guint8 *bins[3];
  EnsSegmentation *segmentation;
  EnsRegions regions[N_SCALES];
} Space;

struct _EnsWindowSearch {
  const Preset *preset;
  guint width, height; /* of the small image */
  float *ycbcr;        /* its pixels */
  gsize capacity;
  EnsThreadPool *pool; /* of the run in progress */
  Space spaces[MAX_SPACES];
  EnsGrouping *groupings[MAX_HIERARCHIES];
  EnsRanking *ranking;
};

const char *
ens_windows_preset_name (EnsWindowsPreset preset)
{
  g_return_val_if_fail (preset < ENS_N_WINDOWS_PRESETS, NULL);
  return presets[preset].name;
}

gboolean
ens_windows_preset_parse (const char *name, EnsWindowsPreset *preset)
{
  for (guint i = 0; i < ENS_N_WINDOWS_PRESETS; i++)
    if (g_strcmp0 (name, presets[i].name) == 0) {
      *preset = (EnsWindowsPreset)i;
      return TRUE;
    }
  return FALSE;
}

/* Of the small copy of a frame that is segmented. */
static void
get_small_size (const Preset *preset, const guint size[2], guint small[2])
{
  double factor = MAX ((double)MAX (size[0], size[1]) / preset->long_side, 1);

  for (guint i = 0; i < 2; i++)
    small[i] = MAX ((guint)lround (size[i] / factor), 1);
}

double
ens_windows_preset_count_pixels (EnsWindowsPreset preset, guint width, guint height)
{
  guint small[2];

  get_small_size (&presets[preset], (guint[]) {width, height}, small);
  return (double)small[0] * small[1] * presets[preset].n_spaces;
}

static guint
count_hierarchies (const EnsWindowSearch *search)
{
  return search->preset->n_spaces * N_SCALES * N_SIMILARITIES;
}

EnsWindowSearch *
ens_window_search_new (EnsWindowsPreset preset)
{
  EnsWindowSearch *search;

  g_return_val_if_fail (preset < ENS_N_WINDOWS_PRESETS, NULL);
  search = g_new0 (EnsWindowSearch, 1);
  search->preset = &presets[preset];
  for (guint s = 0; s < search->preset->n_spaces; s++) {
    search->spaces[s].space = search->preset->spaces[s];
    search->spaces[s].segmentation = ens_segmentation_new ();
  }
  for (guint h = 0; h < count_hierarchies (search); h++)
    search->groupings[h] = ens_grouping_new ();
  search->ranking = ens_ranking_new ();
  return search;
}

static void
free_pixels (EnsWindowSearch *search)
{
  g_clear_pointer (&search->ycbcr, g_free);
  for (guint s = 0; s < search->preset->n_spaces; s++)
    for (guint c = 0; c < 3; c++) {
      g_clear_pointer (&search->spaces[s].planes[c], g_free);
      g_clear_pointer (&search->spaces[s].smoothed[c], g_free);
      g_clear_pointer (&search->spaces[s].bins[c], g_free);
    }
}

void
ens_window_search_free (EnsWindowSearch *search)
{
  if (search == NULL)
    return;
  free_pixels (search);
  for (guint s = 0; s < search->preset->n_spaces; s++) {
    ens_segmentation_free (search->spaces[s].segmentation);
    for (guint k = 0; k < N_SCALES; k++)
      ens_regions_clear (&search->spaces[s].regions[k]);
  }
  for (guint h = 0; h < count_hierarchies (search); h++)
    ens_grouping_free (search->groupings[h]);
  ens_ranking_free (search->ranking);
  g_free (search);
}

/* -- the small image -- */

static void
reserve (EnsWindowSearch *search, gsize n)
{
  if (search->capacity >= n)
    return;
  free_pixels (search);
  search->capacity = n;
  search->ycbcr = g_new (float, 3 * n);
  for (guint s = 0; s < search->preset->n_spaces; s++)
    for (guint c = 0; c < 3; c++) {
      search->spaces[s].planes[c] = g_new (gint16, n);
      search->spaces[s].smoothed[c] = g_new (gint16, n);
      search->spaces[s].bins[c] = g_new (guint8, n);
    }
}

static void
shrink (EnsWindowSearch *search, const EnsFrame *frame, EnsThreadPool *pool)
{
  guint small[2];
  EnsColourMap map;
  EnsCropResize sampling = {frame, &ENS_RECT_WHOLE, 1};

  get_small_size (search->preset, (guint[]) {frame->width, frame->height}, small);
  search->width = small[0];
  search->height = small[1];
  reserve (search, (gsize)search->width * search->height);
  ens_colour_map_init_ycbcr (&map, frame);
  sampling.width = search->width;
  sampling.height = search->height;
  sampling.map = &map;
  sampling.out = search->ycbcr;
  ens_crop_resize_run (&sampling, pool);
}

/* -- segmenting and grouping -- */

ENS_CLONES static void
find_bins (const gint16 *plane, gsize n, guint8 *restrict bins)
{
  for (gsize i = 0; i < n; i++)
    bins[i] = (guint8)(plane[i] * ENS_HISTOGRAM_BINS / (256 * ENS_SEGMENTATION_UNIT));
}

static void
segment (gpointer data, guint task, guint worker)
{
  EnsWindowSearch *search = data;
  Space *space = &search->spaces[task];
  guint width = search->width, height = search->height;
  gsize n = (gsize)width * height;
  EnsColourImage image = {width, height};

  ens_colour_space_convert (space->space, search->ycbcr, n, ENS_SEGMENTATION_UNIT, space->planes);
  for (guint c = 0; c < 3; c++) {
    find_bins (space->planes[c], n, space->bins[c]);
    ens_smooth (space->planes[c], width, height, space->smoothed[c]);
    image.planes[c] = space->smoothed[c];
  }
  ens_segmentation_prepare (space->segmentation, &image);
  for (guint k = 0; k < N_SCALES && !ens_thread_pool_is_cancelled (search->pool); k++) {
    ens_segmentation_run (space->segmentation, &search->preset->scales[k]);
    ens_regions_measure (&space->regions[k], space->segmentation, width, height,
                         (const guint8 *const *)space->bins);
  }
}

static void
group (gpointer data, guint task, guint worker)
{
  EnsWindowSearch *search = data;
  guint similarity = task % N_SIMILARITIES, scale = task / N_SIMILARITIES % N_SCALES;
  guint space = task / (N_SIMILARITIES * N_SCALES);

  ens_grouping_run (search->groupings[task], &search->spaces[space].regions[scale],
                    search->width * search->height, similarities[similarity]);
}

guint
ens_window_search_run (EnsWindowSearch *search, const EnsFrame *frame, guint max_windows,
                       EnsThreadPool *pool, const EnsWindow **windows)
{
  guint n_windows;

  g_return_val_if_fail (ens_frame_validate (frame, NULL), 0);
  search->pool = pool;
  shrink (search, frame, pool);
  ens_thread_pool_run (pool, search->preset->n_spaces, segment, search);
  ens_thread_pool_run (pool, count_hierarchies (search), group, search);
  if (ens_thread_pool_is_cancelled (pool))
    return 0;
  ens_ranking_clear (search->ranking);
  for (guint h = 0; h < count_hierarchies (search); h++) {
    guint n_groups;
    const EnsGroup *groups = ens_grouping_get_groups (search->groupings[h], &n_groups);

    ens_ranking_add (search->ranking, groups, n_groups);
  }
  *windows = ens_ranking_run (search->ranking, search->width, search->height, max_windows, pool,
                              &n_windows);
  return ens_thread_pool_is_cancelled (pool) ? 0 : n_windows;
}
