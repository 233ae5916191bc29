/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The features of a data set's images for every network of a bundle that is being made. */
#pragma once

#include "base/monitor.h"
#include "classify/examples.h"
#include "dataset/dataset.h"
#include "engine/network.h"
#include "ensemble/bundle.h"
#include "train/features.h"
#include "train/fit.h"
#include "vision/frame-source.h"
#include "vision/picture-hash.h"

/* Windows of each training image that window classifiers may choose from. */
#define ENS_FIT_TRAINING_WINDOWS 32

typedef struct _EnsFitFeatures EnsFitFeatures;

/* Networks and what their features depend on. All of it must outlive the features. */
typedef struct {
  const EnsBundle *bundle; /* networks' taps, sizes … and how many windows; no classifiers yet */
  const char *const *networks; /* paths of their ONNX files */
  GBytes *const *contents;     /* of these files */
  const char *cache;           /* folder for features */
  EnsDevice *device;
  const char *part; /* of that folder, to write into; NULL: the folder itself */
  EnsFitShare share;
} EnsFitSource;

/* (transfer full) */
EnsFitFeatures *ens_fit_features_new (const EnsFitSource *source, GError **error);
void ens_fit_features_free (EnsFitFeatures *features);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsFitFeatures, ens_fit_features_free)

/* Puts the images of the training and validation splits through the networks, as far as their
 * features are not on disk yet. */
gboolean ens_fit_features_fill (EnsFitFeatures *features, const EnsDataset *dataset,
                                const EnsFrameOpener *opener, const EnsMonitor *monitor,
                                GError **error);

/* What the images of all splits look like, the test split's too, which is opened for that alone. A
 * split that can't be looked at is noted. */
gboolean ens_fit_features_look (EnsFitFeatures *features, const EnsDataset *dataset,
                                const EnsFrameOpener *opener, const EnsMonitor *monitor,
                                GError **error);

typedef struct {
  const EnsDatasetItem *item;
  guint width, height;
  float pixels[ENS_PICTURE_HASH_PIXELS]; /* ens_picture_hash_shrink () */
  EnsImageKey key;                       /* of the file */
} EnsFitLook;

/* Images of any split that could be read, in the order of their features. */
guint ens_fit_features_get_n_images (const EnsFitFeatures *features, EnsSplit split);
gboolean ens_fit_features_read_look (EnsFitFeatures *features, EnsSplit split, guint image,
                                     EnsFitLook *look, GError **error);

/* In the place of a split: images that are not the data set's and show no class. */
#define ENS_FIT_UNRELATED ((EnsSplit)ENS_N_SPLITS)

/* Puts the images of ens_dataset_load_unrelated (), which has to outlive the features, through the
 * networks. They get no windows. */
gboolean ens_fit_features_fill_unrelated (EnsFitFeatures *features, const EnsDataset *unrelated,
                                          const EnsFrameOpener *opener, const EnsMonitor *monitor,
                                          GError **error);

/* Of the images that could be read. */
const EnsLabels *ens_fit_features_get_truth (const EnsFitFeatures *features, EnsSplit split);
guint ens_fit_features_get_n_broken (const EnsFitFeatures *features, EnsSplit split);
/* Length of a network's image feature. */
guint ens_fit_features_get_length (const EnsFitFeatures *features, guint network);

/* The side of a square with as many pixels as the split's images have, the median. The split has
 * images. */
gboolean ens_fit_features_read_side (EnsFitFeatures *features, EnsSplit split, float *side,
                                     GError **error);
/* The split's whole images, a row each. (transfer full) */
float *ens_fit_features_read_whole (EnsFitFeatures *features, guint network, EnsSplit split,
                                    GError **error);
/* The windows of one image, *n_windows rows, the best window first. (transfer full) */
float *ens_fit_features_read_windows (EnsFitFeatures *features, guint network, EnsSplit split,
                                      guint image, guint *n_windows, GError **error);
