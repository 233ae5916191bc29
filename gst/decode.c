/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode.h"

#include <errno.h>
#include <gst/gst.h>

#include "base/error.h"
#include "base/files.h"
#include "decode-still.h"
#include "decode-video.h"

struct _GstEnsembleDecoder {
  EnsFrameOpener opener;
  GMutex lock;
  GQueue idle[GST_ENSEMBLE_N_STILLS]; /* GstEnsembleStillDecoder */
};

/* A still that has been decoded while it was opened. */
typedef struct {
  EnsFrameSource source;
  EnsPicture *picture;
} StillSource;

static gboolean
next_still (EnsFrameSource *source, EnsPicture **picture, GError **error)
{
  *picture = g_steal_pointer (&((StillSource *)source)->picture);
  return TRUE;
}

static void
free_still (EnsFrameSource *source)
{
  StillSource *still = (StillSource *)source;

  g_clear_pointer (&still->picture, ens_picture_unref);
  g_free (still);
}

static EnsFrameSource *
still_source_new (EnsPicture *picture)
{
  StillSource *still = g_new0 (StillSource, 1);

  still->source = (EnsFrameSource) {.next = next_still, .free = free_still};
  still->picture = picture;
  return &still->source;
}

/* An idle decoder or a new one; NULL if GStreamer lacks an element for it. */
static GstEnsembleStillDecoder *
take_still_decoder (GstEnsembleDecoder *decoder, GstEnsembleStillFormat format)
{
  GstEnsembleStillDecoder *still;

  g_mutex_lock (&decoder->lock);
  still = g_queue_pop_tail (&decoder->idle[format]);
  g_mutex_unlock (&decoder->lock);
  return still != NULL ? still : gst_ensemble_still_decoder_new (format);
}

static void
give_still_decoder (GstEnsembleDecoder *decoder, GstEnsembleStillFormat format,
                    GstEnsembleStillDecoder *still)
{
  g_mutex_lock (&decoder->lock);
  g_queue_push_tail (&decoder->idle[format], still);
  g_mutex_unlock (&decoder->lock);
}

/* NULL without an error if there is no decoder of this kind for the file. */
static EnsPicture *
read_still (GstEnsembleDecoder *decoder, GBytes *file, const char *path, GError **error)
{
  GstEnsembleStillFormat format = gst_ensemble_still_format (file);
  GstEnsembleStillDecoder *still = NULL;
  EnsPicture *picture;

  if (format < GST_ENSEMBLE_N_STILLS)
    still = take_still_decoder (decoder, format);
  if (still == NULL)
    return NULL;
  picture = gst_ensemble_still_decoder_read (still, file, path, error);
  if (picture != NULL)
    give_still_decoder (decoder, format, still);
  else
    gst_ensemble_still_decoder_free (still);
  return picture;
}

static GBytes *
map_file (const char *path, GError **error)
{
  g_autoptr (GMappedFile) mapped = NULL;
  const char *stand_in = NULL;

  mapped = g_mapped_file_new (path, FALSE, NULL);
  if (mapped != NULL)
    stand_in =
        ens_find_stand_in (g_mapped_file_get_contents (mapped), g_mapped_file_get_length (mapped));
  if (mapped == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't read it: %s", path,
                 g_strerror (errno));
  else if (stand_in != NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: neither a picture nor a video but %s",
                 path, stand_in);
  else if (g_mapped_file_get_length (mapped) == 0)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: an empty file", path);
  else
    return g_mapped_file_get_bytes (mapped);
  return NULL;
}

static EnsFrameSource *
open_source (gpointer data, const char *path, GError **error)
{
  g_autoptr (GBytes) file = NULL;
  GError *failure = NULL;
  EnsPicture *picture;

  if (gst_uri_is_valid (path))
    return gst_ensemble_video_open (path, error);
  if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: a folder, not a picture or video", path);
    return NULL;
  }
  file = map_file (path, error);
  if (file == NULL)
    return NULL;
  picture = read_still (data, file, path, &failure);
  if (picture != NULL)
    return still_source_new (picture);
  if (failure == NULL)
    return gst_ensemble_video_open (path, error);
  g_propagate_error (error, failure);
  return NULL;
}

GstEnsembleDecoder *
gst_ensemble_decoder_new (void)
{
  GstEnsembleDecoder *decoder = g_new0 (GstEnsembleDecoder, 1);

  decoder->opener = (EnsFrameOpener) {.open = open_source, .data = decoder};
  g_mutex_init (&decoder->lock);
  for (guint f = 0; f < GST_ENSEMBLE_N_STILLS; f++)
    g_queue_init (&decoder->idle[f]);
  return decoder;
}

void
gst_ensemble_decoder_free (GstEnsembleDecoder *decoder)
{
  GstEnsembleStillDecoder *still;

  for (guint f = 0; f < GST_ENSEMBLE_N_STILLS; f++)
    while ((still = g_queue_pop_head (&decoder->idle[f])) != NULL)
      gst_ensemble_still_decoder_free (still);
  g_mutex_clear (&decoder->lock);
  g_free (decoder);
}

const EnsFrameOpener *
gst_ensemble_decoder_get_opener (GstEnsembleDecoder *decoder)
{
  return &decoder->opener;
}
