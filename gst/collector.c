/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "collector.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/disk.h"
#include "base/files.h"
#include "base/json-reader.h"
#include "base/json.h"
#include "classify-debug.h"
#include "encode-still.h"

#define SCHEMA "gst-ensemble/collected/1"
#define PICTURE_ENDING ".jpg"
#define SIDECAR_ENDING ".json"
#define PART_ENDING ".part" /* a picture that has no place yet */
/* What a crash has left of files that were being written: the picture under its first name, or what
 * ens_file_write () renames at its end. */
#define LEFT_OVER "^[0-9]{8}T[0-9]{6}\\.[0-9]{6}Z-.*\\.(part|(part|json)\\.[A-Za-z0-9]{6})$"
/* Nobody writes one file as long as this, of several that share a folder. */
#define LEFT_OVER_AGE (10 * 60) /* s */
#define MIN_INTERVAL (G_TIME_SPAN_SECOND / 2)
/* How often it is looked whether somebody has moved pictures away. */
#define RECHECK_INTERVAL (2 * G_TIME_SPAN_SECOND)
#define MAX_CLASS_NAME 40 /* bytes of it in a file's name */

typedef struct {
  EnsPicture *picture;
  EnsCollectLook look;
  char *name, *class_name, *result; /* name: of the files, without their ending */
} Job;

struct _GstEnsembleCollector {
  gatomicrefcount references; /* the thread's is one */
  GstElement *element;        /* owned */
  GstEnsembleCollectSettings settings;
  gboolean fails; /* of the thread: as was told last */
  GMutex lock;    /* guards everything below; never held while files are used */
  GCond wake;
  gboolean quit;
  Job *waiting; /* NULL: the thread is idle, or busy with the one before */
  /* Only the thread changes what is kept, once it has read the folder: it reads that without the
   * lock. */
  EnsCollection *collection;
  gboolean has_read;
  gboolean low;  /* the disk has too little room; changed by the thread alone */
  gint64 looked; /* when a frame was last looked at */
};

static void
free_job (Job *job)
{
  ens_picture_unref (job->picture);
  g_free (job->name);
  g_free (job->class_name);
  g_free (job->result);
  g_free (job);
}

GstEnsembleCollector *
gst_ensemble_collector_ref (GstEnsembleCollector *collector)
{
  g_atomic_ref_count_inc (&collector->references);
  return collector;
}

void
gst_ensemble_collector_unref (GstEnsembleCollector *collector)
{
  if (!g_atomic_ref_count_dec (&collector->references))
    return;
  g_clear_pointer (&collector->waiting, free_job);
  ens_collection_free (collector->collection);
  g_free (collector->settings.folder);
  g_mutex_clear (&collector->lock);
  g_cond_clear (&collector->wake);
  gst_object_unref (collector->element);
  g_free (collector);
}

/* (transfer full) */
static char *
path_of (const GstEnsembleCollector *collector, const char *name, const char *ending)
{
  g_autofree char *file = g_strconcat (name, ending, NULL);

  return g_build_filename (collector->settings.folder, file, NULL);
}

/* ---- What is there ---- */

static guint64
size_of (const char *path)
{
  GStatBuf status;

  return g_stat (path, &status) == 0 ? (guint64)status.st_size : 0;
}

/* One that an earlier run has kept, with its picture. */
static void
read_sidecar (GstEnsembleCollector *collector, const char *name)
{
  g_autofree char *sidecar = path_of (collector, name, SIDECAR_ENDING);
  g_autofree char *picture = path_of (collector, name, PICTURE_ENDING);
  g_autoptr (EnsJsonReader) reader = ens_json_reader_open (sidecar, NULL);
  g_autofree char *schema = NULL, *hash = NULL;
  double value;

  if (reader == NULL || !g_file_test (picture, G_FILE_TEST_IS_REGULAR))
    return;
  schema = ens_json_reader_string (reader, "schema");
  value = ens_json_reader_number (reader, "value", 0, 1);
  hash = ens_json_reader_string (reader, "hash");
  if (ens_json_reader_failed (reader) || strcmp (schema, SCHEMA) != 0)
    return;
  ens_collection_add (collector->collection, name, (float)value, g_ascii_strtoull (hash, NULL, 16),
                      size_of (picture) + size_of (sidecar));
}

static void
remove_left_over (const GstEnsembleCollector *collector, const char *file)
{
  g_autofree char *path = g_build_filename (collector->settings.folder, file, NULL);
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  GStatBuf status;

  if (g_regex_match_simple (LEFT_OVER, file, 0, 0) && g_lstat (path, &status) == 0
      && now - (gint64)status.st_mtime > LEFT_OVER_AGE)
    g_remove (path);
}

static void
read_folder (GstEnsembleCollector *collector)
{
  g_autoptr (GDir) dir = NULL;
  const char *file;

  g_mkdir_with_parents (collector->settings.folder, 0777);
  dir = g_dir_open (collector->settings.folder, 0, NULL);
  while (dir != NULL && (file = g_dir_read_name (dir)) != NULL) {
    g_autofree char *name = NULL;

    if (!g_str_has_suffix (file, SIDECAR_ENDING)) {
      remove_left_over (collector, file);
      continue;
    }
    name = g_strndup (file, strlen (file) - strlen (SIDECAR_ENDING));
    read_sidecar (collector, name);
  }
}

static void
forget (GstEnsembleCollector *collector, const char *name)
{
  g_mutex_lock (&collector->lock);
  ens_collection_remove (collector->collection, name);
  g_mutex_unlock (&collector->lock);
}

/* Pictures that somebody has moved away, into the folder of a class, count no longer. */
static void
forget_moved (GstEnsembleCollector *collector)
{
  for (guint i = ens_collection_get_n (collector->collection); i > 0; i--) {
    g_autofree char *name = g_strdup (ens_collection_get (collector->collection, i - 1)->name);
    g_autofree char *picture = path_of (collector, name, PICTURE_ENDING);
    g_autofree char *sidecar = path_of (collector, name, SIDECAR_ENDING);

    if (g_file_test (picture, G_FILE_TEST_EXISTS))
      continue;
    g_remove (sidecar);
    forget (collector, name);
  }
}

/* ---- What goes wrong ---- */

static void
post (GstEnsembleCollector *collector, const char *problem)
{
  gst_element_post_message (
      collector->element,
      gst_message_new_element (GST_OBJECT (collector->element),
                               gst_structure_new ("ensemble-collecting", "folder", G_TYPE_STRING,
                                                  collector->settings.folder, "problem",
                                                  G_TYPE_STRING, problem, NULL)));
}

/* problem: why frames can't be kept now; NULL: they can. */
static void
tell (GstEnsembleCollector *collector, const char *problem)
{
  const gboolean fails = problem != NULL;

  if (fails == collector->fails)
    return;
  collector->fails = fails;
  if (fails)
    GST_ELEMENT_WARNING (collector->element, RESOURCE, WRITE,
                         ("Frames are not collected: %s", problem), (NULL));
  else
    GST_ELEMENT_INFO (collector->element, RESOURCE, WRITE, ("Frames are collected again"), (NULL));
  post (collector, problem);
}

static void
tell_low (GstEnsembleCollector *collector)
{
  const GstEnsembleCollectSettings *settings = &collector->settings;
  g_autofree char *problem =
      g_strdup_printf ("%s: less than %" G_GUINT64_FORMAT " MiB are free%s", settings->folder,
                       (settings->reserve + (1 << 20) - 1) >> 20, ens_write_advice (ENOSPC));

  tell (collector, problem);
}

static void
look_at_disk (GstEnsembleCollector *collector)
{
  const GstEnsembleCollectSettings *settings = &collector->settings;
  const gboolean was_low = collector->low;
  const gboolean low = ens_disk_get_missing (settings->folder, settings->reserve, was_low) > 0;

  g_mutex_lock (&collector->lock);
  collector->low = low;
  g_mutex_unlock (&collector->lock);
  if (low && !was_low)
    tell_low (collector);
  else if (was_low && !low)
    tell (collector, NULL);
}

/* ---- Writing ---- */

/* (transfer full) */
static char *
describe (const GstEnsembleCollector *collector, const Job *job)
{
  g_autofree char *hash = g_strdup_printf ("%016" G_GINT64_MODIFIER "x", job->look.hash);
  g_autofree char *picture = g_strconcat (job->name, PICTURE_ENDING, NULL);
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_BLOCK);
  ens_json_string (&json, "schema", SCHEMA);
  ens_json_string (&json, "picture", picture);
  ens_json_string (&json, "reason", ens_collect_reason_names[job->look.reason]);
  ens_json_string (&json, "class", job->class_name);
  ens_json_float (&json, "value", job->look.value);
  ens_json_string (&json, "hash", hash);
  ens_json_string (&json, "stream", GST_OBJECT_NAME (collector->element));
  ens_json_raw (&json, "result", job->result);
  ens_json_close (&json);
  return ens_json_finish (&json);
}

/* What can't be removed is still there, and counts. */
static gboolean
remove_kept (GstEnsembleCollector *collector, const char *name, GError **error)
{
  g_autofree char *picture = path_of (collector, name, PICTURE_ENDING);
  g_autofree char *sidecar = path_of (collector, name, SIDECAR_ENDING);

  if (g_remove (picture) != 0 && errno != ENOENT) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE,
                 "%s: can't remove it to make room for a picture that is worth more: %s", picture,
                 g_strerror (errno));
    return FALSE;
  }
  g_remove (sidecar);
  forget (collector, name);
  return TRUE;
}

static gboolean
remove_all (GstEnsembleCollector *collector, const GPtrArray *names, GError **error)
{
  for (guint i = 0; i < names->len; i++)
    if (!remove_kept (collector, g_ptr_array_index (names, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
rename_file (const char *from, const char *to, GError **error)
{
  if (g_rename (from, to) == 0)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: can't rename it to %s: %s", from, to,
               g_strerror (errno));
  return FALSE;
}

/* Nothing goes before all that can fail for want of space is written; the picture appears last: it
 * is there only with what is said of it. */
static gboolean
write_both (GstEnsembleCollector *collector, const Job *job, GBytes *encoded, const char *text,
            const GPtrArray *goes, GError **error)
{
  g_autofree char *part = path_of (collector, job->name, PART_ENDING);
  g_autofree char *sidecar = path_of (collector, job->name, SIDECAR_ENDING);
  g_autofree char *picture = path_of (collector, job->name, PICTURE_ENDING);
  gsize size;
  gconstpointer bytes = g_bytes_get_data (encoded, &size);

  if (ens_file_write (part, bytes, size, ENS_FILE_USUAL, error)
      && ens_file_write (sidecar, text, strlen (text), ENS_FILE_USUAL, error)
      && remove_all (collector, goes, error) && rename_file (part, picture, error))
    return TRUE;
  g_remove (part);
  g_remove (sidecar);
  return FALSE;
}

static gboolean
keep (GstEnsembleCollector *collector, const Job *job, GError **error)
{
  const GstEnsembleCollectSettings *settings = &collector->settings;
  g_autoptr (GPtrArray) goes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GBytes) encoded = gst_ensemble_encode_still (job->picture, "image/jpeg", error);
  g_autofree char *text = describe (collector, job);
  guint64 bytes;

  if (encoded == NULL)
    return FALSE;
  bytes = g_bytes_get_size (encoded) + strlen (text);
  forget_moved (collector);
  if (!ens_collection_find_room (collector->collection, settings->limit, settings->bytes,
                                 job->look.value, bytes, goes))
    return TRUE; /* what is there is worth more */
  if (!write_both (collector, job, encoded, text, goes, error))
    return FALSE;
  GST_INFO_OBJECT (collector->element, "kept %s", job->name);
  g_mutex_lock (&collector->lock);
  ens_collection_add (collector->collection, job->name, job->look.value, job->look.hash, bytes);
  g_mutex_unlock (&collector->lock);
  return TRUE;
}

static void
work (GstEnsembleCollector *collector, const Job *job)
{
  g_autoptr (GError) error = NULL;

  look_at_disk (collector);
  if (!collector->low)
    tell (collector, keep (collector, job, &error) ? NULL : error->message);
}

static gpointer
write_pictures (gpointer data)
{
  GstEnsembleCollector *collector = data;

  read_folder (collector);
  look_at_disk (collector);
  if (!collector->fails)
    post (collector, NULL);
  g_mutex_lock (&collector->lock);
  collector->has_read = TRUE;
  while (!collector->quit || collector->waiting != NULL) {
    Job *job = g_steal_pointer (&collector->waiting);

    if (job == NULL
        && g_cond_wait_until (&collector->wake, &collector->lock,
                              g_get_monotonic_time () + RECHECK_INTERVAL))
      continue;
    g_mutex_unlock (&collector->lock);
    if (job != NULL) {
      work (collector, job);
      free_job (job);
    } else {
      /* A full folder, or disk, makes no jobs: only this finds that there is room again. */
      forget_moved (collector);
      look_at_disk (collector);
    }
    g_mutex_lock (&collector->lock);
  }
  g_mutex_unlock (&collector->lock);
  gst_ensemble_collector_unref (collector);
  return NULL;
}

GstEnsembleCollector *
gst_ensemble_collector_new (GstElement *element, const GstEnsembleCollectSettings *settings)
{
  GstEnsembleCollector *collector = g_new0 (GstEnsembleCollector, 1);

  g_atomic_ref_count_init (&collector->references);
  collector->element = gst_object_ref (element);
  collector->settings = *settings;
  collector->settings.folder = g_strdup (settings->folder);
  g_mutex_init (&collector->lock);
  g_cond_init (&collector->wake);
  collector->collection = ens_collection_new ();
  collector->looked = G_MININT64 / 2;
  g_thread_unref (
      g_thread_new ("ensemble-collect", write_pictures, gst_ensemble_collector_ref (collector)));
  return collector;
}

void
gst_ensemble_collector_close (GstEnsembleCollector *collector)
{
  g_mutex_lock (&collector->lock);
  collector->quit = TRUE;
  g_cond_signal (&collector->wake);
  g_mutex_unlock (&collector->lock);
  gst_ensemble_collector_unref (collector);
}

/* ---- Frames ---- */

/* "20260102T030405.678901Z-uncertain-cat"; what can't be in a file's name is left out. (transfer
 * full) */
static char *
make_name (const EnsCollectLook *look, const char *class_name)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%dT%H%M%S");
  g_autofree char *shown = g_strndup (class_name, MAX_CLASS_NAME);

  g_strcanon (shown, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-", '_');
  return g_strdup_printf ("%s.%06dZ-%s-%s", time, g_date_time_get_microsecond (now),
                          ens_collect_reason_names[look->reason], shown);
}

static Job *
make_job (const EnsFrame *frame, const EnsResult *result, const EnsCollectLook *look)
{
  const char *class_name = result->classes[look->class].name;
  Job *job = g_new0 (Job, 1);

  job->picture = ens_picture_new_rgb (frame, &look->rect, NULL);
  job->look = *look;
  job->name = make_name (look, class_name);
  job->class_name = g_strdup (class_name);
  job->result = ens_result_to_json (result, 0);
  return job;
}

/* Lock held. Whether it is time to look at a frame. */
static gboolean
is_due (GstEnsembleCollector *collector, const EnsResult *result, gint64 now)
{
  return collector->has_read && !collector->low && !collector->quit && collector->waiting == NULL
         && (now - collector->looked >= MIN_INTERVAL
             || ens_collection_changes (collector->collection, result));
}

/* What the frame is worth, 0 if nothing or if there is no room for it. */
static EnsCollectLook
look_at (GstEnsembleCollector *collector, const EnsFrame *frame, const EnsResult *result)
{
  const gint64 now = g_get_monotonic_time ();
  EnsCollectLook look = {0};

  g_mutex_lock (&collector->lock);
  if (is_due (collector, result, now)) {
    collector->looked = now;
    look = ens_collection_look (collector->collection, frame, collector->settings.crops, result);
    if (!ens_collection_find_room (collector->collection, collector->settings.limit, 0, look.value,
                                   0, NULL))
      look.value = 0;
  } else {
    ens_collection_pass (collector->collection, result);
  }
  g_mutex_unlock (&collector->lock);
  return look;
}

void
gst_ensemble_collector_offer (GstEnsembleCollector *collector, const EnsFrame *frame,
                              const EnsResult *result)
{
  const EnsCollectLook look = look_at (collector, frame, result);
  Job *job;

  if (look.value <= 0)
    return;
  job = make_job (frame, result, &look);
  g_mutex_lock (&collector->lock);
  collector->waiting = job;
  g_cond_signal (&collector->wake);
  g_mutex_unlock (&collector->lock);
}
