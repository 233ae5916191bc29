/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Regions and their hierarchical grouping against plain versions of the same. */
#include "vision/grouping.h"

#include <string.h>

#include "check-main.h"

/* -- regions -- */

START_TEST (test_measure)
{
  guint32 labels[] = {
      0, 0, 1, 1, /**/
      0, 2, 2, 1, /**/
      0, 0, 2, 1,
  };
  static const guint8 even[12] = {0}, steps[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const guint8 *bins[] = {even, steps, even};
  static const struct {
    guint size;
    EnsBox box;
  } expected[] = {{5, {0, 0, 2, 3}}, {4, {2, 0, 4, 3}}, {3, {1, 1, 3, 3}}};
  EnsComponentEdge edges[] = {{3, 0, 2}, {4, 2, 1}, {9, 0, 1}};
  EnsSegmentation segmentation = {3, labels, 3, edges};
  EnsRegions regions = {0};

  ens_regions_measure (&regions, &segmentation, 4, 3, bins);
  ck_assert_uint_eq (regions.n_regions, 3);
  ck_assert_uint_eq (regions.n_edges, 3);
  for (guint r = 0; r < 3; r++) {
    const EnsRegion *region = &regions.regions[r];

    ck_assert_uint_eq (region->size, expected[r].size);
    ck_assert_bytes_eq (&region->box, sizeof (EnsBox), &expected[r].box, sizeof (EnsBox));
    ck_assert_uint_eq (region->counts[0], region->size);
    ck_assert_uint_eq (region->histogram[0], ENS_HISTOGRAM_CHANNEL);
    for (guint i = 0; i < 12; i++)
      ck_assert_uint_eq (region->counts[ENS_HISTOGRAM_BINS + i], labels[i] == r);
  }
  ens_regions_clear (&regions);
}
END_TEST

START_TEST (test_intersect)
{
  EnsRegion a = {.size = 1}, b = {.size = 1}, both;

  for (guint c = 0; c < 3; c++) {
    a.counts[c * ENS_HISTOGRAM_BINS] = 1;
    b.counts[c * ENS_HISTOGRAM_BINS + (c == 0 ? 0 : 7)] = 1;
  }
  ens_region_unite (&a, &a, &both);
  ck_assert_uint_eq (ens_region_intersect (&both, &both), 3 * ENS_HISTOGRAM_CHANNEL);
  a = both;
  ens_region_unite (&b, &b, &both);
  b = both;
  ck_assert_uint_eq (ens_region_intersect (&a, &b), ENS_HISTOGRAM_CHANNEL);
  ens_region_unite (&a, &b, &both);
  ck_assert_uint_eq (both.size, 4);
  ck_assert_uint_eq (ens_region_intersect (&a, &both), 2 * ENS_HISTOGRAM_CHANNEL);
}
END_TEST

/* -- grouping -- */

/* A mosaic of tiles: every tile a region, colours at random. */
typedef struct {
  guint columns, rows, tile;
  EnsRegions regions;
} Mosaic;

static void
mosaic_init (Mosaic *mosaic, guint columns, guint rows, guint tile, guint32 seed)
{
  guint n = columns * rows;
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);

  *mosaic = (Mosaic) {columns, rows, tile};
  mosaic->regions.n_regions = n;
  mosaic->regions.regions = g_new0 (EnsRegion, n);
  mosaic->regions.edges = g_new0 (EnsComponentEdge, 2 * n);
  for (guint32 i = 0; i < n; i++) {
    guint x = i % columns, y = i / columns;
    EnsRegion half = {.size = tile * tile / 2};

    half.box = (EnsBox) {(guint16)(x * tile), (guint16)(y * tile), (guint16)((x + 1) * tile),
                         (guint16)((y + 1) * tile)};
    for (guint c = 0; c < 3; c++)
      for (guint k = 0; k < half.size; k++)
        half.counts[c * ENS_HISTOGRAM_BINS + g_rand_int_range (random, 0, ENS_HISTOGRAM_BINS)]++;
    ens_region_unite (&half, &half, &mosaic->regions.regions[i]);
    if (x > 0)
      mosaic->regions.edges[mosaic->regions.n_edges++] = (EnsComponentEdge) {1, i - 1, i};
    if (y > 0)
      mosaic->regions.edges[mosaic->regions.n_edges++] = (EnsComponentEdge) {1, i - columns, i};
  }
}

/* Every pair looked at before every merge. */
typedef struct {
  guint n;
  EnsRegion *regions;
  EnsGroup *groups;
  gboolean *alive, *touch; /* touch[a * n_max + b] */
  guint n_max;
} Reference;

/* The paper's formulas. */
static double
measure_similarity (const EnsRegion *p, const EnsRegion *q, EnsSimilarity similarity, double area)
{
  EnsBox box = ens_box_unite (p->box, q->box);
  double size = 1 - (p->size + q->size) / area;
  double fill = 1 - ((double)ens_box_area (box) - p->size - q->size) / area;
  double colour = 0;

  if (similarity == ENS_SIMILARITY_SIZE_FILL)
    return (size + fill) / 2;
  for (guint i = 0; i < ENS_HISTOGRAM_SIZE; i++)
    colour += MIN ((double)p->counts[i] / p->size, (double)q->counts[i] / q->size) / 3;
  return (colour + size + fill) / 3;
}

static gboolean
are_candidates (const Reference *reference, guint a, guint b)
{
  return reference->alive[a] && reference->alive[b] && reference->touch[a * reference->n_max + b];
}

static void
reference_merge (Reference *reference, guint a, guint b)
{
  guint t = reference->n++, n_max = reference->n_max;

  ens_region_unite (&reference->regions[a], &reference->regions[b], &reference->regions[t]);
  reference->groups[t] =
      (EnsGroup) {reference->regions[t].box, reference->regions[t].size,
                  MAX (reference->groups[a].height, reference->groups[b].height) + 1};
  reference->alive[a] = reference->alive[b] = FALSE;
  reference->alive[t] = TRUE;
  for (guint i = 0; i < t; i++)
    reference->touch[i * n_max + t] = reference->touch[t * n_max + i] =
        reference->touch[a * n_max + i] || reference->touch[b * n_max + i];
}

static void
reference_init (Reference *reference, const EnsRegions *regions)
{
  guint n = regions->n_regions, n_max = 2 * n - 1;

  *reference = (Reference) {.n = n, .n_max = n_max};
  reference->regions = g_new (EnsRegion, n_max);
  reference->groups = g_new0 (EnsGroup, n_max);
  reference->alive = g_new0 (gboolean, n_max);
  reference->touch = g_new0 (gboolean, n_max * n_max);
  memcpy (reference->regions, regions->regions, n * sizeof (EnsRegion));
  for (guint i = 0; i < n; i++) {
    reference->groups[i] = (EnsGroup) {regions->regions[i].box, regions->regions[i].size};
    reference->alive[i] = TRUE;
  }
  for (guint e = 0; e < regions->n_edges; e++) {
    guint a = regions->edges[e].a, b = regions->edges[e].b;

    reference->touch[a * n_max + b] = reference->touch[b * n_max + a] = TRUE;
  }
}

static void
reference_clear (Reference *reference)
{
  g_free (reference->regions);
  g_free (reference->groups);
  g_free (reference->alive);
  g_free (reference->touch);
}

/* The names of the two regions that the grouping merged into t: those that were alive and got the
 * same similarity, whose boxes and sizes make up t's. */
static void
find_parts (const Reference *reference, const EnsGroup *groups, guint t, guint parts[2])
{
  for (guint a = 0; a < t; a++)
    for (guint b = 0; b < a; b++) {
      EnsBox box = ens_box_unite (groups[a].box, groups[b].box);

      if (are_candidates (reference, a, b) && groups[a].similarity == groups[b].similarity
          && groups[a].size + groups[b].size == groups[t].size
          && memcmp (&box, &groups[t].box, sizeof box) == 0) {
        parts[0] = a;
        parts[1] = b;
        return;
      }
    }
  ck_abort_msg ("no two groups make group %u", t);
}

static double
find_most_similar (const Reference *reference, EnsSimilarity similarity, double area)
{
  double most = 0;

  for (guint a = 0; a < reference->n; a++)
    for (guint b = 0; b < a; b++)
      if (are_candidates (reference, a, b))
        most = MAX (most, measure_similarity (&reference->regions[a], &reference->regions[b],
                                              similarity, area));
  return most;
}

/* Follows the grouping merge by merge: no other pair may have been more similar, but for the
 * rounding of fixed-point numbers. */
static void
follow (Reference *reference, const EnsGroup *groups, EnsSimilarity similarity, double area)
{
  while (reference->n < reference->n_max) {
    guint parts[2] = {0}, t = reference->n;
    double found;

    find_parts (reference, groups, t, parts);
    found = groups[parts[0]].similarity;
    ck_assert_double_eq_tol (found,
                             measure_similarity (&reference->regions[parts[0]],
                                                 &reference->regions[parts[1]], similarity, area),
                             1e-3);
    ck_assert_double_ge (found, find_most_similar (reference, similarity, area) - 2e-3);
    reference_merge (reference, parts[0], parts[1]);
    ck_assert_uint_eq (groups[t].height, reference->groups[t].height);
  }
}

START_TEST (test_greedy)
{
  EnsSimilarity similarity = (EnsSimilarity)_i;
  g_autoptr (EnsGrouping) grouping = ens_grouping_new ();

  for (guint32 seed = 1; seed <= 4; seed++) {
    Mosaic mosaic;
    Reference reference;
    guint n_groups;
    const EnsGroup *groups;
    guint32 area;

    mosaic_init (&mosaic, 3 + seed, 5, 4 + 2 * seed, seed);
    area = mosaic.columns * mosaic.rows * mosaic.tile * mosaic.tile;
    reference_init (&reference, &mosaic.regions);
    ens_grouping_run (grouping, &mosaic.regions, area, similarity);
    groups = ens_grouping_get_groups (grouping, &n_groups);
    ck_assert_uint_eq (n_groups, reference.n_max);
    follow (&reference, groups, similarity, area);
    ck_assert_uint_eq (groups[n_groups - 1].size, area);
    ck_assert_double_eq (groups[n_groups - 1].similarity, 0);
    reference_clear (&reference);
    ens_regions_clear (&mosaic.regions);
  }
}
END_TEST

START_TEST (test_single)
{
  g_autoptr (EnsGrouping) grouping = ens_grouping_new ();
  Mosaic mosaic;
  guint n_groups;

  mosaic_init (&mosaic, 1, 1, 8, 1);
  ens_grouping_run (grouping, &mosaic.regions, 64, ENS_SIMILARITY_COLOUR_SIZE_FILL);
  ck_assert_uint_eq (ens_grouping_get_groups (grouping, &n_groups)->size, 64);
  ck_assert_uint_eq (n_groups, 1);
  ens_regions_clear (&mosaic.regions);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/grouping");
  test_add ("measure", test_measure);
  test_add ("intersect", test_intersect);
  test_add_row ("greedy", "size-fill", test_greedy, ENS_SIMILARITY_SIZE_FILL);
  test_add_row ("greedy", "colour-size-fill", test_greedy, ENS_SIMILARITY_COLOUR_SIZE_FILL);
  test_add ("single", test_single);
  return test_run ();
}
