/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which streams' work goes into a batch together, and when (dynamic batching). Knows neither
 * networks nor threads nor a clock: it is told who waits and what time it is. Times are in
 * microseconds, of any beginning. One thread at a time.
 *
 * Whoever has waited longest leads the next batch, and work like its own goes along, in the order
 * of waiting, until the batch is full. A stream waits for one thing at a time, and queues up again
 * behind the others for the next: so a stream of many frames can't keep back one of few. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint size;     /* streams in one batch, at most; 1: the stream goes alone */
  gint64 timeout; /* how long a frame waits for others, all its waits together; 0: it takes along
                   * who is there already */
} EnsBatchSettings;

typedef struct _EnsBatchFormer EnsBatchFormer;
typedef struct _EnsBatchStream EnsBatchStream;

/* alike: whether two pieces of work may go together. */
EnsBatchFormer *ens_batch_former_new (GEqualFunc alike);
/* All streams must have left. */
void ens_batch_former_free (EnsBatchFormer *former);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsBatchFormer, ens_batch_former_free)

/* data: what the caller knows the stream by. (transfer none) */
EnsBatchStream *ens_batch_former_join (EnsBatchFormer *former, gpointer data);
void ens_batch_former_leave (EnsBatchFormer *former, EnsBatchStream *stream);
gpointer ens_batch_stream_get_data (const EnsBatchStream *stream);

/* A frame begins, and ends: between two frames nobody who has been in a batch with it waits for it,
 * and after a second, or ten timeouts where these are longer, nobody at all: it may be paused. */
void ens_batch_stream_begin (EnsBatchStream *stream, const EnsBatchSettings *settings);
void ens_batch_stream_end (EnsBatchStream *stream, gint64 now);

/* Work that stays until it goes or is withdrawn. */
typedef struct {
  gconstpointer work;
  guint most; /* of which so many may go together, whatever the settings say */
  gint64 now;
} EnsBatchRequest;

void ens_batch_former_wait (EnsBatchFormer *former, EnsBatchStream *stream,
                            const EnsBatchRequest *request);
void ens_batch_former_withdraw (EnsBatchFormer *former, EnsBatchStream *stream);
/* What has gone in a batch is to go again, alone and before all others. */
void ens_batch_former_put_back (EnsBatchFormer *former, EnsBatchStream *stream);

/* Takes the streams that go now, in order, into `batch`. free_since: when the batch before ended.
 * FALSE, and nobody, if none are to go before the time *until or another call: G_MAXINT64 if nobody
 * waits. */
gboolean ens_batch_former_next (EnsBatchFormer *former, gint64 free_since, gint64 now,
                                GPtrArray *batch, gint64 *until);

G_END_DECLS
