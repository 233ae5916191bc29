/* gst-ensemble: GStreamer's video frames as the engine's frames. Describes and copies; no
 * arithmetic on pixels. */
#pragma once

#include <gst/video/video.h>

#include <ensemble/picture.h>

G_BEGIN_DECLS

/* What gst_ensemble_describe_frame () takes. */
#define GST_ENSEMBLE_FORMATS \
  "{ NV12, I420, YV12, RGB, BGR, RGBx, RGBA, BGRx, BGRA, xRGB, ARGB, xBGR, ABGR, GRAY8 }"
#define GST_ENSEMBLE_CAPS                                                                 \
  "video/x-raw, format = (string) " GST_ENSEMBLE_FORMATS ", width = (int) [ 1, 32768 ], " \
  "height = (int) [ 1, 32768 ], framerate = (fraction) [ 0, max ]"

/* FALSE for a format that is not in GST_ENSEMBLE_FORMATS. */
gboolean gst_ensemble_format_supported (GstVideoFormat format);

/* Points `frame` at the planes of a mapped frame: valid as long as the mapping is. Chroma planes
 * are put in the engine's order (YV12 is I420 with its planes exchanged); alpha is ignored. Of
 * matrices other than BT.601 and BT.709 the nearer one is taken. */
void gst_ensemble_describe_frame (const GstVideoFrame *video, EnsFrame *frame);

/* Copies a mapped frame. `recycled` (transfer full, may be NULL) is a picture that nobody else
 * holds: its memory is used again if the geometry is the same. pts is left for the caller.
 * (transfer full)
 */
EnsPicture *gst_ensemble_copy_frame (const GstVideoFrame *video, EnsPicture *recycled);

/* Keeps the buffer and its mapping for as long as the picture lives, so that nothing is copied.
 * NULL if the buffer can't be mapped. (transfer full) */
EnsPicture *gst_ensemble_wrap_buffer (GstBuffer *buffer, const GstVideoInfo *info);

G_END_DECLS
