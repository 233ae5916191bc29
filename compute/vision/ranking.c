/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How likely a group is an object. Four things speak for it: that it took many merges to make
 * (level, which favours the large), that it differs from what it merged with in the end, that other
 * groups, mostly of other hierarchies, have nearly the same box (votes), and that it fills a box of
 * moderate aspect ratio. Votes and shape are what the published rankings lack. */
#include "vision/ranking.h"

#include <math.h>
#include <string.h>

#include "base/simd.h"

/* Chosen by recall on photographs of COCO and of raccoons, where halving or doubling one of them
 * changes little. */
#define LEVEL_WEIGHT 2
#define SIMILARITY_WEIGHT 20
#define VOTES_WEIGHT 2
#define ASPECT_WEIGHT 2
#define FILL_WEIGHT 3

/* Two boxes are near duplicates when intersection / union > 4/5, that is, when
 * 9 * intersection > 4 * (sum of areas). */
#define INTERSECTION_FACTOR 9
#define AREAS_FACTOR 4

/* Comparing all pairs takes a few milliseconds with this many. */
#define MAX_CANDIDATES 8192

#define VOTES_PER_TASK 256

/* A box found by one or more hierarchies. */
typedef struct {
  EnsBox box;
  guint32 size, height; /* the largest */
  float similarity;     /* sum over the groups with this box */
  guint n_groups;
  guint n_hierarchies, last_hierarchy;
} Candidate;

/* The candidates in the running as columns, in order of area. */
typedef struct {
  gint32 *x0, *y0, *x1, *y1, *area;
  gint32 *votes; /* of this very box alone: hierarchies that found it */
  gint32 *dead;
  guint32 *begin, *end; /* the range of what may be a near duplicate */
  float *score;
} Columns;

#define N_COLUMNS 10

struct _EnsRanking {
  GArray *candidates; /* Candidate */
  guint n_hierarchies;
  guint32 *slots; /* hash table: candidate + 1, or 0 */
  guint n_slots;
  guint32 *memory; /* of the columns */
  guint64 *keys, *scratch;
  guint capacity, n;
  Columns columns;
  GArray *windows; /* EnsWindow */
};

EnsRanking *
ens_ranking_new (void)
{
  EnsRanking *ranking = g_new0 (EnsRanking, 1);

  ranking->candidates = g_array_new (FALSE, FALSE, sizeof (Candidate));
  ranking->windows = g_array_new (FALSE, FALSE, sizeof (EnsWindow));
  return ranking;
}

void
ens_ranking_free (EnsRanking *ranking)
{
  g_array_unref (ranking->candidates);
  g_array_unref (ranking->windows);
  g_free (ranking->slots);
  g_free (ranking->memory);
  g_free (ranking->keys);
  g_free (ranking->scratch);
  g_free (ranking);
}

void
ens_ranking_clear (EnsRanking *ranking)
{
  g_array_set_size (ranking->candidates, 0);
  ranking->n_hierarchies = 0;
  if (ranking->n_slots > 0)
    memset (ranking->slots, 0, ranking->n_slots * sizeof *ranking->slots);
}

/* -- collecting -- */

static guint32
hash_box (EnsBox box)
{
  guint64 key = (guint64)box.x0 << 48 | (guint64)box.y0 << 32 | (guint64)box.x1 << 16 | box.y1;

  return (guint32)(key * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15) >> 32);
}

static gboolean
box_equal (EnsBox a, EnsBox b)
{
  return a.x0 == b.x0 && a.y0 == b.y0 && a.x1 == b.x1 && a.y1 == b.y1;
}

/* The slot that holds the box, or the free one where it belongs. */
static guint32 *
find_slot (const EnsRanking *ranking, EnsBox box)
{
  guint32 mask = ranking->n_slots - 1;
  guint32 slot = hash_box (box) & mask;
  const Candidate *candidates = (const Candidate *)ranking->candidates->data;

  while (ranking->slots[slot] != 0 && !box_equal (candidates[ranking->slots[slot] - 1].box, box))
    slot = (slot + 1) & mask;
  return &ranking->slots[slot];
}

static void
reserve_slots (EnsRanking *ranking, guint n_candidates)
{
  if (ranking->n_slots >= 2 * n_candidates)
    return;
  ranking->n_slots = 1u << g_bit_storage (4 * n_candidates);
  g_free (ranking->slots);
  ranking->slots = g_new0 (guint32, ranking->n_slots);
  for (guint i = 0; i < ranking->candidates->len; i++)
    *find_slot (ranking, g_array_index (ranking->candidates, Candidate, i).box) = i + 1;
}

static void
add_group (EnsRanking *ranking, const EnsGroup *group)
{
  guint32 *slot = find_slot (ranking, group->box);
  Candidate *candidate;

  if (*slot == 0) {
    Candidate fresh = {.box = group->box, .last_hierarchy = G_MAXUINT};

    g_array_append_val (ranking->candidates, fresh);
    *slot = ranking->candidates->len;
  }
  candidate = &g_array_index (ranking->candidates, Candidate, *slot - 1);
  candidate->size = MAX (candidate->size, group->size);
  candidate->height = MAX (candidate->height, group->height);
  candidate->similarity += group->similarity;
  candidate->n_groups++;
  if (candidate->last_hierarchy != ranking->n_hierarchies)
    candidate->n_hierarchies++;
  candidate->last_hierarchy = ranking->n_hierarchies;
}

void
ens_ranking_add (EnsRanking *ranking, const EnsGroup *groups, guint n_groups)
{
  reserve_slots (ranking, ranking->candidates->len + n_groups);
  for (guint i = 0; i < n_groups; i++)
    add_group (ranking, &groups[i]);
  ranking->n_hierarchies++;
}

/* -- sorting -- */

/* A key holds what is sorted by in the upper half, an index in the lower. Least byte first; equal
 * ones keep their order. */
static void
sort_keys (EnsRanking *ranking, guint n)
{
  for (guint shift = 32; shift < 64; shift += 8) {
    guint32 starts[257] = {0};
    guint64 *swap = ranking->keys;

    for (guint i = 0; i < n; i++)
      starts[(ranking->keys[i] >> shift & 0xff) + 1]++;
    for (guint b = 0; b < 255; b++)
      starts[b + 1] += starts[b];
    for (guint i = 0; i < n; i++)
      ranking->scratch[starts[ranking->keys[i] >> shift & 0xff]++] = ranking->keys[i];
    ranking->keys = ranking->scratch;
    ranking->scratch = swap;
  }
}

/* A number that is the smaller, the larger the score. */
static guint64
make_score_key (float score, guint32 index)
{
  guint32 bits;

  memcpy (&bits, &score, sizeof bits);
  bits ^= bits >> 31 ? 0 : G_MAXINT32;
  return (guint64)bits << 32 | index;
}

static void
reserve (EnsRanking *ranking, guint n)
{
  Columns *columns = &ranking->columns;
  gpointer all[N_COLUMNS];

  if (ranking->capacity < n) {
    ranking->capacity = n;
    ranking->memory = g_renew (guint32, ranking->memory, (gsize)n * N_COLUMNS);
    ranking->keys = g_renew (guint64, ranking->keys, n);
    ranking->scratch = g_renew (guint64, ranking->scratch, n);
  }
  for (guint c = 0; c < N_COLUMNS; c++)
    all[c] = ranking->memory + (gsize)c * ranking->capacity;
  *columns =
      (Columns) {all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7], all[8], all[9]};
}

/* -- scores -- */

/* All but the votes. */
static float
score (const Candidate *candidate)
{
  float width = candidate->box.x1 - candidate->box.x0;
  float height = candidate->box.y1 - candidate->box.y0;

  return LEVEL_WEIGHT * logf (1 + candidate->height)
         - SIMILARITY_WEIGHT * candidate->similarity / candidate->n_groups
         - ASPECT_WEIGHT * fabsf (logf (width / height))
         + FILL_WEIGHT * candidate->size / (width * height);
}

/* Lists the candidates, the best of them if there are too many, in order of area. */
static void
choose_candidates (EnsRanking *ranking)
{
  const Candidate *candidates = (const Candidate *)ranking->candidates->data;
  guint n = ranking->candidates->len;

  reserve (ranking, n);
  ranking->n = MIN (n, MAX_CANDIDATES);
  for (guint i = 0; i < n; i++)
    ranking->keys[i] = make_score_key (score (&candidates[i]), i);
  if (n > MAX_CANDIDATES)
    sort_keys (ranking, n);
  for (guint i = 0; i < ranking->n; i++) {
    guint32 index = (guint32)ranking->keys[i];

    ranking->keys[i] = (guint64)ens_box_area (candidates[index].box) << 32 | index;
  }
  sort_keys (ranking, ranking->n);
}

static void
fill_columns (EnsRanking *ranking)
{
  Columns *columns = &ranking->columns;

  for (guint i = 0; i < ranking->n; i++) {
    guint32 index = (guint32)ranking->keys[i];
    const Candidate *candidate = &g_array_index (ranking->candidates, Candidate, index);

    columns->x0[i] = candidate->box.x0;
    columns->y0[i] = candidate->box.y0;
    columns->x1[i] = candidate->box.x1;
    columns->y1[i] = candidate->box.y1;
    columns->area[i] = (gint32)ens_box_area (candidate->box);
    columns->votes[i] = (gint32)candidate->n_hierarchies;
    columns->dead[i] = FALSE;
    columns->score[i] = score (candidate);
  }
}

/* -- overlaps -- */

ENS_INLINE gboolean
is_duplicate (const Columns *c, gsize i, gsize j)
{
  gint32 width = MIN (c->x1[i], c->x1[j]) - MAX (c->x0[i], c->x0[j]);
  gint32 height = MIN (c->y1[i], c->y1[j]) - MAX (c->y0[i], c->y0[j]);

  return INTERSECTION_FACTOR * MAX (width, 0) * MAX (height, 0)
         > AREAS_FACTOR * (c->area[i] + c->area[j]);
}

/* Boxes whose areas differ by more than the threshold can't overlap by more: what comes into
 * question for each lies in a range around it. */
static void
find_ranges (Columns *columns, guint n)
{
  for (guint i = 0, begin = 0, end = 0; i < n; i++) {
    gint64 area = columns->area[i];

    while (5 * columns->area[begin] < 4 * area)
      begin++;
    while (end < n && 4 * columns->area[end] < 5 * area)
      end++;
    columns->begin[i] = begin;
    columns->end[i] = end;
  }
}

ENS_CLONES static gint32
count_votes (const Columns *columns, gsize i)
{
  const Columns c = *columns;
  gsize end = c.end[i];
  gint32 votes = 0;

  for (gsize j = c.begin[i]; j < end; j++)
    votes += is_duplicate (&c, i, j) ? c.votes[j] : 0;
  return votes;
}

static void
vote (gpointer data, guint task, guint worker)
{
  EnsRanking *ranking = data;
  guint first = task * VOTES_PER_TASK;

  for (guint i = first; i < MIN (first + VOTES_PER_TASK, ranking->n); i++)
    ranking->columns.score[i] += VOTES_WEIGHT * logf (count_votes (&ranking->columns, i));
}

ENS_CLONES static void
suppress (const Columns *columns, gsize i)
{
  const Columns c = *columns;
  gint32 *restrict dead = c.dead;
  gsize end = c.end[i];

  for (gsize j = c.begin[i]; j < end; j++)
    dead[j] |= is_duplicate (&c, i, j);
}

/* -- the whole -- */

static void
append_window (EnsRanking *ranking, guint i, guint width, guint height)
{
  const Columns *c = &ranking->columns;
  EnsRect rect = {(float)c->x0[i] / width, (float)c->y0[i] / height,
                  (float)(c->x1[i] - c->x0[i]) / width, (float)(c->y1[i] - c->y0[i]) / height};
  EnsWindow window = {rect, c->score[i]};

  g_array_append_val (ranking->windows, window);
}

const EnsWindow *
ens_ranking_run (EnsRanking *ranking, guint width, guint height, guint max_windows,
                 EnsThreadPool *pool, guint *n_windows)
{
  Columns *columns = &ranking->columns;

  choose_candidates (ranking);
  fill_columns (ranking);
  find_ranges (columns, ranking->n);
  ens_thread_pool_run (pool, (ranking->n + VOTES_PER_TASK - 1) / VOTES_PER_TASK, vote, ranking);
  for (guint i = 0; i < ranking->n; i++)
    ranking->keys[i] = make_score_key (columns->score[i], i);
  sort_keys (ranking, ranking->n);

  g_array_set_size (ranking->windows, 0);
  for (guint k = 0; k < ranking->n && ranking->windows->len < max_windows; k++) {
    guint32 i = (guint32)ranking->keys[k];

    if (columns->dead[i])
      continue;
    append_window (ranking, i, width, height);
    suppress (columns, i);
  }
  *n_windows = ranking->windows->len;
  return (const EnsWindow *)ranking->windows->data;
}
