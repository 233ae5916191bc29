/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A segment is what lies between two groups that all paths pass through, and the latter of them.
 * Segments are described by what they compute and by how far back they read; a repeat is a sequence
 * of segments with the same descriptions. */
#include "network-repeats.h"

#include "graph/op.h"

/* Segments of one copy at most. */
#define MAX_PERIOD 64

/* A frame around fewer groups says no more than the groups themselves. */
#define LEAST_SAVED 2

typedef struct {
  guint first, length; /* groups */
  guint kind;          /* the same number for the same description */
} Segment;

/* -- what a group is like -- */

/* A segment's description, as far as it is known. Values of earlier segments are numbered in the
 * order in which they are read. */
typedef struct {
  const NetworkGroups *groups;
  const NetworkPlace *by_value;
  guint first;      /* the segment's first group */
  GHashTable *read; /* value → number + 1 */
  GString *text;
} Description;

static void
describe_input (Description *description, guint g, const EnsValue *input)
{
  const NetworkPlace *place = input != NULL ? &description->by_value[input->index] : NULL;
  g_autofree char *shape = input != NULL ? ens_shape_to_string (&input->shape) : NULL;
  gpointer number;

  if (place == NULL || place->group == NETWORK_NO_GROUP) {
    g_string_append_printf (description->text, "(%s)", shape != NULL ? shape : "");
    return;
  }
  if (place->group >= description->first) {
    g_string_append_printf (description->text, "(-%u:%u)", g - place->group, place->node);
    return;
  }
  number = g_hash_table_lookup (description->read, input);
  if (number == NULL) {
    number = GUINT_TO_POINTER (g_hash_table_size (description->read) + 1);
    g_hash_table_insert (description->read, (gpointer)input, number);
  }
  g_string_append_printf (description->text, "(-%u, value %u)", g - place->group,
                          GPOINTER_TO_UINT (number));
}

static void
describe_node (Description *description, guint g, const EnsNode *node)
{
  g_autofree char *attributes = ens_node_attributes_to_string (node);

  g_string_append_printf (description->text, "%s %s", node->op->name, attributes);
  for (guint i = 0; i < node->n_inputs; i++)
    describe_input (description, g, node->inputs[i]);
  for (guint i = 0; i < node->n_outputs; i++) {
    g_autofree char *shape = ens_shape_to_string (&node->outputs[i]->shape);

    g_string_append_printf (description->text, " %s", shape);
  }
  g_string_append_c (description->text, '\n');
}

static void
describe_group (Description *description, guint g)
{
  const NetworkGroup *group = &g_array_index (description->groups->groups, NetworkGroup, g);

  g_string_append_printf (description->text, "%s%s\n", group->value != NULL ? "input" : "",
                          group->is_last ? "output" : "");
  for (guint n = 0; n < group->nodes->len; n++)
    describe_node (description, g, group->nodes->pdata[n]);
}

/* Begins the next segment's. */
static void
begin_description (Description *description, guint first)
{
  description->first = first;
  g_hash_table_remove_all (description->read);
  g_string_truncate (description->text, 0);
}

/* -- segments -- */

/* Whether a segment ends at each group: no edge passes it. */
static gboolean *
find_cuts (const NetworkGroups *groups)
{
  const guint n = groups->groups->len;
  gboolean *cuts = g_new (gboolean, n);
  g_autofree guint *farthest = g_new0 (guint, n);
  guint reach = 0;

  for (guint e = 0; e < groups->edges->len; e++) {
    const NetworkEdge *edge = &g_array_index (groups->edges, NetworkEdge, e);

    farthest[edge->from] = MAX (farthest[edge->from], edge->to);
  }
  for (guint g = 0; g < n; g++) {
    cuts[g] = reach <= g;
    reach = MAX (reach, farthest[g]);
  }
  return cuts;
}

/* Segment. (transfer full) */
static GArray *
list_segments (const NetworkGroups *groups, const NetworkPlace *by_value)
{
  GArray *segments = g_array_new (FALSE, FALSE, sizeof (Segment));
  g_autoptr (GHashTable) kinds = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GHashTable) read = g_hash_table_new (NULL, NULL);
  Description description = {groups, by_value, 0, read, text};
  g_autofree gboolean *cuts = find_cuts (groups);
  guint first = 0;

  for (guint g = 0; g < groups->groups->len; g++) {
    Segment segment = {first, g + 1 - first, g_hash_table_size (kinds) + 1};
    gpointer known;

    describe_group (&description, g);
    if (!cuts[g])
      continue;
    known = g_hash_table_lookup (kinds, text->str);
    if (known != NULL)
      segment.kind = GPOINTER_TO_UINT (known);
    else
      g_hash_table_insert (kinds, g_strdup (text->str), GUINT_TO_POINTER (segment.kind));
    g_array_append_val (segments, segment);
    first = g + 1;
    begin_description (&description, first);
  }
  return segments;
}

/* -- repeats -- */

static guint
count_copies (const GArray *segments, guint first, guint period)
{
  guint n = 1;

  for (guint s = first + period; s < segments->len; s++) {
    if (g_array_index (segments, Segment, s).kind
        != g_array_index (segments, Segment, s - period).kind)
      break;
    if ((s - first + 1) % period == 0)
      n++;
  }
  return n;
}

/* The period that saves most groups from a segment on; 0: none saves any worth a frame. */
static guint
find_period (const GArray *segments, guint first, NetworkRepeat *repeat)
{
  guint best = 0, most = LEAST_SAVED - 1, length = 0;

  repeat->first = g_array_index (segments, Segment, first).first;
  for (guint period = 1; period <= MIN (MAX_PERIOD, (segments->len - first) / 2); period++) {
    guint n = count_copies (segments, first, period);

    length += g_array_index (segments, Segment, first + period - 1).length;
    if ((n - 1) * length <= most)
      continue;
    most = (n - 1) * length;
    best = period;
    repeat->length = length;
    repeat->n_copies = n;
  }
  return best;
}

GArray *
network_find_repeats (const NetworkGroups *groups, const NetworkPlace *by_value)
{
  GArray *repeats = g_array_new (FALSE, FALSE, sizeof (NetworkRepeat));
  g_autoptr (GArray) segments = list_segments (groups, by_value);

  for (guint s = 0; s < segments->len;) {
    NetworkRepeat repeat;
    guint period = find_period (segments, s, &repeat);

    if (period > 0)
      g_array_append_val (repeats, repeat);
    s += period > 0 ? period * repeat.n_copies : 1;
  }
  return repeats;
}
