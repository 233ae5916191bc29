/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>

#include "ensemble/bundle-private.h"
#include "base/files.h"
#include "ensemble/member-graph.h"
#include "onnx/onnx.h"
#include "train/preprocess-private.h"

char *
ens_preprocess_explain (const EnsPreprocess *preprocess, EnsPreprocessPart part)
{
  const char *reason = preprocess->reasons[part];

  switch (preprocess->certainty[part]) {
  case ENS_CERTAINTY_GIVEN:
    return g_strdup ("as told");
  case ENS_CERTAINTY_STATED:
    return g_strdup_printf ("stated in %s", reason);
  case ENS_CERTAINTY_GRAPH:
    return g_strdup_printf ("found in the graph: %s", reason);
  case ENS_CERTAINTY_GUESS:
    return g_strdup_printf ("guess: %s", reason);
  default:
    return NULL;
  }
}

void
ens_preprocess_free (EnsPreprocess *preprocess)
{
  if (preprocess == NULL)
    return;
  g_strfreev (preprocess->labels);
  g_strfreev (preprocess->taps);
  for (guint p = 0; p < ENS_N_PREPROCESS_PARTS; p++)
    g_free (preprocess->reasons[p]);
  g_ptr_array_unref (preprocess->notes);
  g_free (preprocess);
}

gboolean
ens_preprocess_claim (EnsPreprocess *preprocess, EnsPreprocessPart part, EnsCertainty certainty,
                      const char *format, ...)
{
  va_list arguments;

  if (preprocess->certainty[part] != ENS_CERTAINTY_UNKNOWN)
    return FALSE;
  va_start (arguments, format);
  preprocess->reasons[part] = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  preprocess->certainty[part] = certainty;
  return TRUE;
}

void
ens_preprocess_note (EnsPreprocess *preprocess, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (preprocess->notes, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

/* ---- Setting parts ---- */

static gboolean
claim (const EnsPreprocessSource *source, EnsPreprocessPart part)
{
  return ens_preprocess_claim (source->preprocess, part, source->certainty, "%s", source->name);
}

gboolean
ens_preprocess_set_order (const EnsPreprocessSource *source, const char *name)
{
  static const struct {
    const char *name;
    EnsOrder order;
  } orders[] = {
      {"rgb", ENS_ORDER_RGB},        {"bgr", ENS_ORDER_BGR},   {"gray", ENS_ORDER_GRAY},
      {"grey", ENS_ORDER_GRAY},      {"rgb8", ENS_ORDER_RGB},  {"bgr8", ENS_ORDER_BGR},
      {"gray8", ENS_ORDER_GRAY},     {"rgba8", ENS_ORDER_RGB}, {"bgra8", ENS_ORDER_BGR},
      {"grayscale", ENS_ORDER_GRAY}, {"l", ENS_ORDER_GRAY},
  };

  for (guint i = 0; i < G_N_ELEMENTS (orders); i++)
    if (g_ascii_strcasecmp (name, orders[i].name) == 0) {
      if (claim (source, ENS_PREPROCESS_ORDER))
        source->preprocess->normalise.order = orders[i].order;
      return TRUE;
    }
  ens_preprocess_note (source->preprocess, "%s: “%s” is no order of channels", source->name, name);
  return FALSE;
}

double
ens_preprocess_unit (const double *means, const double *deviations, guint n)
{
  for (guint i = 0; i < n; i++)
    if (fabs (means[i]) > 1 || deviations[i] > 1)
      return 1;
  return 255;
}

gboolean
ens_preprocess_set_range (const EnsPreprocessSource *source, double unit, const double *means,
                          const double *deviations, guint n)
{
  EnsNormalise *normalise = &source->preprocess->normalise;
  gboolean sound = n == 1 || n == 3;

  for (guint i = 0; i < n; i++)
    sound = sound && isfinite (means[i]) && isnormal (deviations[i]);
  if (!sound) {
    ens_preprocess_note (source->preprocess,
                         "%s: expected a mean and a deviation above 0, for all channels or for "
                         "each of three",
                         source->name);
    return FALSE;
  }
  if (!claim (source, ENS_PREPROCESS_RANGE))
    return TRUE;
  for (guint c = 0; c < 3; c++) {
    normalise->mean[c] = (float)(unit * means[n == 1 ? 0 : c]);
    normalise->scale[c] = (float)(1 / (unit * deviations[n == 1 ? 0 : c]));
  }
  return TRUE;
}

void
ens_preprocess_set_size (const EnsPreprocessSource *source, double size)
{
  if (!(size >= 1 && size <= ENS_MAX_SIDE))
    ens_preprocess_note (source->preprocess, "%s: expected a size from 1 to %d, found %g",
                         source->name, ENS_MAX_SIDE, size);
  else if (claim (source, ENS_PREPROCESS_SIZE))
    source->preprocess->size = (guint)size;
}

void
ens_preprocess_set_crop (const EnsPreprocessSource *source, double crop)
{
  if (crop > 0 && crop <= 1 && claim (source, ENS_PREPROCESS_CROP))
    source->preprocess->crop = crop;
}

void
ens_preprocess_set_labels (const EnsPreprocessSource *source, char **labels)
{
  if (labels != NULL && labels[0] != NULL && claim (source, ENS_PREPROCESS_LABELS))
    source->preprocess->labels = labels;
  else
    g_strfreev (labels);
}

void
ens_preprocess_set_taps (const EnsPreprocessSource *source, char **taps)
{
  if (taps != NULL && taps[0] != NULL && claim (source, ENS_PREPROCESS_TAPS))
    source->preprocess->taps = taps;
  else
    g_strfreev (taps);
}

/* ---- The whole ---- */

static void
set_sides (const EnsPreprocessSource *source, gint64 height, gint64 width)
{
  EnsPreprocess *preprocess = source->preprocess;
  gboolean known = preprocess->certainty[ENS_PREPROCESS_SIZE] != ENS_CERTAINTY_UNKNOWN;

  ens_preprocess_set_size (source, (double)MIN (height, width));
  if (known || preprocess->size == 0 || height == width)
    return;
  preprocess->height = (guint)height;
  preprocess->width = (guint)width;
}

/* What the graph's input declares. */
static void
read_declared (EnsPreprocess *preprocess, const EnsGraph *graph)
{
  const EnsPreprocessSource source = {preprocess, ENS_CERTAINTY_STATED,
                                      "the file, as the input's shape"};
  const EnsValue *input = graph->inputs->len > 0 ? graph->inputs->pdata[0] : NULL;

  if (input == NULL || input->shape.rank != 4)
    return;
  if (input->shape.dims[1] > 0 && input->shape.dims[2] > 0)
    set_sides (&source, input->shape.dims[1], input->shape.dims[2]);
  if (input->shape.dims[3] == 1)
    ens_preprocess_set_order (&source, "gray");
}

/* As many as the first output has values; -1 if that is open. */
static gint64
count_outputs (const EnsGraph *graph)
{
  const EnsValue *output = graph->outputs->len > 0 ? graph->outputs->pdata[0] : NULL;

  return output != NULL && output->shape.rank >= 2 ? output->shape.dims[output->shape.rank - 1]
                                                   : -1;
}

/* Labels that belong to another network would give wrong names. */
static void
check_labels (EnsPreprocess *preprocess, const EnsGraph *graph)
{
  guint n = preprocess->labels != NULL ? g_strv_length (preprocess->labels) : 0;
  gint64 expected = count_outputs (graph);

  if (n == 0 || expected < 0 || expected == n)
    return;
  ens_preprocess_note (preprocess,
                       "labels stated in %s: expected one for each of the network's "
                       "%" G_GINT64_FORMAT " outputs, found %u; they are left out",
                       preprocess->reasons[ENS_PREPROCESS_LABELS], expected, n);
  g_clear_pointer (&preprocess->labels, g_strfreev);
  g_clear_pointer (&preprocess->reasons[ENS_PREPROCESS_LABELS], g_free);
  preprocess->certainty[ENS_PREPROCESS_LABELS] = ENS_CERTAINTY_UNKNOWN;
}

/* What the method takes where nobody says. */
static gboolean
set_defaults (EnsPreprocess *preprocess, const char *path, GError **error)
{
  const EnsPreprocessSource size = {preprocess, ENS_CERTAINTY_GUESS, "the usual size"};
  const EnsPreprocessSource taps = {preprocess, ENS_CERTAINTY_GUESS,
                                    "the last layers before a softmax"};
  char **names;

  ens_preprocess_set_size (&size, ENS_STANDARD_SIZE);
  if (preprocess->taps != NULL)
    return TRUE;
  names = ens_member_default_taps (path, preprocess->size, error);
  ens_preprocess_set_taps (&taps, names);
  return names != NULL;
}

EnsPreprocess *
ens_preprocess_find (const char *path, GError **error)
{
  g_autoptr (EnsGraph) graph = ens_onnx_import (path, NULL, error);
  g_autoptr (EnsOnnxAbout) about = graph != NULL ? ens_onnx_about_read (path, error) : NULL;
  g_autoptr (EnsPreprocess) preprocess = NULL;

  if (about == NULL)
    return NULL;
  ens_graph_begin_edit (graph);
  preprocess = g_new0 (EnsPreprocess, 1);
  preprocess->notes = g_ptr_array_new_with_free_func (g_free);
  read_declared (preprocess, graph);
  ens_preprocess_from_files (preprocess, path, graph);
  ens_preprocess_from_properties (preprocess, path, about->properties);
  ens_preprocess_from_graph (preprocess, graph);
  ens_preprocess_from_configs (preprocess, path);
  ens_preprocess_guess (preprocess, graph, about);
  check_labels (preprocess, graph);
  return set_defaults (preprocess, path, error) ? g_steal_pointer (&preprocess) : NULL;
}

/* ---- Texts ---- */

guint
ens_preprocess_parse_numbers (const char *text, double *numbers, guint max)
{
  guint n = 0;

  while (*text != '\0' && n < max) {
    char *end;
    double number = g_ascii_strtod (text, &end);

    if (end == text) {
      text++;
      continue;
    }
    numbers[n++] = number;
    text = end;
  }
  return n;
}

/* A string between quotes; *text moves behind it. (transfer full) */
static char *
take_quoted (const char **text)
{
  char quote = **text;
  GString *taken = g_string_new (NULL);

  for ((*text)++; **text != '\0' && **text != quote; (*text)++) {
    if (**text == '\\' && (*text)[1] != '\0')
      (*text)++;
    g_string_append_c (taken, **text);
  }
  if (**text == quote)
    (*text)++;
  return g_string_free (taken, FALSE);
}

static char **
parse_bracketed (const char *text)
{
  GPtrArray *labels = g_ptr_array_new ();

  while (*text != '\0') {
    char *label;

    if (*text != '"' && *text != '\'') {
      text++;
      continue;
    }
    label = take_quoted (&text);
    text += strspn (text, " \t\r\n");
    /* The key of a dictionary. */
    if (*text == ':')
      g_free (label);
    else
      g_ptr_array_add (labels, label);
  }
  g_ptr_array_add (labels, NULL);
  return (char **)g_ptr_array_free (labels, FALSE);
}

static char **
parse_lines (const char *text, const char *separator)
{
  g_auto (GStrv) lines = g_strsplit (text, separator, -1);
  GPtrArray *labels = g_ptr_array_new ();

  for (guint i = 0; lines[i] != NULL; i++)
    if (*g_strstrip (lines[i]) != '\0')
      g_ptr_array_add (labels, g_strdup (lines[i]));
  g_ptr_array_add (labels, NULL);
  return (char **)g_ptr_array_free (labels, FALSE);
}

char **
ens_preprocess_parse_labels (const char *text)
{
  text += strspn (text, " \t\r\n");
  if (*text == '{' || *text == '[')
    return parse_bracketed (text);
  return parse_lines (text, strchr (text, '\n') != NULL  ? "\n"
                            : strchr (text, ',') != NULL ? ","
                                                         : " ");
}

void
ens_preprocess_read_labels (const EnsPreprocessSource *source, const char *folder, const char *file)
{
  /* Beside the network, and nowhere else. */
  g_autofree char *base = g_path_get_basename (file);
  g_autofree char *path = g_build_filename (folder, base, NULL);
  g_autoptr (GError) error = NULL;
  gsize size;
  g_autofree char *text = ens_file_read (path, &size, &error);

  if (text == NULL)
    ens_preprocess_note (source->preprocess, "labels stated in %s: %s", source->name,
                         error->message);
  else if (!g_utf8_validate (text, -1, NULL))
    ens_preprocess_note (source->preprocess, "labels stated in %s: expected UTF-8 in %s",
                         source->name, path);
  else
    ens_preprocess_set_labels (source, parse_lines (text, "\n"));
}
