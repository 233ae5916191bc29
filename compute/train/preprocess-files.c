/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files beside a network that say what its images look like.
 *
 * Sources: GstAnalyticsModelInfo of GStreamer 1.28, for .modelinfo; the image processors of Hugging
 * Face's transformers, for preprocessor_config.json; the pretrained_cfg of timm, for config.json.
 */
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "base/files.h"
#include "base/json-scan.h"
#include "train/preprocess-private.h"

/* More is no description of a network. */
#define MAX_JSON_SIZE (4 << 20)

/* What is being read. */
typedef struct {
  EnsPreprocessSource source;
  const char *folder;
  const char *file; /* the network's, without folder */
  const EnsGraph *graph;
} Reading;

/* ---- JSON, of which only known members are read ---- */

/* A member of one of these names, up to a NULL. What stands in parentheses behind a name is for
 * people: "mean (of 0..255 values)". */
static JsonNode *
find_member (JsonObject *object, const char *const *names)
{
  g_autoptr (GList) members = json_object_get_members (object);

  for (; *names != NULL; names++)
    for (GList *link = members; link != NULL; link = link->next) {
      const char *member = link->data;
      gsize length = strlen (*names);

      if (g_ascii_strncasecmp (member, *names, length) == 0
          && (member[length] == '\0' || g_str_has_prefix (member + length, " (")))
        return json_object_get_member (object, member);
    }
  return NULL;
}

#define FIND(object, ...) find_member (object, (const char *const[]) {__VA_ARGS__, NULL})

static JsonObject *
find_object (JsonObject *object, const char *name)
{
  JsonNode *node = FIND (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static gboolean
is_number (JsonNode *node)
{
  return node != NULL
         && (json_node_get_value_type (node) == G_TYPE_INT64
             || json_node_get_value_type (node) == G_TYPE_DOUBLE);
}

static const char *
get_text (JsonNode *node)
{
  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING
             ? json_node_get_string (node)
             : NULL;
}

/* A number or an array of them; 0 if it is something else. */
static guint
get_numbers (JsonNode *node, double *numbers, guint max)
{
  JsonArray *array;
  guint n;

  if (is_number (node)) {
    numbers[0] = json_node_get_double (node);
    return 1;
  }
  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return 0;
  array = json_node_get_array (node);
  n = MIN (json_array_get_length (array), max);
  for (guint i = 0; i < n; i++) {
    if (!is_number (json_array_get_element (array, i)))
      return 0;
    numbers[i] = json_node_get_double (json_array_get_element (array, i));
  }
  return n;
}

/* NULL if it is no array of strings. (transfer full) */
static char **
get_strings (JsonNode *node)
{
  g_autoptr (GPtrArray) strings = g_ptr_array_new_with_free_func (g_free);
  JsonArray *array;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return NULL;
  array = json_node_get_array (node);
  for (guint i = 0; i < json_array_get_length (array); i++) {
    const char *text = get_text (json_array_get_element (array, i));

    if (text == NULL)
      return NULL;
    g_ptr_array_add (strings, g_strdup (text));
  }
  g_ptr_array_add (strings, NULL);
  return (char **)g_ptr_array_steal (strings, NULL);
}

/* Means and deviations, each a number or three. */
typedef struct {
  double means[3], deviations[3];
  guint n;
} Range;

static gboolean
spread (const double *values, guint n, double *into)
{
  if (n != 1 && n != 3)
    return FALSE;
  for (guint c = 0; c < 3; c++)
    into[c] = values[n == 1 ? 0 : c];
  return TRUE;
}

static gboolean
read_range (JsonNode *mean, JsonNode *deviation, Range *range)
{
  double values[4];

  range->n = 3;
  return spread (values, get_numbers (mean, values, 4), range->means)
         && spread (values, get_numbers (deviation, values, 4), range->deviations);
}

/* ---- networks.json ---- */

static void
read_labels (Reading *reading, JsonNode *node)
{
  const char *file = get_text (node);

  if (file != NULL)
    ens_preprocess_read_labels (&reading->source, reading->folder, file);
  else
    ens_preprocess_set_labels (&reading->source, get_strings (node));
}

static void
read_network_range (Reading *reading, JsonObject *object)
{
  JsonNode *mean = FIND (object, "mean"), *scale = FIND (object, "scale");
  JsonNode *deviation = FIND (object, "std", "deviation");
  const EnsPreprocessSource *source = &reading->source;
  Range range;

  if (mean == NULL)
    return;
  if (deviation != NULL && read_range (mean, deviation, &range)) {
    ens_preprocess_set_range (source, ens_preprocess_unit (range.means, range.deviations, range.n),
                              range.means, range.deviations, range.n);
  } else if (scale != NULL && read_range (mean, scale, &range)) {
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
  JsonNode *dims = FIND (object, "shape");
  gboolean square = FALSE;

  if (get_numbers (FIND (object, "size"), &size, 1) == 1)
    ens_preprocess_set_size (&reading->source, size);
  if (dims == NULL || !JSON_NODE_HOLDS_ARRAY (dims)
      || json_array_get_length (json_node_get_array (dims)) != 4)
    return;
  /* The batch may be a letter. */
  for (guint i = 1; i < 4; i++)
    if (get_numbers (json_array_get_element (json_node_get_array (dims), i), &shape[i], 1) != 1)
      return;
  square = shape[2] == shape[3] || shape[1] == shape[2];
  if (square)
    ens_preprocess_set_size (&reading->source, shape[2]);
}

static void
read_network_object (Reading *reading, JsonObject *object)
{
  const char *order =
      get_text (FIND (object, "order", "channel order", "channel_order", "color_format"));
  double crop;

  if (order != NULL)
    ens_preprocess_set_order (&reading->source, order);
  read_network_range (reading, object);
  read_network_size (reading, object);
  if (get_numbers (FIND (object, "crop", "crop_pct"), &crop, 1) == 1)
    ens_preprocess_set_crop (&reading->source, crop);
  if (FIND (object, "labels") != NULL)
    read_labels (reading, FIND (object, "labels"));
  ens_preprocess_set_taps (&reading->source, get_strings (FIND (object, "taps")));
}

/* The parts may stand in objects of their own. */
static void
read_network (Reading *reading, JsonObject *object)
{
  static const char *const parts[] = {"input", "output", "preprocessing"};

  read_network_object (reading, object);
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    JsonObject *part = find_object (object, parts[i]);

    if (part != NULL)
      read_network_object (reading, part);
  }
}

static gboolean
is_about (const Reading *reading, JsonObject *object)
{
  const char *file = get_text (FIND (object, "file"));
  g_autofree char *base = file != NULL ? g_path_get_basename (file) : NULL;

  return g_strcmp0 (base, reading->file) == 0;
}

static void
read_list (Reading *reading, JsonObject *root)
{
  JsonNode *list = FIND (root, "networks");
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
  if (FIND (root, "networks") != NULL)
    read_list (reading, root);
  else
    read_network (reading, root);
}

/* ---- Hugging Face and timm ---- */

/* Says which members of a configuration have an effect that is not had here. read, silent: names up
 * to a NULL; silent ones describe, and have none. */
static void
note_ignored (const Reading *reading, JsonObject *object, const char *const *read,
              const char *const *silent)
{
  g_autoptr (GList) members = json_object_get_members (object);
  g_autoptr (GString) ignored = g_string_new (NULL);

  for (GList *link = members; link != NULL; link = link->next) {
    JsonNode *node = json_object_get_member (object, link->data);

    if (g_strv_contains (read, link->data) || g_strv_contains (silent, link->data)
        || JSON_NODE_HOLDS_NULL (node))
      continue;
    g_string_append_printf (ignored, "%s%s", ignored->len > 0 ? ", " : "",
                            (const char *)link->data);
    if (ignored->len > 400)
      break;
  }
  if (ignored->len > 0)
    ens_preprocess_note (reading->source.preprocess, "%s: not used: %s", reading->source.name,
                         ignored->str);
}

/* FALSE, and said so, if the network prepares its pixels itself: what was done for it in training
 * is in the graph then, and must not be done twice. */
static gboolean
may_set_range (const Reading *reading)
{
  EnsPreprocess *preprocess = reading->source.preprocess;

  if (preprocess->certainty[ENS_PREPROCESS_RANGE] != ENS_CERTAINTY_GRAPH)
    return TRUE;
  ens_preprocess_note (preprocess, "%s: its mean and deviation are not applied, because %s",
                       reading->source.name, preprocess->reasons[ENS_PREPROCESS_RANGE]);
  return FALSE;
}

/* {"height": 224, "width": 224}, {"shortest_edge": 256} or 224; 0: none of them. */
static double
read_edge (JsonNode *node)
{
  double size;

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    node = FIND (json_node_get_object (node), "height", "shortest_edge");
  return get_numbers (node, &size, 1) == 1 ? size : 0;
}

static gboolean
is_boolean (JsonObject *root, const char *name, gboolean value)
{
  JsonNode *node = FIND (root, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN
         && json_node_get_boolean (node) == value;
}

/* Pictures are scaled to `size`, of which the middle `crop` is what the network takes. */
static void
read_processor_size (Reading *reading, JsonObject *root)
{
  double size = is_boolean (root, "do_resize", FALSE) ? 0 : read_edge (FIND (root, "size"));
  double crop =
      is_boolean (root, "do_center_crop", FALSE) ? 0 : read_edge (FIND (root, "crop_size"));
  double share = 0;

  if (crop > 0)
    ens_preprocess_set_size (&reading->source, crop);
  if (crop > 0 && size > crop)
    ens_preprocess_set_crop (&reading->source, crop / size);
  if (size > 0)
    ens_preprocess_set_size (&reading->source, size);
  if (get_numbers (FIND (root, "crop_pct"), &share, 1) == 1)
    ens_preprocess_set_crop (&reading->source, share);
}

/* x · factor, less 1 with an offset, less the mean, by the deviation. */
static void
read_processor_range (Reading *reading, JsonObject *root)
{
  Range range = {{0, 0, 0}, {1, 1, 1}, 3};
  double factor = 1.0 / 255;
  gboolean offset = is_boolean (root, "rescale_offset", TRUE) || is_boolean (root, "offset", TRUE);

  if (is_boolean (root, "do_rescale", FALSE))
    factor = 1;
  else
    get_numbers (FIND (root, "rescale_factor"), &factor, 1);
  if (!is_boolean (root, "do_normalize", FALSE)
      && !read_range (FIND (root, "image_mean"), FIND (root, "image_std"), &range))
    return;
  for (guint c = 0; c < range.n && offset; c++)
    range.means[c] += 1;
  if (may_set_range (reading) && factor > 0)
    ens_preprocess_set_range (&reading->source, 1 / factor, range.means, range.deviations, range.n);
}

static void
read_processor (Reading *reading, JsonObject *root)
{
  static const char *const read[] = {
      "do_resize",  "size",           "do_center_crop",        "crop_size", "crop_pct",
      "do_rescale", "rescale_factor", "rescale_offset",        "offset",    "do_normalize",
      "image_mean", "image_std",      "do_flip_channel_order", NULL};
  static const char *const silent[] = {
      "image_processor_type",  "feature_extractor_type", "processor_class",
      "_valid_processor_keys", "do_convert_rgb",         "data_format",
      "input_data_format",     "return_tensors",         "device",
      "disable_grouping",      "default_to_square",      NULL};

  if (FIND (root, "image_mean") == NULL && FIND (root, "do_rescale") == NULL
      && FIND (root, "size") == NULL)
    return;
  read_processor_range (reading, root);
  ens_preprocess_set_order (&reading->source,
                            is_boolean (root, "do_flip_channel_order", TRUE) ? "bgr" : "rgb");
  read_processor_size (reading, root);
  note_ignored (reading, root, read, silent);
}

/* timm's pretrained_cfg. */
static void
read_timm (Reading *reading, JsonObject *config)
{
  static const char *const read[] = {"mean", "std", "input_size", "crop_pct", NULL};
  static const char *const silent[] = {
      "tag",         "custom_load", "fixed_input_size", "num_classes",  "pool_size",
      "first_conv",  "classifier",  "license",          "origin_url",   "paper_ids",
      "paper_name",  "url",         "hf_hub_id",        "architecture", "file",
      "source",      "notes",       "min_input_size",   "label_offset", "hf_hub_filename",
      "description", NULL};
  Range range;
  double size[3], crop;

  if (read_range (FIND (config, "mean"), FIND (config, "std"), &range)) {
    if (may_set_range (reading))
      ens_preprocess_set_range (&reading->source, 255, range.means, range.deviations, range.n);
    ens_preprocess_set_order (&reading->source, "rgb");
  }
  if (get_numbers (FIND (config, "input_size"), size, 3) == 3)
    ens_preprocess_set_size (&reading->source, MIN (size[1], size[2]));
  if (get_numbers (FIND (config, "crop_pct"), &crop, 1) == 1)
    ens_preprocess_set_crop (&reading->source, crop);
  note_ignored (reading, config, read, silent);
}

/* {"0": "tench", "1": …}: NULL if a number is missing. (transfer full) */
static char **
read_numbered_labels (JsonObject *object)
{
  guint n = object != NULL ? json_object_get_size (object) : 0;
  g_auto (GStrv) labels = g_new0 (char *, n + 1);

  for (guint i = 0; i < n; i++) {
    g_autofree char *number = g_strdup_printf ("%u", i);
    JsonNode *node = json_object_get_member (object, number);

    if (get_text (node) == NULL)
      return NULL;
    labels[i] = g_strdup (get_text (node));
  }
  return n > 0 ? g_steal_pointer (&labels) : NULL;
}

/* config.json: of timm's networks, with pretrained_cfg, or of transformers'. */
static void
read_config (Reading *reading, JsonObject *root)
{
  JsonObject *config = find_object (root, "pretrained_cfg");
  JsonObject *vision = find_object (root, "vision_config");
  double size[2];

  if (config != NULL)
    read_timm (reading, config);
  if (vision == NULL)
    vision = root;
  if (get_numbers (FIND (vision, "image_size"), size, 2) > 0)
    ens_preprocess_set_size (&reading->source, size[0]);
  ens_preprocess_set_labels (&reading->source, get_strings (FIND (root, "label_names")));
  ens_preprocess_set_labels (&reading->source,
                             read_numbered_labels (find_object (root, "id2label")));
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

/* The file's root, or NULL, with a note if there is such a file. */
static JsonNode *
parse_json (const Reading *reading, JsonParser *parser, const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gsize size;
  EnsJsonScan scan;

  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return NULL;
  text = ens_file_read_text (path, &size, &error);
  if (text != NULL && size > MAX_JSON_SIZE)
    g_set_error (&error, ENS_ERROR, ENS_ERROR_FORMAT, "over %d bytes", MAX_JSON_SIZE);
  if (error == NULL) {
    ens_json_scan_init (&scan, reading->source.name, text, size);
    ens_json_scan_skip (&scan);
    ens_json_scan_finish (&scan, &error);
  }
  if (error == NULL)
    json_parser_load_from_data (parser, text, (gssize)size, &error);
  if (error != NULL)
    ens_preprocess_note (reading->source.preprocess, "%s: %s", reading->source.name,
                         error->message);
  return error == NULL ? json_parser_get_root (parser) : NULL;
}

static void
try_json (Reading *reading, const char *path, void (*read) (Reading *reading, JsonObject *root))
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonNode *root = parse_json (reading, parser, path);

  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    read (reading, json_node_get_object (root));
}

/* Weights of Hugging Face often lie in a folder of their own, "onnx". */
static void
try_around (Reading *reading, const char *name, void (*read) (Reading *reading, JsonObject *root))
{
  g_autofree char *beside = g_build_filename (reading->folder, name, NULL);
  g_autofree char *above = g_build_filename (reading->folder, "..", name, NULL);
  g_autofree char *canonical = g_canonicalize_filename (reading->folder, NULL);

  reading->source.name = name;
  try_json (reading, beside, read);
  if (g_str_has_suffix (canonical, G_DIR_SEPARATOR_S "onnx"))
    try_json (reading, above, read);
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

void
ens_preprocess_from_configs (EnsPreprocess *preprocess, const char *path, const EnsGraph *graph)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *file = g_path_get_basename (path);
  Reading reading = {{preprocess, ENS_CERTAINTY_STATED, NULL}, folder, file, graph};

  try_around (&reading, "preprocessor_config.json", read_processor);
  try_around (&reading, "config.json", read_config);
}
