/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <glib-unix.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>

#include "ensemble/bundle.h"
#include "tool.h"
#include "watch/server.h"

typedef struct {
  gboolean check;
} Options;

static gboolean
on_signal (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_CONTINUE;
}

static void
run_until_signal (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  const guint interrupt = g_unix_signal_add (SIGINT, on_signal, loop);
  const guint terminate = g_unix_signal_add (SIGTERM, on_signal, loop);

  g_main_loop_run (loop);
  g_source_remove (interrupt);
  g_source_remove (terminate);
}

/* Cameras that come and go for months start threads all the time. If threads have heaps of their
 * own, each heap grows to its own maximum, and memory with their number. */
static void
share_one_heap (void)
{
#ifdef M_ARENA_MAX
  mallopt (M_ARENA_MAX, 1);
#endif
}

static gboolean
serve (const WatchConfig *config, WatchStations *stations, GError **error)
{
  g_autoptr (WatchServer) server = NULL;
  g_autofree char *address = NULL;

  if (config->listen != NULL) {
    server = watch_server_new (stations, error);
    if (server == NULL)
      return FALSE;
    address = watch_server_get_address (server);
    g_print ("%s\n", address);
  }
  share_one_heap ();
  watch_stations_start (stations);
  run_until_signal ();
  return TRUE;
}

/* (transfer full) */
static char *
find_tool (GError **error)
{
  return g_file_read_link ("/proc/self/exe", error);
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  g_autoptr (WatchConfig) config = watch_config_read (arguments[0], error);
  g_autofree char *program = config != NULL ? find_tool (error) : NULL;
  /* Cameras would fail one after the other, and again and again. */
  g_autoptr (EnsBundle) bundle = program != NULL ? ens_bundle_load (config->model, error) : NULL;
  g_autoptr (WatchStations) stations = NULL;

  if (bundle != NULL)
    stations = watch_stations_new (config, program, error);
  if (stations == NULL)
    return FALSE;
  return options->check || serve (config, stations, error);
}

static const ToolOption option_table[] = {
    {"check", 0, G_OPTION_ARG_NONE, G_STRUCT_OFFSET (Options, check), NULL,
     "Check the configuration and exit"},
    TOOL_OPTION_END,
};

const ToolCommand tool_watch = {
    .name = "watch",
    .arguments = "FILE.conf",
    .completions = "*.conf",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Tag cameras, publish, record clips, serve a page",
    .help = "FILE.conf names the bundle and the cameras; examples/watch/watch.conf shows all it "
            "can say. The page, http://127.0.0.1:8420/ unless FILE.conf says otherwise, shows live "
            "pictures, tags over time, events, and frames to label and train with. Ctrl-C ends "
            "it.",
    .manual =
        "FILE.conf is in the format of desktop entries: sections [watch] (model, reserve), [page] "
        "(listen, port, token), [classify] and [publish] (properties of ensembleclassify and "
        "ensemblepublish), [record] (classes, folder, before, after, longest, limit), [collect] "
        "(folder, limit), [train] (dataset, arguments), and [camera NAME] for each camera (uri, "
        "record, properties of its ensembleclassify). Paths are relative to the file's folder.\n\n"
        "A camera that fails, ends or sends nothing for ten seconds is connected again, after one "
        "second at first, a minute at most; model and publisher stay meanwhile. A file plays at "
        "its own speed, over and over.\n\n"
        "Clips are the camera's own stream, not encoded again, from a key frame before a class "
        "appears until it has left. With less than `reserve` MiB of their disk free the oldest go; "
        "when none can go, nothing is recorded until there is room again.\n\n"
        "Labelled frames are moved into the folder of their class in the data set. “Train” on the "
        "page runs gst-ensemble-1.0 train DATASET -o MODEL with the arguments of [train]; the "
        "cameras use the new bundle without a restart.\n\n"
        "On another address than a loopback one the page needs a token, in a file or a variable. "
        "It is not encrypted: put a reverse proxy with TLS before it. /health says whether all "
        "cameras send pictures, /metrics has figures for Prometheus.\n\n"
        "  gst-ensemble-1.0 watch --check watch.conf\n"
        "  gst-ensemble-1.0 watch watch.conf",
    .options = option_table,
    .options_size = sizeof (Options),
    .run = run,
};
