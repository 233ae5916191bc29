/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: keeps frames that a person should label, in a folder.
 *
 * A frame is a picture TIME-REASON-CLASS.jpg, whose name sorts by time (UTC), and beside it a .json
 * that says why it was kept: {"schema": "gst-ensemble/collected/1", "picture", "reason", "class",
 * "value", "hash", "stream", "result"}. Both appear whole or not at all. What is there when it
 * starts counts; what somebody has moved away does not, some seconds later at most. Files that it
 * has not written are left alone. What is worth least goes when the one that takes its place has
 * been written. While the disk has less room than it is to have, nothing is written; it goes on by
 * itself.
 *
 * What keeps it from writing is a warning of the element, and that it goes on an information. The
 * element message ensemble-collecting, with `folder` and `problem` (NULL: none), says either, and
 * comes once at the start. */
#pragma once

#include <gst/gst.h>

#include "ensemble/collection.h"
#include "vision/picture.h"

G_BEGIN_DECLS

#define GST_ENSEMBLE_COLLECT_LIMIT 500
#define GST_ENSEMBLE_COLLECT_BYTES (G_GUINT64_CONSTANT (200) << 20)
#define GST_ENSEMBLE_COLLECT_RESERVE (G_GUINT64_CONSTANT (256) << 20)

typedef struct {
  char *folder;    /* NULL: nothing is kept */
  guint limit;     /* pictures; 0: any number */
  guint64 bytes;   /* 0: any number */
  guint64 reserve; /* bytes of the disk that stay free */
  gboolean crops;
} GstEnsembleCollectSettings;

/* Frames come from one thread at a time; writing is done in a thread of its own. */
typedef struct _GstEnsembleCollector GstEnsembleCollector;

/* element: gets warnings; the thread holds a reference on it. settings: copied. */
GstEnsembleCollector *gst_ensemble_collector_new (GstElement *element,
                                                  const GstEnsembleCollectSettings *settings);
/* Looks at a frame, twice a second at most and when a state has changed, and hands it to the thread
 * if it is worth keeping and the thread is not busy. */
void gst_ensemble_collector_offer (GstEnsembleCollector *collector, const EnsFrame *frame,
                                   const EnsResult *result);
GstEnsembleCollector *gst_ensemble_collector_ref (GstEnsembleCollector *collector);
void gst_ensemble_collector_unref (GstEnsembleCollector *collector);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (GstEnsembleCollector, gst_ensemble_collector_unref)
/* Takes the reference that gst_ensemble_collector_new () gave. The thread ends by itself when what
 * it writes is written; nobody waits for it. */
void gst_ensemble_collector_close (GstEnsembleCollector *collector);

G_END_DECLS
