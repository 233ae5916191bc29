/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: where the classes are. */
#pragma once

#include <ensemble/result.h>
#include <gst/ensemble/ensemble-prelude.h>

G_BEGIN_DECLS

/**
 * gst_buffer_add_ensemble_regions:
 * @buffer: a buffer that is writable; its memory need not be
 * @result: what was found
 * @width: of the buffer's frame, in pixels
 * @height: of the buffer's frame, in pixels
 *
 * Attaches the best window (region proposal) of each present class as a
 * #GstVideoRegionOfInterestMeta, which other plug-ins draw, crop and encode: one region per class
 * that is present and has a window, in pixels of the frame.
 *
 * A region's type is the class. Its id is at least 1 and no other region's on the buffer; its
 * parent is 0, the frame. Its parameters are a structure "detection" as DL Streamer writes it:
 * label s, label_id i, confidence d, x_min, x_max, y_min, y_max d in [0, 1].
 *
 * Elements that scale the picture scale its regions; they lose the parameters, whose values the
 * #GstEnsembleMeta still has. Elements that move pixels in other ways, such as videocrop and
 * videoflip, remove regions in GStreamer 1.22.
 *
 * Returns: how many regions were attached
 *
 * Since: 0.1
 */
GST_ENSEMBLE_API
guint gst_buffer_add_ensemble_regions (GstBuffer *buffer, const EnsResult *result, guint width,
                                       guint height);

G_END_DECLS
