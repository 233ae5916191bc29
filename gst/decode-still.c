/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode-still.h"

#include <gst/video/video.h>

#include "base/error.h"
#include "decode-error.h"
#include "decode-heif.h"
#include "decode-pixbuf.h"
#include "decode-webp.h"
#include "frame-bridge.h"
#include "picture-limit.h"

struct _GstEnsembleStillDecoder {
  GstEnsembleStillDecoderKind kind;
  GstElement *pipeline, *flip;
  GstBus *bus;
  GstPad *source, *sink; /* ours: files go in, pictures come out */
  GstVideoInfo info;
  GstBuffer *output;
};

/* What libraries decode comes with caps of its own, and is but turned here. */
static const struct {
  const char *factory, *caps;
} kinds[GST_ENSEMBLE_N_STILL_DECODERS] = {
    [GST_ENSEMBLE_STILL_DECODER_JPEG] = {"jpegdec", "image/jpeg, parsed=true, framerate=0/1"},
    [GST_ENSEMBLE_STILL_DECODER_PNG] = {"pngdec", "image/png, framerate=0/1"},
    [GST_ENSEMBLE_STILL_DECODER_LIBRARY] = {"identity", NULL},
};

/* jpegdec does not know CMYK, decodes chroma of a third or a quarter of the width into wrong
 * colours, and what it makes of chroma of full size is halved behind it; pngdec 1.22 shifts the
 * channels of 16 bits. */
#define DEEP 16

GstEnsembleStillDecoderKind
gst_ensemble_still_decoder_choose (const GstEnsemblePictureHeader *header)
{
  if (header->format == GST_ENSEMBLE_STILL_JPEG && header->grey_or_420)
    return GST_ENSEMBLE_STILL_DECODER_JPEG;
  if (header->format == GST_ENSEMBLE_STILL_PNG && header->depth != DEEP)
    return GST_ENSEMBLE_STILL_DECODER_PNG;
  return GST_ENSEMBLE_STILL_DECODER_LIBRARY;
}

static GstFlowReturn
take_output (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstEnsembleStillDecoder *decoder = gst_pad_get_element_private (pad);

  gst_buffer_replace (&decoder->output, buffer);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean
take_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  GstEnsembleStillDecoder *decoder = gst_pad_get_element_private (pad);
  gboolean understood = TRUE;
  GstCaps *caps;

  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    gst_event_parse_caps (event, &caps);
    understood = gst_video_info_from_caps (&decoder->info, caps);
  }
  gst_event_unref (event);
  return understood;
}

static void
make_pads (GstEnsembleStillDecoder *decoder)
{
  static GstStaticPadTemplate template =
      GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                               GST_STATIC_CAPS (GST_VIDEO_CAPS_MAKE (GST_ENSEMBLE_FORMATS)));

  decoder->source = gst_pad_new ("source", GST_PAD_SRC);
  decoder->sink = gst_pad_new_from_static_template (&template, "sink");
  gst_pad_set_element_private (decoder->sink, decoder);
  gst_pad_set_chain_function (decoder->sink, take_output);
  gst_pad_set_event_function (decoder->sink, take_event);
}

static gboolean
link_pad (GstPad *ours, GstElement *element, const char *name)
{
  g_autoptr (GstPad) theirs = gst_element_get_static_pad (element, name);

  return ours == NULL || theirs == NULL ? FALSE
         : GST_PAD_IS_SRC (ours)        ? gst_pad_link (ours, theirs) == GST_PAD_LINK_OK
                                        : gst_pad_link (theirs, ours) == GST_PAD_LINK_OK;
}

static gboolean
make_pipeline (GstEnsembleStillDecoder *decoder)
{
  GstElement *elements[] = {gst_element_factory_make (kinds[decoder->kind].factory, NULL),
                            gst_element_factory_make ("videoflip", NULL),
                            gst_element_factory_make ("videoconvert", NULL)};
  gboolean complete = TRUE;

  decoder->pipeline = gst_pipeline_new (NULL);
  decoder->bus = gst_element_get_bus (decoder->pipeline);
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++)
    if (elements[i] != NULL)
      gst_bin_add (GST_BIN (decoder->pipeline), elements[i]);
    else
      complete = FALSE;
  if (!complete || !gst_element_link_many (elements[0], elements[1], elements[2], NULL))
    return FALSE;
  decoder->flip = elements[1];
  /* A damaged picture is an error, not a frame to drop. */
  if (GST_IS_VIDEO_DECODER (elements[0]))
    gst_video_decoder_set_max_errors (GST_VIDEO_DECODER (elements[0]), 0);
  if (decoder->kind == GST_ENSEMBLE_STILL_DECODER_JPEG)
    gst_util_set_object_arg (G_OBJECT (elements[0]), "idct-method", "islow");
  return link_pad (decoder->source, elements[0], "sink")
         && link_pad (decoder->sink, elements[2], "src");
}

static void
start_stream (GstEnsembleStillDecoder *decoder, GstCaps *caps)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_element_set_state (decoder->pipeline, GST_STATE_READY);
  gst_pad_set_active (decoder->source, TRUE);
  gst_pad_set_active (decoder->sink, TRUE);
  gst_element_set_state (decoder->pipeline, GST_STATE_PLAYING);
  gst_pad_push_event (decoder->source, gst_event_new_stream_start ("stills"));
  gst_pad_push_event (decoder->source, gst_event_new_caps (caps));
  gst_pad_push_event (decoder->source, gst_event_new_segment (&segment));
}

GstEnsembleStillDecoder *
gst_ensemble_still_decoder_new (GstEnsembleStillDecoderKind kind)
{
  GstEnsembleStillDecoder *decoder;

  g_return_val_if_fail (kind < GST_ENSEMBLE_N_STILL_DECODERS, NULL);
  decoder = g_new0 (GstEnsembleStillDecoder, 1);
  decoder->kind = kind;
  make_pads (decoder);
  if (!make_pipeline (decoder)) {
    gst_ensemble_still_decoder_free (decoder);
    return NULL;
  }
  if (kinds[kind].caps != NULL) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (kinds[kind].caps);

    start_stream (decoder, caps);
  }
  return decoder;
}

void
gst_ensemble_still_decoder_free (GstEnsembleStillDecoder *decoder)
{
  gst_element_set_state (decoder->pipeline, GST_STATE_NULL);
  gst_pad_set_active (decoder->source, FALSE);
  gst_pad_set_active (decoder->sink, FALSE);
  gst_object_unref (decoder->bus);
  gst_object_unref (decoder->pipeline);
  gst_object_unref (decoder->source);
  gst_object_unref (decoder->sink);
  gst_clear_buffer (&decoder->output);
  g_free (decoder);
}

/* ---- Reading ---- */

static GstVideoOrientationMethod
find_turn (const GstEnsemblePictureHeader *header)
{
  static const GstVideoOrientationMethod turns[] = {
      GST_VIDEO_ORIENTATION_IDENTITY, GST_VIDEO_ORIENTATION_IDENTITY, GST_VIDEO_ORIENTATION_HORIZ,
      GST_VIDEO_ORIENTATION_180,      GST_VIDEO_ORIENTATION_VERT,     GST_VIDEO_ORIENTATION_UL_LR,
      GST_VIDEO_ORIENTATION_90R,      GST_VIDEO_ORIENTATION_UR_LL,    GST_VIDEO_ORIENTATION_90L};

  return turns[gst_ensemble_pixbuf_turn (header->format, header->orientation)];
}

static void
turn_upright (GstEnsembleStillDecoder *decoder, GstVideoOrientationMethod orientation)
{
  GstVideoOrientationMethod now;

  g_object_get (decoder->flip, "video-direction", &now, NULL);
  if (now != orientation)
    g_object_set (decoder->flip, "video-direction", orientation, NULL);
}

static EnsPicture *
finish_picture (GstEnsembleStillDecoder *decoder, const GstEnsembleStill *still, GError **error)
{
  g_autoptr (GstBuffer) output = g_steal_pointer (&decoder->output);
  const char *name = gst_ensemble_still_format_name (still->header->format);
  g_autoptr (GError) reason = NULL;
  EnsPicture *picture;

  if (gst_ensemble_take_error (decoder->bus, still->path, &reason)) {
    g_set_error (error, ENS_ERROR, reason->code,
                 "%s; a damaged %s, or one of an unusual kind: if other programs show it, save it "
                 "again as JPEG or PNG",
                 reason->message, name);
    return NULL;
  }
  if (output == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
                 "%s: a %s of a kind that GStreamer's decoder does not read; convert it to JPEG or "
                 "PNG of 8 bits",
                 still->path, name);
    return NULL;
  }
  if (!gst_ensemble_check_picture_size (still->path, (guint64)GST_VIDEO_INFO_WIDTH (&decoder->info),
                                        (guint64)GST_VIDEO_INFO_HEIGHT (&decoder->info),
                                        still->max_pixels, error))
    return NULL;
  picture = gst_ensemble_wrap_buffer (output, &decoder->info);
  if (picture == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE, "%s: the decoded picture can't be mapped",
                 still->path);
  return picture;
}

#define AGAIN "; copy or download it again, or take it away"

gboolean
gst_ensemble_still_check (const GstEnsembleStill *still, GError **error)
{
  const GstEnsemblePictureHeader *header = still->header;
  const char *name = gst_ensemble_still_format_name (header->format);

  if (header->refusal != NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "%s: %s", still->path, header->refusal);
  else if (!header->complete)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: damaged %s: ends before the picture is complete" AGAIN, still->path, name);
  else if (header->format == GST_ENSEMBLE_STILL_HEIF)
    return TRUE;
  else if (header->width == 0 || header->height == 0)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: damaged %s: it does not say how large its picture is" AGAIN, still->path,
                 name);
  else
    return gst_ensemble_check_picture_size (still->path, header->width, header->height,
                                            still->max_pixels, error);
  return FALSE;
}

/* A GIF with its first picture alone. (transfer full) */
static GBytes *
cut_behind_first (const GstEnsembleStill *still)
{
  static const guint8 trailer = ';';
  GByteArray *bytes = g_byte_array_sized_new ((guint)still->header->end + 1);

  g_byte_array_append (bytes, g_bytes_get_data (still->file, NULL), (guint)still->header->end);
  g_byte_array_append (bytes, &trailer, 1);
  return g_byte_array_free_to_bytes (bytes);
}

/* (transfer full) */
static GstBuffer *
decode_by_library (const GstEnsembleStill *still, GstVideoInfo *info, GError **error)
{
  GstEnsembleStillFormat format = still->header->format;
  g_autoptr (GBytes) first = NULL;

  if (format == GST_ENSEMBLE_STILL_WEBP)
    return gst_ensemble_webp_decode (still->file, still->path, info, error);
  if (format == GST_ENSEMBLE_STILL_HEIF)
    return gst_ensemble_heif_decode (still->file, still->path, still->max_pixels, info, error);
  if (format == GST_ENSEMBLE_STILL_GIF)
    first = cut_behind_first (still);
  return gst_ensemble_pixbuf_decode (first != NULL ? first : still->file, still->path, format, info,
                                     error);
}

/* What is pushed into the pipeline: the file, or its pixels. NULL with an error if these can't be
 * had. (transfer full) */
static GstBuffer *
prepare_input (GstEnsembleStillDecoder *decoder, const GstEnsembleStill *still, GError **error)
{
  g_autoptr (GstCaps) caps = NULL;
  GstVideoInfo info;
  GstBuffer *pixels;

  if (decoder->kind != GST_ENSEMBLE_STILL_DECODER_LIBRARY)
    return gst_buffer_new_wrapped_bytes (still->file);
  gst_video_info_init (&info);
  pixels = decode_by_library (still, &info, error);
  if (pixels == NULL)
    return NULL;
  caps = gst_video_info_to_caps (&info);
  start_stream (decoder, caps);
  return pixels;
}

EnsPicture *
gst_ensemble_still_decoder_read (GstEnsembleStillDecoder *decoder, const GstEnsembleStill *still,
                                 GError **error)
{
  GstBuffer *input;

  turn_upright (decoder, find_turn (still->header));
  input = prepare_input (decoder, still, error);
  if (input == NULL)
    return NULL;
  gst_pad_push (decoder->source, input);
  return finish_picture (decoder, still, error);
}
