/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Felzenszwalb and Huttenlocher's algorithm is Kruskal's with a rule of its own. Three things make
 * it fast. Weights are small integers, so that a counting sort orders the edges. Two rounds of
 * Borůvka's algorithm come first: each pixel joins the neighbour most like it, then each component
 * of a few pixels does; the rule would nearly always allow it, and it leaves a fifteenth of the
 * vertices. And all this is done once for any number of scales. The edges of these rounds don't
 * count as internal: one odd pixel would allow its component everything. */
#include "vision/segmentation.h"

#include <math.h>
#include <string.h>

#include "base/simd.h"
#include "vision/forest.h"

/* Weight of an edge that would leave the image; above all others. */
#define NO_EDGE G_MAXUINT16

/* Weights are at most ⌊√3 · 255 · 16⌋. */
#define N_WEIGHTS 7067

EnsSegmentation *
ens_segmentation_new (void)
{
  return g_new0 (EnsSegmentation, 1);
}

static void
free_buffers (EnsSegmentation *segmentation)
{
  g_free (segmentation->labels);
  g_free (segmentation->edges);
  g_free (segmentation->left);
  g_free (segmentation->up);
  g_free (segmentation->parents);
  g_free (segmentation->next);
  g_free (segmentation->sizes);
  g_free (segmentation->limits);
  g_free (segmentation->base_labels);
  g_free (segmentation->base_sizes);
  g_free (segmentation->base_edges);
  g_free (segmentation->unsorted);
  g_free (segmentation->lightest);
  g_free (segmentation->counts);
}

void
ens_segmentation_free (EnsSegmentation *segmentation)
{
  free_buffers (segmentation);
  g_free (segmentation);
}

/* The edges of border pixels exist too, with a weight of NO_EDGE: one row of them at the end of
 * `up`, one at the end of `left`. */
static void
reserve (EnsSegmentation *segmentation, guint width, guint height)
{
  gsize n = (gsize)width * height + width;

  segmentation->n_pixels = (gsize)width * height;
  if (segmentation->capacity >= n)
    return;
  free_buffers (segmentation);
  segmentation->capacity = n;
  segmentation->labels = g_new (guint32, n);
  segmentation->edges = g_new (EnsComponentEdge, 2 * n);
  segmentation->left = g_new (guint16, n);
  segmentation->up = g_new (guint16, n);
  segmentation->parents = g_new (guint32, n);
  segmentation->next = g_new (guint32, n);
  segmentation->sizes = g_new (guint32, n);
  segmentation->limits = g_new (guint32, n);
  segmentation->base_labels = g_new (guint32, n);
  segmentation->base_sizes = g_new (guint32, n);
  segmentation->base_edges = g_new (EnsComponentEdge, 2 * n);
  segmentation->unsorted = g_new (EnsComponentEdge, 2 * n);
  segmentation->lightest = g_new (guint64, n);
  segmentation->counts = g_new (guint32, N_WEIGHTS + 1);
}

/* -- edges between pixels -- */

/* weights[i] = distance in colour of pixels i and i + step, rounded down. */
ENS_CLONES static void
weigh (const EnsColourImage *image, gsize step, gsize n, guint16 *restrict weights)
{
  const gint16 *a = image->planes[0], *b = image->planes[1], *c = image->planes[2];

  for (gsize i = 0; i < n; i++) {
    gint32 da = a[i] - a[i + step], db = b[i] - b[i + step], dc = c[i] - c[i + step];

    weights[i] = (guint16)sqrtf ((float)(da * da + db * db + dc * dc));
  }
}

static void
weigh_edges (EnsSegmentation *segmentation, const EnsColourImage *image)
{
  gsize width = image->width, n = width * image->height;

  weigh (image, 1, n - 1, segmentation->left + 1);
  for (gsize i = 0; i <= n; i += width)
    segmentation->left[i] = NO_EDGE;
  weigh (image, width, n - width, segmentation->up + width);
  for (gsize x = 0; x < width; x++)
    segmentation->up[x] = segmentation->up[n + x] = NO_EDGE;
}

/* -- Borůvka's rounds -- */

/* The other end of each pixel's lightest edge. Of equal ones the first counts, in the order left,
 * up, right, down: an order of all edges of the image, so that the choices close no circle longer
 * than two. */
ENS_CLONES static void
choose_pixels (const guint16 *left, const guint16 *up, guint width, gsize n,
               guint32 *restrict nearest)
{
  for (gsize i = 0; i < n; i++) {
    guint16 weight = left[i];
    gint32 step = -1;

    step = up[i] < weight ? -(gint32)width : step;
    weight = MIN (up[i], weight);
    step = left[i + 1] < weight ? 1 : step;
    weight = MIN (left[i + 1], weight);
    step = up[i + width] < weight ? (gint32)width : step;
    nearest[i] = (guint32)i + (guint32)step;
  }
}

/* Two that chose each other: the first becomes the root. */
ENS_CLONES static void
root_pairs (const guint32 *nearest, gsize n, guint32 *restrict parents)
{
  for (gsize i = 0; i < n; i++) {
    guint32 self = (guint32)i, other = nearest[i], back = nearest[other];

    parents[i] = ((back == self) & (self < other)) ? self : other;
  }
}

/* Each takes its grandparent for its parent. FALSE when nothing changed any more. */
ENS_CLONES static gboolean
jump (const guint32 *parents, gsize n, guint32 *restrict next)
{
  guint32 changed = 0;

  for (gsize i = 0; i < n; i++) {
    next[i] = parents[parents[i]];
    changed |= next[i] ^ parents[i];
  }
  return changed != 0;
}

/* out[i] = labels[map[i]]; out and map may be one. */
ENS_CLONES static void
relabel (const guint32 *map, gsize n, const guint32 *labels, guint32 *out)
{
  for (gsize i = 0; i < n; i++)
    out[i] = labels[map[i]];
}

/* Given in `next` what each of n chose (itself for nothing), numbers what hangs together. */
static guint
contract (EnsSegmentation *segmentation, gsize n, guint32 *labels)
{
  guint32 *numbers, *roots;
  guint n_labels = 0;

  root_pairs (segmentation->next, n, segmentation->parents);
  while (jump (segmentation->parents, n, segmentation->next)) {
    guint32 *next = segmentation->parents;

    segmentation->parents = segmentation->next;
    segmentation->next = next;
  }
  numbers = segmentation->next;
  roots = segmentation->parents;
  for (gsize i = 0; i < n; i++) {
    numbers[i] = n_labels;
    n_labels += roots[i] == i;
  }
  relabel (roots, n, numbers, labels);
  return n_labels;
}

static void
join_pixels (EnsSegmentation *segmentation, guint width)
{
  gsize n = segmentation->n_pixels;
  guint32 *sizes = segmentation->base_sizes;

  if (n == 1)
    segmentation->next[0] = 0;
  else
    choose_pixels (segmentation->left, segmentation->up, width, n, segmentation->next);
  segmentation->n_base_components = contract (segmentation, n, segmentation->base_labels);
  memset (sizes, 0, segmentation->n_base_components * sizeof *sizes);
  for (gsize i = 0; i < n; i++)
    sizes[segmentation->base_labels[i]]++;
}

static inline guint
add_edge (EnsSegmentation *segmentation, guint n_edges, guint16 weight, guint32 a, guint32 b)
{
  segmentation->unsorted[n_edges] = (EnsComponentEdge) {weight, a, b};
  return n_edges + (a != b);
}

/* Lists the edges between components in the order of the image. */
static guint
collect_edges (EnsSegmentation *segmentation, guint width, guint height)
{
  const guint32 *labels = segmentation->base_labels;
  const guint16 *left = segmentation->left, *up = segmentation->up;
  guint n_edges = 0;

  for (guint y = 0; y < height; y++)
    for (guint x = 0; x < width; x++) {
      gsize i = (gsize)y * width + x;

      if (x > 0)
        n_edges = add_edge (segmentation, n_edges, left[i], labels[i - 1], labels[i]);
      if (y > 0)
        n_edges = add_edge (segmentation, n_edges, up[i], labels[i - width], labels[i]);
    }
  return n_edges;
}

/* The other end of each small component's lightest edge, of equal ones the first. */
static void
choose_components (EnsSegmentation *segmentation, guint n_edges)
{
  guint n = segmentation->n_base_components;
  const EnsComponentEdge *edges = segmentation->unsorted;
  guint64 *lightest = segmentation->lightest;

  for (guint i = 0; i < n; i++)
    lightest[i] = G_MAXUINT64;
  for (guint e = 0; e < n_edges; e++) {
    guint64 key = (guint64)edges[e].weight << 32 | e;

    lightest[edges[e].a] = MIN (lightest[edges[e].a], key);
    lightest[edges[e].b] = MIN (lightest[edges[e].b], key);
  }
  for (guint i = 0; i < n; i++) {
    guint32 edge = (guint32)lightest[i];

    segmentation->next[i] =
        segmentation->base_sizes[i] < ENS_SEGMENTATION_GRAIN && lightest[i] != G_MAXUINT64
            ? edges[edge].a ^ edges[edge].b ^ i
            : i;
  }
}

/* Drops the edges that lie inside components now. Returns how many are left. */
static guint
relabel_edges (const EnsComponentEdge *edges, guint n_edges, const guint32 *labels,
               EnsComponentEdge *out)
{
  guint n = 0;

  for (guint e = 0; e < n_edges; e++) {
    EnsComponentEdge edge = {edges[e].weight, labels[edges[e].a], labels[edges[e].b]};

    out[n] = edge;
    n += edge.a != edge.b;
  }
  return n;
}

static guint
join_components (EnsSegmentation *segmentation, guint n_edges)
{
  guint n = segmentation->n_base_components;
  guint32 *labels = segmentation->limits, *sizes = segmentation->sizes;

  choose_components (segmentation, n_edges);
  segmentation->n_base_components = contract (segmentation, n, labels);
  memset (sizes, 0, segmentation->n_base_components * sizeof *sizes);
  for (guint i = 0; i < n; i++)
    sizes[labels[i]] += segmentation->base_sizes[i];
  memcpy (segmentation->base_sizes, sizes, segmentation->n_base_components * sizeof *sizes);
  relabel (segmentation->base_labels, segmentation->n_pixels, labels, segmentation->base_labels);
  return relabel_edges (segmentation->unsorted, n_edges, labels, segmentation->unsorted);
}

/* Stable: equal edges keep the order of the image. */
static void
sort_edges (EnsSegmentation *segmentation, guint n_edges)
{
  const EnsComponentEdge *unsorted = segmentation->unsorted;
  guint32 *counts = segmentation->counts;

  memset (counts, 0, (N_WEIGHTS + 1) * sizeof *counts);
  for (guint e = 0; e < n_edges; e++)
    counts[unsorted[e].weight + 1]++;
  for (guint w = 0; w < N_WEIGHTS; w++)
    counts[w + 1] += counts[w];
  for (guint e = 0; e < n_edges; e++)
    segmentation->base_edges[counts[unsorted[e].weight]++] = unsorted[e];
  segmentation->n_base_edges = n_edges;
}

/* -- Kruskal -- */

static void
join (EnsSegmentation *segmentation, guint32 a, guint32 b)
{
  segmentation->parents[b] = a;
  segmentation->sizes[a] += segmentation->sizes[b];
}

/* From the base components on. A component's limit is its heaviest edge, which is the last it
 * merged along, plus scale / size. */
static void
merge_similar (EnsSegmentation *segmentation, guint scale)
{
  guint n = segmentation->n_base_components, unit = scale * ENS_SEGMENTATION_UNIT;
  guint32 *limits = segmentation->limits;

  ens_forest_init (segmentation->parents, n);
  memcpy (segmentation->sizes, segmentation->base_sizes, n * sizeof *segmentation->sizes);
  for (guint32 i = 0; i < n; i++)
    limits[i] = unit / segmentation->sizes[i];
  for (guint e = 0; e < segmentation->n_base_edges; e++) {
    const EnsComponentEdge *edge = &segmentation->base_edges[e];
    guint32 a = ens_forest_find (segmentation->parents, edge->a);
    guint32 b = ens_forest_find (segmentation->parents, edge->b);

    if (a == b || edge->weight > limits[a] || edge->weight > limits[b])
      continue;
    join (segmentation, a, b);
    limits[a] = edge->weight + unit / segmentation->sizes[a];
  }
}

static void
merge_small (EnsSegmentation *segmentation, guint n_components, guint min_size)
{
  ens_forest_init (segmentation->parents, n_components);
  for (guint e = 0; e < segmentation->n_edges; e++) {
    const EnsComponentEdge *edge = &segmentation->edges[e];
    guint32 a = ens_forest_find (segmentation->parents, edge->a);
    guint32 b = ens_forest_find (segmentation->parents, edge->b);

    if (a != b && (segmentation->sizes[a] < min_size || segmentation->sizes[b] < min_size))
      join (segmentation, a, b);
  }
}

/* Makes the roots the new components, numbered in the old order. Writes each old component's new
 * number to labels and copies the edges that don't lie inside now from `edges`. */
static guint
renumber (EnsSegmentation *segmentation, guint n_components, const EnsComponentEdge *edges,
          guint n_edges, guint32 *labels)
{
  guint n = 0;

  for (guint32 i = 0; i < n_components; i++)
    if (segmentation->parents[i] == i) {
      segmentation->sizes[n] = segmentation->sizes[i];
      labels[i] = n++;
    }
  for (guint32 i = 0; i < n_components; i++)
    labels[i] = labels[ens_forest_find (segmentation->parents, i)];
  segmentation->n_edges = relabel_edges (edges, n_edges, labels, segmentation->edges);
  return n;
}

/* Keeps the lightest edge between any two components. */
static void
drop_parallel_edges (EnsSegmentation *segmentation)
{
  guint bits = g_bit_storage (segmentation->n_edges) + 1;
  guint32 mask = (1u << bits) - 1;
  g_autofree guint64 *seen = g_new0 (guint64, (gsize)mask + 1);
  guint n = 0;

  for (guint e = 0; e < segmentation->n_edges; e++) {
    EnsComponentEdge edge = segmentation->edges[e];
    guint64 key = ((guint64)MAX (edge.a, edge.b) << 32) | MIN (edge.a, edge.b);
    guint32 slot = (guint32)(key * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15) >> (64 - bits));

    while (seen[slot] != 0 && seen[slot] != key)
      slot = (slot + 1) & mask;
    if (seen[slot] == key)
      continue;
    seen[slot] = key;
    segmentation->edges[n++] = edge;
  }
  segmentation->n_edges = n;
}

/* -- the whole -- */

void
ens_segmentation_prepare (EnsSegmentation *segmentation, const EnsColourImage *image)
{
  guint n_edges;

  reserve (segmentation, image->width, image->height);
  weigh_edges (segmentation, image);
  join_pixels (segmentation, image->width);
  n_edges = collect_edges (segmentation, image->width, image->height);
  n_edges = join_components (segmentation, n_edges);
  sort_edges (segmentation, n_edges);
}

void
ens_segmentation_run (EnsSegmentation *segmentation, const EnsSegmentationSettings *settings)
{
  guint n = segmentation->n_base_components;
  guint32 *regions = segmentation->limits, *labels = segmentation->next;

  g_assert (settings->min_size > 0 && settings->max_regions > 0);
  merge_similar (segmentation, settings->scale);
  segmentation->n_regions =
      renumber (segmentation, n, segmentation->base_edges, segmentation->n_base_edges, regions);
  for (guint min_size = settings->min_size;; min_size *= 2) {
    merge_small (segmentation, segmentation->n_regions, min_size);
    segmentation->n_regions = renumber (segmentation, segmentation->n_regions, segmentation->edges,
                                        segmentation->n_edges, labels);
    relabel (regions, n, labels, regions);
    if (segmentation->n_regions <= settings->max_regions)
      break;
  }
  drop_parallel_edges (segmentation);
  relabel (segmentation->base_labels, segmentation->n_pixels, regions, segmentation->labels);
}
