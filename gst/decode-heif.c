/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decode-heif.h"

#include <libheif/heif.h>
#include <string.h>

#include "base/error.h"
#include "picture-limit.h"

static gboolean
fail (const char *path, struct heif_error failure, GError **error)
{
  g_autofree char *reason = g_strdelimit (g_strdup (failure.message), "\n", ' ');

  if (failure.code == heif_error_Unsupported_filetype
      || failure.code == heif_error_Unsupported_feature)
    g_set_error (
        error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
        "%s: HEIF that libheif can't read here: %s; install its decoders (libde265, dav1d), "
        "or convert it to JPEG or PNG",
        path, reason);
  else
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: damaged HEIF: %s", path, reason);
  return FALSE;
}

/* Copies rows of RGB. */
static GstBuffer *
copy_image (const struct heif_image *image, GstVideoInfo *info)
{
  int width = heif_image_get_primary_width (image), height = heif_image_get_primary_height (image);
  int stride;
  const guint8 *rows = heif_image_get_plane_readonly (image, heif_channel_interleaved, &stride);
  GstBuffer *buffer;
  GstVideoFrame frame;

  if (rows == NULL || width <= 0 || height <= 0
      || !gst_video_info_set_format (info, GST_VIDEO_FORMAT_RGB, (guint)width, (guint)height))
    return NULL;
  buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  gst_video_frame_map (&frame, info, buffer, GST_MAP_WRITE);
  for (int y = 0; y < height; y++)
    memcpy ((guint8 *)GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
                + (gsize)y * (gsize)GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0),
            rows + (gsize)y * (gsize)stride, 3 * (gsize)width);
  gst_video_frame_unmap (&frame);
  return buffer;
}

static GstBuffer *
decode_handle (const struct heif_image_handle *handle, const char *path, guint64 max_pixels,
               GstVideoInfo *info, GError **error)
{
  struct heif_decoding_options *options;
  struct heif_image *image = NULL;
  struct heif_error failure;
  GstBuffer *buffer = NULL;

  if (!gst_ensemble_check_picture_size (path, (guint64)heif_image_handle_get_width (handle),
                                        (guint64)heif_image_handle_get_height (handle), max_pixels,
                                        error))
    return NULL;
  options = heif_decoding_options_alloc ();
  options->convert_hdr_to_8bit = 1;
  failure =
      heif_decode_image (handle, &image, heif_colorspace_RGB, heif_chroma_interleaved_RGB, options);
  heif_decoding_options_free (options);
  if (failure.code != heif_error_Ok)
    fail (path, failure, error);
  else
    buffer = copy_image (image, info);
  heif_image_release (image);
  if (buffer == NULL && (error == NULL || *error == NULL))
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: damaged HEIF: it has no pixels", path);
  return buffer;
}

GstBuffer *
gst_ensemble_heif_decode (GBytes *file, const char *path, guint64 max_pixels, GstVideoInfo *info,
                          GError **error)
{
  struct heif_context *context = heif_context_alloc ();
  struct heif_image_handle *handle = NULL;
  GstBuffer *buffer = NULL;
  struct heif_error failure;
  gsize size;
  const guint8 *data = g_bytes_get_data (file, &size);

  failure = heif_context_read_from_memory_without_copy (context, data, size, NULL);
  if (failure.code == heif_error_Ok)
    failure = heif_context_get_primary_image_handle (context, &handle);
  if (failure.code == heif_error_Ok) {
    buffer = decode_handle (handle, path, max_pixels, info, error);
    heif_image_handle_release (handle);
  } else {
    fail (path, failure, error);
  }
  heif_context_free (context);
  return buffer;
}
