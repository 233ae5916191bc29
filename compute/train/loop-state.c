/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of a training is kept in checkpoints. */
#include "train/checkpoint.h"
#include "train/loop-private.h"

/* Floats, in one place for both directions. */
typedef struct {
  const char *name;
  float *values;
  gsize n;
} Array;

enum { N_ARRAYS = 6 };

static void
list_arrays (EnsLoop *loop, Array arrays[N_ARRAYS])
{
  const EnsLoopTask *task = loop->task;
  gsize n_state;
  float *state = ens_optimiser_get_state (loop->optimiser, &n_state);
  const Array list[N_ARRAYS] = {
      {"parameters", task->parameters, loop->size},
      {"statistics", task->statistics, task->n_statistics},
      {"optimiser", state, n_state},
      {"average", loop->average, loop->average != NULL ? loop->size : 0},
      {"best", loop->best, loop->best != NULL ? loop->size : 0},
      {"best-statistics", loop->best_statistics, loop->best != NULL ? task->n_statistics : 0},
  };

  for (guint i = 0; i < N_ARRAYS; i++)
    arrays[i] = list[i];
}

static const struct {
  const char *name;
  gsize offset;
} doubles[] = {
    {"loss", G_STRUCT_OFFSET (EnsLoop, sums.loss)},
    {"correct", G_STRUCT_OFFSET (EnsLoop, sums.n_correct)},
    {"best-loss", G_STRUCT_OFFSET (EnsLoop, result.best.loss)},
    {"best-accuracy", G_STRUCT_OFFSET (EnsLoop, result.best.accuracy)},
    {"best-score", G_STRUCT_OFFSET (EnsLoop, result.best.score)},
};

static guint
count_terms (const EnsLoop *loop)
{
  return loop->task->terms != NULL ? g_strv_length ((char **)loop->task->terms) : 0;
}

gboolean
ens_loop_save (EnsLoop *loop, GError **error)
{
  g_autoptr (EnsCheckpoint) checkpoint = ens_checkpoint_new (loop->params->settings);
  const EnsLoopPosition *position = &loop->position;
  Array arrays[N_ARRAYS];

  if (loop->params->checkpoint == NULL)
    return TRUE;
  list_arrays (loop, arrays);
  for (guint i = 0; i < N_ARRAYS; i++)
    ens_checkpoint_add_floats (checkpoint, arrays[i].name, arrays[i].values, arrays[i].n);
  for (guint i = 0; i < G_N_ELEMENTS (doubles); i++)
    ens_checkpoint_add_double (checkpoint, doubles[i].name,
                               G_STRUCT_MEMBER (double, loop, doubles[i].offset));
  for (guint i = 0; i < count_terms (loop); i++)
    ens_checkpoint_add_double (checkpoint, loop->task->terms[i], loop->sums.terms[i]);
  ens_checkpoint_add_integer (checkpoint, "epoch", position->epoch);
  ens_checkpoint_add_integer (checkpoint, "batch", position->batch);
  ens_checkpoint_add_integer (checkpoint, "step", position->step);
  ens_checkpoint_add_integer (checkpoint, "optimiser-steps",
                              ens_optimiser_get_steps (loop->optimiser));
  ens_checkpoint_add_integer (checkpoint, "samples", loop->sums.n_samples);
  ens_checkpoint_add_integer (checkpoint, "best-epoch", loop->result.best_epoch);
  ens_checkpoint_add_integer (checkpoint, "worse", loop->n_worse);
  ens_checkpoint_add_integer (checkpoint, "log", ens_loop_tell_log (loop));
  return ens_checkpoint_write (checkpoint, loop->params->checkpoint, error);
}

static gboolean
restore_integers (EnsLoop *loop, const EnsCheckpoint *checkpoint, GError **error)
{
  guint64 epoch, batch, optimiser_steps, best_epoch, worse, log;

  if (!ens_checkpoint_get_integer (checkpoint, "epoch", &epoch, error)
      || !ens_checkpoint_get_integer (checkpoint, "batch", &batch, error)
      || !ens_checkpoint_get_integer (checkpoint, "step", &loop->position.step, error)
      || !ens_checkpoint_get_integer (checkpoint, "optimiser-steps", &optimiser_steps, error)
      || !ens_checkpoint_get_integer (checkpoint, "samples", &loop->sums.n_samples, error)
      || !ens_checkpoint_get_integer (checkpoint, "best-epoch", &best_epoch, error)
      || !ens_checkpoint_get_integer (checkpoint, "worse", &worse, error)
      || !ens_checkpoint_get_integer (checkpoint, "log", &log, error))
    return FALSE;
  loop->position.epoch = (guint)epoch;
  loop->position.batch = (guint)batch;
  loop->result.best_epoch = (guint)best_epoch;
  loop->n_worse = (guint)worse;
  ens_optimiser_set_steps (loop->optimiser, optimiser_steps);
  return ens_loop_cut_log (loop, log, error);
}

gboolean
ens_loop_restore (EnsLoop *loop, GError **error)
{
  g_autoptr (EnsCheckpoint) checkpoint =
      ens_checkpoint_read (loop->params->checkpoint, loop->params->settings, error);
  Array arrays[N_ARRAYS];

  if (checkpoint == NULL)
    return FALSE;
  list_arrays (loop, arrays);
  for (guint i = 0; i < N_ARRAYS; i++)
    if (!ens_checkpoint_get_floats (checkpoint, arrays[i].name, arrays[i].values, arrays[i].n,
                                    error))
      return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (doubles); i++)
    if (!ens_checkpoint_get_double (checkpoint, doubles[i].name,
                                    &G_STRUCT_MEMBER (double, loop, doubles[i].offset), error))
      return FALSE;
  for (guint i = 0; i < count_terms (loop); i++)
    if (!ens_checkpoint_get_double (checkpoint, loop->task->terms[i], &loop->sums.terms[i], error))
      return FALSE;
  return restore_integers (loop, checkpoint, error);
}
