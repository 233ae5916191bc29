/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyser.h"

#ifdef __linux__
#include <sys/resource.h>
#endif

#include "analyser-job.h"
#include "classify-debug.h"
#include "latency-tracer.h"

/* While one picture is analysed and one waits, a third is being copied. */
#define MAX_SPARES 2

/* By how much analyses of live streams are nicer than video. */
#define NICENESS 10

struct _GstEnsembleAnalyser {
  GstObject *owner;                     /* named in the log; it outlives the analyser */
  GstEnsembleStateEvents *state_events; /* the same */
  GThread *thread;
  GstEnsemblePace *pace;
  GMutex lock; /* guards everything below */
  GCond wake;  /* a job waits, or quit */
  GCond done;  /* a job has ended, or flushing */
  gboolean quit, flushing;
  EnsEnsemble *ensemble;
  EnsStyle *style;                 /* NULL: none */
  GstEnsembleCollector *collector; /* the same */
  GstEnsembleJob waiting;
  guint width, height;                  /* of the latest frame, 0: none yet */
  GstEnsembleSettings settings;         /* of its */
  guint64 submitted, running, finished; /* the latest tickets; running 0: none */
  gboolean failed;                      /* the one that has finished */
  guint64 flushed;                      /* results of this ticket and earlier ones are discarded */
  GCancellable *cancellable;            /* of the analysis that runs; NULL: none does */
  GQueue spares;                        /* EnsPicture */
  GstEnsembleTags *latest;
  GError *error; /* the latest failure, until it is taken */
  GstEnsembleAnalyserStats stats;
};

GstEnsembleAnalyser *
gst_ensemble_analyser_new (GstObject *owner, GstEnsembleStateEvents *state_events)
{
  GstEnsembleAnalyser *analyser = g_new0 (GstEnsembleAnalyser, 1);

  analyser->owner = owner;
  analyser->state_events = state_events;
  analyser->pace = gst_ensemble_pace_new (owner);
  g_mutex_init (&analyser->lock);
  g_cond_init (&analyser->wake);
  g_cond_init (&analyser->done);
  g_queue_init (&analyser->spares);
  analyser->flushing = TRUE;
  return analyser;
}

void
gst_ensemble_analyser_free (GstEnsembleAnalyser *analyser)
{
  g_return_if_fail (analyser->thread == NULL);
  g_clear_pointer (&analyser->style, ens_style_unref);
  gst_ensemble_pace_free (analyser->pace);
  g_mutex_clear (&analyser->lock);
  g_cond_clear (&analyser->wake);
  g_cond_clear (&analyser->done);
  g_free (analyser);
}

/* Lock held. Returns the picture if it is not kept, to be let go without the lock: it may be a
 * buffer, and its owner may do anything then. Copies lie in no DMABuf, what does is a buffer. */
static EnsPicture *
recycle (GstEnsembleAnalyser *analyser, EnsPicture *picture)
{
  if (picture->frame.n_dma_bufs > 0 || analyser->spares.length >= MAX_SPARES)
    return picture;
  g_queue_push_tail (&analyser->spares, picture);
  return NULL;
}

/* Lock held. Returns what recycle () does. (transfer full) */
static EnsPicture *
drop_waiting (GstEnsembleAnalyser *analyser)
{
  if (analyser->waiting.picture == NULL)
    return NULL;
  analyser->stats.skipped++;
  GST_DEBUG_OBJECT (analyser->owner, "dropping frame #%" G_GUINT64_FORMAT,
                    analyser->waiting.ticket);
  g_clear_pointer (&analyser->waiting.regions, gst_ensemble_regions_free);
  return recycle (analyser, g_steal_pointer (&analyser->waiting.picture));
}

static GstEnsembleTags *
run_job (GstEnsembleAnalyser *analyser, EnsAnalysis *analysis, const GstEnsembleJob *job,
         const GstEnsembleJobContext *context, GError **error)
{
  const GstEnsembleSettings *settings = &job->settings;
  g_autoptr (EnsResult) result = NULL;

  result = gst_ensemble_job_analyse (job, analysis, context, error);
  if (result == NULL)
    return NULL;
  gst_ensemble_state_events_take_result (analyser->state_events, job->stretch, &settings->time,
                                         job->running_time, result->pts, result);
  if (context->collector != NULL)
    gst_ensemble_collector_offer (context->collector, &job->picture->frame, result);
  return gst_ensemble_tags_new (result, settings->top_k,
                                &(GstEnsembleTags) {.running_time = job->running_time,
                                                    .stretch = job->stretch,
                                                    .ticket = job->ticket,
                                                    .submitted = job->submitted});
}

/* Of a job. */
typedef struct {
  GstEnsembleTags *tags; /* NULL: it has failed */
  GError *error;
  gint64 planning; /* nanoseconds of its time */
  double batch;    /* ens_analysis_get_batch () */
} Outcome;

static void
count_analysis (GstEnsembleAnalyserStats *stats, const Outcome *outcome, gint64 latency)
{
  const EnsResult *result = outcome->tags->result;
  const EnsTimings *timings = &result->timings;

  stats->analysed++;
  stats->reused += result->reused;
  stats->batched += outcome->batch > 1;
  stats->ran += outcome->batch > 0;
  stats->sum_batch += outcome->batch;
  stats->last = *timings;
  stats->sum.windows += timings->windows;
  stats->sum.prepare += timings->prepare;
  stats->sum.networks += timings->networks;
  stats->sum.total += timings->total;
  stats->sum.cpu += timings->cpu;
  stats->last_latency = latency;
  stats->last_planning = outcome->planning;
  stats->sum_latency += latency;
}

/* Releases the job's picture before the result is visible: a caller that waits for the result then
 * finds the buffer free. */
static void
drop_picture (GstEnsembleAnalyser *analyser, GstEnsembleJob *job)
{
  g_autoptr (EnsPicture) dropped = NULL;

  g_mutex_lock (&analyser->lock);
  dropped = recycle (analyser, g_steal_pointer (&job->picture));
  g_mutex_unlock (&analyser->lock);
}

/* Lock held. Takes the error. */
static void
note_failure (GstEnsembleAnalyser *analyser, GError *error)
{
  analyser->stats.failed++;
  g_clear_error (&analyser->error);
  analyser->error = error;
}

/* Lock held. Takes the tags and the error. */
static void
finish_job (GstEnsembleAnalyser *analyser, const GstEnsembleJob *job, Outcome *outcome)
{
  GstEnsembleTags *tags = outcome->tags;
  GError *error = outcome->error;
  gboolean wanted = job->ticket > analyser->flushed;
  gint64 latency = (g_get_monotonic_time () - job->submitted) * 1000;

  analyser->finished = job->ticket;
  analyser->failed = tags == NULL;
  analyser->running = 0;
  g_clear_object (&analyser->cancellable);
  GST_LOG_OBJECT (analyser->owner, "frame #%" G_GUINT64_FORMAT " %s after %" GST_TIME_FORMAT "%s",
                  job->ticket, tags != NULL ? "is analysed" : "has failed",
                  GST_TIME_ARGS ((GstClockTime)latency), wanted ? "" : ", too late: flushed");
  if (tags != NULL)
    count_analysis (&analyser->stats, outcome, latency);
  if (tags != NULL && wanted) {
    g_clear_pointer (&analyser->latest, gst_ensemble_tags_unref);
    analyser->latest = g_steal_pointer (&tags);
  }
  if (error != NULL && wanted)
    note_failure (analyser, g_steal_pointer (&error));
  else if (error != NULL)
    analyser->stats.skipped++; /* flushed, and cancelled */
  g_clear_pointer (&tags, gst_ensemble_tags_unref);
  g_clear_error (&error);
  g_cond_broadcast (&analyser->done);
}

static void
keep_pace (GstEnsembleAnalyser *analyser, const GstEnsembleJob *job, const Outcome *outcome)
{
  const EnsResult *result = outcome->tags->result;
  gint64 latency = 1000 * (g_get_monotonic_time () - job->submitted);

  gst_ensemble_latency_trace (analyser->owner, result, latency);
  gst_ensemble_pace_finish (analyser->pace, result, latency, outcome->planning);
}

/* What the analysing thread works with. */
typedef struct {
  EnsEnsemble *ensemble;
  EnsAnalysis *analysis;
  gboolean gives_way;
} Work;

/* Where all analyses together want more than the processors have, video is still on time. A thread
 * can't take this back. */
static void
give_way (Work *work)
{
#ifdef __linux__ /* where a priority is a thread's own */
  if (!work->gives_way)
    setpriority (PRIO_PROCESS, 0, getpriority (PRIO_PROCESS, 0) + NICENESS);
#endif
  work->gives_way = TRUE;
}

static void
clear_work (Work *work)
{
  g_clear_pointer (&work->analysis, ens_analysis_free);
  g_clear_pointer (&work->ensemble, ens_ensemble_unref);
}

/* Takes the ensemble over, unless NULL: the one it has stays then. */
static void
change_ensemble (GstEnsembleAnalyser *analyser, Work *work, EnsEnsemble *ensemble)
{
  if (ensemble == NULL)
    return;
  clear_work (work);
  work->ensemble = ensemble;
  work->analysis = ens_analysis_new (ensemble);
  gst_ensemble_state_events_set_bundle (analyser->state_events, ens_ensemble_get_bundle (ensemble));
}

/* Lock held. Takes the job that waits, and what goes with it. Returns the ensemble if it is not the
 * one that works. (transfer full) */
static EnsEnsemble *
begin_job (GstEnsembleAnalyser *analyser, const Work *work, GstEnsembleJob *job,
           GstEnsembleJobContext *context)
{
  *job = analyser->waiting;
  analyser->waiting.picture = NULL;
  analyser->running = job->ticket;
  context->style = analyser->style != NULL ? ens_style_ref (analyser->style) : NULL;
  context->collector =
      analyser->collector != NULL ? gst_ensemble_collector_ref (analyser->collector) : NULL;
  context->cancellable = g_cancellable_new ();
  context->pace = analyser->pace;
  g_set_object (&analyser->cancellable, context->cancellable);
  return analyser->ensemble != work->ensemble ? ens_ensemble_ref (analyser->ensemble) : NULL;
}

/* What the job alone still holds, as a style that has been replaced meanwhile, is let go here,
 * where nobody waits for it. */
static Outcome
do_job (GstEnsembleAnalyser *analyser, Work *work, GstEnsembleJob *job,
        GstEnsembleJobContext *context)
{
  Outcome outcome = {0};

  outcome.tags = run_job (analyser, work->analysis, job, context, &outcome.error);
  outcome.planning = ens_analysis_get_planning (work->analysis);
  outcome.batch = ens_analysis_get_batch (work->analysis);
  gst_ensemble_regions_free (job->regions);
  drop_picture (analyser, job);
  if (outcome.tags != NULL)
    keep_pace (analyser, job, &outcome);
  gst_ensemble_job_context_clear (context);
  return outcome;
}

static gpointer
analyse_frames (gpointer data)
{
  GstEnsembleAnalyser *analyser = data;
  Work work = {0};

  g_mutex_lock (&analyser->lock);
  while (!analyser->quit) {
    GstEnsembleJobContext context = {0};
    EnsEnsemble *other;
    GstEnsembleJob job;
    Outcome outcome;

    if (analyser->waiting.picture == NULL) {
      g_cond_wait (&analyser->wake, &analyser->lock);
      continue;
    }
    other = begin_job (analyser, &work, &job, &context);
    g_mutex_unlock (&analyser->lock);
    if (job.settings.pace.period > 0)
      give_way (&work);
    change_ensemble (analyser, &work, other);
    outcome = do_job (analyser, &work, &job, &context);
    g_mutex_lock (&analyser->lock);
    finish_job (analyser, &job, &outcome);
  }
  g_mutex_unlock (&analyser->lock);
  clear_work (&work);
  return NULL;
}

gboolean
gst_ensemble_analyser_try (GstEnsembleAnalyser *analyser, EnsEnsemble *ensemble, EnsStyle *style,
                           GError **error)
{
  g_autoptr (EnsAnalysis) analysis = ens_analysis_new (ensemble);
  g_autoptr (EnsPicture) picture = NULL;
  g_autoptr (EnsResult) result = NULL;
  guint width, height;
  GstEnsembleJob job = {0};

  g_mutex_lock (&analyser->lock);
  job.settings = analyser->settings;
  width = analyser->width;
  height = analyser->height;
  g_mutex_unlock (&analyser->lock);
  if (width == 0)
    return TRUE;
  /* Scales that do not fit are left out later, with a warning of their own. */
  if (job.settings.n_scales > 0
      && !ens_ensemble_check_scales (ensemble, job.settings.scales, job.settings.n_scales, NULL))
    job.settings.n_scales = 0;
  job.picture = picture = ens_picture_new (ENS_PIXELS_GRAY8, width, height);
  result =
      gst_ensemble_job_analyse (&job, analysis, &(GstEnsembleJobContext) {.style = style}, error);
  return result != NULL;
}

void
gst_ensemble_analyser_start (GstEnsembleAnalyser *analyser, EnsEnsemble *ensemble)
{
  g_return_if_fail (analyser->thread == NULL);
  analyser->ensemble = ens_ensemble_ref (ensemble);
  analyser->quit = analyser->flushing = FALSE;
  gst_ensemble_pace_reset (analyser->pace);
  analyser->stats = (GstEnsembleAnalyserStats) {0};
  analyser->thread = g_thread_new ("ensemble-analyser", analyse_frames, analyser);
}

void
gst_ensemble_analyser_stop (GstEnsembleAnalyser *analyser)
{
  EnsPicture *spare;

  if (analyser->thread == NULL)
    return;
  gst_ensemble_analyser_set_flushing (analyser, TRUE);
  g_mutex_lock (&analyser->lock);
  analyser->quit = TRUE;
  g_cond_signal (&analyser->wake);
  g_mutex_unlock (&analyser->lock);
  g_clear_pointer (&analyser->thread, g_thread_join);

  while ((spare = g_queue_pop_head (&analyser->spares)) != NULL)
    ens_picture_unref (spare);
  g_clear_pointer (&analyser->ensemble, ens_ensemble_unref);
  g_clear_error (&analyser->error);
}

EnsPicture *
gst_ensemble_analyser_take_spare (GstEnsembleAnalyser *analyser)
{
  EnsPicture *spare;

  g_mutex_lock (&analyser->lock);
  spare = g_queue_pop_head (&analyser->spares);
  g_mutex_unlock (&analyser->lock);
  return spare;
}

guint
gst_ensemble_analyser_get_frames (GstEnsembleAnalyser *analyser)
{
  return gst_ensemble_pace_get_frames (analyser->pace);
}

/* Lock held. (transfer full) */
static EnsStyle *
change_style (GstEnsembleAnalyser *analyser, EnsStyle *style)
{
  EnsStyle *old = analyser->style;

  analyser->style = style != NULL ? ens_style_ref (style) : NULL;
  return old;
}

EnsStyle *
gst_ensemble_analyser_set_style (GstEnsembleAnalyser *analyser, EnsStyle *style)
{
  EnsStyle *old;

  g_mutex_lock (&analyser->lock);
  old = change_style (analyser, style);
  g_mutex_unlock (&analyser->lock);
  return old;
}

void
gst_ensemble_analyser_set_collector (GstEnsembleAnalyser *analyser, GstEnsembleCollector *collector)
{
  GstEnsembleCollector *old;

  g_mutex_lock (&analyser->lock);
  old = analyser->collector;
  analyser->collector = collector;
  g_mutex_unlock (&analyser->lock);
  g_clear_pointer (&old, gst_ensemble_collector_close);
}

EnsStyle *
gst_ensemble_analyser_set_ensemble (GstEnsembleAnalyser *analyser, EnsEnsemble *ensemble,
                                    EnsStyle *style)
{
  EnsEnsemble *old;
  EnsStyle *old_style;

  g_mutex_lock (&analyser->lock);
  old = analyser->ensemble;
  analyser->ensemble = ens_ensemble_ref (ensemble);
  old_style = change_style (analyser, style);
  g_mutex_unlock (&analyser->lock);
  g_clear_pointer (&old, ens_ensemble_unref);
  return old_style;
}

guint64
gst_ensemble_analyser_submit (GstEnsembleAnalyser *analyser, EnsPicture *picture,
                              GstEnsembleRegions *regions, GstClockTime running_time,
                              const GstEnsembleSettings *settings)
{
  g_autoptr (EnsPicture) older = NULL, dropped = NULL;
  guint64 ticket;
  guint stretch;

  g_mutex_lock (&analyser->lock);
  if (analyser->waiting.picture != NULL)
    gst_ensemble_pace_skip (analyser->pace, &analyser->waiting.settings.pace);
  older = drop_waiting (analyser);
  analyser->width = picture->frame.width;
  analyser->height = picture->frame.height;
  analyser->settings = *settings;
  ticket = ++analyser->submitted;
  stretch = gst_ensemble_state_events_get_stretch (analyser->state_events);
  analyser->waiting = (GstEnsembleJob) {.picture = picture,
                                        .regions = regions,
                                        .ticket = ticket,
                                        .running_time = running_time,
                                        .stretch = stretch,
                                        .settings = *settings,
                                        .submitted = g_get_monotonic_time ()};
  GST_LOG_OBJECT (analyser->owner,
                  "submitting the frame at %" GST_TIME_FORMAT " as #%" G_GUINT64_FORMAT,
                  GST_TIME_ARGS (running_time), ticket);
  if (analyser->flushing)
    dropped = drop_waiting (analyser);
  else
    g_cond_signal (&analyser->wake);
  g_mutex_unlock (&analyser->lock);
  return ticket;
}

/* Lock held. */
static gboolean
in_flight (const GstEnsembleAnalyser *analyser, guint64 ticket)
{
  gboolean waiting = analyser->waiting.picture != NULL && analyser->waiting.ticket == ticket;

  return (waiting || analyser->running == ticket) && analyser->flushed < ticket;
}

/* Lock held. Of a ticket that is not in flight. */
static GstEnsembleOutcome
find_outcome (const GstEnsembleAnalyser *analyser, guint64 ticket)
{
  if (analyser->finished != ticket || analyser->flushed >= ticket)
    return GST_ENSEMBLE_DROPPED;
  return analyser->failed ? GST_ENSEMBLE_FAILED : GST_ENSEMBLE_ANALYSED;
}

GstEnsembleOutcome
gst_ensemble_analyser_wait (GstEnsembleAnalyser *analyser, guint64 ticket)
{
  GstEnsembleOutcome outcome;

  g_mutex_lock (&analyser->lock);
  while (in_flight (analyser, ticket))
    g_cond_wait (&analyser->done, &analyser->lock);
  outcome = find_outcome (analyser, ticket);
  g_mutex_unlock (&analyser->lock);
  return outcome;
}

gboolean
gst_ensemble_analyser_confirm (GstEnsembleAnalyser *analyser, GstClockTime running_time,
                               GstClockTime pts, const GstEnsembleSettings *settings)
{
  g_autoptr (GstEnsembleTags) before = NULL, after = NULL;
  gboolean comes;

  g_mutex_lock (&analyser->lock);
  comes = in_flight (analyser, analyser->submitted);
  if (find_outcome (analyser, analyser->submitted) == GST_ENSEMBLE_ANALYSED)
    before = gst_ensemble_tags_ref (analyser->latest);
  g_mutex_unlock (&analyser->lock);
  if (comes)
    gst_ensemble_state_events_hold (analyser->state_events, running_time);
  if (before == NULL)
    return comes;
  if (gst_ensemble_pace_wants_again (analyser->pace, before->whole->cut))
    return FALSE;
  after = gst_ensemble_tags_repeat (
      before, analyser->state_events,
      &(GstEnsembleRepeat) {running_time, pts, &settings->time, settings->top_k});
  g_mutex_lock (&analyser->lock);
  if (after != NULL && analyser->latest == before) {
    gst_ensemble_tags_unref (analyser->latest);
    analyser->latest = g_steal_pointer (&after);
  }
  g_mutex_unlock (&analyser->lock);
  return TRUE;
}

GstEnsembleTags *
gst_ensemble_analyser_get_latest (GstEnsembleAnalyser *analyser)
{
  GstEnsembleTags *latest = NULL;

  g_mutex_lock (&analyser->lock);
  if (analyser->latest != NULL)
    latest = gst_ensemble_tags_ref (analyser->latest);
  g_mutex_unlock (&analyser->lock);
  return latest;
}

void
gst_ensemble_analyser_add_failure (GstEnsembleAnalyser *analyser, GError *error)
{
  g_mutex_lock (&analyser->lock);
  note_failure (analyser, error);
  g_mutex_unlock (&analyser->lock);
}

guint64
gst_ensemble_analyser_take_failure (GstEnsembleAnalyser *analyser, GError **error)
{
  guint64 n;

  g_mutex_lock (&analyser->lock);
  n = analyser->stats.failed;
  *error = g_steal_pointer (&analyser->error);
  g_mutex_unlock (&analyser->lock);
  return n;
}

void
gst_ensemble_analyser_cancel (GstEnsembleAnalyser *analyser)
{
  g_autoptr (EnsPicture) dropped = NULL;

  g_mutex_lock (&analyser->lock);
  dropped = drop_waiting (analyser);
  g_cond_broadcast (&analyser->done);
  g_mutex_unlock (&analyser->lock);
}

/* Lock held. Returns what recycle () does. (transfer full) */
static EnsPicture *
discard (GstEnsembleAnalyser *analyser)
{
  analyser->flushed = analyser->submitted;
  if (analyser->cancellable != NULL)
    g_cancellable_cancel (analyser->cancellable);
  g_clear_pointer (&analyser->latest, gst_ensemble_tags_unref);
  g_cond_broadcast (&analyser->done);
  return drop_waiting (analyser);
}

void
gst_ensemble_analyser_discard (GstEnsembleAnalyser *analyser)
{
  g_autoptr (EnsPicture) dropped = NULL;

  g_mutex_lock (&analyser->lock);
  dropped = discard (analyser);
  g_mutex_unlock (&analyser->lock);
}

void
gst_ensemble_analyser_set_flushing (GstEnsembleAnalyser *analyser, gboolean flushing)
{
  g_autoptr (EnsPicture) dropped = NULL;

  g_mutex_lock (&analyser->lock);
  analyser->flushing = flushing;
  if (flushing)
    dropped = discard (analyser);
  g_mutex_unlock (&analyser->lock);
}

void
gst_ensemble_analyser_get_stats (GstEnsembleAnalyser *analyser, GstEnsembleAnalyserStats *stats)
{
  g_mutex_lock (&analyser->lock);
  *stats = analyser->stats;
  g_mutex_unlock (&analyser->lock);
  gst_ensemble_pace_get_stats (analyser->pace, &stats->pace);
}
