/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The segmentation against the same algorithm written down plainly: edges in a list, one full sort,
 * sets without ranks or shortcuts. */
#include "vision/segmentation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check-main.h"

typedef struct {
  guint weight, order, a, b;
} Edge;

typedef struct {
  guint width, height, n;
  gint16 *planes[3];
  Edge *edges;
  guint n_edges;
  guint *set; /* of each pixel: the name of its set */
  guint *size, *internal;
} Reference;

static guint
distance (const Reference *reference, guint a, guint b)
{
  double sum = 0;

  for (guint c = 0; c < 3; c++)
    sum += pow (reference->planes[c][a] - reference->planes[c][b], 2);
  return (guint)floor (sqrt (sum));
}

static void
add_edge (Reference *reference, guint a, guint b)
{
  guint order = reference->n_edges++;

  reference->edges[order] = (Edge) {distance (reference, a, b), order, a, b};
}

static int
compare_edges (gconstpointer a, gconstpointer b)
{
  const Edge *p = a, *q = b;

  if (p->weight != q->weight)
    return p->weight < q->weight ? -1 : 1;
  return p->order < q->order ? -1 : p->order > q->order;
}

static void
list_edges (Reference *reference)
{
  guint w = reference->width;

  for (guint y = 0; y < reference->height; y++)
    for (guint x = 0; x < w; x++) {
      if (x > 0)
        add_edge (reference, y * w + x - 1, y * w + x);
      if (y > 0)
        add_edge (reference, y * w + x - w, y * w + x);
    }
  qsort (reference->edges, reference->n_edges, sizeof (Edge), compare_edges);
}

static void
unite (Reference *reference, guint a, guint b, guint internal)
{
  reference->size[a] += reference->size[b];
  reference->internal[a] = internal;
  for (guint i = 0; i < reference->n; i++)
    if (reference->set[i] == b)
      reference->set[i] = a;
}

/* Every pixel joins along the first of its edges in sorted order, whatever its weight. */
static void
join_nearest (Reference *reference)
{
  g_autofree gboolean *done = g_new0 (gboolean, reference->n);

  for (guint e = 0; e < reference->n_edges; e++) {
    const Edge *edge = &reference->edges[e];

    if ((!done[edge->a] || !done[edge->b]) && reference->set[edge->a] != reference->set[edge->b])
      unite (reference, reference->set[edge->a], reference->set[edge->b], 0);
    done[edge->a] = done[edge->b] = TRUE;
  }
}

/* Every small set joins along the first edge that leaves it; which that is, is settled before any
 * joins. */
static void
join_small (Reference *reference)
{
  g_autofree gboolean *chosen = g_new0 (gboolean, reference->n_edges);
  g_autofree gboolean *done = g_new0 (gboolean, reference->n);

  for (guint e = 0; e < reference->n_edges; e++) {
    guint ends[] = {reference->set[reference->edges[e].a], reference->set[reference->edges[e].b]};

    for (guint i = 0; i < 2 && ends[0] != ends[1]; i++) {
      if (!done[ends[i]] && reference->size[ends[i]] < ENS_SEGMENTATION_GRAIN)
        chosen[e] = TRUE;
      done[ends[i]] = TRUE;
    }
  }
  for (guint e = 0; e < reference->n_edges; e++) {
    guint a = reference->set[reference->edges[e].a], b = reference->set[reference->edges[e].b];

    if (chosen[e] && a != b)
      unite (reference, a, b, 0);
  }
}

static void
merge_similar (Reference *reference, guint scale)
{
  for (guint e = 0; e < reference->n_edges; e++) {
    const Edge *edge = &reference->edges[e];
    guint a = reference->set[edge->a], b = reference->set[edge->b];
    double unit = scale * ENS_SEGMENTATION_UNIT;
    guint internal = MAX (reference->internal[a], reference->internal[b]);

    if (a != b && edge->weight <= reference->internal[a] + unit / reference->size[a]
        && edge->weight <= reference->internal[b] + unit / reference->size[b])
      unite (reference, a, b, MAX (edge->weight, internal));
  }
}

static guint
count_sets (const Reference *reference)
{
  guint n = 0;

  for (guint i = 0; i < reference->n; i++) {
    guint j = 0;

    while (reference->set[j] != reference->set[i])
      j++;
    n += j == i;
  }
  return n;
}

static void
merge_small (Reference *reference, const EnsSegmentationSettings *settings)
{
  guint min_size = settings->min_size;

  do {
    for (guint e = 0; e < reference->n_edges; e++) {
      guint a = reference->set[reference->edges[e].a], b = reference->set[reference->edges[e].b];

      if (a != b && (reference->size[a] < min_size || reference->size[b] < min_size))
        unite (reference, a, b, MAX (reference->internal[a], reference->internal[b]));
    }
    min_size *= 2;
  } while (count_sets (reference) > settings->max_regions);
}

static void
reference_init (Reference *reference, const EnsColourImage *image)
{
  guint n = image->width * image->height;

  *reference = (Reference) {image->width, image->height, n};
  for (guint c = 0; c < 3; c++)
    reference->planes[c] = (gint16 *)image->planes[c];
  reference->edges = g_new (Edge, 2 * n);
  reference->set = g_new (guint, n);
  reference->size = g_new (guint, n);
  reference->internal = g_new0 (guint, n);
  for (guint i = 0; i < n; i++) {
    reference->set[i] = i;
    reference->size[i] = 1;
  }
  list_edges (reference);
}

static void
reference_clear (Reference *reference)
{
  g_free (reference->edges);
  g_free (reference->set);
  g_free (reference->size);
  g_free (reference->internal);
}

/* -- comparing -- */

/* Two labellings are the same division if each label of one goes with one label of the other. */
static void
assert_same_division (const guint *a, const guint32 *b, guint n, guint n_labels)
{
  g_autofree guint *seen = g_new (guint, n);
  g_autofree gboolean *used = g_new0 (gboolean, n);
  guint n_seen = 0;

  for (guint i = 0; i < n; i++)
    seen[i] = G_MAXUINT;
  for (guint i = 0; i < n; i++) {
    ck_assert_uint_lt (b[i], n_labels);
    if (seen[a[i]] == G_MAXUINT) {
      ck_assert (!(used[b[i]]));
      used[b[i]] = TRUE;
      seen[a[i]] = b[i];
      n_seen++;
    }
    ck_assert_uint_eq (seen[a[i]], b[i]);
  }
  ck_assert_uint_eq (n_seen, n_labels);
}

static guint
find_lightest (const Reference *reference, const guint32 *labels, guint32 a, guint32 b)
{
  for (guint e = 0; e < reference->n_edges; e++) {
    guint32 p = labels[reference->edges[e].a], q = labels[reference->edges[e].b];

    if ((p == a && q == b) || (p == b && q == a))
      return reference->edges[e].weight;
  }
  return G_MAXUINT;
}

static void
assert_edges (const EnsSegmentation *segmentation, const Reference *reference)
{
  const guint32 *labels = segmentation->labels;
  guint n = segmentation->n_regions, n_touching = 0;

  for (guint32 a = 0; a < n; a++)
    for (guint32 b = a + 1; b < n; b++)
      n_touching += find_lightest (reference, labels, a, b) != G_MAXUINT;
  ck_assert_uint_eq (segmentation->n_edges, n_touching);
  for (guint e = 0; e < segmentation->n_edges; e++) {
    const EnsComponentEdge *edge = &segmentation->edges[e];

    ck_assert_uint_eq (edge->weight, find_lightest (reference, labels, edge->a, edge->b));
    ck_assert (e == 0 || edge[-1].weight <= edge->weight);
  }
}

/* -- images -- */

static gint16 *
new_plane (guint width, guint height, guint noise, GRand *random)
{
  gint16 *plane = g_new (gint16, width * height);
  gint level[4];

  for (guint i = 0; i < G_N_ELEMENTS (level); i++)
    level[i] = g_rand_int_range (random, 0, 200);
  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      gint value = level[(x > width / 3) + 2 * (y > height / 2)] * ENS_SEGMENTATION_UNIT;

      if (noise > 0)
        value += g_rand_int_range (random, 0, (gint32)noise);
      plane[y * width + x] = (gint16)MIN (value, 255 * ENS_SEGMENTATION_UNIT);
    }
  return plane;
}

static const struct {
  guint width, height, noise, scale, min_size, max_regions;
} rows[] = {
    {24, 18, 0, 100, 1, 1000},    {24, 18, 100, 10, 1, 1000},  {24, 18, 700, 2, 1, 1000},
    {24, 18, 4000, 1, 1, 1000},   {24, 18, 4000, 20, 6, 1000}, {24, 18, 4000, 1, 2, 20},
    {48, 40, 2000, 30, 12, 1000}, {48, 40, 700, 5, 20, 1000},  {1, 1, 50, 100, 20, 10},
    {1, 30, 900, 3, 2, 1000},     {30, 1, 900, 3, 2, 1000},    {2, 2, 4000, 1, 1, 1000},
    {7, 5, 4000, 1, 1, 1},        {48, 40, 300, 60, 1, 1000},  {48, 40, 150, 40, 1, 1000},
    {48, 40, 900, 100, 1, 1000},  {31, 3, 300, 5, 3, 7},
};

static void
compare (EnsSegmentation *segmentation, const EnsColourImage *image,
         const EnsSegmentationSettings *settings)
{
  Reference reference;

  reference_init (&reference, image);
  join_nearest (&reference);
  join_small (&reference);
  merge_similar (&reference, settings->scale);
  merge_small (&reference, settings);
  ens_segmentation_run (segmentation, settings);
  test_message ("%u regions", segmentation->n_regions);
  assert_same_division (reference.set, segmentation->labels, reference.n, segmentation->n_regions);
  assert_edges (segmentation, &reference);
  reference_clear (&reference);
}

START_TEST (test_reference)
{
  g_autoptr (EnsSegmentation) segmentation = ens_segmentation_new ();
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  for (guint r = 0; r < G_N_ELEMENTS (rows); r++) {
    gint16 *planes[3];
    EnsColourImage image = {rows[r].width, rows[r].height};
    EnsSegmentationSettings settings = {rows[r].scale, rows[r].min_size, rows[r].max_regions};

    for (guint c = 0; c < 3; c++)
      image.planes[c] = planes[c] =
          new_plane (rows[r].width, rows[r].height, rows[r].noise, random);
    ens_segmentation_prepare (segmentation, &image);
    compare (segmentation, &image, &settings);
    settings.scale *= 3;
    settings.min_size *= 2;
    compare (segmentation, &image, &settings);
    for (guint c = 0; c < 3; c++)
      g_free (planes[c]);
  }
}
END_TEST

/* Two flat halves are two regions, whatever the scale. */
START_TEST (test_halves)
{
  gint16 plane[32 * 8];
  EnsColourImage image = {32, 8, {plane, plane, plane}};
  EnsSegmentationSettings settings = {150, 20, 100};
  g_autoptr (EnsSegmentation) segmentation = ens_segmentation_new ();

  for (guint i = 0; i < G_N_ELEMENTS (plane); i++)
    plane[i] = i % 32 < 20 ? 100 : 1000;
  ens_segmentation_prepare (segmentation, &image);
  ens_segmentation_run (segmentation, &settings);
  ck_assert_uint_eq (segmentation->n_regions, 2);
  ck_assert_uint_eq (segmentation->n_edges, 1);
  ck_assert_uint_eq (segmentation->edges[0].weight, 1558); /* ⌊900 √3⌋ */
  for (guint i = 0; i < G_N_ELEMENTS (plane); i++)
    ck_assert ((segmentation->labels[i] == segmentation->labels[0]) == (i % 32 < 20));
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/segmentation");
  test_add ("reference", test_reference);
  test_add ("halves", test_halves);
  return test_run ();
}
