/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/frame-source.h"

#include "base/error.h"

gboolean
ens_frame_source_next (EnsFrameSource *source, EnsPicture **picture, GError **error)
{
  *picture = NULL;
  return source->next (source, picture, error);
}

gboolean
ens_frame_source_next_due (EnsFrameSource *source, EnsFrameInterval *interval, EnsPicture **picture,
                           GError **error)
{
  double next = interval->begun ? interval->time + interval->seconds : 0;

  for (;;) {
    double time;

    if (!ens_frame_source_next (source, picture, error))
      return FALSE;
    if (*picture == NULL)
      return TRUE;
    time = (*picture)->pts == G_MAXUINT64 ? next : (double)(*picture)->pts / 1e9;
    if (time >= next) {
      interval->time = time;
      interval->begun = TRUE;
      return TRUE;
    }
    g_clear_pointer (picture, ens_picture_unref);
  }
}

void
ens_frame_source_free (EnsFrameSource *source)
{
  if (source != NULL)
    source->free (source);
}

EnsFrameSource *
ens_frame_opener_open (const EnsFrameOpener *opener, const char *path, GError **error)
{
  return opener->open (opener->data, path, error);
}

EnsPicture *
ens_frame_opener_read (const EnsFrameOpener *opener, const char *path, GError **error)
{
  g_autoptr (EnsFrameSource) source = ens_frame_opener_open (opener, path, error);
  g_autoptr (EnsPicture) picture = NULL;

  if (source == NULL || !ens_frame_source_next (source, &picture, error))
    return NULL;
  if (picture == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: holds no picture", path);
  else if (!ens_frame_validate (&picture->frame, error)) {
    g_prefix_error (error, "%s: ", path);
    return NULL;
  }
  return g_steal_pointer (&picture);
}
