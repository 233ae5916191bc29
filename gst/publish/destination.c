/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/destination.h"

GST_DEBUG_CATEGORY (publish_debug);

gpointer
publish_destination_alloc (gsize size, const PublishDestinationClass *klass,
                           const PublishOptions *options)
{
  PublishDestination *self = g_malloc0 (size);

  self->klass = klass;
  publish_options_copy (options, &self->options);
  return self;
}

PublishDestination *
publish_destination_new (const PublishOptions *options, GError **error)
{
  static const struct {
    const char *scheme;
    PublishDestination *(*make) (const PublishOptions *options, GError **error);
  } kinds[] = {
      {"mqtt://", publish_mqtt_new},    {"mqtts://", publish_mqtt_new},
      {"kafka://", publish_kafka_new},  {"kafkas://", publish_kafka_new},
      {"http://", publish_webhook_new}, {"https://", publish_webhook_new},
  };

  if (!publish_options_check (options, error))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_has_prefix (options->location, kinds[i].scheme))
      return kinds[i].make (options, error);
  return publish_file_new (options, error);
}

void
publish_destination_free (PublishDestination *self)
{
  if (self->klass->free != NULL)
    self->klass->free (self);
  publish_options_clear (&self->options);
  g_free (self->notice);
  g_free (self);
}

PublishState *
publish_state_new (const char *source, GPtrArray *results, GstSample *event, guint64 heartbeat)
{
  PublishState *state = g_new (PublishState, 1);

  *state = (PublishState) {g_strdup (source), results, event, heartbeat};
  return state;
}

void
publish_state_free (PublishState *state)
{
  g_free (state->source);
  g_ptr_array_unref (state->results);
  g_clear_pointer (&state->event, gst_sample_unref);
  g_free (state);
}
