/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/recorder.h"

#include "watch/clip-folder.h"
#include "watch/clip.h"
#include "watch/pre-roll.h"

/* Between looks at the folder, and after a clip that failed. */
#define ROOM_INTERVAL G_TIME_SPAN_MINUTE
#define RETRY_INTERVAL G_TIME_SPAN_MINUTE

struct _WatchRecorder {
  const WatchConfig *config;
  char *folder;
  char **classes;
  void (*failed) (const char *what, gpointer data);
  gpointer data;
  char *present; /* name of a class of ours that is there; NULL: none is */
  /* Monotonic. */
  gint64 end;   /* when the clip ends if nothing is present; 0: open */
  gint64 retry; /* a clip has failed: when the next one may begin; 0: at once */
  gint64 room;  /* when to look again whether the folder has grown too large */
  gboolean paused;
  guint n_clips, n_failed;
  char *problem; /* why the last clip failed; NULL: it did not */
  GList *ending; /* WatchClip: of which the end is being written */
  GMutex lock;   /* guards what follows */
  WatchPreRoll pre_roll;
  GstCaps *caps;   /* NULL: nothing came */
  WatchClip *clip; /* NULL: none is written */
  gboolean other;  /* what comes no longer fits the clip */
};

WatchRecorder *
watch_recorder_new (const WatchConfig *config, const char *camera, const char *const *classes,
                    void (*failed) (const char *what, gpointer data), gpointer data)
{
  WatchRecorder *recorder = g_new0 (WatchRecorder, 1);

  recorder->config = config;
  recorder->folder = g_build_filename (config->record_folder, camera, NULL);
  recorder->classes = g_strdupv ((char **)classes);
  recorder->failed = failed;
  recorder->data = data;
  g_mutex_init (&recorder->lock);
  recorder->pre_roll.length = config->record_before * GST_SECOND;
  return recorder;
}

/* ---- Video ---- */

/* What has other caps is another stream, for another clip. */
static void
use_caps (WatchRecorder *recorder, GstCaps *caps)
{
  if (recorder->caps != NULL && gst_caps_is_equal (recorder->caps, caps))
    return;
  recorder->other = recorder->clip != NULL;
  watch_pre_roll_clear (&recorder->pre_roll);
  gst_caps_replace (&recorder->caps, caps);
}

void
watch_recorder_push (WatchRecorder *recorder, GstCaps *caps, GstBuffer *buffer)
{
  g_mutex_lock (&recorder->lock);
  use_caps (recorder, caps);
  if (recorder->clip != NULL && !recorder->other)
    watch_clip_push (recorder->clip, buffer);
  watch_pre_roll_add (&recorder->pre_roll, buffer);
  g_mutex_unlock (&recorder->lock);
}

/* (transfer full) (nullable) */
static WatchClip *
take_clip (WatchRecorder *recorder)
{
  WatchClip *clip;

  g_mutex_lock (&recorder->lock);
  clip = g_steal_pointer (&recorder->clip);
  recorder->other = FALSE;
  g_mutex_unlock (&recorder->lock);
  return clip;
}

/* ---- Clips ---- */

/* (transfer full) */
static char *
name_clip (const WatchRecorder *recorder, const char *class_name)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%dT%H%M%SZ");
  g_autofree char *shown = g_strdup (class_name);
  g_autofree char *name = NULL;
  g_autoptr (GString) folder = g_string_new (recorder->folder);

  /* The sink puts the number of the file into its location. */
  g_string_replace (folder, "%", "%%", 0);
  g_strcanon (shown, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-", '_');
  name = g_strconcat (time, "-", shown, "-%05d" WATCH_CLIP_ENDING, NULL);
  return g_build_filename (folder->str, name, NULL);
}

/* Lock held. */
static gboolean
open_clip (WatchRecorder *recorder, const char *location, GError **error)
{
  recorder->clip =
      watch_clip_new (location, recorder->config->record_longest, recorder->caps, error);
  if (recorder->clip == NULL)
    return FALSE;
  for (const GList *link = recorder->pre_roll.buffers.head; link != NULL; link = link->next)
    watch_clip_push (recorder->clip, link->data);
  return TRUE;
}

static void
give_up (WatchRecorder *recorder, const char *what, gint64 now)
{
  recorder->retry = now + RETRY_INTERVAL;
  recorder->n_failed++;
  g_free (recorder->problem);
  recorder->problem = g_strdup (what);
  recorder->failed (what, recorder->data);
}

static void
start (WatchRecorder *recorder, gint64 now)
{
  g_autofree char *location = name_clip (recorder, recorder->present);
  g_autoptr (GError) error = NULL;

  g_mkdir_with_parents (recorder->folder, 0777);
  g_mutex_lock (&recorder->lock);
  /* Before the first key frame there is nothing to begin with; it is tried again. */
  if (recorder->clip == NULL && !g_queue_is_empty (&recorder->pre_roll.buffers)) {
    if (open_clip (recorder, location, &error)) {
      recorder->n_clips++;
      g_clear_pointer (&recorder->problem, g_free);
    }
  }
  g_mutex_unlock (&recorder->lock);
  if (error != NULL)
    give_up (recorder, error->message, now);
}

/* (nullable) */
static const char *
find_present (const WatchRecorder *recorder, const EnsResult *result)
{
  for (guint i = 0; i < result->n_classes; i++)
    if (result->classes[i].state == ENS_CLASS_PRESENT
        && g_strv_contains ((const char *const *)recorder->classes, result->classes[i].name))
      return result->classes[i].name;
  return NULL;
}

static void
start_if_due (WatchRecorder *recorder, gint64 now)
{
  if (recorder->present != NULL && !recorder->paused && now >= recorder->retry
      && !watch_recorder_is_recording (recorder))
    start (recorder, now);
}

void
watch_recorder_update (WatchRecorder *recorder, const EnsResult *result)
{
  const char *class_name = find_present (recorder, result);
  const gint64 now = g_get_monotonic_time ();

  if (class_name == NULL && recorder->present != NULL)
    recorder->end = now + recorder->config->record_after * G_TIME_SPAN_SECOND;
  g_free (recorder->present);
  recorder->present = g_strdup (class_name);
  if (class_name == NULL)
    recorder->retry = 0;
  else
    recorder->end = 0;
  start_if_due (recorder, now);
}

static void
on_written (WatchClip *clip, gpointer data)
{
  WatchRecorder *recorder = data;

  recorder->ending = g_list_remove (recorder->ending, clip);
  watch_clip_free (clip);
}

static void
finish (WatchRecorder *recorder)
{
  WatchClip *clip = take_clip (recorder);

  recorder->end = 0;
  if (clip == NULL)
    return;
  recorder->ending = g_list_prepend (recorder->ending, clip);
  watch_clip_finish (clip, on_written, recorder);
}

void
watch_recorder_interrupt (WatchRecorder *recorder)
{
  finish (recorder);
  g_clear_pointer (&recorder->present, g_free);
  recorder->retry = 0;
  g_mutex_lock (&recorder->lock);
  watch_pre_roll_clear (&recorder->pre_roll);
  g_mutex_unlock (&recorder->lock);
}

/* The clip is given up, and another one begun later. */
static void
check_clip (WatchRecorder *recorder, gint64 now)
{
  g_autofree char *problem = NULL;
  WatchClip *clip;

  g_mutex_lock (&recorder->lock);
  problem = recorder->clip != NULL ? watch_clip_take_problem (recorder->clip) : NULL;
  g_mutex_unlock (&recorder->lock);
  if (problem == NULL)
    return;
  clip = take_clip (recorder);
  watch_clip_free (clip);
  give_up (recorder, problem, now);
}

static gboolean
has_other_video (WatchRecorder *recorder)
{
  gboolean other;

  g_mutex_lock (&recorder->lock);
  other = recorder->other;
  g_mutex_unlock (&recorder->lock);
  return other;
}

/* Also while a clip goes on: a class may stay for days. */
static void
make_room_if_due (WatchRecorder *recorder, gint64 now)
{
  if (now < recorder->room)
    return;
  recorder->room = now + ROOM_INTERVAL;
  watch_clips_limit (recorder->folder, (guint64)recorder->config->record_limit << 20);
}

void
watch_recorder_tick (WatchRecorder *recorder, gint64 now)
{
  check_clip (recorder, now);
  if ((recorder->end != 0 && now >= recorder->end) || has_other_video (recorder))
    finish (recorder);
  start_if_due (recorder, now);
  make_room_if_due (recorder, now);
}

void
watch_recorder_set_paused (WatchRecorder *recorder, gboolean paused)
{
  recorder->paused = paused;
  if (paused)
    finish (recorder);
}

gboolean
watch_recorder_is_recording (WatchRecorder *recorder)
{
  gboolean recording;

  g_mutex_lock (&recorder->lock);
  recording = recorder->clip != NULL;
  g_mutex_unlock (&recorder->lock);
  return recording;
}

guint
watch_recorder_get_n_clips (const WatchRecorder *recorder)
{
  return recorder->n_clips;
}

guint
watch_recorder_get_n_failed (const WatchRecorder *recorder)
{
  return recorder->n_failed;
}

const char *
watch_recorder_get_problem (const WatchRecorder *recorder)
{
  return recorder->problem;
}

const char *
watch_recorder_get_folder (const WatchRecorder *recorder)
{
  return recorder->folder;
}

void
watch_recorder_stop (WatchRecorder *recorder)
{
  finish (recorder);
}

gboolean
watch_recorder_is_writing (const WatchRecorder *recorder)
{
  return recorder->ending != NULL;
}

void
watch_recorder_free (WatchRecorder *recorder)
{
  if (recorder->clip != NULL)
    watch_clip_free (recorder->clip);
  g_list_free_full (recorder->ending, (GDestroyNotify)watch_clip_free);
  watch_pre_roll_clear (&recorder->pre_roll);
  gst_caps_replace (&recorder->caps, NULL);
  g_free (recorder->present);
  g_free (recorder->problem);
  g_strfreev (recorder->classes);
  g_free (recorder->folder);
  g_mutex_clear (&recorder->lock);
  g_free (recorder);
}
