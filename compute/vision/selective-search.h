/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: class-independent object windows by Selective Search.
 *
 * Source: J. R. R. Uijlings, K. E. A. van de Sande, T. Gevers, A. W. M. Smeulders, Selective Search
 * for Object Recognition, IJCV 2013; P. F. Felzenszwalb, D. P. Huttenlocher, Efficient Graph-Based
 * Image Segmentation, IJCV 2004. */
#pragma once

#include "vision/frame.h"

G_BEGIN_DECLS

typedef enum {
  ENS_WINDOWS_FAST,     /* one colour space, long side 320 */
  ENS_WINDOWS_BALANCED, /* two colour spaces, long side 320: the default */
  ENS_WINDOWS_QUALITY,  /* three colour spaces, long side 640 */
  ENS_N_WINDOWS_PRESETS,
} EnsWindowsPreset;

const char *ens_windows_preset_name (EnsWindowsPreset preset);
gboolean ens_windows_preset_parse (const char *name, EnsWindowsPreset *preset);

/* How many pixels it segments in a frame of that size, counted once for each colour space: what its
 * duration goes by. */
double ens_windows_preset_count_pixels (EnsWindowsPreset preset, guint width, guint height);

/* Keeps the memory of earlier frames for the next one. One thread at a time. */
typedef struct _EnsWindowSearch EnsWindowSearch;

EnsWindowSearch *ens_window_search_new (EnsWindowsPreset preset);
void ens_window_search_free (EnsWindowSearch *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsWindowSearch, ens_window_search_free)

/* Finds at most `max_windows` windows, ranked, the best first, and with near duplicates suppressed,
 * and returns how many. *windows belongs to the search and is valid until its next run.
 * Deterministic: the same frame gives the same windows whatever the number of threads. 0 if the
 * pool is cancelled. */
guint ens_window_search_run (EnsWindowSearch *search, const EnsFrame *frame, guint max_windows,
                             EnsThreadPool *pool, const EnsWindow **windows);

G_END_DECLS
