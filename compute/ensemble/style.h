/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: styles, networks that give frames of one camera the look of another (M5).
 *
 * A style is an ONNX file: RGB images (N, 3, H, W) of 0 … 255 to adapted ones of the same size, as
 * gst-ensemble-1.0 train-style writes it. It runs once for a frame, scaled down to what it was
 * trained for; what it adds is interpolated and added to the frame. So networks see the adapted
 * frame at all scales, in all tiles and windows, for the price of one small network. */
#pragma once

#include "engine/device.h"
#include "vision/residual.h"

G_BEGIN_DECLS

/* The property of a style's file that says for which shorter side of pictures it was trained. */
#define ENS_STYLE_SIZE_PROPERTY "style_size"
/* Of files that don't say it. */
#define ENS_STYLE_DEFAULT_SIZE 256

/* Where a bundle's styles are: styles/NAME.onnx. */
#define ENS_STYLE_FOLDER "styles"
#define ENS_STYLE_ENDING ".onnx"

typedef struct _EnsStyle EnsStyle;

/* Loads a file for a device; name: what results call it. NULL with an error that names the file if
 * it can't be read, or does not take such images or give such images. Any thread. (transfer full)
 */
EnsStyle *ens_style_open (const char *path, const char *name, EnsDevice *device, GError **error);
EnsStyle *ens_style_ref (EnsStyle *style);
void ens_style_unref (EnsStyle *style);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsStyle, ens_style_unref)

const char *ens_style_get_name (const EnsStyle *style);
/* The shorter side that frames are scaled to. */
guint ens_style_get_size (const EnsStyle *style);

/* What one stream keeps from frame to frame. One thread at a time. */
typedef struct _EnsStyleRun EnsStyleRun;

EnsStyleRun *ens_style_run_new (EnsDevice *device);
void ens_style_run_free (EnsStyleRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsStyleRun, ens_style_run_free)

/* The adapted frame, which belongs to the run until its next frame; the style is of its device.
 * NULL on error. cancellable: may be NULL. */
const EnsFrame *ens_style_run (EnsStyleRun *run, EnsStyle *style, const EnsFrame *frame,
                               GCancellable *cancellable, GError **error);
/* Nanoseconds that planning took for the last frame. */
gint64 ens_style_run_get_planning (const EnsStyleRun *run);

G_END_DECLS
