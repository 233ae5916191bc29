/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Found pixels are added from the highest value to the lowest. Each looks for a path of found and
 * drawn pixels by turns that ends at a drawn one without a partner, the shortest first (Kuhn, "The
 * Hungarian Method for the Assignment Problem", 1955): with it there is one pair more, and none
 * loses its partner. The drawn pixels that a search without success has seen are left out from then
 * on, because none of them is on a path that later searches could use. So each is left out once,
 * and all thresholds together cost little more than one. */
#include "classify/contour-score.h"

#include <math.h>
#include <stdlib.h>

#define TOLERANCE 0.0075

/* What lies nearer than this is one line, in pixels. */
#define TRUTH_DEVIATION 1.0

/* Weights below that of one in a hundred people are the tails of the smoothing. */
#define LEAST_WEIGHT 0.01F

#define NONE -1

typedef struct {
  gint x, y;
} Offset;

typedef struct {
  gint32 x, y;
  float value;
  gint32 partner; /* a drawn pixel, or NONE */
} Found;

typedef struct {
  gint32 partner; /* a found pixel, or NONE */
  gint32 before;  /* the found pixel that the search came from */
  guint32 seen;   /* the search's number */
  float weight;
} Drawn;

typedef struct {
  guint width, height;
  gint32 *at; /* by position: the drawn pixel, or NONE */
  GArray *drawn, *found, *offsets;
  GArray *queue;   /* found pixels of the search */
  GArray *visited; /* positions of drawn pixels that it has seen */
  guint32 n_searches;
  guint64 n_matched;
  double recalled;
} Matching;

static int
compare_distance (gconstpointer a, gconstpointer b)
{
  const Offset *p = a, *q = b;
  gint x = p->x * p->x + p->y * p->y, y = q->x * q->x + q->y * q->y;

  return x != y ? x - y : p->y != q->y ? p->y - q->y : p->x - q->x;
}

/* Within the tolerance, the nearest first. (transfer full) */
static GArray *
list_offsets (guint width, guint height)
{
  GArray *offsets = g_array_new (FALSE, FALSE, sizeof (Offset));
  double radius = TOLERANCE * hypot (width, height);
  gint n = (gint)floor (radius);

  for (gint y = -n; y <= n; y++)
    for (gint x = -n; x <= n; x++)
      if (x * x + y * y <= radius * radius)
        g_array_append_val (offsets, ((Offset) {x, y}));
  g_array_sort (offsets, compare_distance);
  return offsets;
}

/* The highest value first, then the order of rows. */
static int
compare_found (gconstpointer a, gconstpointer b)
{
  const Found *p = a, *q = b;

  if (p->value != q->value)
    return p->value > q->value ? -1 : 1;
  return p->y != q->y ? p->y - q->y : p->x - q->x;
}

static void
matching_init (Matching *matching, const EnsPlane *found, const EnsPlane *drawn)
{
  const gsize n = (gsize)found->width * found->height;

  *matching = (Matching) {
      .width = found->width,
      .height = found->height,
      .at = g_new (gint32, n),
      .drawn = g_array_new (FALSE, FALSE, sizeof (Drawn)),
      .found = g_array_new (FALSE, FALSE, sizeof (Found)),
      .offsets = list_offsets (found->width, found->height),
      .queue = g_array_new (FALSE, FALSE, sizeof (gint32)),
      .visited = g_array_new (FALSE, FALSE, sizeof (guint32)),
  };
  for (gsize i = 0; i < n; i++) {
    gint32 x = (gint32)(i % found->width), y = (gint32)(i / found->width);

    matching->at[i] = drawn->values[i] > 0 ? (gint32)matching->drawn->len : NONE;
    if (drawn->values[i] > 0)
      g_array_append_val (matching->drawn, ((Drawn) {.partner = NONE, .weight = drawn->values[i]}));
    if (found->values[i] > 0)
      g_array_append_val (matching->found, ((Found) {x, y, found->values[i], NONE}));
  }
  g_array_sort (matching->found, compare_found);
}

static void
matching_clear (Matching *matching)
{
  g_free (matching->at);
  g_array_unref (matching->drawn);
  g_array_unref (matching->found);
  g_array_unref (matching->offsets);
  g_array_unref (matching->queue);
  g_array_unref (matching->visited);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Matching, matching_clear)

/* Exchanges the partners along the path that ends at a drawn pixel. */
static void
pair_up (Matching *matching, gint32 end)
{
  matching->n_matched++;
  matching->recalled += (double)g_array_index (matching->drawn, Drawn, end).weight;
  while (end != NONE) {
    Drawn *drawn = &g_array_index (matching->drawn, Drawn, end);
    Found *found = &g_array_index (matching->found, Found, drawn->before);
    gint32 next = found->partner;

    found->partner = end;
    drawn->partner = drawn->before;
    end = next;
  }
}

/* Looks at the drawn pixels around a found one. TRUE: one was free, and pairs were exchanged. */
static gboolean
look_around (Matching *matching, gint32 from)
{
  const Found *found = &g_array_index (matching->found, Found, from);

  for (guint i = 0; i < matching->offsets->len; i++) {
    const Offset *offset = &g_array_index (matching->offsets, Offset, i);
    gint x = found->x + offset->x, y = found->y + offset->y;
    guint32 position;
    Drawn *drawn;

    if (x < 0 || y < 0 || x >= (gint)matching->width || y >= (gint)matching->height)
      continue;
    position = (guint32)y * matching->width + (guint32)x;
    if (matching->at[position] == NONE)
      continue;
    drawn = &g_array_index (matching->drawn, Drawn, matching->at[position]);
    if (drawn->seen == matching->n_searches)
      continue;
    drawn->seen = matching->n_searches;
    drawn->before = from;
    g_array_append_val (matching->visited, position);
    if (drawn->partner == NONE) {
      pair_up (matching, matching->at[position]);
      return TRUE;
    }
    g_array_append_val (matching->queue, drawn->partner);
  }
  return FALSE;
}

static void
match (Matching *matching, gint32 root)
{
  matching->n_searches++;
  g_array_set_size (matching->queue, 0);
  g_array_set_size (matching->visited, 0);
  g_array_append_val (matching->queue, root);
  for (guint i = 0; i < matching->queue->len; i++)
    if (look_around (matching, g_array_index (matching->queue, gint32, i)))
      return;
  for (guint i = 0; i < matching->visited->len; i++)
    matching->at[g_array_index (matching->visited, guint32, i)] = NONE;
}

static double
get_threshold (guint i)
{
  return (double)(i + 1) / (ENS_CONTOUR_N_THRESHOLDS + 1);
}

void
ens_contour_count (const EnsPlane *found, const EnsPlane *drawn, EnsContourCounts *counts)
{
  g_auto (Matching) matching = {0};
  guint n = 0;

  g_return_if_fail (found->width == drawn->width && found->height == drawn->height);
  matching_init (&matching, found, drawn);
  for (guint i = ENS_CONTOUR_N_THRESHOLDS; i-- > 0;) {
    for (; n < matching.found->len
           && g_array_index (matching.found, Found, n).value >= (float)get_threshold (i);
         n++)
      match (&matching, (gint32)n);
    counts->n_found[i] += n;
    counts->n_matched[i] += matching.n_matched;
    counts->recalled[i] += matching.recalled;
  }
  for (guint i = 0; i < matching.drawn->len; i++)
    counts->drawn += (double)g_array_index (matching.drawn, Drawn, i).weight;
}

void
ens_contour_counts_add (EnsContourCounts *counts, const EnsContourCounts *other)
{
  for (guint i = 0; i < ENS_CONTOUR_N_THRESHOLDS; i++) {
    counts->n_found[i] += other->n_found[i];
    counts->n_matched[i] += other->n_matched[i];
    counts->recalled[i] += other->recalled[i];
  }
  counts->drawn += other->drawn;
}

/* ---- What was drawn ---- */

/* A line's height after smoothing is its share divided by √(2π) deviations. */
void
ens_contour_thin_truth (const EnsPlane *truth, EnsPlane *drawn)
{
  const float height = (float)(sqrt (2 * G_PI) * TRUTH_DEVIATION);
  g_auto (EnsPlane) smooth = {0};

  ens_plane_copy_blurred (truth, TRUTH_DEVIATION, &smooth);
  ens_lines_thin (&smooth, TRUTH_DEVIATION, drawn);
  for (gsize i = 0; i < (gsize)drawn->width * drawn->height; i++) {
    float weight = MIN (drawn->values[i] * height, 1);

    drawn->values[i] = weight >= LEAST_WEIGHT ? weight : 0;
  }
}

/* ---- Figures ---- */

EnsContourScore
ens_contour_score_at (const EnsContourCounts *counts, guint i)
{
  EnsContourScore score = {.threshold = get_threshold (i)};
  double sum;

  score.precision =
      counts->n_found[i] > 0 ? (double)counts->n_matched[i] / (double)counts->n_found[i] : 1;
  score.recall = counts->drawn > 0 ? counts->recalled[i] / counts->drawn : 1;
  sum = score.precision + score.recall;
  score.f = sum > 0 ? 2 * score.precision * score.recall / sum : 0;
  return score;
}

EnsContourScore
ens_contour_score (const EnsContourCounts *counts)
{
  EnsContourScore best = ens_contour_score_at (counts, 0);

  for (guint i = 1; i < ENS_CONTOUR_N_THRESHOLDS; i++) {
    EnsContourScore score = ens_contour_score_at (counts, i);

    if (score.f > best.f)
      best = score;
  }
  return best;
}
