/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: pictures as they come from decoders and cameras.
 *
 * EnsFrame borrows the pixels of somebody else's buffer. ens_frame_resize () takes a rectangle of
 * it to the network's input in one step: conversion to RGB, antialiased scaling, channel order,
 * mean and scale. Training and streams use this same function, so both see the same pixels. */
#pragma once

#include <glib.h>
#include <ensemble/rect.h>

#include "base/json.h"
#include "base/thread-pool.h"

G_BEGIN_DECLS

typedef enum {
  ENS_PIXELS_RGB,
  ENS_PIXELS_BGR,
  ENS_PIXELS_RGBX, /* the fourth byte is ignored, alpha too */
  ENS_PIXELS_BGRX,
  ENS_PIXELS_XRGB,
  ENS_PIXELS_XBGR,
  ENS_PIXELS_NV12,
  ENS_PIXELS_I420,
  ENS_PIXELS_GRAY8,
  ENS_N_PIXELS,
} EnsPixels;

typedef enum { ENS_COLOR_MATRIX_BT601, ENS_COLOR_MATRIX_BT709 } EnsColorMatrix;
typedef enum { ENS_RANGE_FULL, ENS_RANGE_LIMITED } EnsRange;

/* Where a plane lies in memory that devices share. */
typedef struct {
  gint fd;      /* of a DMABuf; -1: it lies in none */
  gsize offset; /* of the plane's first byte */
} EnsDmaBuf;

/* Chroma planes of NV12 and I420 are (width + 1) / 2 × (height + 1) / 2; their samples lie where
 * MPEG-2 and H.264 put them: on the even luma columns, between two luma rows. */
typedef struct {
  EnsPixels pixels;
  guint width, height; /* at most ENS_FRAME_MAX_SIZE each */
  const guint8 *planes[3];
  gsize strides[3];      /* bytes from one row to the next */
  EnsColorMatrix matrix; /* of NV12 and I420 */
  EnsRange range;        /* of NV12, I420 and GRAY8 */
  /* The DMABufs that the planes lie in, rows in order and as far apart as `strides` says: a GPU
   * then reads the pixels there, if it can, and nothing is copied. One DMABuf has to hold all
   * planes; what lies in several is copied. Descriptors are borrowed and stay open as long as the
   * frame is used, and whatever writes to the buffer has finished: a mapping under
   * DMA_BUF_IOCTL_SYNC, as GStreamer's, waits for that. The planes are mapped all the same. */
  guint n_dma_bufs; /* 0, or the number of planes */
  EnsDmaBuf dma_bufs[3];
} EnsFrame;

#define ENS_FRAME_MAX_SIZE 32768

/* The format's name as GStreamer writes it in caps, such as "BGRx". */
const char *ens_pixels_name (EnsPixels pixels);
guint ens_pixels_planes (EnsPixels pixels);
/* Bytes of one row of a plane, padding not counted, and rows of a plane. */
gsize ens_pixels_row_bytes (EnsPixels pixels, guint plane, guint width);
guint ens_pixels_rows (EnsPixels pixels, guint plane, guint height);

/* FALSE and ENS_ERROR_FORMAT if the frame can't be what it says: no pixels, too many, a missing
 * plane, a stride shorter than its row. The other functions take frames that would pass. */
gboolean ens_frame_validate (const EnsFrame *frame, GError **error);

/* Whether one DMABuf holds all planes, by whatever descriptors. */
gboolean ens_frame_is_dma_buf (const EnsFrame *frame);

/* The size whose shorter side is `shorter` and whose aspect ratio is that of width × height, each
 * side rounded to the nearest pixel and at least 1. */
void ens_frame_scaled_size (guint width, guint height, guint shorter, guint *scaled_width,
                            guint *scaled_height);

typedef enum { ENS_ORDER_RGB, ENS_ORDER_BGR, ENS_ORDER_GRAY } EnsOrder;

/* How a network wants its pixels: (value - mean[c]) * scale[c] for values 0 ... 255 of full range,
 * c counted in the network's own channel order. ENS_ORDER_GRAY is luma: of NV12 and I420 their own,
 * of RGB that of BT.601. A GRAY8 frame fills all three channels of RGB alike. */
typedef struct {
  EnsOrder order;
  float mean[3];
  float scale[3];
} EnsNormalise;

guint ens_order_channels (EnsOrder order);
/* "rgb" and so on, by value, up to a NULL. */
extern const char *const ens_order_names[];
/* Members of the object that is open: "order", "mean" and "scale". */
void ens_normalise_write (EnsJson *json, const EnsNormalise *normalise);

/* What becomes of an image's aspect ratio on the way to a network's input. */
typedef enum {
  ENS_FRAMING_SCALE,     /* kept: the shorter side is scaled, the input is as long as it takes */
  ENS_FRAMING_CROP,      /* kept: only a square in the middle */
  ENS_FRAMING_LETTERBOX, /* kept: all of it goes into a square, the rest of which is the mean */
  ENS_FRAMING_STRETCH,   /* lost: all of it becomes a square */
  ENS_N_FRAMINGS,
} EnsFraming;

/* By value, up to a NULL. */
extern const char *const ens_framing_names[];

/* Samples `n_rects` rectangles of the frame to width × height pixels each and writes them to `out`,
 * n_rects × height × width × channels floats (NHWC). Downscaling is antialiased by a triangle
 * filter as wide as the scale demands (PIL's and torchvision's bilinear with antialias), upscaling
 * is bilinear. Rectangles are clipped to the frame, and to one pixel where less is left; only
 * pixels that a rectangle touches bear on its result, as if it had been cut out first. Chroma
 * planes are scaled from their own resolution. Nothing is rounded to bytes on the way. The same
 * input gives the same bits whatever the number of threads. */
void ens_frame_resize (const EnsFrame *frame, const EnsRect *rects, guint n_rects, guint width,
                       guint height, const EnsNormalise *normalise, EnsThreadPool *pool,
                       float *out);

G_END_DECLS
