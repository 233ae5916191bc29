/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/training.h"

#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"

#define MAX_LINES 100
#define PRIORITY 10

static const char *const state_names[] = {"idle", "running", "done", "failed", "stopped"};

struct _WatchTraining {
  const WatchConfig *config;
  char *program;
  void (*changed) (gpointer data);
  gpointer data;
  WatchTrainingState state;
  gint64 started, ended; /* monotonic */
  gint status;
  gboolean stopping;
  GQueue lines;
  GSubprocess *child;        /* NULL: none runs */
  GDataInputStream *output;  /* of it */
  GCancellable *cancellable; /* of reading and waiting */
};

WatchTraining *
watch_training_new (const WatchConfig *config, const char *program, void (*changed) (gpointer data),
                    gpointer data)
{
  WatchTraining *training = g_new0 (WatchTraining, 1);

  training->config = config;
  training->program = g_strdup (program);
  training->changed = changed;
  training->data = data;
  return training;
}

/* Callbacks that still come are cancelled, and touch nothing. */
static void
forget_child (WatchTraining *training)
{
  if (training->cancellable != NULL)
    g_cancellable_cancel (training->cancellable);
  g_clear_object (&training->child);
  g_clear_object (&training->output);
  g_clear_object (&training->cancellable);
}

void
watch_training_free (WatchTraining *training)
{
  if (training->child != NULL)
    g_subprocess_send_signal (training->child, SIGINT);
  forget_child (training);
  g_queue_clear_full (&training->lines, g_free);
  g_free (training->program);
  g_free (training);
}

/* ---- The child ---- */

/* Between fork and exec. */
static void
set_up_child (gpointer data)
{
  const pid_t *parent = data;

  prctl (PR_SET_PDEATHSIG, SIGINT);
  if (getppid () != *parent)
    raise (SIGINT);
  setpriority (PRIO_PROCESS, 0, PRIORITY);
}

/* (transfer full) */
static char **
make_command (const WatchTraining *training)
{
  const WatchConfig *config = training->config;
  GStrvBuilder *words = g_strv_builder_new ();
  char **command;

  g_strv_builder_add_many (words, training->program, "train", config->train_dataset, "-o",
                           config->model, NULL);
  if (config->train_arguments != NULL)
    g_strv_builder_addv (words, (const char **)config->train_arguments);
  command = g_strv_builder_end (words);
  g_strv_builder_unref (words);
  return command;
}

static void
add_line (WatchTraining *training, const char *line)
{
  g_queue_push_tail (&training->lines, g_utf8_make_valid (line, -1));
  if (g_queue_get_length (&training->lines) > MAX_LINES)
    g_free (g_queue_pop_head (&training->lines));
}

static void read_line (WatchTraining *training);

static void
on_line (GObject *stream, GAsyncResult *result, gpointer data)
{
  WatchTraining *training = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *line =
      g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (stream), result, NULL, &error);

  /* Cancelled: the training is gone. */
  if (error != NULL || line == NULL)
    return;
  add_line (training, line);
  training->changed (training->data);
  read_line (training);
}

static void
read_line (WatchTraining *training)
{
  g_data_input_stream_read_line_async (training->output, G_PRIORITY_DEFAULT, training->cancellable,
                                       on_line, training);
}

static WatchTrainingState
judge (const WatchTraining *training, GSubprocess *child)
{
  if (training->stopping)
    return WATCH_TRAINING_STOPPED;
  return g_subprocess_get_successful (child) ? WATCH_TRAINING_DONE : WATCH_TRAINING_FAILED;
}

static void
on_end (GObject *object, GAsyncResult *result, gpointer data)
{
  WatchTraining *training = data;
  GSubprocess *child = G_SUBPROCESS (object);
  g_autoptr (GError) error = NULL;

  if (!g_subprocess_wait_finish (child, result, &error))
    return;
  training->state = judge (training, child);
  training->status = g_subprocess_get_if_exited (child) ? g_subprocess_get_exit_status (child)
                                                        : 128 + g_subprocess_get_term_sig (child);
  training->ended = g_get_monotonic_time ();
  /* Its last lines are still read: the stream keeps itself. */
  g_clear_object (&training->child);
  training->changed (training->data);
}

static GSubprocess *
spawn (const WatchTraining *training, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_auto (GStrv) command = make_command (training);
  g_autofree char *path = g_canonicalize_filename (training->config->path, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  pid_t parent = getpid ();

  /* Paths in the arguments, too, are relative to the configuration. */
  g_subprocess_launcher_set_cwd (launcher, folder);
  g_subprocess_launcher_set_child_setup (launcher, set_up_child, &parent, NULL);
  return g_subprocess_launcher_spawnv (launcher, (const char *const *)command, error);
}

gboolean
watch_training_start (WatchTraining *training, GError **error)
{
  if (training->config->train_dataset == NULL) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FORMAT,
                         "[train] dataset is not set in the configuration");
    return FALSE;
  }
  if (training->child != NULL) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FORMAT, "a training runs already");
    return FALSE;
  }
  forget_child (training);
  g_queue_clear_full (&training->lines, g_free);
  training->child = spawn (training, error);
  if (training->child == NULL)
    return FALSE;
  training->state = WATCH_TRAINING_RUNNING;
  training->stopping = FALSE;
  training->started = g_get_monotonic_time ();
  training->cancellable = g_cancellable_new ();
  training->output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (training->child));
  read_line (training);
  g_subprocess_wait_async (training->child, training->cancellable, on_end, training);
  training->changed (training->data);
  return TRUE;
}

void
watch_training_stop (WatchTraining *training)
{
  if (training->child == NULL)
    return;
  training->stopping = TRUE;
  g_subprocess_send_signal (training->child, SIGINT);
}

WatchTrainingState
watch_training_get_state (const WatchTraining *training)
{
  return training->state;
}

void
watch_training_write (const WatchTraining *training, EnsJson *json)
{
  const gint64 end =
      training->state == WATCH_TRAINING_RUNNING ? g_get_monotonic_time () : training->ended;

  ens_json_string (json, "state", state_names[training->state]);
  ens_json_double (json, "seconds", (double)((end - training->started) / 1000) / 1000);
  if (training->state == WATCH_TRAINING_FAILED)
    ens_json_integer (json, "status", training->status);
  ens_json_open_array (json, "output", ENS_JSON_FLAT);
  for (const GList *link = training->lines.head; link != NULL; link = link->next)
    ens_json_string (json, NULL, link->data);
  ens_json_close (json);
}
