/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: an ensemble ready to analyse frames. */
#pragma once

#include <ensemble/result.h>

#include "engine/network.h"
#include "ensemble/bundle.h"
#include "ensemble/style.h"

G_BEGIN_DECLS

typedef struct _EnsEnsemble EnsEnsemble;

/* Opens a bundle on a device. Bundle and device, with as many threads, opened before and still in
 * use are shared, weights, plans and threads with them. Any thread. (transfer full) */
EnsEnsemble *ens_ensemble_open (const char *folder, EnsDevice *device, GError **error);
/* The same for one class alone, unless NULL (M1.5). (transfer full) */
EnsEnsemble *ens_ensemble_open_class (const char *folder, const char *class, EnsDevice *device,
                                      GError **error);
EnsEnsemble *ens_ensemble_ref (EnsEnsemble *ensemble);
void ens_ensemble_unref (EnsEnsemble *ensemble);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsEnsemble, ens_ensemble_unref)

const EnsBundle *ens_ensemble_get_bundle (EnsEnsemble *ensemble);
EnsDevice *ens_ensemble_get_device (EnsEnsemble *ensemble);
/* ens_bundle_stamp () of the files that it was opened from. */
const char *ens_ensemble_get_stamp (EnsEnsemble *ensemble);
/* Whether it classifies windows: its retrained networks have classifiers for them. */
gboolean ens_ensemble_takes_windows (EnsEnsemble *ensemble);
/* FALSE with an error if these scales can't take the place of the networks' own, as far as can be
 * told before there is a frame. */
gboolean ens_ensemble_check_scales (EnsEnsemble *ensemble, const guint *scales, guint n_scales,
                                    GError **error);
/* The index of the network of that name; -1 with an error that lists the names there are. */
gint ens_ensemble_find_network (EnsEnsemble *ensemble, const char *name, GError **error);
/* What people should know of how its networks were loaded, and of their costs where those are high,
 * a sentence each that names the network, up to a NULL. */
const char *const *ens_ensemble_get_notes (EnsEnsemble *ensemble);

/* Opens a style for the ensemble's device: one of the bundle, styles/NAME.onnx, or a file. "none",
 * "" and NULL are none: *style is NULL then. FALSE with an error that lists the bundle's styles if
 * there is no such one, or as ens_style_open () has it. Any thread. (transfer full) */
gboolean ens_ensemble_open_style (EnsEnsemble *ensemble, const char *name, EnsStyle **style,
                                  GError **error);

/* Whether a frame is divided into sub-images (tiles; M1.9). */
typedef enum {
  ENS_SUB_IMAGES_AUTO, /* if it counts as large: EnsSubImageSettings */
  ENS_SUB_IMAGES_OFF,
  /* Always. A frame that is no larger than a sub-image is its only one. Where the bundle does not
   * know the size of sub-images, it is that of its largest scale. */
  ENS_SUB_IMAGES_ON,
  /* If it counts as large, and then classified whole too, for what is too large for sub-images. P
   * is the larger of the map's maximum and of that. */
  ENS_SUB_IMAGES_BOTH,
} EnsSubImagesMode;

/* By value, up to a NULL. */
extern const char *const ens_sub_images_names[];

/* Overrides of the bundle. ENS_ANALYSE_DEFAULTS changes nothing. */
typedef struct {
  /* How many at most; -1: the bundle's, 0: none. The sub-images of a frame that is divided share
   * them, and have one each at least. */
  gint windows;
  /* Shorter sides, for all networks; n_scales 0: the bundle's. Where they can't be planned, the
   * bundle's are used, and the device has a warning. */
  const guint *scales;
  guint n_scales;  /* at most ENS_MAX_SCALES */
  float threshold; /* for all classes; negative: the bundle's */
  /* Classified instead of windows found by selective search (region proposals), if not NULL: all of
   * them, or the first `windows`. */
  const EnsRect *regions;
  guint n_regions;
  const EnsRegionOrigin *origins; /* where each region comes from, for the result; NULL: not told */
  /* The part of the frame that is analysed, as if it were the frame; regions and the result's
   * rectangles are the whole frame's. Width or height 0: all of it. */
  EnsRect crop;
  /* Sub-images (the frame, if it is not divided) that are still since the frame before have its
   * windows and probabilities. The frame before is the one that was analysed last, with the same
   * number for its stretch of the stream. */
  gboolean reuse;
  /* Grey levels that the mean of a block of 8×8 pixels may differ by in a sub-image that is still,
   * from the frame that its probabilities are of; 0: each byte is the same. */
  float tile_tolerance;
  guint stretch;
  EnsSubImagesMode sub_images;
  guint max_sub_images; /* 0: the bundle's */
  gboolean no_gate;     /* classes are reported whatever their similarity, which is still given */
  /* Adapts the frame before it is classified; windows are searched on the frame as it is. Of the
   * ensemble's device. NULL: none. */
  EnsStyle *style;
  /* Name of the network whose features of the whole frame are the result's embedding; NULL, or one
   * that the bundle does not have: none. A frame that is divided costs one more run of it. */
  const char *embedding;
  guint max_scales; /* of each network the smallest ones alone, so many of them; 0: all */
  /* Ends the analysis early, with ENS_ERROR_CANCELLED: from another thread, at any time. NULL: it
   * can't be cancelled. */
  GCancellable *cancellable;
  /* How many analyses of the ensemble may put what they ask networks for at the same time into one
   * batch; 0, 1: it is run on its own. Probabilities then are the same but for rounding, by less
   * than 1e-5. */
  guint batch_size;
  /* Microseconds that the frame waits for others, in all; 0: it goes with those that are there. */
  gint64 batch_timeout;
} EnsAnalyseOptions;

#define ENS_ANALYSE_DEFAULTS ((EnsAnalyseOptions) {.windows = -1, .threshold = -1})

/* Processors that each stream has on average: those of the ensemble's device, shared among its
 * analyses, or those of the machine among all of the process, whichever is less. Any thread. */
double ens_ensemble_get_processors (EnsEnsemble *ensemble);

/* What one stream keeps from frame to frame: buffers and the window search. One thread at a time.
 */
typedef struct _EnsAnalysis EnsAnalysis;

EnsAnalysis *ens_analysis_new (EnsEnsemble *ensemble);
void ens_analysis_free (EnsAnalysis *analysis);
EnsEnsemble *ens_analysis_get_ensemble (const EnsAnalysis *analysis);
/* Nanoseconds of the last frame that went into plans, which later ones find. */
gint64 ens_analysis_get_planning (const EnsAnalysis *analysis);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsAnalysis, ens_analysis_free)

/* How many frames shared a run of a network, as the mean over all runs for the last frame; 1 if it
 * had all to itself, 0 if it needed none. */
double ens_analysis_get_batch (const EnsAnalysis *analysis);

/* Follows the method from the frame to P (M1.1–M1.9), and asks the gate (M2). options may be NULL.
 * pts is copied into the result. Windows are classified if the bundle has classifiers for them. The
 * same frame and options give the same bits. (transfer full) */
EnsResult *ens_analysis_run (EnsAnalysis *analysis, const EnsFrame *frame, guint64 pts,
                             const EnsAnalyseOptions *options, GError **error);

G_END_DECLS
