/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a stream's results become states and events: "events" in ensemble.json. */
#include <string.h>

#include "ensemble/bundle-private.h"

#define NANOSECONDS 1e9
#define MAX_SECONDS 1e6

void
ens_bundle_events_free (EnsBundleEvents *events)
{
  if (events == NULL)
    return;
  g_free (events->classes);
  g_free (events);
}

EnsTimeSettings
ens_bundle_get_time_settings (const EnsBundle *bundle, guint class)
{
  return bundle->events != NULL ? bundle->events->classes[class] : ENS_TIME_DEFAULTS;
}

/* A member that may be missing. */
static void
read_seconds (EnsJsonReader *reader, const char *name, guint64 *nanoseconds)
{
  if (ens_json_reader_has (reader, name))
    *nanoseconds =
        (guint64)(ens_json_reader_number (reader, name, 0, MAX_SECONDS) * NANOSECONDS + 0.5);
}

static void
read_consensus (EnsJsonReader *reader, EnsTimeSettings *settings)
{
  static const EnsJsonRange range = {2, 2, 1, ENS_MAX_CONSENSUS};
  g_autofree guint *values = NULL;
  guint n;

  if (!ens_json_reader_has (reader, "consensus"))
    return;
  values = ens_json_reader_integers (reader, "consensus", &range, &n);
  if (values == NULL)
    return;
  settings->consensus = values[0];
  settings->consensus_of = values[1];
  if (values[0] > values[1] || values[0] <= values[1] / 2)
    ens_json_reader_fail (reader, "consensus",
                          "expected [N, M], N more than half of M and at most M, found [%u, %u]",
                          values[0], values[1]);
}

/* The members of where the reader stands. */
static void
read_settings (EnsJsonReader *reader, EnsTimeSettings *settings)
{
  read_seconds (reader, "smoothing", &settings->half_life);
  read_consensus (reader, settings);
  if (ens_json_reader_has (reader, "hysteresis"))
    settings->hysteresis = (float)ens_json_reader_number (reader, "hysteresis", 0, 1);
  read_seconds (reader, "min_present", &settings->min_present);
  read_seconds (reader, "min_absent", &settings->min_absent);
  read_seconds (reader, "forget", &settings->forget);
}

EnsBundleEvents *
ens_bundle_events_read (EnsJsonReader *reader, const EnsBundle *bundle)
{
  EnsBundleEvents *events = g_new0 (EnsBundleEvents, 1);
  gboolean apart;

  events->classes = g_new (EnsTimeSettings, bundle->n_classes + 1);
  events->all = ENS_TIME_DEFAULTS;
  ens_json_reader_enter_object (reader, "events");
  read_settings (reader, &events->all);
  apart = ens_json_reader_has (reader, "classes");
  if (apart)
    ens_json_reader_enter_object (reader, "classes");
  for (guint c = 0; c < bundle->n_classes; c++) {
    events->classes[c] = events->all;
    if (!apart || ens_json_reader_failed (reader)
        || !ens_json_reader_has (reader, bundle->classes[c]))
      continue;
    ens_json_reader_enter_object (reader, bundle->classes[c]);
    read_settings (reader, &events->classes[c]);
    ens_json_reader_leave (reader);
  }
  if (apart)
    ens_json_reader_leave (reader);
  ens_json_reader_leave (reader);
  return events;
}

EnsBundleEvents *
ens_bundle_events_carry (const EnsBundle *old, const EnsBundle *bundle)
{
  EnsBundleEvents *events;

  if (old->events == NULL)
    return NULL;
  events = g_new0 (EnsBundleEvents, 1);
  events->all = old->events->all;
  events->classes = g_new (EnsTimeSettings, bundle->n_classes);
  for (guint c = 0; c < bundle->n_classes; c++) {
    events->classes[c] = events->all;
    for (guint d = 0; d < old->n_classes; d++)
      if (strcmp (bundle->classes[c], old->classes[d]) == 0)
        events->classes[c] = old->events->classes[d];
  }
  return events;
}

static void
write_seconds (EnsJson *json, const char *name, guint64 nanoseconds, guint64 usual)
{
  if (nanoseconds != usual)
    ens_json_float (json, name, (float)((double)nanoseconds / NANOSECONDS));
}

/* What differs from the usual. */
static void
write_settings (EnsJson *json, const EnsTimeSettings *settings, const EnsTimeSettings *usual)
{
  write_seconds (json, "smoothing", settings->half_life, usual->half_life);
  if (settings->consensus != usual->consensus || settings->consensus_of != usual->consensus_of)
    ens_json_floats (json, "consensus",
                     (float[]) {(float)settings->consensus, (float)settings->consensus_of}, 2, 1);
  if (settings->hysteresis != usual->hysteresis)
    ens_json_float (json, "hysteresis", settings->hysteresis);
  write_seconds (json, "min_present", settings->min_present, usual->min_present);
  write_seconds (json, "min_absent", settings->min_absent, usual->min_absent);
  write_seconds (json, "forget", settings->forget, usual->forget);
}

static gboolean
is_usual (const EnsTimeSettings *a, const EnsTimeSettings *b)
{
  return a->half_life == b->half_life && a->consensus == b->consensus
         && a->consensus_of == b->consensus_of && a->hysteresis == b->hysteresis
         && a->min_present == b->min_present && a->min_absent == b->min_absent
         && a->forget == b->forget;
}

void
ens_bundle_events_write (EnsJson *json, const EnsBundle *bundle)
{
  const EnsBundleEvents *events = bundle->events;

  ens_json_open_object (json, "events", ENS_JSON_BLOCK);
  write_settings (json, &events->all, &ENS_TIME_DEFAULTS);
  ens_json_open_object (json, "classes", ENS_JSON_BLOCK);
  for (guint c = 0; c < bundle->n_classes; c++) {
    if (is_usual (&events->classes[c], &events->all))
      continue;
    ens_json_open_object (json, bundle->classes[c], ENS_JSON_FLAT);
    write_settings (json, &events->classes[c], &events->all);
    ens_json_close (json);
  }
  ens_json_close (json);
  ens_json_close (json);
}
