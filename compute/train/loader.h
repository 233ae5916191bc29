/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: training samples, loaded ahead on threads of their own.
 *
 * While a step computes, workers read, decode and augment the samples of the next batches. A
 * sample depends on its epoch and item alone, and a batch on epoch and number, so that neither
 * threads nor going on in the middle of a training change anything.
 *
 * An item that can't be loaded is noted once and its place taken by the one that follows it in the
 * epoch's order. */
#pragma once

#include "base/monitor.h"

G_BEGIN_DECLS

#define ENS_LOADER_MAX_TENSORS 4

/* What is loaded. Callbacks run on the workers, several at a time. */
typedef struct {
  guint n_items; /* that an epoch goes through */
  guint batch;   /* samples; at most n_items. Items that fill no batch are left out of an epoch */
  guint n_tensors;
  gsize sizes[ENS_LOADER_MAX_TENSORS]; /* floats that a sample has of each */
  guint64 seed;
  /* The epoch's items in order, n_items of them. NULL: 0 … n_items - 1, shuffled by the seed. */
  void (*order) (gpointer data, guint epoch, guint32 *items);
  /* Writes one sample. FALSE with an error: the item is broken. */
  gboolean (*load) (gpointer data, guint epoch, guint32 item, float *const *tensors,
                    GError **error);
  gpointer data;
} EnsLoaderSource;

/* Sample behind sample. */
typedef struct {
  const float *tensors[ENS_LOADER_MAX_TENSORS];
  const guint32 *items; /* which ones they are */
} EnsLoaderBatch;

typedef struct _EnsLoader EnsLoader;

/* n_threads: workers, at least 1. n_ahead: batches that are loaded before they are asked for.
 * (transfer full) */
EnsLoader *ens_loader_new (const EnsLoaderSource *source, guint n_threads, guint n_ahead);
/* Waits for samples that are being loaded. */
void ens_loader_free (EnsLoader *loader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsLoader, ens_loader_free)

/* Batches of an epoch. */
guint ens_loader_get_batches (const EnsLoader *loader);

/* Waits for a batch, which lives until the next call. Batches are expected in order; another one
 * than the next costs what was loaded ahead. Notes what was skipped; FALSE with ENS_ERROR_DATA if
 * more than one in ENS_MIN_IMAGES_PER_BROKEN items is broken. From one thread. */
gboolean ens_loader_next (EnsLoader *loader, guint epoch, guint batch, const EnsMonitor *monitor,
                          EnsLoaderBatch *out, GError **error);

G_END_DECLS
