/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files beside a network that say what its images look like.
 *
 * Source: GstAnalyticsModelInfo of GStreamer 1.28, for .modelinfo.
 */
#include <math.h>
#include <string.h>

#include "train/preprocess-json.h"
#include "train/preprocess-private.h"

/* What is being read. */
typedef struct {
  EnsPreprocessSource source;
  const char *folder;
  const char *file; /* the network's, without folder */
  const EnsGraph *graph;
} Reading;

/* ---- networks.json ---- */

static void
read_labels (Reading *reading, JsonNode *node)
{
  const char *file = ens_preprocess_json_text (node);

  if (file != NULL)
    ens_preprocess_read_labels (&reading->source, reading->folder, file);
  else
    ens_preprocess_set_labels (&reading->source, ens_preprocess_json_strings (node));
}

static void
read_network_range (Reading *reading, JsonObject *object)
{
  JsonNode *mean = ENS_PREPROCESS_FIND (object, "mean"),
           *scale = ENS_PREPROCESS_FIND (object, "scale");
  JsonNode *deviation = ENS_PREPROCESS_FIND (object, "std", "deviation");
  const EnsPreprocessSource *source = &reading->source;
  EnsPreprocessRange range;

  if (mean == NULL)
    return;
  if (deviation != NULL && ens_preprocess_json_range (mean, deviation, &range)) {
    ens_preprocess_set_range (source, ens_preprocess_unit (range.means, range.deviations, range.n),
                              range.means, range.deviations, range.n);
  } else if (scale != NULL && ens_preprocess_json_range (mean, scale, &range)) {
    for (guint c = 0; c < range.n; c++)
      range.deviations[c] = 1 / range.deviations[c];
    ens_preprocess_set_range (source, 1, range.means, range.deviations, range.n);
  } else {
    ens_preprocess_note (source->preprocess,
                         "%s: mean: expected one or three numbers, and as many for scale or std",
                         source->name);
  }
}

static void
read_network_size (Reading *reading, JsonObject *object)
{
  double size, shape[4];
  JsonNode *dims = ENS_PREPROCESS_FIND (object, "shape");
  gboolean square = FALSE;

  if (ens_preprocess_json_numbers (ENS_PREPROCESS_FIND (object, "size"), &size, 1) == 1)
    ens_preprocess_set_size (&reading->source, size);
  if (dims == NULL || !JSON_NODE_HOLDS_ARRAY (dims)
      || json_array_get_length (json_node_get_array (dims)) != 4)
    return;
  /* The batch may be a letter. */
  for (guint i = 1; i < 4; i++)
    if (ens_preprocess_json_numbers (json_array_get_element (json_node_get_array (dims), i),
                                     &shape[i], 1)
        != 1)
      return;
  square = shape[2] == shape[3] || shape[1] == shape[2];
  if (square)
    ens_preprocess_set_size (&reading->source, shape[2]);
}

static void
read_network_object (Reading *reading, JsonObject *object)
{
  const char *order = ens_preprocess_json_text (
      ENS_PREPROCESS_FIND (object, "order", "channel order", "channel_order", "color_format"));
  double crop;

  if (order != NULL)
    ens_preprocess_set_order (&reading->source, order);
  read_network_range (reading, object);
  read_network_size (reading, object);
  if (ens_preprocess_json_numbers (ENS_PREPROCESS_FIND (object, "crop", "crop_pct"), &crop, 1) == 1)
    ens_preprocess_set_crop (&reading->source, crop);
  if (ENS_PREPROCESS_FIND (object, "labels") != NULL)
    read_labels (reading, ENS_PREPROCESS_FIND (object, "labels"));
  ens_preprocess_set_taps (&reading->source,
                           ens_preprocess_json_strings (ENS_PREPROCESS_FIND (object, "taps")));
}

/* The parts may stand in objects of their own. */
static void
read_network (Reading *reading, JsonObject *object)
{
  static const char *const parts[] = {"input", "output", "preprocessing"};

  read_network_object (reading, object);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    JsonObject *part = ens_preprocess_json_object (object, parts[i]);

    if (part != NULL)
      read_network_object (reading, part);
  }
}

static gboolean
is_about (const Reading *reading, JsonObject *object)
{
  const char *file = ens_preprocess_json_text (ENS_PREPROCESS_FIND (object, "file"));
  g_autofree char *base = file != NULL ? g_path_get_basename (file) : NULL;

  return g_strcmp0 (base, reading->file) == 0;
}

static void
read_list (Reading *reading, JsonObject *root)
{
  JsonNode *list = ENS_PREPROCESS_FIND (root, "networks");
  JsonArray *array;

  if (list == NULL || !JSON_NODE_HOLDS_ARRAY (list))
    return;
  array = json_node_get_array (list);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    JsonNode *node = json_array_get_element (array, i);

    if (JSON_NODE_HOLDS_OBJECT (node) && is_about (reading, json_node_get_object (node)))
      read_network (reading, json_node_get_object (node));
  }
}

/* A network's own file describes it alone, or lists it, as one that training takes. */
static void
read_own (Reading *reading, JsonObject *root)
{
  if (ENS_PREPROCESS_FIND (root, "networks") != NULL)
    read_list (reading, root);
  else
    read_network (reading, root);
}

/* ---- .modelinfo ---- */

/* The section of the network's input. (transfer full) */
static char *
find_input_section (const Reading *reading, GKeyFile *file)
{
  const EnsValue *input = reading->graph->inputs->len > 0 ? reading->graph->inputs->pdata[0] : NULL;
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);

  if (input != NULL && g_key_file_has_group (file, input->name))
    return g_strdup (input->name);
  for (guint i = 0; groups[i] != NULL; i++) {
    g_autofree char *direction = g_key_file_get_string (file, groups[i], "dir", NULL);

    if (g_strcmp0 (direction, "input") == 0)
      return g_strdup (groups[i]);
  }
  return NULL;
}

/* "MIN,MAX;MIN,MAX;MIN,MAX": what 0 and 255 become, for each channel or for all. */
static void
read_modelinfo_ranges (Reading *reading, const char *text)
{
  double numbers[7], means[3], deviations[3];
  guint n = ens_preprocess_parse_numbers (text, numbers, G_N_ELEMENTS (numbers)) / 2;

  if (n == 0 || n > 3) {
    ens_preprocess_note (reading->source.preprocess,
                         "%s: ranges: expected MIN,MAX pairs for one or three channels, found “%s”",
                         reading->source.name, text);
    return;
  }
  for (guint i = 0; i < n; i++) {
    double scale = (numbers[2 * i + 1] - numbers[2 * i]) / 255;

    deviations[i] = 1 / scale;
    means[i] = -numbers[2 * i] / scale;
  }
  ens_preprocess_set_range (&reading->source, 1, means, deviations, n);
}

/* Sizes in ONNX's order or in TensorFlow's. */
static void
read_modelinfo_dims (Reading *reading, const char *text)
{
  double dims[5];

  if (ens_preprocess_parse_numbers (text, dims, G_N_ELEMENTS (dims)) != 4)
    return;
  if (dims[2] > 0 && (dims[2] == dims[3] || dims[1] == dims[2]))
    ens_preprocess_set_size (&reading->source, dims[2]);
}

static void
read_modelinfo (Reading *reading, GKeyFile *file)
{
  g_autofree char *version = g_key_file_get_string (file, "modelinfo", "version", NULL);
  g_autofree char *section = find_input_section (reading, file);
  g_autofree char *ranges = NULL, *dims = NULL;

  if (version != NULL && !g_str_has_prefix (version, "1.")) {
    ens_preprocess_note (reading->source.preprocess,
                         "%s: expected version 1 of GStreamer's modelinfo, found “%s”",
                         reading->source.name, version);
    return;
  }
  if (section == NULL) {
    ens_preprocess_note (reading->source.preprocess, "%s: has no section for an input",
                         reading->source.name);
    return;
  }
  ranges = g_key_file_get_string (file, section, "ranges", NULL);
  dims = g_key_file_get_string (file, section, "dims", NULL);
  if (ranges != NULL)
    read_modelinfo_ranges (reading, ranges);
  if (dims != NULL)
    read_modelinfo_dims (reading, dims);
}

/* ---- Files ---- */

static void
try_modelinfo (Reading *reading, const char *path)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return;
  if (g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &error))
    read_modelinfo (reading, file);
  else
    ens_preprocess_note (reading->source.preprocess, "%s: %s", reading->source.name,
                         error->message);
}

static void
try_json (Reading *reading, const char *path, void (*read) (Reading *reading, JsonObject *root))
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonObject *root = ens_preprocess_json_load (&reading->source, parser, path);

  if (root != NULL)
    read (reading, root);
}

void
ens_preprocess_from_files (EnsPreprocess *preprocess, const char *path, const EnsGraph *graph)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *file = g_path_get_basename (path);
  const char *dot = strrchr (file, '.');
  g_autofree char *stem = dot != NULL ? g_strndup (file, (gsize)(dot - file)) : g_strdup (file);
  g_autofree char *own = g_strconcat (stem, ".json", NULL);
  g_autofree char *own_path = g_build_filename (folder, own, NULL);
  g_autofree char *list_path = g_build_filename (folder, "networks.json", NULL);
  g_autofree char *long_name = g_strconcat (file, ".modelinfo", NULL);
  g_autofree char *long_path = g_build_filename (folder, long_name, NULL);
  g_autofree char *short_name = g_strconcat (stem, ".modelinfo", NULL);
  g_autofree char *short_path = g_build_filename (folder, short_name, NULL);
  Reading reading = {{preprocess, ENS_CERTAINTY_STATED, own}, folder, file, graph};

  try_json (&reading, own_path, read_own);
  reading.source.name = "networks.json";
  try_json (&reading, list_path, read_list);
  reading.source.name = long_name;
  try_modelinfo (&reading, long_path);
  reading.source.name = short_name;
  try_modelinfo (&reading, short_path);
}
