/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/loop.h"

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "train/loop-private.h"

/* What monitors call it. */
#define STAGE "training"

static float *
copy_floats (const float *values, gsize n)
{
  return g_memdup2 (values, n * sizeof *values);
}

static void
loop_init (EnsLoop *loop)
{
  const EnsLoopTask *task = loop->task;
  const EnsLoopParams *params = loop->params;

  loop->schedule = params->schedule;
  loop->schedule.n_steps = (guint64)params->n_epochs * task->n_batches;
  loop->schedule.n_warm_up =
      MIN ((guint64)(params->warm_up_epochs * task->n_batches + 0.5), loop->schedule.n_steps - 1);
  loop->optimiser = ens_optimiser_new (&params->optimiser, task->groups, task->n_groups);
  loop->size = ens_optimiser_get_size (loop->optimiser);
  loop->gradients = g_new0 (float, loop->size);
  loop->result.best = (EnsLoopMeasure) {NAN, NAN, -INFINITY};
  if (params->average > 0)
    loop->average = copy_floats (task->parameters, loop->size);
  if (task->validate != NULL) {
    loop->best = copy_floats (task->parameters, loop->size);
    loop->best_statistics = g_new0 (float, task->n_statistics);
  }
}

static void
loop_clear (EnsLoop *loop)
{
  g_clear_pointer (&loop->optimiser, ens_optimiser_free);
  g_free (loop->gradients);
  g_free (loop->average);
  g_free (loop->best);
  g_free (loop->best_statistics);
  g_clear_pointer (&loop->log, fclose);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsLoop, loop_clear)

/* -- one step -- */

static gboolean
check_finite (const EnsLoop *loop, const EnsLoopStep *step, double norm, double rate,
              GError **error)
{
  const EnsParameterGroup *group;
  g_autofree char *where = NULL;

  if (isfinite (step->loss) && isfinite (norm))
    return TRUE;
  where = g_strdup_printf ("step %" G_GUINT64_FORMAT " (epoch %u)", loop->position.step + 1,
                           loop->position.epoch + 1);
  group = ens_optimiser_find_overflow (loop->optimiser, loop->gradients);
  if (group == NULL)
    return ens_fail (error, ENS_ERROR_DATA, where,
                     "the loss is %g and all gradients are finite; a lower learning rate than %g "
                     "may help",
                     step->loss, rate);
  return ens_fail (error, ENS_ERROR_DATA, where,
                   "the loss is %g and the gradient of “%s” is not finite, the first of the "
                   "network that is not; a lower learning rate than %g, or clipping, may help",
                   step->loss, group->name, rate);
}

static void
add_to_sums (EnsLoopSums *sums, const EnsLoopStep *step)
{
  sums->loss += step->loss * step->n_samples;
  for (guint i = 0; i < ENS_LOOP_MAX_TERMS; i++)
    sums->terms[i] += step->terms[i] * step->n_samples;
  sums->n_correct += step->n_correct;
  sums->n_samples += step->n_samples;
}

static gboolean
do_step (EnsLoop *loop, GError **error)
{
  const EnsLoopTask *task = loop->task;
  double rate = loop->params->rate * ens_schedule_factor (&loop->schedule, loop->position.step);
  EnsLoopStep step = {.n_correct = NAN};
  double norm;

  if (!task->step (task->data, &loop->position, loop->gradients, &step, error))
    return FALSE;
  for (guint i = 0; i < task->n_groups; i++)
    ens_optimiser_set_rate_factor (loop->optimiser, i, task->groups[i].rate_factor);
  norm = ens_optimiser_norm (loop->optimiser, loop->gradients);
  if (!check_finite (loop, &step, norm, rate, error))
    return FALSE;
  ens_optimiser_step (loop->optimiser, rate, loop->gradients, task->parameters);
  if (loop->average != NULL)
    ens_average_update (loop->average, task->parameters, loop->size, loop->params->average,
                        loop->position.step);
  add_to_sums (&loop->sums, &step);
  loop->epoch_done += step.n_samples;
  loop->position.step++;
  loop->position.batch++;
  ens_monitor_detail (loop->monitor, "loss %.4f, %.0f %s/s",
                      loop->sums.loss / (double)loop->sums.n_samples, ens_loop_get_speed (loop),
                      loop->params->samples);
  return ens_loop_log_step (loop, &step, rate, norm, error);
}

/* -- the end of an epoch -- */

static void
swap_floats (float *a, float *b, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    float value = a[i];

    a[i] = b[i];
    b[i] = value;
  }
}

static void
keep_best (EnsLoop *loop, const EnsLoopMeasure *measure)
{
  const EnsLoopTask *task = loop->task;

  loop->n_worse++;
  if (!(measure->score > loop->result.best.score))
    return;
  loop->n_worse = 0;
  loop->result.best = *measure;
  loop->result.best_epoch = loop->position.epoch;
  memcpy (loop->best, task->parameters, loop->size * sizeof (float));
  if (task->n_statistics > 0)
    memcpy (loop->best_statistics, task->statistics, task->n_statistics * sizeof (float));
}

/* The average stands in for the parameters while it is measured. */
static gboolean
validate (EnsLoop *loop, EnsLoopMeasure *measure, GError **error)
{
  const EnsLoopTask *task = loop->task;
  gboolean done;

  *measure = (EnsLoopMeasure) {NAN, NAN, NAN};
  if (loop->average != NULL)
    swap_floats (task->parameters, loop->average, loop->size);
  done = task->validate (task->data, measure, error);
  if (done)
    keep_best (loop, measure);
  if (loop->average != NULL)
    swap_floats (task->parameters, loop->average, loop->size);
  return done;
}

static void
append_percentage (GString *text, const char *what, double share)
{
  if (isfinite (share))
    g_string_append_printf (text, ", %s %.1f %%", what, 100 * share);
}

static void
note_epoch (const EnsLoop *loop, const EnsLoopMeasure *measure)
{
  const EnsLoopSums *sums = &loop->sums;
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_printf (text, "epoch %u of %u: loss %.4f", loop->result.n_epochs, loop->params->n_epochs,
                   sums->loss / (double)sums->n_samples);
  append_percentage (text, "accuracy", sums->n_correct / (double)sums->n_samples);
  if (measure != NULL && isfinite (measure->loss))
    g_string_append_printf (text, "; validation: loss %.4f", measure->loss);
  if (measure != NULL)
    append_percentage (text, "accuracy", measure->accuracy);
  if (measure != NULL && loop->params->score != NULL)
    append_percentage (text, loop->params->score, measure->score);
  if (measure != NULL && loop->n_worse == 0)
    g_string_append (text, ", the best so far");
  ens_monitor_note (loop->monitor, "%s; %.0f %s/s", text->str, ens_loop_get_speed (loop),
                    loop->params->samples);
}

static void
begin_epoch (EnsLoop *loop)
{
  loop->epoch_start = g_get_monotonic_time ();
  loop->epoch_done = 0;
}

static gboolean
end_epoch (EnsLoop *loop, GError **error)
{
  EnsLoopMeasure measure;
  gboolean measured = loop->task->validate != NULL;

  loop->result.n_epochs = loop->position.epoch + 1;
  if (measured && !validate (loop, &measure, error))
    return FALSE;
  note_epoch (loop, measured ? &measure : NULL);
  if (!ens_loop_log_epoch (loop, measured ? &measure : NULL, error))
    return FALSE;
  loop->sums = (EnsLoopSums) {0};
  loop->position.epoch++;
  loop->position.batch = 0;
  return ens_loop_save (loop, error);
}

/* -- all of it -- */

static gboolean
is_exhausted (EnsLoop *loop)
{
  loop->result.early = loop->params->patience > 0 && loop->n_worse >= loop->params->patience
                       && loop->position.epoch < loop->params->n_epochs;
  return loop->result.early;
}

static gboolean
report (const EnsLoop *loop, GError **error)
{
  return ens_monitor_progress (loop->monitor, STAGE, (guint)loop->position.step,
                               (guint)loop->schedule.n_steps, error);
}

/* What was done is kept before the error goes on. */
static gboolean
cancel (EnsLoop *loop, GError *reason, GError **error)
{
  if (!ens_loop_save (loop, error)) {
    g_error_free (reason);
    return FALSE;
  }
  if (loop->params->checkpoint != NULL)
    g_prefix_error (&reason,
                    "%s has the training up to here, to be resumed: ", loop->params->checkpoint);
  g_propagate_error (error, reason);
  return FALSE;
}

static gboolean
train_epoch (EnsLoop *loop, GError **error)
{
  gint64 saved = g_get_monotonic_time ();

  begin_epoch (loop);
  while (loop->position.batch < loop->task->n_batches) {
    GError *reason = NULL;

    if (!report (loop, &reason))
      return cancel (loop, reason, error);
    if (!do_step (loop, error))
      return FALSE;
    if (g_get_monotonic_time () - saved < loop->params->checkpoint_seconds * G_USEC_PER_SEC)
      continue;
    if (!ens_loop_save (loop, error))
      return FALSE;
    saved = g_get_monotonic_time ();
  }
  return end_epoch (loop, error);
}

/* A training that begins replaces the checkpoint of an older one at once: nobody is to go on from
 * that by mistake, and a folder that can't be written is noticed before hours have passed. */
static gboolean
begin (EnsLoop *loop, GError **error)
{
  const char *checkpoint = loop->params->checkpoint;
  gboolean found = checkpoint != NULL && g_file_test (checkpoint, G_FILE_TEST_EXISTS);
  gboolean resume = loop->params->resume && found;

  if (loop->params->resume && !found)
    ens_monitor_note (loop->monitor,
                      "there is no checkpoint to resume from; training starts from the beginning");
  if (!ens_loop_open_log (loop, resume, error)
      || !(resume ? ens_loop_restore (loop, error) : ens_loop_save (loop, error)))
    return FALSE;
  loop->result.n_epochs = loop->position.epoch;
  return ens_loop_log_start (loop, error);
}

/* What the caller gets. */
static void
finish (EnsLoop *loop)
{
  const EnsLoopTask *task = loop->task;
  const float *chosen = loop->best != NULL ? loop->best : loop->average;

  if (chosen != NULL)
    memcpy (task->parameters, chosen, loop->size * sizeof (float));
  if (loop->best != NULL && task->n_statistics > 0)
    memcpy (task->statistics, loop->best_statistics, task->n_statistics * sizeof (float));
}

gboolean
ens_loop_run (const EnsLoopTask *task, const EnsLoopParams *params, const EnsMonitor *monitor,
              EnsLoopResult *result, GError **error)
{
  g_auto (EnsLoop) loop = {.task = task, .params = params, .monitor = monitor};

  g_return_val_if_fail (params->n_epochs > 0 && task->n_batches > 0, FALSE);
  loop_init (&loop);
  if (!begin (&loop, error))
    return FALSE;
  while (loop.position.epoch < params->n_epochs && !is_exhausted (&loop))
    if (!train_epoch (&loop, error))
      return FALSE;
  finish (&loop);
  *result = loop.result;
  ens_monitor_progress (monitor, STAGE, (guint)loop.schedule.n_steps, (guint)loop.schedule.n_steps,
                        NULL);
  return ens_loop_log_end (&loop, error);
}
