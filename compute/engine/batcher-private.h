/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work that goes through a batcher. */
#pragma once

#include "engine/batch-run.h"
#include "engine/batcher.h"

typedef enum {
  ENS_BATCH_DONE,      /* outputs are there */
  ENS_BATCH_ALONE,     /* the caller runs its work, and says ens_batch_seat_finish () then */
  ENS_BATCH_CANCELLED, /* outputs are undefined */
} EnsBatchOutcome;

/* How work went through it. */
typedef struct {
  guint n_frames;  /* that shared the run */
  gint64 planning; /* µs that batches were planned while it was here */
} EnsBatchPassage;

/* Waits for the work's turn. The calling thread is charged with its share of the processor time,
 * but for planning. A stream that is cancelled leaves at once; while a device
 * preprocesses its frame, when that has ended. */
EnsBatchOutcome ens_batch_seat_run (EnsBatchSeat *seat, const EnsBatchWork *work,
                                    GCancellable *cancellable, EnsBatchPassage *passage);
void ens_batch_seat_finish (EnsBatchSeat *seat);
