/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/stat.h>

#include "base/error.h"
#include "vision/pixel-layout.h"

const EnsPixelsLayout ens_pixels_layouts[ENS_N_PIXELS] = {
    [ENS_PIXELS_RGB] = {"RGB", ENS_MODEL_RGB, 1, {{3, 0}}, {0, 1, 2}},
    [ENS_PIXELS_BGR] = {"BGR", ENS_MODEL_RGB, 1, {{3, 0}}, {2, 1, 0}},
    [ENS_PIXELS_RGBX] = {"RGBx", ENS_MODEL_RGB, 1, {{4, 0}}, {0, 1, 2}},
    [ENS_PIXELS_BGRX] = {"BGRx", ENS_MODEL_RGB, 1, {{4, 0}}, {2, 1, 0}},
    [ENS_PIXELS_XRGB] = {"xRGB", ENS_MODEL_RGB, 1, {{4, 0}}, {1, 2, 3}},
    [ENS_PIXELS_XBGR] = {"xBGR", ENS_MODEL_RGB, 1, {{4, 0}}, {3, 2, 1}},
    [ENS_PIXELS_NV12] = {"NV12", ENS_MODEL_YCBCR, 2, {{1, 0}, {2, 1}}, {0, 1, 2}},
    [ENS_PIXELS_I420] = {"I420", ENS_MODEL_YCBCR, 3, {{1, 0}, {1, 1}, {1, 1}}, {0, 1, 2}},
    [ENS_PIXELS_GRAY8] = {"GRAY8", ENS_MODEL_GRAY, 1, {{1, 0}}, {0, 0, 0}},
};

const char *
ens_pixels_name (EnsPixels pixels)
{
  g_return_val_if_fail (pixels < ENS_N_PIXELS, NULL);
  return ens_pixels_layouts[pixels].name;
}

guint
ens_pixels_planes (EnsPixels pixels)
{
  g_return_val_if_fail (pixels < ENS_N_PIXELS, 0);
  return ens_pixels_layouts[pixels].n_planes;
}

gsize
ens_pixels_row_bytes (EnsPixels pixels, guint plane, guint width)
{
  const EnsPlaneLayout *layout;

  g_return_val_if_fail (plane < ens_pixels_planes (pixels), 0);
  layout = &ens_pixels_layouts[pixels].planes[plane];
  return (gsize)ens_plane_size (width, layout->shift) * layout->channels;
}

guint
ens_pixels_rows (EnsPixels pixels, guint plane, guint height)
{
  g_return_val_if_fail (plane < ens_pixels_planes (pixels), 0);
  return ens_plane_size (height, ens_pixels_layouts[pixels].planes[plane].shift);
}

const char *const ens_order_names[] = {"rgb", "bgr", "gray", NULL};

void
ens_normalise_write (EnsJson *json, const EnsNormalise *normalise)
{
  guint channels = ens_order_channels (normalise->order);

  ens_json_string (json, "order", ens_order_names[normalise->order]);
  ens_json_floats (json, "mean", normalise->mean, channels, 1);
  ens_json_floats (json, "scale", normalise->scale, channels, 1);
}

guint
ens_order_channels (EnsOrder order)
{
  return order == ENS_ORDER_GRAY ? 1 : 3;
}

gboolean
ens_frame_validate (const EnsFrame *frame, GError **error)
{
  if ((guint)frame->pixels >= ENS_N_PIXELS) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "frame: pixel format %d is not known",
                 frame->pixels);
    return FALSE;
  }
  if (frame->width < 1 || frame->height < 1 || frame->width > ENS_FRAME_MAX_SIZE
      || frame->height > ENS_FRAME_MAX_SIZE) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "frame: width and height must be 1 to %d, found %ux%u", ENS_FRAME_MAX_SIZE,
                 frame->width, frame->height);
    return FALSE;
  }
  for (guint p = 0; p < ens_pixels_planes (frame->pixels); p++) {
    gsize bytes = ens_pixels_row_bytes (frame->pixels, p, frame->width);

    if (frame->planes[p] != NULL && frame->strides[p] >= bytes)
      continue;
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "frame: plane %u of %s must have a stride of at least %" G_GSIZE_FORMAT
                 " bytes at %u pixels width, found %" G_GSIZE_FORMAT "%s",
                 p, ens_pixels_name (frame->pixels), bytes, frame->width, frame->strides[p],
                 frame->planes[p] == NULL ? " and no memory" : "");
    return FALSE;
  }
  if (frame->n_dma_bufs == 0 || frame->n_dma_bufs == ens_pixels_planes (frame->pixels))
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               "frame: the %u planes of %s must lie in as many DMABufs or in none, found %u",
               ens_pixels_planes (frame->pixels), ens_pixels_name (frame->pixels),
               frame->n_dma_bufs);
  return FALSE;
}

/* Descriptors of one file are of one inode, and DMABufs that have sizes have inodes of their own
 * (since Linux 5.3). */
static gboolean
are_same (gint a, gint b)
{
  struct stat of_a, of_b;

  return a == b
         || (fstat (a, &of_a) == 0 && fstat (b, &of_b) == 0 && of_a.st_dev == of_b.st_dev
             && of_a.st_ino == of_b.st_ino && of_a.st_size > 0);
}

gboolean
ens_frame_is_dma_buf (const EnsFrame *frame)
{
  for (guint p = 0; p < frame->n_dma_bufs; p++)
    if (frame->dma_bufs[p].fd < 0 || !are_same (frame->dma_bufs[p].fd, frame->dma_bufs[0].fd))
      return FALSE;
  return frame->n_dma_bufs > 0;
}

void
ens_frame_scaled_size (guint width, guint height, guint shorter, guint *scaled_width,
                       guint *scaled_height)
{
  guint side = MIN (width, height);

  g_return_if_fail (side > 0 && shorter > 0);
  *scaled_width = (guint)(((guint64)width * shorter + side / 2) / side);
  *scaled_height = (guint)(((guint64)height * shorter + side / 2) / side);
}

EnsFrame
ens_frame_cut (const EnsFrame *frame, const EnsFramePart *part)
{
  EnsFrame cut = *frame;

  cut.width = part->width;
  cut.height = part->height;
  for (guint p = 0; p < ens_pixels_planes (frame->pixels); p++) {
    const EnsPlaneLayout *layout = &ens_pixels_layouts[frame->pixels].planes[p];

    gsize offset = (gsize)(part->y >> layout->shift) * frame->strides[p]
                   + (gsize)(part->x >> layout->shift) * layout->channels;

    cut.planes[p] += offset;
    cut.dma_bufs[p].offset += offset;
  }
  return cut;
}
