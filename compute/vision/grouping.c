/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The candidates for a merge wait in a heap. A merge makes those that name its two regions void;
 * they stay and are skipped when they come up. Likewise lists of neighbours keep the names of
 * regions that have been merged, and reading a list replaces them by what they have become. */
#include "vision/grouping.h"

#include <string.h>

#include "vision/forest.h"

/* One cue's largest similarity. */
#define UNIT (3 * ENS_HISTOGRAM_CHANNEL)

/* A candidate in one number: similarity, then the names of the two regions. */
#define NAME_BITS 22
#define NAME_MASK ((1u << NAME_BITS) - 1)

typedef struct {
  guint first, n;
} NeighbourList;

/* The largest number first. */
typedef struct {
  guint64 *entries;
  guint n, capacity;
} Heap;

struct _EnsGrouping {
  EnsSimilarity similarity;
  guint32 area;
  guint n_groups, capacity;
  EnsRegion *regions;
  EnsGroup *groups;
  guint32 *parents;          /* what each group has become */
  guint32 *seen;             /* the group for which a neighbour was listed last */
  NeighbourList *neighbours; /* into names */
  GArray *names;             /* guint32 */
  Heap heap;
};

EnsGrouping *
ens_grouping_new (void)
{
  EnsGrouping *grouping = g_new0 (EnsGrouping, 1);

  grouping->names = g_array_new (FALSE, FALSE, sizeof (guint32));
  return grouping;
}

static void
free_groups (EnsGrouping *grouping)
{
  g_free (grouping->regions);
  g_free (grouping->groups);
  g_free (grouping->parents);
  g_free (grouping->seen);
  g_free (grouping->neighbours);
}

void
ens_grouping_free (EnsGrouping *grouping)
{
  free_groups (grouping);
  g_array_unref (grouping->names);
  g_free (grouping->heap.entries);
  g_free (grouping);
}

static void
reserve (EnsGrouping *grouping, guint capacity)
{
  if (grouping->capacity >= capacity)
    return;
  free_groups (grouping);
  grouping->capacity = capacity;
  grouping->regions = g_new (EnsRegion, capacity);
  grouping->groups = g_new (EnsGroup, capacity);
  grouping->parents = g_new (guint32, capacity);
  grouping->seen = g_new (guint32, capacity);
  grouping->neighbours = g_new (NeighbourList, capacity);
}

/* -- the heap -- */

static void
push (Heap *heap, guint64 candidate)
{
  guint64 *entries;
  guint i = heap->n++;

  if (heap->n > heap->capacity) {
    heap->capacity = 2 * heap->n;
    heap->entries = g_renew (guint64, heap->entries, heap->capacity);
  }
  entries = heap->entries;
  for (; i > 0 && entries[(i - 1) / 2] < candidate; i = (i - 1) / 2)
    entries[i] = entries[(i - 1) / 2];
  entries[i] = candidate;
}

static guint64
pop (Heap *heap)
{
  guint64 *entries = heap->entries, top = entries[0], last = entries[--heap->n];
  guint n = heap->n, i = 0, child;

  while ((child = 2 * i + 1) < n) {
    child += child + 1 < n && entries[child + 1] > entries[child];
    if (entries[child] <= last)
      break;
    entries[i] = entries[child];
    i = child;
  }
  entries[i] = last;
  return top;
}

/* -- similarity -- */

static guint
count_cues (EnsSimilarity similarity)
{
  return similarity == ENS_SIMILARITY_COLOUR_SIZE_FILL ? 3 : 2;
}

/* With a and b the sizes, B the common box and A the image, size is 1 - (a + b) / A and fill
 * 1 - (B - a - b) / A: their sum 2 - B / A. */
static guint32
measure_similarity (const EnsGrouping *grouping, const EnsRegion *a, const EnsRegion *b)
{
  guint64 box = ens_box_area (ens_box_unite (a->box, b->box));
  guint32 similarity = 2 * UNIT - (guint32)(box * UNIT / grouping->area);

  if (grouping->similarity == ENS_SIMILARITY_COLOUR_SIZE_FILL)
    similarity += ens_region_intersect (a, b);
  return similarity;
}

static void
push_pair (EnsGrouping *grouping, guint32 a, guint32 b)
{
  guint64 similarity = measure_similarity (grouping, &grouping->regions[a], &grouping->regions[b]);

  push (&grouping->heap,
        similarity << 2 * NAME_BITS | (guint64)MAX (a, b) << NAME_BITS | MIN (a, b));
}

/* -- neighbours -- */

/* Turns the edges into one list per region. */
static void
list_neighbours (EnsGrouping *grouping, const EnsRegions *regions)
{
  NeighbourList *lists = grouping->neighbours;
  guint32 *names;
  guint first = 0;

  g_array_set_size (grouping->names, 2 * regions->n_edges);
  names = (guint32 *)grouping->names->data;
  memset (lists, 0, regions->n_regions * sizeof *lists);
  for (guint e = 0; e < regions->n_edges; e++) {
    lists[regions->edges[e].a].n++;
    lists[regions->edges[e].b].n++;
  }
  for (guint r = 0; r < regions->n_regions; r++) {
    lists[r].first = first;
    first += lists[r].n;
    lists[r].n = 0;
  }
  for (guint e = 0; e < regions->n_edges; e++) {
    guint32 a = regions->edges[e].a, b = regions->edges[e].b;

    names[lists[a].first + lists[a].n++] = b;
    names[lists[b].first + lists[b].n++] = a;
  }
}

/* Lists what of `of`'s neighbours is not in the union's list yet. */
static void
inherit_neighbours (EnsGrouping *grouping, guint32 group, guint32 of)
{
  NeighbourList list = grouping->neighbours[of];

  for (guint i = 0; i < list.n; i++) {
    guint32 name = g_array_index (grouping->names, guint32, list.first + i);
    guint32 neighbour = ens_forest_find (grouping->parents, name);

    if (grouping->seen[neighbour] == group)
      continue;
    grouping->seen[neighbour] = group;
    g_array_append_val (grouping->names, neighbour);
  }
}

/* -- merging -- */

static void
start (EnsGrouping *grouping, const EnsRegions *regions)
{
  guint capacity = 2 * regions->n_regions - 1;

  reserve (grouping, capacity);
  grouping->n_groups = regions->n_regions;
  memcpy (grouping->regions, regions->regions, regions->n_regions * sizeof *regions->regions);
  for (guint r = 0; r < regions->n_regions; r++)
    grouping->groups[r] = (EnsGroup) {regions->regions[r].box, regions->regions[r].size};
  ens_forest_init (grouping->parents, capacity);
  memset (grouping->seen, 0, capacity * sizeof *grouping->seen);
  list_neighbours (grouping, regions);
  grouping->heap.n = 0;
  for (guint e = 0; e < regions->n_edges; e++)
    push_pair (grouping, regions->edges[e].a, regions->edges[e].b);
}

static void
merge (EnsGrouping *grouping, guint32 a, guint32 b, float similarity)
{
  guint32 group = grouping->n_groups++;
  EnsGroup *groups = grouping->groups;
  guint first = grouping->names->len;

  ens_region_unite (&grouping->regions[a], &grouping->regions[b], &grouping->regions[group]);
  groups[a].similarity = groups[b].similarity = similarity;
  groups[group] = (EnsGroup) {grouping->regions[group].box, grouping->regions[group].size,
                              MAX (groups[a].height, groups[b].height) + 1};
  grouping->parents[a] = grouping->parents[b] = group;
  grouping->seen[group] = group;
  inherit_neighbours (grouping, group, a);
  inherit_neighbours (grouping, group, b);
  grouping->neighbours[group] = (NeighbourList) {first, grouping->names->len - first};
  for (guint i = first; i < grouping->names->len; i++)
    push_pair (grouping, group, g_array_index (grouping->names, guint32, i));
}

void
ens_grouping_run (EnsGrouping *grouping, const EnsRegions *regions, guint32 area,
                  EnsSimilarity similarity)
{
  float unit = 1.0f / (count_cues (similarity) * UNIT);

  g_assert (2 * regions->n_regions <= NAME_MASK);
  grouping->similarity = similarity;
  grouping->area = area;
  start (grouping, regions);
  while (grouping->heap.n > 0) {
    guint64 candidate = pop (&grouping->heap);
    guint32 a = (guint32)(candidate >> NAME_BITS) & NAME_MASK, b = candidate & NAME_MASK;

    if (grouping->parents[a] == a && grouping->parents[b] == b)
      merge (grouping, a, b, (candidate >> 2 * NAME_BITS) * unit);
  }
}

const EnsGroup *
ens_grouping_get_groups (const EnsGrouping *grouping, guint *n_groups)
{
  *n_groups = grouping->n_groups;
  return grouping->groups;
}
