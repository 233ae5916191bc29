/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Training: from networks and a data set to a bundle.
 *
 * Every image goes through every network once; its features stay on disk (train/features.h), so
 * that everything after that takes seconds: linear classifiers, their calibration, the weights of
 * networks and windows, thresholds.
 *
 * No setting is chosen on an image whose figure is printed: figures are cross-fitted
 * (classify/folds.h). The bundle's settings are then chosen on all images in the same way.
 *
 * Windows (region proposals) get classifiers of their own, trained on the training images' windows
 * (classify/svm.h), and a calibration of their own: (a, b) are fitted to the highest decision value
 * among an image's windows, because P3 is the maximum of many and the whole frame's (a, b) would
 * promise too much.
 *
 * The gate (train/gate.h) compares features of one network: of the retrained ones, or where there
 * are none of the original ones, that which tells best. It needs no more images than there are, but
 * the choice of its kind is better with unrelated ones.
 *
 * The size of the training images says which frames count as large, and into how large sub-images
 * (tiles) they are divided. */
#pragma once

#include "base/monitor.h"
#include "engine/network.h"
#include "ensemble/bundle.h"
#include "train/evaluate.h"
#include "train/feature-cache.h"
#include "vision/frame-source.h"

typedef struct {
  const char *path; /* ONNX file */
  const char *name; /* NULL: the file's name without ".onnx" */
  EnsRole role;
  const char *const *taps; /* NULL-terminated; NULL: ens_member_default_taps () */
  EnsNormalise normalise;
  EnsFraming framing;        /* of the whole frame */
  EnsFraming window_framing; /* as EnsBundleNetwork has it */
  float crop;                /* for ENS_FRAMING_CROP, in (0, 1]; 0: 1 */
  guint size;                /* 0: what the file says, 224 where it leaves it open */
  /* n_scales 0: 256, 384 and 512 times size / 224, to the nearest multiple of 32. */
  const guint *scales;
  guint n_scales;
  gboolean flip; /* as EnsBundleNetwork has it */
  /* Retrained networks, n_window_sizes 0: the smallest of the default scales. */
  const guint *window_sizes;
  guint n_window_sizes;
} EnsFitNetwork;

/* How classifiers are trained and fused. */
typedef enum {
  /* Signed square roots of features; classifiers trained on the training and validation images
   * together, settings cross-fitted on them; windows have classifiers of their own, and take part
   * if the cross-fitted figure says so; log odds are fused (classify/fusion.h). */
  ENS_FIT_STANDARD,
  /* As the method's source has it: classifiers trained on the training images, settings chosen on
   * the validation images; windows are judged by the retrained networks' own classifiers for whole
   * images; probabilities are averaged, P = w·P1 + (1 - w)·max (P2, P3). */
  ENS_FIT_DOCUMENT,
} EnsFitMethod;

/* ENS_FIT_DEFAULTS sets what has a default; the others have to be set. */
typedef struct {
  const char *dataset; /* folder, as dataset/dataset.h describes it */
  const char *bundle;  /* folder to write; an old bundle there is replaced */
  const EnsFitNetwork *networks;
  guint n_networks;
  const char *one_class; /* NULL: all; otherwise the others' images show none */
  const char *name;      /* NULL: the bundle folder's without ".ensemble" */
  const char *version;   /* "1" */
  const char *cache;     /* folder for features; NULL: the user's cache folder */
  gint64 cache_limit;    /* bytes that features may take there afterwards; negative: no limit */
  EnsFitMethod method;
  gboolean plain_sigmoid; /* ENS_FIT_DOCUMENT: S (t), not calibrated */
  const char *head; /* what is learnt, as ens_head_parse () reads it; NULL: the method's default */
  guint windows;    /* 100; 0 for none */
  const char *gate; /* as ens_gate_parse () reads it */
  const char *unrelated; /* folder of images that show no class; NULL: none */
  EnsWindowsPreset windows_preset;
} EnsFitParams;

#define ENS_FIT_DEFAULTS                                   \
  ((EnsFitParams) {.version = "1",                         \
                   .cache_limit = ENS_FEATURE_CACHE_LIMIT, \
                   .windows = 100,                         \
                   .windows_preset = ENS_WINDOWS_BALANCED})

/* Every n-th image, from the one of this index on. n 0: all images. */
typedef struct {
  guint index, n;
} EnsFitShare;

/* Extracts the features that ens_fit () would, with the same networks, windows and unrelated
 * images, and leaves them in params->cache; of other params none is read. part: what the features
 * go into there (train/features.h), so that others can extract other shares meanwhile. Images that
 * can't be read are skipped with a note; more than one in ten of a split is an error. */
gboolean ens_fit_extract (const EnsFitParams *params, const char *part, const EnsFitShare *share,
                          EnsDevice *device, const EnsFrameOpener *opener,
                          const EnsMonitor *monitor, GError **error);

/* Extracts features of the training and validation images, fits, and writes the bundle. Images that
 * can't be read are skipped with a note; more than one in ten of a split is an error. When it has
 * all features, it removes features of other trainings, the least recently used first, as far as
 * params->cache_limit asks for it; never its own. Cancelled or killed, it leaves the features it
 * has and the old bundle. The same networks, images and params give the same bundle. Returns how
 * settings chosen on other images do on the validation split. (transfer full) Its findings are on
 * the data set as a whole, whose test split is opened for that alone: it has no part in the bundle.
 */
EnsEvaluation *ens_fit (const EnsFitParams *params, EnsDevice *device, const EnsFrameOpener *opener,
                        const EnsMonitor *monitor, GError **error);
