/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shows what an ensemble tagged in a clip beside what is to be seen in it: see --help. */
#include <gst/gst.h>
#include <locale.h>

#include "tags/tags.h"

static char *clip, *picture;

static const GOptionEntry entries[] = {
    {"clip", 0, 0, G_OPTION_ARG_FILENAME, &clip, "The clip, for --picture", "FILE"},
    {"picture", 0, 0, G_OPTION_ARG_FILENAME, &picture, "Write an annotated frame", "FILE.png"},
    {NULL},
};

static gboolean
show (const char *results_path, const char *labels_path, GError **error)
{
  g_autoptr (GPtrArray) frames = tags_read (results_path, error);
  g_autoptr (Labels) labels = frames ? labels_read (labels_path, error) : NULL;

  if (!labels)
    return FALSE;
  if (frames->len == 0) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "%s: there are no results", results_path);
    return FALSE;
  }
  table_print (frames, labels);
  return !picture || picture_write (picture, clip, frames, labels, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("RESULTS.jsonl TRUTH.csv");
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  g_option_context_set_summary (context,
                                "Prints the tags of every second of a clip beside the truth that "
                                "draw-scenes wrote.\nRESULTS.jsonl: results as JSON Lines.");
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (g_option_context_parse (context, &argc, &argv, &error)) {
    if (argc != 3 || !clip != !picture) {
      g_autofree char *help = g_option_context_get_help (context, TRUE, NULL);

      g_printerr ("%s", help);
      return 2;
    }
    if (show (argv[1], argv[2], &error))
      return 0;
  }
  g_printerr ("show-tags: %s\n", error->message);
  return 1;
}
