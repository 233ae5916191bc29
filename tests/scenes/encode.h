/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From cairo's pictures to files, by GStreamer's encoders. */
#pragma once

#include <cairo.h>
#include <gst/gst.h>

typedef struct _Encoder Encoder;

/* For JPEG files: any number of pictures of any sizes, each encoded at once. */
Encoder *encoder_new_stills (GError **error);
/* For one clip. The file's name chooses the format: .webm (VP8), .mkv or .avi (motion JPEG). */
Encoder *encoder_new_clip (const char *path, guint frames_per_second, GError **error);
void encoder_free (Encoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Encoder, encoder_free)

/* picture: RGB24. */
gboolean encoder_save_still (Encoder *encoder, cairo_surface_t *picture, const char *path,
                             GError **error);
gboolean encoder_add_frame (Encoder *encoder, cairo_surface_t *picture, GError **error);
/* Completes the clip; call it after the last frame. */
gboolean encoder_finish (Encoder *encoder, GError **error);
