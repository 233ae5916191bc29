/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: GStreamer's video frames as the engine's frames. Describes and copies; no
 * arithmetic on pixels. */
#pragma once

#include <gst/video/video.h>

#include "vision/picture.h"

G_BEGIN_DECLS

/* What gst_ensemble_describe_frame () takes. */
#define GST_ENSEMBLE_FORMATS \
  "{ NV12, I420, YV12, RGB, BGR, RGBx, RGBA, BGRx, BGRA, xRGB, ARGB, xBGR, ABGR, GRAY8 }"
#define GST_ENSEMBLE_SIZES       \
  "width = (int) [ 1, 32768 ], " \
  "height = (int) [ 1, 32768 ], framerate = (fraction) [ 0, max ]"
#define GST_ENSEMBLE_CAPS \
  "video/x-raw, format = (string) " GST_ENSEMBLE_FORMATS ", " GST_ENSEMBLE_SIZES

/* What stands behind these caps where DMABufs under caps of their own are taken: the same formats,
 * by DRM's names, without a modifier, which is to say that rows follow each other. Caps of
 * GStreamer before 1.24 have “format=NV12” there whether pixels are tiled or not: such buffers
 * can't be told from what could be read, so they are not taken at all. DMABufs under caps of system
 * memory, such as v4l2src's with io-mode=dmabuf, are never tiled. */
#if GST_CHECK_VERSION(1, 24, 0)
#define GST_ENSEMBLE_DRM_FORMATS \
  "{ NV12, YU12, YV12, BG24, RG24, XB24, AB24, XR24, AR24, BX24, BA24, RX24, RA24 }"
#define GST_ENSEMBLE_DMA_BUF_CAPS                                          \
  "; video/x-raw(memory:DMABuf), format = (string) DMA_DRM, drm-format = " \
  "(string) " GST_ENSEMBLE_DRM_FORMATS ", " GST_ENSEMBLE_SIZES
#else
#define GST_ENSEMBLE_DMA_BUF_CAPS ""
#endif

/* FALSE for a format that is not in GST_ENSEMBLE_FORMATS. */
gboolean gst_ensemble_format_supported (GstVideoFormat format);

/* What such caps say of frames, those of DMABufs too. */
gboolean gst_ensemble_video_info_from_caps (GstVideoInfo *info, const GstCaps *caps);

/* Maps for reading. FALSE, too, for a buffer whose own metadata say of its format no more than that
 * it is a DMABuf. */
gboolean gst_ensemble_map_frame (GstVideoFrame *video, GstBuffer *buffer, const GstVideoInfo *info);

/* Points `frame` at the planes of a mapped frame, and says which DMABufs they lie in, if they do:
 * valid as long as the mapping is, which waits for pending writes to them. Chroma planes
 * are put in the engine's order (YV12 is I420 with its planes exchanged); alpha is ignored. Of
 * matrices other than BT.601 and BT.709 the nearer one is taken. Of a buffer with a
 * GstVideoCropMeta the frame is the picture inside that; where chroma planes are smaller, it begins
 * on an even pixel. */
void gst_ensemble_describe_frame (const GstVideoFrame *video, EnsFrame *frame);

/* Copies a mapped frame. `recycled` (transfer full, may be NULL) is a picture that nobody else
 * holds: its memory is used again if the geometry is the same. pts is left for the caller.
 * (transfer full)
 */
EnsPicture *gst_ensemble_copy_frame (const GstVideoFrame *video, EnsPicture *recycled);

/* Keeps the buffer and its mapping for as long as the picture lives, so that nothing is copied.
 * NULL if the buffer can't be mapped. (transfer full) */
EnsPicture *gst_ensemble_wrap_buffer (GstBuffer *buffer, const GstVideoInfo *info);
/* The same where one DMABuf holds all planes, else NULL. (transfer full) */
EnsPicture *gst_ensemble_wrap_dma_buf (GstBuffer *buffer, const GstVideoInfo *info);

G_END_DECLS
