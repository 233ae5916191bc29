/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Features kept on disk, so that a second training takes seconds and a killed one goes on.
 *
 * One file holds the features of one configuration: everything that they depend on but the image
 * (network, taps, scales, preprocessing). Records are only ever appended, each with the image's
 * hash and a checksum of its own; what a killed or failing run left half written at the end is cut
 * off when the file is opened again, and a file that is not of this configuration is overwritten.
 * Opening a file sets its time of modification, by which train/feature-cache.h knows what was used
 * last.
 *
 * Several processes, on several machines, can fill a folder that they share: each writes files in a
 * part of its own, a folder FOLDER/PART, and reads what all others have written. A part without
 * features is removed when it is closed. */
#pragma once

#include "base/error.h"

typedef struct _EnsFeatureStore EnsFeatureStore;

/* How the names of the files end. */
#define ENS_FEATURES_ENDING ".features"

#define ENS_KEY_SIZE 32

/* SHA-256 of an image file's contents. */
typedef struct {
  guint8 bytes[ENS_KEY_SIZE];
} EnsImageKey;

EnsImageKey ens_image_key (gconstpointer contents, gsize size);

/* Opens or creates FOLDER/HASH.features, HASH being that of `configuration`, a text that says it
 * all. n_features: floats in a row. A file that another process, or another store of this one, has
 * open is an error. (transfer full) */
EnsFeatureStore *ens_feature_store_open (const char *folder, const char *configuration,
                                         guint n_features, GError **error);
/* The same in a part; NULL: in the folder itself. */
EnsFeatureStore *ens_feature_store_open_part (const char *folder, const char *part,
                                              const char *configuration, guint n_features,
                                              GError **error);
void ens_feature_store_close (EnsFeatureStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsFeatureStore, ens_feature_store_close)

/* Images that the store has, other parts' too. */
guint ens_feature_store_get_size (const EnsFeatureStore *store);
/* Bytes of damaged records that opening has cut off. */
guint64 ens_feature_store_get_cut (const EnsFeatureStore *store);

gboolean ens_feature_store_has (const EnsFeatureStore *store, const EnsImageKey *key);
/* The image's rows, *n_rows × n_features. NULL with *n_rows 0 and an error if they can't be read.
 * (transfer full) */
float *ens_feature_store_read (EnsFeatureStore *store, const EnsImageKey *key, guint *n_rows,
                               GError **error);
/* Adds an image that the store does not have; it may have no rows. */
gboolean ens_feature_store_append (EnsFeatureStore *store, const EnsImageKey *key,
                                   const float *rows, guint n_rows, GError **error);
