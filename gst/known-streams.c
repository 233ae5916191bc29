/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "known-streams.h"

#include <string.h>

gboolean
gst_ensemble_known_streams_add (GstEnsembleKnownStreams *streams, const char *id)
{
  const guint last = GST_ENSEMBLE_TIMELINES - 1;
  guint place = 0;
  gboolean known;

  while (place < last && g_strcmp0 (streams->ids[place], id) != 0)
    place++;
  known = g_strcmp0 (streams->ids[place], id) == 0;
  g_free (streams->ids[place]);
  memmove (&streams->ids[1], &streams->ids[0], place * sizeof streams->ids[0]);
  streams->ids[0] = g_strdup (id);
  return known;
}

void
gst_ensemble_known_streams_clear (GstEnsembleKnownStreams *streams)
{
  for (guint i = 0; i < GST_ENSEMBLE_TIMELINES; i++)
    g_clear_pointer (&streams->ids[i], g_free);
}
