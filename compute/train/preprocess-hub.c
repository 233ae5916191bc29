/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configurations of networks from hubs: how they were trained.
 *
 * Sources: the image processors of Hugging Face's transformers, for preprocessor_config.json; the
 * pretrained_cfg of timm, for config.json.
 */
#include "train/preprocess-json.h"
#include "train/preprocess-private.h"

/* Says which members of a configuration have an effect that is not had here. read, silent: names up
 * to a NULL; silent ones describe, and have none. */
static void
note_ignored (const EnsPreprocessSource *source, JsonObject *object, const char *const *read,
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
    ens_preprocess_note (source->preprocess, "%s: not used: %s", source->name, ignored->str);
}

/* FALSE, and said so, if the network prepares its pixels itself: what was done for it in training
 * is in the graph then, and must not be done twice. */
static gboolean
may_set_range (const EnsPreprocessSource *source)
{
  EnsPreprocess *preprocess = source->preprocess;

  if (preprocess->certainty[ENS_PREPROCESS_RANGE] != ENS_CERTAINTY_GRAPH)
    return TRUE;
  ens_preprocess_note (preprocess, "%s: its mean and deviation are not applied, because %s",
                       source->name, preprocess->reasons[ENS_PREPROCESS_RANGE]);
  return FALSE;
}

/* {"height": 224, "width": 224}, {"shortest_edge": 256} or 224; 0: none of them. */
static double
read_edge (JsonNode *node)
{
  double size;

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    node = ENS_PREPROCESS_FIND (json_node_get_object (node), "height", "shortest_edge");
  return ens_preprocess_json_numbers (node, &size, 1) == 1 ? size : 0;
}

static gboolean
is_boolean (JsonObject *root, const char *name, gboolean value)
{
  JsonNode *node = ENS_PREPROCESS_FIND (root, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_BOOLEAN
         && json_node_get_boolean (node) == value;
}

/* Pictures are scaled to `size`, of which the middle `crop` is what the network takes. */
static void
read_processor_size (const EnsPreprocessSource *source, JsonObject *root)
{
  double size =
      is_boolean (root, "do_resize", FALSE) ? 0 : read_edge (ENS_PREPROCESS_FIND (root, "size"));
  double crop = is_boolean (root, "do_center_crop", FALSE)
                    ? 0
                    : read_edge (ENS_PREPROCESS_FIND (root, "crop_size"));
  double share = 0;

  if (crop > 0)
    ens_preprocess_set_size (source, crop);
  if (crop > 0 && size > crop)
    ens_preprocess_set_crop (source, crop / size);
  if (size > 0)
    ens_preprocess_set_size (source, size);
  if (ens_preprocess_json_numbers (ENS_PREPROCESS_FIND (root, "crop_pct"), &share, 1) == 1)
    ens_preprocess_set_crop (source, share);
}

/* x · factor, less 1 with an offset, less the mean, by the deviation. */
static void
read_processor_range (const EnsPreprocessSource *source, JsonObject *root)
{
  EnsPreprocessRange range = {{0, 0, 0}, {1, 1, 1}, 3};
  double factor = 1.0 / 255;
  gboolean offset = is_boolean (root, "rescale_offset", TRUE) || is_boolean (root, "offset", TRUE);

  if (is_boolean (root, "do_rescale", FALSE))
    factor = 1;
  else
    ens_preprocess_json_numbers (ENS_PREPROCESS_FIND (root, "rescale_factor"), &factor, 1);
  if (!is_boolean (root, "do_normalize", FALSE)
      && !ens_preprocess_json_range (ENS_PREPROCESS_FIND (root, "image_mean"),
                                     ENS_PREPROCESS_FIND (root, "image_std"), &range))
    return;
  for (guint c = 0; c < range.n && offset; c++)
    range.means[c] += 1;
  if (may_set_range (source) && factor > 0)
    ens_preprocess_set_range (source, 1 / factor, range.means, range.deviations, range.n);
}

static void
read_processor (const EnsPreprocessSource *source, JsonObject *root)
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

  if (ENS_PREPROCESS_FIND (root, "image_mean") == NULL
      && ENS_PREPROCESS_FIND (root, "do_rescale") == NULL
      && ENS_PREPROCESS_FIND (root, "size") == NULL)
    return;
  read_processor_range (source, root);
  ens_preprocess_set_order (source,
                            is_boolean (root, "do_flip_channel_order", TRUE) ? "bgr" : "rgb");
  read_processor_size (source, root);
  note_ignored (source, root, read, silent);
}

/* timm's pretrained_cfg. */
static void
read_timm (const EnsPreprocessSource *source, JsonObject *config)
{
  static const char *const read[] = {"mean", "std", "input_size", "crop_pct", NULL};
  static const char *const silent[] = {
      "tag",         "custom_load", "fixed_input_size", "num_classes",  "pool_size",
      "first_conv",  "classifier",  "license",          "origin_url",   "paper_ids",
      "paper_name",  "url",         "hf_hub_id",        "architecture", "file",
      "source",      "notes",       "min_input_size",   "label_offset", "hf_hub_filename",
      "description", NULL};
  EnsPreprocessRange range;
  double size[3], crop;

  if (ens_preprocess_json_range (ENS_PREPROCESS_FIND (config, "mean"),
                                 ENS_PREPROCESS_FIND (config, "std"), &range)) {
    if (may_set_range (source))
      ens_preprocess_set_range (source, 255, range.means, range.deviations, range.n);
    ens_preprocess_set_order (source, "rgb");
  }
  if (ens_preprocess_json_numbers (ENS_PREPROCESS_FIND (config, "input_size"), size, 3) == 3)
    ens_preprocess_set_size (source, MIN (size[1], size[2]));
  if (ens_preprocess_json_numbers (ENS_PREPROCESS_FIND (config, "crop_pct"), &crop, 1) == 1)
    ens_preprocess_set_crop (source, crop);
  note_ignored (source, config, read, silent);
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

    if (ens_preprocess_json_text (node) == NULL)
      return NULL;
    labels[i] = g_strdup (ens_preprocess_json_text (node));
  }
  return n > 0 ? g_steal_pointer (&labels) : NULL;
}

/* config.json: of timm's networks, with pretrained_cfg, or of transformers'. */
static void
read_config (const EnsPreprocessSource *source, JsonObject *root)
{
  JsonObject *config = ens_preprocess_json_object (root, "pretrained_cfg");
  JsonObject *vision = ens_preprocess_json_object (root, "vision_config");
  double size[2];

  if (config != NULL)
    read_timm (source, config);
  if (vision == NULL)
    vision = root;
  if (ens_preprocess_json_numbers (ENS_PREPROCESS_FIND (vision, "image_size"), size, 2) > 0)
    ens_preprocess_set_size (source, size[0]);
  ens_preprocess_set_labels (
      source, ens_preprocess_json_strings (ENS_PREPROCESS_FIND (root, "label_names")));
  ens_preprocess_set_labels (source,
                             read_numbered_labels (ens_preprocess_json_object (root, "id2label")));
}

/* Weights of Hugging Face often lie in a folder of their own, "onnx". */
static void
try_around (EnsPreprocess *preprocess, const char *folder, const char *name,
            void (*read) (const EnsPreprocessSource *source, JsonObject *root))
{
  const EnsPreprocessSource source = {preprocess, ENS_CERTAINTY_STATED, name};
  g_autofree char *canonical = g_canonicalize_filename (folder, NULL);
  const gboolean above = g_str_has_suffix (canonical, G_DIR_SEPARATOR_S "onnx");
  const char *const folders[] = {".", above ? ".." : NULL};

  for (guint i = 0; i < G_N_ELEMENTS (folders) && folders[i] != NULL; i++) {
    g_autofree char *path = g_build_filename (folder, folders[i], name, NULL);
    g_autoptr (JsonParser) parser = json_parser_new_immutable ();
    JsonObject *root = ens_preprocess_json_load (&source, parser, path);

    if (root != NULL)
      read (&source, root);
  }
}

void
ens_preprocess_from_configs (EnsPreprocess *preprocess, const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);

  try_around (preprocess, folder, "preprocessor_config.json", read_processor);
  try_around (preprocess, folder, "config.json", read_config);
}
