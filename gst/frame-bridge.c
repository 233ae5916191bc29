/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame-bridge.h"

#include <gst/allocators/gstdmabuf.h>
#include <string.h>

#include "vision/pixel-layout.h"

static const struct {
  GstVideoFormat format;
  EnsPixels pixels;
} formats[] = {
    {GST_VIDEO_FORMAT_NV12, ENS_PIXELS_NV12}, {GST_VIDEO_FORMAT_I420, ENS_PIXELS_I420},
    {GST_VIDEO_FORMAT_YV12, ENS_PIXELS_I420}, {GST_VIDEO_FORMAT_RGB, ENS_PIXELS_RGB},
    {GST_VIDEO_FORMAT_BGR, ENS_PIXELS_BGR},   {GST_VIDEO_FORMAT_RGBx, ENS_PIXELS_RGBX},
    {GST_VIDEO_FORMAT_RGBA, ENS_PIXELS_RGBX}, {GST_VIDEO_FORMAT_BGRx, ENS_PIXELS_BGRX},
    {GST_VIDEO_FORMAT_BGRA, ENS_PIXELS_BGRX}, {GST_VIDEO_FORMAT_xRGB, ENS_PIXELS_XRGB},
    {GST_VIDEO_FORMAT_ARGB, ENS_PIXELS_XRGB}, {GST_VIDEO_FORMAT_xBGR, ENS_PIXELS_XBGR},
    {GST_VIDEO_FORMAT_ABGR, ENS_PIXELS_XBGR}, {GST_VIDEO_FORMAT_GRAY8, ENS_PIXELS_GRAY8},
};

static gint
find_format (GstVideoFormat format)
{
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (formats[i].format == format)
      return i;
  return -1;
}

gboolean
gst_ensemble_format_supported (GstVideoFormat format)
{
  return find_format (format) >= 0;
}

/* Luma weights of BT.2020 and SMPTE 240M lie nearer to BT.709's than to BT.601's. */
static EnsColorMatrix
nearest_matrix (GstVideoColorMatrix matrix)
{
  switch (matrix) {
  case GST_VIDEO_COLOR_MATRIX_BT709:
  case GST_VIDEO_COLOR_MATRIX_BT2020:
  case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
    return ENS_COLOR_MATRIX_BT709;
  default:
    return ENS_COLOR_MATRIX_BT601;
  }
}

static EnsRange
range_of (const GstVideoInfo *info)
{
  switch (info->colorimetry.range) {
  case GST_VIDEO_COLOR_RANGE_0_255:
    return ENS_RANGE_FULL;
  case GST_VIDEO_COLOR_RANGE_16_235:
    return ENS_RANGE_LIMITED;
  default:
    return GST_VIDEO_INFO_IS_YUV (info) ? ENS_RANGE_LIMITED : ENS_RANGE_FULL;
  }
}

gboolean
gst_ensemble_video_info_from_caps (GstVideoInfo *info, const GstCaps *caps)
{
#if GST_CHECK_VERSION(1, 24, 0)
  if (gst_video_is_dma_drm_caps (caps)) {
    GstVideoInfoDmaDrm drm;

    return gst_video_info_dma_drm_from_caps (&drm, caps)
           && gst_video_info_dma_drm_to_video_info (&drm, info);
  }
#endif
  return gst_video_info_from_caps (info, caps);
}

/* Whether so many rows of a plane lie in what was mapped. GStreamer takes what the buffer's
 * GstVideoMeta says of them as it is. */
static gboolean
is_mapped (const GstVideoFrame *video, guint plane, guint rows, gsize row_bytes)
{
  const GstMapInfo *map = &video->map[video->meta != NULL ? plane : 0];
  const guint8 *data = GST_VIDEO_FRAME_PLANE_DATA (video, plane);
  const gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (video, plane);
  gsize room;

  if (stride < 0 || (gsize)stride < row_bytes || data < map->data || data > map->data + map->size)
    return FALSE;
  room = map->size - (gsize)(data - map->data);
  return row_bytes <= room && (guint64)stride * (rows - 1) <= room - row_bytes;
}

/* Component p of planar formats is Y, U, V whatever the order of planes in memory. */
static guint
find_plane (const GstVideoFrame *video, EnsPixels pixels, guint p)
{
  return pixels == ENS_PIXELS_I420 ? GST_VIDEO_FRAME_COMP_PLANE (video, p) : p;
}

static gboolean
is_all_mapped (const GstVideoFrame *video)
{
  const gint found = find_format (GST_VIDEO_FRAME_FORMAT (video));
  const guint width = GST_VIDEO_FRAME_WIDTH (video), height = GST_VIDEO_FRAME_HEIGHT (video);

  if (found < 0 || width == 0 || height == 0)
    return FALSE;
  for (guint p = 0; p < ens_pixels_planes (formats[found].pixels); p++) {
    const EnsPixels pixels = formats[found].pixels;

    if (!is_mapped (video, find_plane (video, pixels, p), ens_pixels_rows (pixels, p, height),
                    ens_pixels_row_bytes (pixels, p, width)))
      return FALSE;
  }
  return TRUE;
}

/* GStreamer would log a critical error: pixels in a layout of the GPU's own have no other format,
 * and some metas speak of another frame than caps do. */
static gboolean
has_fitting_meta (GstBuffer *buffer, const GstVideoInfo *info)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  return meta == NULL
         || (meta->format == GST_VIDEO_INFO_FORMAT (info)
             && meta->width >= (guint)GST_VIDEO_INFO_WIDTH (info)
             && meta->height >= (guint)GST_VIDEO_INFO_HEIGHT (info));
}

gboolean
gst_ensemble_map_frame (GstVideoFrame *video, GstBuffer *buffer, const GstVideoInfo *info)
{
  if (!has_fitting_meta (buffer, info) || !gst_video_frame_map (video, info, buffer, GST_MAP_READ))
    return FALSE;
  if (is_all_mapped (video))
    return TRUE;
  gst_video_frame_unmap (video);
  return FALSE;
}

/* Where a plane lies in a DMABuf. FALSE if it lies in none, or in several. */
static gboolean
find_dma_buf (const GstVideoFrame *video, guint plane, gsize size, EnsDmaBuf *found)
{
  gsize offset = video->meta != NULL ? ((const GstVideoMeta *)video->meta)->offset[plane]
                                     : GST_VIDEO_FRAME_PLANE_OFFSET (video, plane);
  gsize skip, memory_offset;
  guint i, n;
  GstMemory *memory;

  if (!gst_buffer_find_memory (video->buffer, offset, size, &i, &n, &skip) || n != 1)
    return FALSE;
  memory = gst_buffer_peek_memory (video->buffer, i);
  if (!gst_is_dmabuf_memory (memory))
    return FALSE;
  gst_memory_get_sizes (memory, &memory_offset, NULL);
  *found = (EnsDmaBuf) {gst_dmabuf_memory_get_fd (memory), memory_offset + skip};
  return TRUE;
}

/* What elements such as decoders and videocrop say of a picture that lies in a larger one: the caps
 * have its size. */
static void
honour_crop (GstBuffer *buffer, EnsFrame *frame)
{
  const GstVideoCropMeta *crop = gst_buffer_get_video_crop_meta (buffer);
  EnsFramePart part;

  if (crop == NULL || crop->x >= frame->width || crop->y >= frame->height)
    return;
  part = (EnsFramePart) {crop->x, crop->y, MIN (crop->width, frame->width - crop->x),
                         MIN (crop->height, frame->height - crop->y)};
  if (part.width == 0 || part.height == 0)
    return;
  if (ens_pixels_planes (frame->pixels) > 1) {
    part.x -= part.x % 2;
    part.y -= part.y % 2;
  }
  *frame = ens_frame_cut (frame, &part);
}

void
gst_ensemble_describe_frame (const GstVideoFrame *video, EnsFrame *frame)
{
  gint found = find_format (GST_VIDEO_FRAME_FORMAT (video));
  guint n_planes, n_dma_bufs = 0;

  g_return_if_fail (found >= 0);
  n_planes = ens_pixels_planes (formats[found].pixels);
  *frame = (EnsFrame) {
      .pixels = formats[found].pixels,
      .width = GST_VIDEO_FRAME_WIDTH (video),
      .height = GST_VIDEO_FRAME_HEIGHT (video),
      .matrix = nearest_matrix (video->info.colorimetry.matrix),
      .range = range_of (&video->info),
  };
  for (guint p = 0; p < n_planes; p++) {
    guint plane = find_plane (video, frame->pixels, p);
    gsize size;

    frame->planes[p] = GST_VIDEO_FRAME_PLANE_DATA (video, plane);
    frame->strides[p] = GST_VIDEO_FRAME_PLANE_STRIDE (video, plane);
    size = (ens_pixels_rows (frame->pixels, p, frame->height) - 1) * frame->strides[p]
           + ens_pixels_row_bytes (frame->pixels, p, frame->width);
    if (find_dma_buf (video, plane, size, &frame->dma_bufs[p]))
      n_dma_bufs++;
  }
  frame->n_dma_bufs = n_dma_bufs == n_planes ? n_planes : 0;
  honour_crop (video->buffer, frame);
}

EnsPicture *
gst_ensemble_copy_frame (const GstVideoFrame *video, EnsPicture *recycled)
{
  g_autoptr (EnsPicture) picture = recycled;
  EnsFrame frame = {0};

  gst_ensemble_describe_frame (video, &frame);
  if (picture == NULL || picture->frame.pixels != frame.pixels
      || picture->frame.width != frame.width || picture->frame.height != frame.height) {
    g_clear_pointer (&picture, ens_picture_unref);
    picture = ens_picture_new (frame.pixels, frame.width, frame.height);
  }
  picture->frame.matrix = frame.matrix;
  picture->frame.range = frame.range;
  for (guint p = 0; p < ens_pixels_planes (frame.pixels); p++) {
    gsize bytes = ens_pixels_row_bytes (frame.pixels, p, frame.width);
    guint8 *to = ens_picture_get_pixels (picture, p);

    for (guint y = 0; y < ens_pixels_rows (frame.pixels, p, frame.height); y++)
      memcpy (to + y * picture->frame.strides[p], frame.planes[p] + y * frame.strides[p], bytes);
  }
  return g_steal_pointer (&picture);
}

static void
unmap_frame (gpointer data)
{
  GstVideoFrame *video = data;

  gst_video_frame_unmap (video);
  g_free (video);
}

EnsPicture *
gst_ensemble_wrap_buffer (GstBuffer *buffer, const GstVideoInfo *info)
{
  GstVideoFrame *video = g_new (GstVideoFrame, 1);
  EnsPicture *picture;
  EnsFrame frame = {0};

  if (!gst_ensemble_map_frame (video, buffer, info)) {
    g_free (video);
    return NULL;
  }
  gst_ensemble_describe_frame (video, &frame);
  picture = ens_picture_new_wrapped (&frame, unmap_frame, video);
  picture->pts = GST_BUFFER_PTS (buffer);
  return picture;
}

EnsPicture *
gst_ensemble_wrap_dma_buf (GstBuffer *buffer, const GstVideoInfo *info)
{
  g_autoptr (EnsPicture) picture = NULL;

  if (gst_buffer_n_memory (buffer) == 0
      || !gst_is_dmabuf_memory (gst_buffer_peek_memory (buffer, 0)))
    return NULL;
  picture = gst_ensemble_wrap_buffer (buffer, info);
  return picture != NULL && ens_frame_is_dma_buf (&picture->frame) ? g_steal_pointer (&picture)
                                                                   : NULL;
}
