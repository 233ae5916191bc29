/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "classify/time-filter.h"

#include <math.h>
#include <string.h>

/* A new spacing of results counts as much as this many before it. */
#define SPACING_MEMORY 3

typedef struct {
  EnsClassState state;
  guint64 since;  /* when the state was entered, ENS_TIME_NONE if unknown */
  float smoothed; /* NaN: no evidence */
  guint32 votes;  /* the latest in the lowest bit, 1 for the class */
  guint n_votes;
} Class;

struct _EnsTimeFilter {
  char **names, **old_names; /* NULL-terminated; the old ones are those that changes name */
  Class *classes;
  guint n;
  guint64 last;    /* time of the latest result */
  guint64 held;    /* up to when it holds, if that is later */
  guint64 spacing; /* usual time between results, 0: unknown */
  GArray *changes; /* EnsStateChange */
};

EnsTimeSettings
ens_time_settings_override (const EnsTimeSettings *settings, const EnsTimeOverrides *overrides)
{
  EnsTimeSettings result = *settings;

#define OVERRIDE(member)      \
  if (overrides->member >= 0) \
  result.member = overrides->member
  OVERRIDE (half_life);
  OVERRIDE (consensus);
  OVERRIDE (consensus_of);
  OVERRIDE (hysteresis);
  OVERRIDE (min_present);
  OVERRIDE (min_absent);
  OVERRIDE (forget);
#undef OVERRIDE
  result.consensus = CLAMP (result.consensus, 1, ENS_MAX_CONSENSUS);
  result.consensus_of = CLAMP (result.consensus_of, result.consensus, ENS_MAX_CONSENSUS);
  return result;
}

EnsTimeFilter *
ens_time_filter_new (void)
{
  EnsTimeFilter *filter = g_new0 (EnsTimeFilter, 1);

  filter->names = g_new0 (char *, 1);
  filter->last = filter->held = ENS_TIME_NONE;
  filter->changes = g_array_new (FALSE, FALSE, sizeof (EnsStateChange));
  return filter;
}

void
ens_time_filter_free (EnsTimeFilter *filter)
{
  g_strfreev (filter->names);
  g_strfreev (filter->old_names);
  g_free (filter->classes);
  g_array_unref (filter->changes);
  g_free (filter);
}

/* The next result is the only evidence. */
static void
forget_evidence (EnsTimeFilter *filter)
{
  for (guint i = 0; i < filter->n; i++)
    filter->classes[i].n_votes = 0;
  filter->last = filter->held = ENS_TIME_NONE;
}

static guint64
time_between (guint64 from, guint64 to)
{
  return from == ENS_TIME_NONE || to == ENS_TIME_NONE || to < from ? 0 : to - from;
}

static void
change_state (EnsTimeFilter *filter, guint index, EnsClassState state, guint64 time)
{
  Class *class = &filter->classes[index];
  EnsStateChange change = {.name = filter->names[index],
                           .class_index = index,
                           .appeared = state == ENS_CLASS_PRESENT,
                           .probability = class->smoothed,
                           .time = time};

  if (class->state == ENS_CLASS_PRESENT)
    change.duration = time_between (class->since, time);
  if (change.appeared || class->state == ENS_CLASS_PRESENT)
    g_array_append_val (filter->changes, change);
  class->state = state;
  class->since = time;
}

static const EnsStateChange *
take_changes (EnsTimeFilter *filter, guint *n_changes)
{
  *n_changes = filter->changes->len;
  return (const EnsStateChange *)(gpointer)filter->changes->data;
}

static void
begin (EnsTimeFilter *filter)
{
  g_array_set_size (filter->changes, 0);
}

/* Nothing is known of the class any more. */
static void
forget_class (EnsTimeFilter *filter, guint index, guint64 time)
{
  change_state (filter, index, ENS_CLASS_UNKNOWN, time);
  filter->classes[index].smoothed = NAN;
  filter->classes[index].n_votes = 0;
}

/* ---- Classes ---- */

static gint
find_name (char *const *names, const char *name)
{
  for (gint i = 0; names[i] != NULL; i++)
    if (strcmp (names[i], name) == 0)
      return i;
  return -1;
}

const EnsStateChange *
ens_time_filter_set_classes (EnsTimeFilter *filter, const char *const *names, guint *n_changes)
{
  const guint n = g_strv_length ((char **)names);
  Class *classes = g_new0 (Class, n + 1);

  begin (filter);
  for (guint i = 0; i < filter->n; i++)
    if (find_name ((char *const *)names, filter->names[i]) < 0)
      forget_class (filter, i, filter->last);
  for (guint i = 0; i < n; i++) {
    const gint old = find_name (filter->names, names[i]);

    classes[i] =
        old >= 0 ? filter->classes[old] : (Class) {ENS_CLASS_UNKNOWN, ENS_TIME_NONE, NAN, 0, 0};
  }
  g_strfreev (filter->old_names);
  filter->old_names = filter->names;
  filter->names = g_strdupv ((char **)names);
  g_free (filter->classes);
  filter->classes = classes;
  filter->n = n;
  forget_evidence (filter);
  return take_changes (filter, n_changes);
}

EnsClassState
ens_time_filter_get_state (const EnsTimeFilter *filter, guint class_index)
{
  g_return_val_if_fail (class_index < filter->n, ENS_CLASS_UNKNOWN);
  return filter->classes[class_index].state;
}

/* ---- Time ---- */

/* How long nothing has been known. */
static guint64
time_without (const EnsTimeFilter *filter, guint64 time)
{
  return time_between (filter->held != ENS_TIME_NONE ? filter->held : filter->last, time);
}

/* After which states are forgotten; 0: never. */
static guint64
get_limit (const EnsTimeFilter *filter, const EnsTimeSettings *settings)
{
  const guint64 usual = filter->spacing * (settings->consensus_of + 1);

  return settings->forget > 0 ? MAX (settings->forget, usual) : 0;
}

static gboolean
is_too_old (const EnsTimeFilter *filter, const EnsTimeSettings *settings, guint64 time)
{
  const guint64 limit = get_limit (filter, settings);

  return limit > 0 && time_without (filter, time) > limit;
}

static void
forget_old (EnsTimeFilter *filter, const EnsTimeSettings *settings, guint64 time)
{
  for (guint i = 0; i < filter->n; i++)
    if (is_too_old (filter, &settings[i], time))
      forget_class (filter, i, filter->last);
}

/* Time has gone back: states stay, but nothing that was measured against it counts. */
static void
start_again (EnsTimeFilter *filter, guint64 time)
{
  forget_evidence (filter);
  for (guint i = 0; i < filter->n; i++)
    filter->classes[i].since = time;
}

/* A gap says little of how often results come: no more of it counts than makes one. */
static void
note_spacing (EnsTimeFilter *filter, const EnsTimeSettings *settings, guint64 time)
{
  guint64 passed = time_without (filter, time), longest = 0;

  for (guint i = 0; i < filter->n; i++)
    longest = MAX (longest, get_limit (filter, &settings[i]));
  if (longest > 0)
    passed = MIN (passed, longest);
  if (filter->spacing == 0)
    filter->spacing = passed;
  else if (passed > 0)
    filter->spacing = (SPACING_MEMORY * filter->spacing + passed) / (SPACING_MEMORY + 1);
}

const EnsStateChange *
ens_time_filter_advance (EnsTimeFilter *filter, const EnsTimeSettings *settings, guint64 time,
                         guint *n_changes)
{
  begin (filter);
  forget_old (filter, settings, time);
  return take_changes (filter, n_changes);
}

void
ens_time_filter_hold (EnsTimeFilter *filter, guint64 time)
{
  if (filter->last != ENS_TIME_NONE && time != ENS_TIME_NONE && time >= filter->last)
    filter->held = time;
}

const EnsStateChange *
ens_time_filter_end (EnsTimeFilter *filter, guint *n_changes)
{
  begin (filter);
  for (guint i = 0; i < filter->n; i++)
    forget_class (filter, i, filter->last);
  filter->last = filter->held = ENS_TIME_NONE;
  filter->spacing = 0;
  return take_changes (filter, n_changes);
}

/* ---- Results ---- */

static void
smooth (Class *class, const EnsTimeSettings *settings, float p, gboolean timed, guint64 passed)
{
  if (isnan (class->smoothed) || settings->half_life == 0 || !timed)
    class->smoothed = p;
  else
    class->smoothed += (1 - exp2f (-(float)((double)passed / (double)settings->half_life)))
                       * (p - class->smoothed);
}

static void
vote (Class *class, const EnsTimeSettings *settings, float threshold)
{
  const float lowered =
      class->state == ENS_CLASS_PRESENT ? threshold * (1 - settings->hysteresis) : threshold;

  class->votes = class->votes << 1 | (class->smoothed >= lowered);
  class->n_votes = MIN (class->n_votes + 1, ENS_MAX_CONSENSUS);
}

/* What enough of the last votes agree on; the state as it is if they do not. */
static EnsClassState
count_votes (const Class *class, const EnsTimeSettings *settings)
{
  const guint n = MIN (class->n_votes, settings->consensus_of);
  const guint32 counted = n == 32 ? class->votes : class->votes & ((1U << n) - 1);
  const guint yes = (guint)__builtin_popcount (counted);
  const gboolean present = yes >= settings->consensus, absent = n - yes >= settings->consensus;

  if (present == absent)
    return class->state;
  return present ? ENS_CLASS_PRESENT : ENS_CLASS_ABSENT;
}

/* How long its state lasts at least. */
static guint64
get_minimum (const Class *class, const EnsTimeSettings *settings)
{
  return class->state == ENS_CLASS_PRESENT  ? settings->min_present
         : class->state == ENS_CLASS_ABSENT ? settings->min_absent
                                            : 0;
}

static gboolean
has_lasted (const Class *class, const EnsTimeSettings *settings, guint64 time)
{
  return class->since == ENS_TIME_NONE || time == ENS_TIME_NONE
         || time_between (class->since, time) >= get_minimum (class, settings);
}

/* timed: whether the time that has passed since the last result is known. */
static void
update_class (EnsTimeFilter *filter, guint index, const EnsTimeSettings *settings, gboolean timed,
              guint64 passed, guint64 time, EnsClassResult *result)
{
  Class *class = &filter->classes[index];
  EnsClassState next;

  if (!isnan (result->p)) {
    smooth (class, settings, result->withheld ? 0 : result->p, timed, passed);
    vote (class, settings, result->threshold);
    next = count_votes (class, settings);
    if (next != class->state && has_lasted (class, settings, time))
      change_state (filter, index, next, time);
  }
  result->smoothed = class->smoothed;
  result->state = class->state;
}

const EnsStateChange *
ens_time_filter_update (EnsTimeFilter *filter, const EnsTimeSettings *settings, guint64 time,
                        EnsClassResult *classes, guint *n_changes)
{
  gboolean timed;
  guint64 passed;

  begin (filter);
  if (time != ENS_TIME_NONE && filter->last != ENS_TIME_NONE && time < filter->last)
    start_again (filter, time);
  forget_old (filter, settings, time);
  timed = time != ENS_TIME_NONE && filter->last != ENS_TIME_NONE;
  passed = time_between (filter->last, time);
  for (guint i = 0; i < filter->n; i++)
    update_class (filter, i, &settings[i], timed, passed, time, &classes[i]);
  note_spacing (filter, settings, time);
  filter->held = ENS_TIME_NONE;
  if (time != ENS_TIME_NONE)
    filter->last = time;
  return take_changes (filter, n_changes);
}

/* Nothing but a minimum duration holds votes that agree back, and that ends in due course. */
static void
settle_class (EnsTimeFilter *filter, guint index, const EnsTimeSettings *settings, guint64 time)
{
  const Class *class = &filter->classes[index];
  const EnsClassState next = count_votes (class, settings);

  if (next != class->state && class->since != ENS_TIME_NONE && time != ENS_TIME_NONE
      && has_lasted (class, settings, time))
    change_state (filter, index, next, class->since + get_minimum (class, settings));
}

const EnsStateChange *
ens_time_filter_settle (EnsTimeFilter *filter, const EnsTimeSettings *settings, guint64 time,
                        guint *n_changes)
{
  begin (filter);
  for (guint i = 0; i < filter->n; i++)
    settle_class (filter, i, &settings[i], time);
  return take_changes (filter, n_changes);
}
