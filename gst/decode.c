/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode.h"

#include <gst/gst.h>

#include "base/error.h"
#include "base/files.h"
#include "decode-still.h"
#include "decode-video.h"
#include "picture-limit.h"

struct _GstEnsembleDecoder {
  EnsFrameOpener opener;
  guint64 max_pixels;
  GMutex lock;
  GQueue idle[GST_ENSEMBLE_N_STILL_DECODERS]; /* GstEnsembleStillDecoder */
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
take_still_decoder (GstEnsembleDecoder *decoder, GstEnsembleStillDecoderKind kind)
{
  GstEnsembleStillDecoder *still;

  g_mutex_lock (&decoder->lock);
  still = g_queue_pop_tail (&decoder->idle[kind]);
  g_mutex_unlock (&decoder->lock);
  return still != NULL ? still : gst_ensemble_still_decoder_new (kind);
}

static void
give_still_decoder (GstEnsembleDecoder *decoder, GstEnsembleStillDecoderKind kind,
                    GstEnsembleStillDecoder *still)
{
  g_mutex_lock (&decoder->lock);
  g_queue_push_tail (&decoder->idle[kind], still);
  g_mutex_unlock (&decoder->lock);
}

/* (transfer full) */
static EnsPicture *
read_by (GstEnsembleDecoder *decoder, GstEnsembleStillDecoderKind kind,
         const GstEnsembleStill *still, GError **error)
{
  GstEnsembleStillDecoder *element = take_still_decoder (decoder, kind);
  EnsPicture *picture;

  if (element == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s: GStreamer lacks a plug-in for %s; install its base and good plug-ins",
                 still->path, gst_ensemble_still_format_name (still->header->format));
    return NULL;
  }
  picture = gst_ensemble_still_decoder_read (element, still, error);
  if (picture != NULL)
    give_still_decoder (decoder, kind, element);
  else
    gst_ensemble_still_decoder_free (element);
  return picture;
}

/* What an element can't read a library may, or say why not. (transfer full) */
static EnsPicture *
read_still (GstEnsembleDecoder *decoder, const GstEnsembleStill *still, GError **error)
{
  GstEnsembleStillDecoderKind kind = gst_ensemble_still_decoder_choose (still->header);
  g_autoptr (GError) reason = NULL;
  EnsPicture *picture;

  if (!gst_ensemble_still_check (still, error))
    return NULL;
  if (kind == GST_ENSEMBLE_STILL_DECODER_LIBRARY)
    return read_by (decoder, kind, still, error);
  picture = read_by (decoder, kind, still, &reason);
  if (picture == NULL && !g_error_matches (reason, ENS_ERROR, ENS_ERROR_RESOURCE))
    return read_by (decoder, GST_ENSEMBLE_STILL_DECODER_LIBRARY, still, error);
  if (picture == NULL)
    g_propagate_error (error, g_steal_pointer (&reason));
  return picture;
}

static GBytes *
map_file (const char *path, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GMappedFile) mapped = ens_file_map (path, &reason);
  const char *stand_in = NULL;

  if (mapped != NULL)
    stand_in =
        ens_find_stand_in (g_mapped_file_get_contents (mapped), g_mapped_file_get_length (mapped));
  if (mapped == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't read it: %s", path, reason->message);
  else if (stand_in != NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: neither a picture nor a video but %s",
                 path, stand_in);
  else if (g_mapped_file_get_length (mapped) == 0)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: an empty file; copy or download it again, or take it away", path);
  else
    return g_mapped_file_get_bytes (mapped);
  return NULL;
}

static EnsFrameSource *
open_file (GstEnsembleDecoder *decoder, const char *path, GError **error)
{
  g_autoptr (GBytes) file = map_file (path, error);
  GstEnsemblePictureHeader header;
  EnsPicture *picture;

  if (file == NULL)
    return NULL;
  if (gst_ensemble_picture_header_read (file, &header)) {
    picture =
        read_still (decoder, &(GstEnsembleStill) {path, file, &header, decoder->max_pixels}, error);
    return picture != NULL ? still_source_new (picture) : NULL;
  }
  if (header.refusal == NULL)
    return gst_ensemble_video_open (path, decoder->max_pixels, error);
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "%s: %s", path, header.refusal);
  return NULL;
}

/* A file may be called like a URI. */
static EnsFrameSource *
open_source (gpointer data, const char *path, GError **error)
{
  GstEnsembleDecoder *decoder = data;
  g_autofree char *file = NULL;

  if (!gst_uri_is_valid (path) || g_file_test (path, G_FILE_TEST_EXISTS))
    return open_file (decoder, path, error);
  file = gst_uri_has_protocol (path, "file") ? g_filename_from_uri (path, NULL, NULL) : NULL;
  return file != NULL ? open_file (decoder, file, error)
                      : gst_ensemble_stream_open (path, decoder->max_pixels, error);
}

GstEnsembleDecoder *
gst_ensemble_decoder_new (void)
{
  GstEnsembleDecoder *decoder = g_new0 (GstEnsembleDecoder, 1);

  decoder->opener = (EnsFrameOpener) {.open = open_source, .data = decoder};
  decoder->max_pixels = gst_ensemble_get_max_pixels ();
  g_mutex_init (&decoder->lock);
  for (guint f = 0; f < GST_ENSEMBLE_N_STILL_DECODERS; f++)
    g_queue_init (&decoder->idle[f]);
  return decoder;
}

void
gst_ensemble_decoder_free (GstEnsembleDecoder *decoder)
{
  GstEnsembleStillDecoder *still;

  for (guint f = 0; f < GST_ENSEMBLE_N_STILL_DECODERS; f++)
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
