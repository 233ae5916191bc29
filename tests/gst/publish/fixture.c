/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#include <signal.h>

#include "base/files.h"

PublishOptions publish_options;
char *publish_folder;
gboolean publish_has_sigpipe;

static GstElement *element;
static GMutex lock;
static GString *notes;

void
publish_set_up (void)
{
  publish_folder = g_dir_make_tmp ("gst-ensemble-XXXXXX", NULL);
  publish_options_init (&publish_options);
  g_free (publish_options.location);
  publish_options.location = g_build_filename (publish_folder, "results.jsonl", NULL);
  element = gst_object_ref_sink (gst_pipeline_new (NULL));
  notes = g_string_new (NULL);
}

void
publish_tear_down (void)
{
  gst_object_unref (element);
  ens_remove_tree (publish_folder);
  g_free (publish_folder);
  publish_options_clear (&publish_options);
  g_string_free (notes, TRUE);
}

static void
report (GstElement *source, gboolean warning, const char *text)
{
  sigset_t blocked;

  pthread_sigmask (SIG_BLOCK, NULL, &blocked);
  g_mutex_lock (&lock);
  publish_has_sigpipe |= !sigismember (&blocked, SIGPIPE);
  g_string_append_printf (notes, "%s%s\n", warning ? "" : "info: ", text);
  g_mutex_unlock (&lock);
}

char *
publish_get_notes (void)
{
  char *text;

  g_mutex_lock (&lock);
  text = g_strdup (notes->str);
  g_mutex_unlock (&lock);
  return text;
}

guint
publish_count_notes (const char *part)
{
  g_autofree char *text = publish_get_notes ();
  g_auto (GStrv) parts = g_strsplit (text, part, -1);

  return g_strv_length (parts) - (*text != '\0' ? 1 : 0);
}

PublishQueue *
publish_try_start (GError **error)
{
  PublishDestination *destination = publish_destination_new (&publish_options, error);
  PublishQueue *queue;

  ck_assert_ptr_nonnull (destination);
  queue = publish_queue_new (destination, element, report);
  if (publish_queue_check (queue, error))
    return queue;
  publish_queue_stop (queue, 0);
  return NULL;
}

PublishQueue *
publish_start (void)
{
  g_autoptr (GError) error = NULL;
  PublishQueue *queue = publish_try_start (&error);

  ck_assert_no_error (error);
  publish_queue_set_source (queue, "camera");
  return queue;
}

void
publish_push (PublishQueue *queue, guint first, guint n)
{
  for (guint i = 0; i < n; i++)
    publish_queue_push (queue, publish_record_new (PUBLISH_RESULT, "camera",
                                                   g_strdup_printf ("{\"n\": %u}\n", first + i)));
}

void
publish_wait_sent (PublishQueue *queue, guint64 sent)
{
  publish_wait (publish_queue_get_counts (queue).sent >= sent);
}

void
publish_check_location (const PublishLocation *row)
{
  g_autoptr (GError) error = NULL;

  g_free (publish_options.location);
  publish_options.location = g_strdup (row->location);
  ck_assert_ptr_null (publish_destination_new (&publish_options, &error));
  ck_assert_contains (error->message, row->expected);
  ck_assert_ptr_null (strstr (error->message, "hunter2"));
}

char *
publish_read (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *text;

  g_file_get_contents (path, &text, NULL, &error);
  ck_assert_no_error (error);
  return text;
}

void
publish_check (const char *text, guint first, guint n)
{
  GString *expected = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (expected, "{\"n\": %u}\n", first + i);
  if (strcmp (text, expected->str) != 0)
    test_message ("expected %u to %u, found: %s", first, first + n - 1, text);
  ck_assert (g_str_equal (text, expected->str));
  g_string_free (expected, TRUE);
}
