/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The model of ensembleclassify while it plays: set anew, or replaced on disk. A thread of its own
 * opens the bundle and tries it, while frames go on with the old one; then the two change places
 * between two frames. One that does not work is refused with a warning. */
#include "ensemble-classify.h"

#include <string.h>

#include "classify-debug.h"

/* How often files are looked at, and how long they may be unreadable before people hear of it. */
#define POLL_INTERVAL (G_TIME_SPAN_SECOND / 4)
#define PATIENCE 40 /* polls */

struct _GstEnsembleModelWatch {
  GstEnsembleClassify *element; /* owned */
  GMutex lock;
  GCond wake;
  gboolean quit, busy;
  GThread *thread;
  /* Of the thread. */
  char *candidate, *refused; /* stamps: seen at the last poll; of what does not work */
  guint unreadable;          /* polls that found a bundle that can't be read */
};

/* What has been asked for. */
typedef struct {
  char *model, *device, *style;
  guint threads; /* ens_device_open () */
  EnsLimits limits;
  guint request;
  EnsEnsemble *ensemble; /* NULL until it is open */
  EnsStyle *opened_style;
  GError *without_style; /* why; NULL: it has been opened, or none was asked for */
} Swap;

static void
clear_swap (Swap *swap)
{
  g_free (swap->model);
  g_free (swap->device);
  g_free (swap->style);
  g_clear_pointer (&swap->ensemble, ens_ensemble_unref);
  g_clear_pointer (&swap->opened_style, ens_style_unref);
  g_clear_error (&swap->without_style);
}

/* Object lock held. */
static gboolean
is_wanted (const GstEnsembleClassify *self, const Swap *swap)
{
  return self->running && swap->request == self->model_request;
}

/* ---- Opening ---- */

/* FALSE: something else has been asked for since. */
static gboolean
plan_swap (GstEnsembleClassify *self, guint request, Swap *swap)
{
  gboolean wanted;

  GST_OBJECT_LOCK (self);
  *swap = (Swap) {.model = g_strdup (self->model),
                  .device = g_strdup (self->opened_device),
                  .style = g_strdup (self->style),
                  .threads = self->opened_threads,
                  .limits = self->opened_limits,
                  .request = request};
  wanted = is_wanted (self, swap);
  GST_OBJECT_UNLOCK (self);
  return wanted;
}

EnsEnsemble *
gst_ensemble_classify_open_model (const GstEnsembleOpening *opening, GError **error)
{
  g_autoptr (EnsDevice) device = NULL;

  if (opening->model == NULL || *opening->model == '\0') {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "expected a bundle's folder, found nothing");
    return NULL;
  }
  device = ens_device_open (opening->device, opening->threads, error);
  if (device == NULL)
    return NULL;
  ens_device_set_limits (device, &opening->limits);
  return ens_ensemble_open (opening->model, device, error);
}

static gboolean
open_model (Swap *swap, GError **error)
{
  const GstEnsembleOpening opening = {swap->model, swap->device, swap->threads, swap->limits};

  swap->ensemble = gst_ensemble_classify_open_model (&opening, error);
  return swap->ensemble != NULL;
}

/* The style that frames are adapted by, for the new ensemble. Without one that fits frames stay as
 * they are. */
static void
open_style (Swap *swap)
{
  if (!ens_ensemble_open_style (swap->ensemble, swap->style, &swap->opened_style,
                                &swap->without_style))
    g_clear_pointer (&swap->style, g_free);
}

/* ---- Changing places ---- */

/* FALSE: something else has been asked for since. */
static gboolean
take_model (GstEnsembleClassify *self, const Swap *swap)
{
  g_autoptr (EnsEnsemble) old = NULL;
  g_autoptr (EnsStyle) old_style = NULL; /* freed without the lock that video waits for */
  gboolean wanted;

  GST_OBJECT_LOCK (self);
  wanted = is_wanted (self, swap);
  if (wanted) {
    old = self->ensemble;
    self->ensemble = ens_ensemble_ref (swap->ensemble);
    g_free (self->opened_model);
    self->opened_model = g_strdup (swap->model);
    g_free (self->opened_style);
    self->opened_style = g_strdup (swap->style);
    self->style_request++;
    self->revision++;
    old_style =
        gst_ensemble_analyser_set_ensemble (self->analyser, swap->ensemble, swap->opened_style);
  }
  GST_OBJECT_UNLOCK (self);
  return wanted;
}

/* The property says again what is in use. */
static gboolean
keep_model (GstEnsembleClassify *self, const Swap *swap)
{
  gboolean wanted;

  GST_OBJECT_LOCK (self);
  wanted = is_wanted (self, swap);
  if (wanted) {
    g_free (self->model);
    self->model = g_strdup (self->opened_model);
  }
  GST_OBJECT_UNLOCK (self);
  return wanted;
}

static void
announce (GstEnsembleClassify *self, const Swap *swap)
{
  const EnsBundle *bundle = ens_ensemble_get_bundle (swap->ensemble);

  GST_INFO_OBJECT (self, "model is %s, %s version %s", swap->model, bundle->name, bundle->version);
  if (swap->without_style != NULL)
    GST_ELEMENT_WARNING (
        self, RESOURCE, SETTINGS,
        ("The new model is used without a style: %s", swap->without_style->message), (NULL));
  gst_element_post_message (
      GST_ELEMENT (self),
      gst_message_new_element (
          GST_OBJECT (self), gst_structure_new ("ensemble-model-changed", "model", G_TYPE_STRING,
                                                swap->model, "name", G_TYPE_STRING, bundle->name,
                                                "version", G_TYPE_STRING, bundle->version, NULL)));
  gst_ensemble_classify_post_notes (self, swap->ensemble);
  gst_ensemble_classify_check_style (self);
  gst_ensemble_classify_check_early_scales (self);
  gst_ensemble_classify_check_regions (self);
  gst_ensemble_classify_check_embedding (self);
  g_object_notify (G_OBJECT (self), "active-device");
}

/* The style may have been refused: the property says so, unless it has been set since. */
static void
settle_style (GstEnsembleClassify *self, const char *asked_for)
{
  GST_OBJECT_LOCK (self);
  if (self->opened_style == NULL && g_strcmp0 (self->style, asked_for) == 0)
    g_clear_pointer (&self->style, g_free);
  GST_OBJECT_UNLOCK (self);
}

typedef enum {
  TAKEN,
  REFUSED,   /* it does not work */
  OVERTAKEN, /* something else has been asked for since */
} Outcome;

static Outcome
swap_model (GstEnsembleClassify *self, guint request)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *asked_for = NULL;
  Outcome outcome = OVERTAKEN;
  gboolean wanted;
  Swap swap;

  wanted = plan_swap (self, request, &swap);
  asked_for = g_strdup (swap.style);
  if (wanted && open_model (&swap, &error)) {
    open_style (&swap);
    if (gst_ensemble_analyser_try (self->analyser, swap.ensemble, swap.opened_style, &error))
      outcome = take_model (self, &swap) ? TAKEN : OVERTAKEN;
  }
  if (outcome == TAKEN) {
    settle_style (self, asked_for);
    announce (self, &swap);
  } else if (error != NULL && keep_model (self, &swap)) {
    outcome = REFUSED;
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
                         ("The model stays as it was: %s", error->message), (NULL));
    g_object_notify (G_OBJECT (self), "model");
  }
  clear_swap (&swap);
  return outcome;
}

static void
swap_in_background (GstElement *element, gpointer request)
{
  swap_model (GST_ENSEMBLE_CLASSIFY (element), GPOINTER_TO_UINT (request));
}

void
gst_ensemble_classify_set_model (GstEnsembleClassify *self, const char *model)
{
  gboolean running;
  guint request;

  GST_OBJECT_LOCK (self);
  g_free (self->model);
  self->model = g_strdup (model);
  request = ++self->model_request;
  running = self->running;
  GST_OBJECT_UNLOCK (self);
  if (running)
    gst_element_call_async (GST_ELEMENT (self), swap_in_background, GUINT_TO_POINTER (request),
                            NULL);
}

/* ---- Watching ---- */

EnsEnsemble *
gst_ensemble_classify_get_ensemble (GstEnsembleClassify *self)
{
  EnsEnsemble *ensemble;

  GST_OBJECT_LOCK (self);
  ensemble = self->ensemble != NULL ? ens_ensemble_ref (self->ensemble) : NULL;
  GST_OBJECT_UNLOCK (self);
  return ensemble;
}

/* What is on disk can't be read: it is being written, unless that takes too long. */
static void
wait_for_files (GstEnsembleModelWatch *watch, const GError *error)
{
  g_clear_pointer (&watch->candidate, g_free);
  if (++watch->unreadable == PATIENCE)
    GST_ELEMENT_WARNING (
        watch->element, RESOURCE, SETTINGS,
        ("The model on disk has changed, and the old one is kept: %s", error->message), (NULL));
}

/* A bundle that is another than that in use, and has been the same for two polls. While another
 * model is asked for, or has taken its place, its files don't matter. */
static void
use_files (GstEnsembleModelWatch *watch, const EnsEnsemble *used, const char *stamp)
{
  GstEnsembleClassify *self = watch->element;
  gboolean settled;
  guint request = 0;

  watch->unreadable = 0;
  if (g_strcmp0 (stamp, watch->refused) == 0)
    return;
  if (g_strcmp0 (stamp, watch->candidate) != 0) {
    g_free (watch->candidate);
    watch->candidate = g_strdup (stamp);
    return;
  }
  GST_OBJECT_LOCK (self);
  settled = self->ensemble == used && g_strcmp0 (self->model, self->opened_model) == 0;
  if (settled)
    request = ++self->model_request;
  GST_OBJECT_UNLOCK (self);
  if (settled && swap_model (self, request) == REFUSED) {
    g_free (watch->refused);
    watch->refused = g_steal_pointer (&watch->candidate);
  }
}

static void
poll_files (GstEnsembleModelWatch *watch)
{
  g_autoptr (EnsEnsemble) ensemble = gst_ensemble_classify_get_ensemble (watch->element);
  g_autoptr (EnsBundle) bundle = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *now = NULL, *stamp = NULL;

  if (ensemble == NULL)
    return;
  now = ens_bundle_stamp (ens_ensemble_get_bundle (ensemble));
  if (strcmp (now, ens_ensemble_get_stamp (ensemble)) == 0) {
    watch->unreadable = 0;
    return;
  }
  bundle = ens_bundle_load (ens_ensemble_get_bundle (ensemble)->folder, &error);
  if (bundle == NULL) {
    wait_for_files (watch, error);
    return;
  }
  stamp = ens_bundle_stamp (bundle);
  use_files (watch, ensemble, stamp);
}

static void
free_watch (GstEnsembleModelWatch *watch)
{
  gst_object_unref (watch->element);
  g_mutex_clear (&watch->lock);
  g_cond_clear (&watch->wake);
  g_free (watch->candidate);
  g_free (watch->refused);
  g_free (watch);
}

static gpointer
watch_model (gpointer data)
{
  GstEnsembleModelWatch *watch = data;

  g_mutex_lock (&watch->lock);
  while (!watch->quit) {
    if (g_cond_wait_until (&watch->wake, &watch->lock, g_get_monotonic_time () + POLL_INTERVAL)
        || watch->quit)
      continue;
    watch->busy = TRUE;
    g_mutex_unlock (&watch->lock);
    poll_files (watch);
    g_mutex_lock (&watch->lock);
    watch->busy = FALSE;
  }
  g_mutex_unlock (&watch->lock);
  free_watch (watch);
  return NULL;
}

static GstEnsembleModelWatch *
start_watch (GstEnsembleClassify *self)
{
  GstEnsembleModelWatch *watch = g_new0 (GstEnsembleModelWatch, 1);

  watch->element = gst_object_ref (self);
  g_mutex_init (&watch->lock);
  g_cond_init (&watch->wake);
  watch->thread = g_thread_new ("ensemble-watch", watch_model, watch);
  return watch;
}

/* A thread that reads files is left to end by itself: nobody waits for a disk. */
static void
stop_watch (GstEnsembleModelWatch *watch)
{
  GThread *thread = watch->thread;
  gboolean busy;

  g_mutex_lock (&watch->lock);
  watch->quit = TRUE;
  busy = watch->busy;
  g_cond_signal (&watch->wake);
  g_mutex_unlock (&watch->lock);
  if (busy)
    g_thread_unref (thread);
  else
    g_thread_join (thread);
}

void
gst_ensemble_classify_update_watch (GstEnsembleClassify *self)
{
  GstEnsembleModelWatch *stopped = NULL;

  GST_OBJECT_LOCK (self);
  if (self->running && self->watch_model) {
    if (self->watch == NULL)
      self->watch = start_watch (self);
  } else {
    stopped = g_steal_pointer (&self->watch);
  }
  GST_OBJECT_UNLOCK (self);
  if (stopped != NULL)
    stop_watch (stopped);
}

void
gst_ensemble_classify_set_running (GstEnsembleClassify *self, gboolean running)
{
  g_autofree char *changed = NULL;

  GST_OBJECT_LOCK (self);
  self->running = running;
  if (running && g_strcmp0 (self->model, self->opened_model) != 0)
    changed = g_strdup (self->model);
  if (!running)
    self->model_request++;
  GST_OBJECT_UNLOCK (self);
  if (changed != NULL)
    gst_ensemble_classify_set_model (self, changed);
  gst_ensemble_classify_update_watch (self);
  gst_ensemble_classify_update_collector (self);
}
