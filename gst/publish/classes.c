/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/classes.h"

#include <math.h>

#include "base/json.h"
#include "publish/home-assistant.h"

#define PERIOD G_TIME_SPAN_SECOND /* between two probabilities of one class */
#define SMALL_CHANGE 0.005F       /* of a probability: not worth a message */

/* What one bundle says of a class. */
typedef struct {
  char *bundle, *version;
  EnsClassState state;
  float p;
} View;

static void
view_clear (gpointer data)
{
  View *view = data;

  g_free (view->bundle);
  g_free (view->version);
}

static void
class_free (gpointer data)
{
  PublishClass *self = data;

  g_array_unref (self->views);
  g_free (self->id);
  g_free (self);
}

GHashTable *
publish_classes_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, class_free);
}

static PublishClass *
ensure_class (GHashTable *classes, const char *name)
{
  PublishClass *self = g_hash_table_lookup (classes, name);

  if (self != NULL)
    return self;
  self = g_new0 (PublishClass, 1);
  self->id = publish_make_id (name);
  self->views = g_array_new (FALSE, FALSE, sizeof (View));
  g_array_set_clear_func (self->views, view_clear);
  g_hash_table_insert (classes, g_strdup (name), self);
  return self;
}

/* NULL: the bundle did not list it so far. */
static View *
find_view (PublishClass *self, const EnsResult *result, guint *index)
{
  for (guint i = 0; i < self->views->len; i++) {
    View *view = &g_array_index (self->views, View, i);

    if (g_strcmp0 (view->bundle, result->bundle) == 0) {
      *index = i;
      return view;
    }
  }
  return NULL;
}

/* Until the result lists it: less probable than the classes that it lists. */
static void
withdraw (PublishClass *self, const EnsResult *result, float least)
{
  guint index;
  View *view = find_view (self, result, &index);

  if (view == NULL)
    return;
  self->fresh = TRUE;
  view->state = ENS_CLASS_ABSENT;
  view->p = fminf (view->p, least);
  if (g_strcmp0 (view->version, result->version) != 0)
    g_array_remove_index (self->views, index);
}

static void
set_view (PublishClass *self, const EnsResult *result, const EnsClassResult *found)
{
  guint index;
  View *view = find_view (self, result, &index);
  gboolean followed = found->state != ENS_CLASS_NO_STATE;

  if (view == NULL) {
    View new = {g_strdup (result->bundle), g_strdup (result->version), ENS_CLASS_UNKNOWN, 0};

    g_array_append_val (self->views, new);
    view = &g_array_index (self->views, View, self->views->len - 1);
  }
  self->fresh = TRUE;
  view->state = followed ? found->state : found->present ? ENS_CLASS_PRESENT : ENS_CLASS_ABSENT;
  view->p = followed ? found->smoothed : found->p;
}

static void
merge_result (GHashTable *classes, const EnsResult *result)
{
  float least = INFINITY;
  GHashTableIter iter;
  gpointer self;

  for (guint c = 0; c < result->n_classes; c++)
    least = fminf (least, result->classes[c].p);
  g_hash_table_iter_init (&iter, classes);
  while (g_hash_table_iter_next (&iter, NULL, &self))
    withdraw (self, result, least);
  for (guint c = 0; c < result->n_classes; c++)
    set_view (ensure_class (classes, result->classes[c].name), result, &result->classes[c]);
}

/* A class that several ensembles have is present if one of them says so. */
static void
combine (PublishClass *self)
{
  self->state = ENS_CLASS_UNKNOWN;
  self->p = 0;
  for (guint i = 0; i < self->views->len; i++) {
    const View *view = &g_array_index (self->views, View, i);

    self->state = MAX (self->state, view->state);
    self->p = fmaxf (self->p, view->p);
  }
}

void
publish_classes_merge (GHashTable *classes, const GPtrArray *results)
{
  GHashTableIter iter;
  gpointer self;

  g_hash_table_iter_init (&iter, classes);
  while (g_hash_table_iter_next (&iter, NULL, &self))
    ((PublishClass *)self)->fresh = FALSE;
  for (guint r = 0; r < results->len; r++)
    merge_result (classes, results->pdata[r]);
  g_hash_table_iter_init (&iter, classes);
  while (g_hash_table_iter_next (&iter, NULL, &self))
    combine (self);
}

gboolean
publish_class_is_due (const PublishClass *self, guint64 heartbeat)
{
  gint64 age = g_get_monotonic_time () - self->sent_time;

  if (self->sent_time == 0 || self->state != self->sent_state)
    return TRUE;
  if (heartbeat > 0 && self->fresh && age >= (gint64)(heartbeat / 1000))
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
