/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log: JSON Lines, flushed line by line, so that other programs can follow it. Epochs and steps
 * are counted from 1 in it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/files.h"
#include "base/json.h"
#include "train/loop-private.h"

static gboolean
fail (const EnsLoop *loop, const char *what, GError **error)
{
  int number = errno;

  return ens_fail (error, ENS_ERROR_FILE, loop->params->log, "can't %s the log: %s%s", what,
                   g_strerror (number), ens_write_advice (number));
}

gboolean
ens_loop_open_log (EnsLoop *loop, gboolean append, GError **error)
{
  if (loop->params->log == NULL)
    return TRUE;
  loop->log = fopen (loop->params->log, append ? "a" : "w");
  return loop->log != NULL || fail (loop, "open", error);
}

gboolean
ens_loop_cut_log (EnsLoop *loop, guint64 size, GError **error)
{
  if (loop->log == NULL || ens_loop_tell_log (loop) <= size)
    return TRUE;
  return ftruncate (fileno (loop->log), (off_t)size) == 0 || fail (loop, "cut", error);
}

guint64
ens_loop_tell_log (const EnsLoop *loop)
{
  return loop->log != NULL && fseeko (loop->log, 0, SEEK_END) == 0 ? (guint64)ftello (loop->log)
                                                                   : 0;
}

/* Writes what was opened as an object. */
static gboolean
write_line (EnsLoop *loop, EnsJson *json, GError **error)
{
  g_autofree char *text = NULL;

  ens_json_close (json);
  text = ens_json_finish (json);
  g_strchomp (text);
  return (fprintf (loop->log, "%s\n", text) >= 0 && fflush (loop->log) == 0)
         || fail (loop, "write", error);
}

static void
open_line (EnsJson *json, const char *event)
{
  ens_json_init (json);
  ens_json_open_object (json, NULL, ENS_JSON_FLAT);
  ens_json_string (json, "event", event);
}

double
ens_loop_get_speed (const EnsLoop *loop)
{
  gint64 elapsed = g_get_monotonic_time () - loop->epoch_start;

  return (double)loop->epoch_done * G_USEC_PER_SEC / (double)MAX (elapsed, 1);
}

gboolean
ens_loop_log_start (EnsLoop *loop, GError **error)
{
  EnsJson json;

  if (loop->log == NULL)
    return TRUE;
  open_line (&json, loop->position.step > 0 ? "resume" : "start");
  ens_json_unsigned (&json, "step", loop->position.step);
  ens_json_unsigned (&json, "steps", loop->schedule.n_steps);
  ens_json_unsigned (&json, "epochs", loop->params->n_epochs);
  ens_json_unsigned (&json, "parameters", loop->size);
  return write_line (loop, &json, error);
}

/* terms: sums over n samples. */
static void
write_terms (EnsJson *json, const EnsLoop *loop, const double *terms, double n)
{
  const char *const *name = loop->task->terms;

  if (name == NULL)
    return;
  ens_json_open_object (json, "terms", ENS_JSON_FLAT);
  for (; *name != NULL; name++)
    ens_json_double (json, *name, *terms++ / n);
  ens_json_close (json);
}

gboolean
ens_loop_log_step (EnsLoop *loop, const EnsLoopStep *step, double rate, double norm, GError **error)
{
  EnsJson json;

  if (loop->log == NULL || loop->params->log_steps == 0
      || loop->position.step % loop->params->log_steps != 0)
    return TRUE;
  open_line (&json, "step");
  ens_json_unsigned (&json, "step", loop->position.step);
  ens_json_double (&json, "loss", step->loss);
  write_terms (&json, loop, step->terms, 1);
  ens_json_double (&json, "gradient_norm", norm);
  ens_json_double (&json, "rate", rate);
  ens_json_double (&json, "samples_per_second", ens_loop_get_speed (loop));
  return write_line (loop, &json, error);
}

static void
write_measure (EnsJson *json, const char *name, const EnsLoopMeasure *measure)
{
  ens_json_open_object (json, name, ENS_JSON_FLAT);
  ens_json_double (json, "loss", measure->loss);
  ens_json_double (json, "accuracy", measure->accuracy);
  ens_json_double (json, "score", measure->score);
  ens_json_close (json);
}

gboolean
ens_loop_log_epoch (EnsLoop *loop, const EnsLoopMeasure *measure, GError **error)
{
  const EnsLoopSums *sums = &loop->sums;
  EnsJson json;

  if (loop->log == NULL)
    return TRUE;
  open_line (&json, "epoch");
  ens_json_unsigned (&json, "epoch", loop->result.n_epochs);
  ens_json_unsigned (&json, "step", loop->position.step);
  ens_json_double (&json, "loss", sums->loss / (double)sums->n_samples);
  write_terms (&json, loop, sums->terms, (double)sums->n_samples);
  ens_json_double (&json, "accuracy", sums->n_correct / (double)sums->n_samples);
  if (measure != NULL) {
    write_measure (&json, "validation", measure);
    ens_json_boolean (&json, "best", loop->n_worse == 0);
  }
  ens_json_double (&json, "rate",
                   loop->params->rate
                       * ens_schedule_factor (&loop->schedule, loop->position.step - 1));
  ens_json_double (&json, "samples_per_second", ens_loop_get_speed (loop));
  return write_line (loop, &json, error);
}

gboolean
ens_loop_log_end (EnsLoop *loop, GError **error)
{
  EnsJson json;

  if (loop->log == NULL)
    return TRUE;
  open_line (&json, "end");
  ens_json_unsigned (&json, "epochs", loop->result.n_epochs);
  ens_json_boolean (&json, "early", loop->result.early);
  if (loop->best != NULL) {
    ens_json_unsigned (&json, "best_epoch", loop->result.best_epoch + 1);
    write_measure (&json, "best", &loop->result.best);
  }
  return write_line (loop, &json, error);
}
