/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same work of several frames as one run: batches of the same networks and sizes, one frame's
 * images behind the other's. In order: begin, plan, gather each, go, deal to each, end. One thread
 * at a time. */
#pragma once

#include "engine/plan-private.h"

/* A batch of one frame. */
typedef struct {
  EnsNetwork *network;
  const EnsShape *shapes;      /* of its inputs; all have as many images */
  const gconstpointer *inputs; /* dense float32; NULL: preprocessed on the device … */
  const EnsBatchTable *tables; /* … as these say, one for each input */
  const gpointer *outputs;     /* dense float32 */
} EnsBatchPart;

/* What one frame asks for at a time. */
typedef struct {
  const EnsBatchPart *parts;
  guint n_parts;
  EnsVulkanPreprocessor *preprocessor; /* of its frame; NULL: all inputs are arrays */
} EnsBatchWork;

/* Whether the two may be one run. */
gboolean ens_batch_work_is_like (const EnsBatchWork *a, const EnsBatchWork *b);
/* Of how many frames such work fits one run, by what its inputs take, and as each plan runs once:
 * at least one. */
guint ens_batch_work_get_most (const EnsBatchWork *work);

typedef struct _EnsBatchRun EnsBatchRun;

EnsBatchRun *ens_batch_run_new (void);
void ens_batch_run_free (EnsBatchRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsBatchRun, ens_batch_run_free)

/* For work like this of n frames. The work itself is not kept. */
void ens_batch_run_begin (EnsBatchRun *run, const EnsBatchWork *work, guint n);
/* FALSE with an error if it can't be planned, if results would depend on what else is in the batch,
 * or if the device can't run so much at once. */
gboolean ens_batch_run_plan (EnsBatchRun *run, GCancellable *cancellable, GError **error);
/* Takes the inputs of frame i: copies arrays; tables and the preprocessor must stay until it has
 * run. Of frames that are left out results are undefined. */
void ens_batch_run_gather (EnsBatchRun *run, guint i, const EnsBatchWork *work);
/* If it fails, the next such run is planned anew. */
gboolean ens_batch_run_go (EnsBatchRun *run, GCancellable *cancellable, GError **error);
/* Copies the results of frame i. */
void ens_batch_run_deal (const EnsBatchRun *run, guint i, const EnsBatchWork *work);
/* Lets plans go. */
void ens_batch_run_end (EnsBatchRun *run);

/* The networks of what has begun. */
guint ens_batch_run_get_n_parts (const EnsBatchRun *run);
EnsNetwork *ens_batch_run_get_network (const EnsBatchRun *run, guint p);
/* Which one ens_batch_run_plan () has failed for. */
guint ens_batch_run_get_failed (const EnsBatchRun *run);
/* Elements of its first input, of all frames. */
gsize ens_batch_run_get_size (const EnsBatchRun *run, guint p);
