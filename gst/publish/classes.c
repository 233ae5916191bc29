/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/classes.h"

#include <math.h>

#include "base/json.h"
#include "publish/home-assistant.h"

#define PERIOD G_TIME_SPAN_SECOND /* between two probabilities of one class */
#define SMALL_CHANGE 0.005F       /* of a probability: not worth a message */

static void
class_free (gpointer data)
{
  PublishClass *self = data;

  g_free (self->id);
  g_free (self);
}

GHashTable *
publish_classes_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, class_free);
}

/* A class that several ensembles have is present if one of them says so. */
static void
merge_class (GHashTable *classes, const EnsClassResult *result)
{
  PublishClass *state = g_hash_table_lookup (classes, result->name);
  gboolean followed = result->state != ENS_CLASS_NO_STATE;
  EnsClassState found = followed          ? result->state
                        : result->present ? ENS_CLASS_PRESENT
                                          : ENS_CLASS_ABSENT;
  float p = followed ? result->smoothed : result->p;

  if (state == NULL) {
    state = g_new0 (PublishClass, 1);
    state->id = publish_make_id (result->name);
    g_hash_table_insert (classes, g_strdup (result->name), state);
  }
  state->state = state->listed ? MAX (state->state, found) : found;
  state->p = state->listed ? fmaxf (state->p, p) : p;
  state->listed = TRUE;
}

void
publish_classes_merge (GHashTable *classes, const GPtrArray *results)
{
  GHashTableIter iter;
  gpointer state;

  g_hash_table_iter_init (&iter, classes);
  while (g_hash_table_iter_next (&iter, NULL, &state))
    ((PublishClass *)state)->listed = FALSE;
  for (guint r = 0; r < results->len; r++) {
    const EnsResult *result = results->pdata[r];

    for (guint c = 0; c < result->n_classes; c++)
      merge_class (classes, &result->classes[c]);
  }
}

gboolean
publish_class_is_due (const PublishClass *self, guint64 heartbeat)
{
  gint64 age = g_get_monotonic_time () - self->sent_time;

  if (self->sent_time == 0 || self->state != self->sent_state)
    return TRUE;
  if (heartbeat > 0 && age >= (gint64)(heartbeat / 1000))
    return TRUE;
  return age >= PERIOD && !(fabsf (self->p - self->sent_p) < SMALL_CHANGE);
}

char *
publish_class_send (PublishClass *self, const char *name)
{
  static const char *const texts[] = {
      [ENS_CLASS_UNKNOWN] = NULL, [ENS_CLASS_ABSENT] = "OFF", [ENS_CLASS_PRESENT] = "ON"};
  EnsJson json;

  self->sent_time = g_get_monotonic_time ();
  self->sent_state = self->state;
  self->sent_p = self->p;
  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "class", name);
  ens_json_string (&json, "state", texts[self->state]);
  ens_json_double (&json, "probability", round ((double)self->p * 1000) / 10);
  ens_json_close (&json);
  return ens_json_finish (&json);
}
