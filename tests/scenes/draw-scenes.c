/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Draws labelled pictures and clips to train and to try classifiers on: see --help. */
#include <gst/gst.h>
#include <locale.h>

#include "scenes/write.h"

static struct {
  int seed, train, validation, test, size;
  int seconds, rate, width, height;
  char *kinds;
} options = {1, 40, 15, 15, 200, 12, 25, 640, 360, NULL};

static const GOptionEntry entries[] = {
    {"seed", 0, 0, G_OPTION_ARG_INT, &options.seed, "Seed of everything drawn (1)", "N"},
    {"train", 0, 0, G_OPTION_ARG_INT, &options.train, "Training pictures: of each class (40)", "N"},
    {"validation", 0, 0, G_OPTION_ARG_INT, &options.validation, "Validation pictures (15)", "N"},
    {"test", 0, 0, G_OPTION_ARG_INT, &options.test, "Test pictures (15)", "N"},
    {"size", 0, 0, G_OPTION_ARG_INT, &options.size, "Shorter side of pictures, on average (200)",
     "N"},
    {"kinds", 0, 0, G_OPTION_ARG_STRING, &options.kinds, "What is drawn: set, other or all", "set"},
    {"seconds", 0, 0, G_OPTION_ARG_INT, &options.seconds, "Length of the clip (12)", "N"},
    {"rate", 0, 0, G_OPTION_ARG_INT, &options.rate, "Frames per second of the clip (25)", "N"},
    {"width", 0, 0, G_OPTION_ARG_INT, &options.width, "Width of the clip (640)", "N"},
    {"height", 0, 0, G_OPTION_ARG_INT, &options.height, "Height of the clip (360)", "N"},
    {NULL},
};

static const char summary[] =
    "Commands:\n"
    "  set FOLDER           a labelled set: train|validation|test/CLASS/*.jpg\n"
    "  boxes FOLDER         crowded pictures with boxes, as Pascal VOC\n"
    "  clip FILE TRUTH.csv  a clip (.webm, .mkv, .avi) of moving things and what can be seen in "
    "it\n"
    "  sheet FILE.png       all that can be drawn, on one sheet";

static void
append_kinds (GPtrArray *list, const Kind *kinds, guint n)
{
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (list, (gpointer)&kinds[i]);
}

static KindList
kind_list (GPtrArray *kinds)
{
  return (KindList) {(const Kind *const *)kinds->pdata, kinds->len};
}

/* Those that --kinds names, and all others. */
static gboolean
choose_kinds (GPtrArray *classes, GPtrArray *strangers, GError **error)
{
  const char *name = options.kinds ? options.kinds : "set";
  gboolean all = g_str_equal (name, "all"), set = g_str_equal (name, "set");

  if (!all && !set && !g_str_equal (name, "other")) {
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                 "--kinds: expected set, other or all, got %s", name);
    return FALSE;
  }
  append_kinds (all || set ? classes : strangers, set_kinds, n_set_kinds);
  append_kinds (all || !set ? classes : strangers, other_kinds, n_other_kinds);
  return TRUE;
}

static gboolean
check_options (GError **error)
{
  const struct {
    const char *name;
    int value, low, high;
  } rows[] = {
      {"train", options.train, 0, 999999},   {"validation", options.validation, 0, 999999},
      {"test", options.test, 0, 999999},     {"size", options.size, 32, 2000},
      {"seconds", options.seconds, 1, 3600}, {"rate", options.rate, 1, 120},
      {"width", options.width, 64, 4096},    {"height", options.height, 64, 4096},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    if (rows[i].value >= rows[i].low && rows[i].value <= rows[i].high)
      continue;
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "--%s: expected %d to %d, got %d",
                 rows[i].name, rows[i].low, rows[i].high, rows[i].value);
    return FALSE;
  }
  return TRUE;
}

static gboolean
run (char **arguments, int n, GError **error)
{
  g_autoptr (GPtrArray) classes = g_ptr_array_new (), strangers = g_ptr_array_new ();
  PicturesOptions pictures = {options.seed, options.train, options.validation, options.test};
  ClipOptions clip = {options.seed, options.seconds, options.rate, options.width, options.height};

  if (!check_options (error) || !choose_kinds (classes, strangers, error))
    return FALSE;
  pictures.size = options.size;
  pictures.classes = clip.classes = kind_list (classes);
  pictures.strangers = kind_list (strangers);
  if (n == 2 && g_str_equal (arguments[0], "set"))
    return write_set (arguments[1], &pictures, error);
  if (n == 2 && g_str_equal (arguments[0], "boxes"))
    return write_boxes (arguments[1], &pictures, error);
  if (n == 3 && g_str_equal (arguments[0], "clip"))
    return write_clip (arguments[1], arguments[2], &clip, error);
  if (n == 2 && g_str_equal (arguments[0], "sheet"))
    return write_sheet (arguments[1], options.seed, error);
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "no such command: try --help");
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("COMMAND …");
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  g_option_context_set_summary (context, summary);
  g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_group (context, gst_init_get_option_group ());
  if (g_option_context_parse (context, &argc, &argv, &error) && run (argv + 1, argc - 1, &error))
    return 0;
  g_printerr ("draw-scenes: %s\n", error->message);
  return 1;
}
