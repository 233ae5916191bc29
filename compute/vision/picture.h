/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: frames that own their pixels. */
#pragma once

#include "vision/frame.h"

G_BEGIN_DECLS

/* A reference-counted frame. Immutable once shared between threads. */
typedef struct {
  EnsFrame frame;
  guint64 pts; /* nanoseconds; G_MAXUINT64 if it has none */
  /*< private >*/
  gatomicrefcount references;
  GDestroyNotify free_pixels;
  gpointer owner;
} EnsPicture;

/* A picture of zero bytes, rows padded to 64 bytes; fill the planes through
 * ens_picture_get_pixels (). Width and height are 1 to ENS_FRAME_MAX_SIZE: check sizes that come
 * from files first. BT.601, full range, no pts: set the fields to say otherwise.
 * (transfer full) */
EnsPicture *ens_picture_new (EnsPixels pixels, guint width, guint height);
/* Wraps pixels that live until free_pixels (owner) is called. (transfer full) */
EnsPicture *ens_picture_new_wrapped (const EnsFrame *frame, GDestroyNotify free_pixels,
                                     gpointer owner);
/* A rectangle of a frame, at its size, as a picture of its own in RGB. pool: may be NULL. (transfer
 * full) */
EnsPicture *ens_picture_new_rgb (const EnsFrame *frame, const EnsRect *rect, EnsThreadPool *pool);
EnsPicture *ens_picture_ref (EnsPicture *picture);
void ens_picture_unref (EnsPicture *picture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsPicture, ens_picture_unref)

/* The writable pixels of a picture made by ens_picture_new () and not shared yet. */
guint8 *ens_picture_get_pixels (EnsPicture *picture, guint plane);

G_END_DECLS
