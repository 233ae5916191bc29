/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "tags.h"

typedef struct {
  GString *seen, *tagged, *missed, *wrong;
} Line;

typedef struct {
  guint seen, found, wrong; /* classes in seconds */
} Score;

/* What was said of one class in one second. */
typedef struct {
  guint n_frames, n_present;
  double p;
} Said;

static Said
said_in (GPtrArray *frames, guint index, guint second)
{
  Said said = {0};

  for (guint i = 0; i < frames->len; i++) {
    const TaggedFrame *frame = g_ptr_array_index (frames, i);
    const Tag *tag = &g_array_index (frame->tags, Tag, index);

    if ((guint)frame->seconds != second)
      continue;
    said.n_frames++;
    said.n_present += tag->present;
    said.p += tag->p;
  }
  if (said.n_frames > 0)
    said.p /= said.n_frames;
  return said;
}

static void
append_name (GString *list, const char *name)
{
  g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "", name);
}

/* A class is tagged in a second when most of its frames have it; the number is the mean. */
static void
add_class (Line *line, Score *score, const char *name, const Said *said, const Labels *labels,
           guint second)
{
  gboolean seen = labels_visible_in (labels, name, second, CLEARLY_VISIBLE) > 0.5;
  gboolean absent = labels_visible_in (labels, name, second, HARDLY_VISIBLE) == 0;
  gboolean tagged = 2 * said->n_present > said->n_frames;

  if (seen)
    append_name (line->seen, name);
  if (tagged) {
    append_name (line->tagged, name);
    g_string_append_printf (line->tagged, " %.2f", said->p);
  }
  if (seen && !tagged)
    append_name (line->missed, name);
  if (absent && tagged)
    append_name (line->wrong, name);
  score->seen += seen;
  score->found += seen && tagged;
  score->wrong += absent && tagged;
}

static void
print_second (GPtrArray *frames, const Labels *labels, guint second, Score *score)
{
  const TaggedFrame *first = g_ptr_array_index (frames, 0);
  g_autoptr (GString) seen = g_string_new (NULL), tagged = g_string_new (NULL);
  g_autoptr (GString) missed = g_string_new (NULL), wrong = g_string_new (NULL);
  Line line = {seen, tagged, missed, wrong};

  for (guint i = 0; i < first->tags->len; i++) {
    Said said = said_in (frames, i, second);

    add_class (&line, score, g_array_index (first->tags, Tag, i).name, &said, labels, second);
  }
  g_print ("%4u s  %-36s  %-52s  %-16s  %s\n", second, seen->len > 0 ? seen->str : "-",
           tagged->len > 0 ? tagged->str : "-", missed->str, wrong->str);
}

void
table_print (GPtrArray *frames, const Labels *labels)
{
  const TaggedFrame *last;
  Score score = {0};
  guint n_seconds;

  if (frames->len == 0)
    return;
  last = g_ptr_array_index (frames, frames->len - 1);
  n_seconds = MAX (labels_get_seconds (labels), (guint)last->seconds + 1);
  g_print ("%6s  %-36s  %-52s  %-16s  %s\n", "second", "to be seen",
           "tagged, with mean probability", "missed", "wrong");
  for (guint second = 0; second < n_seconds; second++)
    print_second (frames, labels, second, &score);
  g_print (
      "\nClasses to be seen, counted per second: %u. Tagged: %u (%.0f %%). Tagged but not there: "
      "%u.\n",
      score.seen, score.found, score.seen > 0 ? 100.0 * score.found / score.seen : 100,
      score.wrong);
}
