/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode-still.h"

#include <gst/video/video.h>

#include "base/error.h"
#include "decode-error.h"
#include "frame-bridge.h"
#include "jpeg-markers.h"

struct _GstEnsembleStillDecoder {
  GstEnsembleStillFormat format;
  GstElement *pipeline, *flip;
  GstBus *bus;
  GstPad *source, *sink; /* ours: files go in, pictures come out */
  GstVideoInfo info;
  GstBuffer *output;
};

/* libav's elements don't serve for BMP and GIF: its BMP decoder wants the file in one piece and its
 * GIF demuxer never ends. gdkpixbufdec looks at the file's content, but GIF is missing from its
 * caps and it takes the first picture's size for all: BMP's caps and a restart make do. */
static const struct {
  const char *name, *factory, *caps, *signature;
  gboolean restart;
} formats[GST_ENSEMBLE_N_STILLS] = {
    [GST_ENSEMBLE_STILL_JPEG] = {"JPEG", "jpegdec", "image/jpeg, parsed=true, framerate=0/1",
                                 "\xff\xd8\xff"},
    [GST_ENSEMBLE_STILL_PNG] = {"PNG", "pngdec", "image/png, framerate=0/1", "\x89PNG\r\n\x1a\n"},
    [GST_ENSEMBLE_STILL_BMP] = {"BMP", "gdkpixbufdec", "image/bmp", "BM", TRUE},
    [GST_ENSEMBLE_STILL_GIF] = {"GIF", "gdkpixbufdec", "image/bmp", "GIF8", TRUE},
};

GstEnsembleStillFormat
gst_ensemble_still_format (GBytes *file)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (file, &size);
  guint format = 0;

  while (format < GST_ENSEMBLE_N_STILLS
         && (size < strlen (formats[format].signature)
             || memcmp (data, formats[format].signature, strlen (formats[format].signature)) != 0))
    format++;
  return format;
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
  const char *factory = formats[decoder->format].factory;
  GstElement *elements[] = {gst_element_factory_make (factory, NULL),
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
  if (decoder->format == GST_ENSEMBLE_STILL_JPEG)
    gst_util_set_object_arg (G_OBJECT (elements[0]), "idct-method", "islow");
  return link_pad (decoder->source, elements[0], "sink")
         && link_pad (decoder->sink, elements[2], "src");
}

static void
start_stream (GstEnsembleStillDecoder *decoder)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (formats[decoder->format].caps);
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
gst_ensemble_still_decoder_new (GstEnsembleStillFormat format)
{
  GstEnsembleStillDecoder *decoder;

  g_return_val_if_fail (format < GST_ENSEMBLE_N_STILLS, NULL);
  decoder = g_new0 (GstEnsembleStillDecoder, 1);
  decoder->format = format;
  make_pads (decoder);
  if (!make_pipeline (decoder)) {
    gst_ensemble_still_decoder_free (decoder);
    return NULL;
  }
  start_stream (decoder);
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

static void
turn_upright (GstEnsembleStillDecoder *decoder, GstVideoOrientationMethod orientation)
{
  GstVideoOrientationMethod now;

  g_object_get (decoder->flip, "video-direction", &now, NULL);
  if (now != orientation)
    g_object_set (decoder->flip, "video-direction", orientation, NULL);
}

static EnsPicture *
finish_picture (GstEnsembleStillDecoder *decoder, const char *path, GError **error)
{
  g_autoptr (GstBuffer) output = g_steal_pointer (&decoder->output);
  const char *name = formats[decoder->format].name;
  gint width, height;
  EnsPicture *picture;

  if (gst_ensemble_take_error (decoder->bus, path, error))
    return NULL;
  if (output == NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: damaged %s: ends before the picture is complete", path, name);
    return NULL;
  }
  width = GST_VIDEO_INFO_WIDTH (&decoder->info);
  height = GST_VIDEO_INFO_HEIGHT (&decoder->info);
  if (MAX (width, height) > ENS_FRAME_MAX_SIZE) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE,
                 "%s: %d×%d pixels; sides of at most %d can be read", path, width, height,
                 ENS_FRAME_MAX_SIZE);
    return NULL;
  }
  picture = gst_ensemble_wrap_buffer (output, &decoder->info);
  if (picture == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_RESOURCE, "%s: the decoded picture can't be mapped",
                 path);
  return picture;
}

EnsPicture *
gst_ensemble_still_decoder_read (GstEnsembleStillDecoder *decoder, GBytes *file, const char *path,
                                 GError **error)
{
  GstVideoOrientationMethod orientation = GST_VIDEO_ORIENTATION_IDENTITY;

  if (decoder->format == GST_ENSEMBLE_STILL_JPEG) {
    GstEnsembleJpegMarkers markers;

    gst_ensemble_jpeg_scan (file, &markers);
    if (!markers.complete) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                   "%s: damaged JPEG: ends before the picture is complete", path);
      return NULL;
    }
    orientation = markers.orientation;
  }
  turn_upright (decoder, orientation);
  if (formats[decoder->format].restart)
    start_stream (decoder);
  gst_pad_push (decoder->source, gst_buffer_new_wrapped_bytes (file));
  return finish_picture (decoder, path, error);
}
