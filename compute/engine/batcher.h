/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where streams meet: what several of them ask networks for at the same time runs as one batch
 * (batch-former.h says who and when, batch-run.h how).
 *
 * A stream's thread waits here for its turn. Alone, it runs its own work; in a batch, a thread of
 * the batcher's runs it, so that a stream can leave at any time and the batch goes on without it.
 * What can't run as a batch is run one by one, each stream's on its own thread, and fails there
 * alone. */
#pragma once

#include "engine/batch-former.h"

typedef struct _EnsBatcher EnsBatcher;
/* A stream's place. One thread at a time. */
typedef struct _EnsBatchSeat EnsBatchSeat;

EnsBatcher *ens_batcher_new (void);
/* All streams must have left. Ends what runs for nobody. */
void ens_batcher_free (EnsBatcher *batcher);

/* (transfer full) */
EnsBatchSeat *ens_batcher_join (EnsBatcher *batcher);
void ens_batch_seat_leave (EnsBatchSeat *seat);

/* A frame begins, and ends. */
void ens_batch_seat_begin (EnsBatchSeat *seat, const EnsBatchSettings *settings);
void ens_batch_seat_end (EnsBatchSeat *seat);
