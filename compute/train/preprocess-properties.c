/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What exporters write into a file's metadata_props.
 *
 * Sources: onnx/docs/MetadataProps.md for Image.*; the export of Azure Custom Vision for
 * CustomVision.*; the exporter of Ultralytics for imgsz, names and task. */
#include <string.h>

#include "train/preprocess-private.h"

typedef struct {
  EnsPreprocessSource source;
  GHashTable *properties; /* keys in lower case */
  char name[64];          /* of the source */
} Reading;

/* The first of the keys that the file has, whose name becomes the source's. */
static const char *
find (Reading *reading, const char *const *keys)
{
  for (; *keys != NULL; keys++) {
    const char *text = g_hash_table_lookup (reading->properties, *keys);

    if (text == NULL)
      continue;
    g_snprintf (reading->name, sizeof reading->name, "the file, as “%s”", *keys);
    return text;
  }
  return NULL;
}

#define FIND(reading, ...) find (reading, (const char *const[]) {__VA_ARGS__, NULL})

/* ---- Range ---- */

/* What values 0 … 255 become: (value - mean) * scale. */
typedef struct {
  const char *name;
  double mean, scale;
} NominalRange;

static const NominalRange *
find_nominal_range (const char *name)
{
  static const NominalRange ranges[] = {
      {"nominalrange_0_255", 0, 1},
      {"normalized_0_1", 0, 1.0 / 255},
      {"normalized_1_1", 127.5, 1 / 127.5},
      {"nominalrange_16_235", -16 * 255.0 / 219, 219.0 / 255},
  };

  for (guint i = 0; name != NULL && i < G_N_ELEMENTS (ranges); i++)
    if (g_ascii_strcasecmp (name, ranges[i].name) == 0)
      return &ranges[i];
  return NULL;
}

static guint
parse_three (const char *text, double *numbers)
{
  double found[4];
  guint n = text != NULL ? ens_preprocess_parse_numbers (text, found, 4) : 0;

  if (n != 1 && n != 3)
    return 0;
  for (guint c = 0; c < 3; c++)
    numbers[c] = found[n == 1 ? 0 : c];
  return 3;
}

/* Custom Vision subtracts and divides after that. */
static void
read_nominal_range (Reading *reading)
{
  double means[3] = {0, 0, 0}, deviations[3] = {1, 1, 1};
  const char *name;
  const NominalRange *range;

  parse_three (FIND (reading, "customvision.preprocess.normalizemean"), means);
  parse_three (FIND (reading, "customvision.preprocess.normalizestd"), deviations);
  name = FIND (reading, "image.nominalpixelrange");
  range = find_nominal_range (name);
  if (name != NULL && range == NULL)
    ens_preprocess_note (reading->source.preprocess, "%s: “%s” is no range of pixels",
                         reading->source.name, name);
  if (range == NULL)
    return;
  for (guint c = 0; c < 3; c++) {
    means[c] = range->mean + means[c] / range->scale;
    deviations[c] /= range->scale;
  }
  ens_preprocess_set_range (&reading->source, 1, means, deviations, 3);
}

static void
read_mean (Reading *reading)
{
  double means[3], deviations[3], scales[3];
  gboolean has_deviations, has_scales;

  has_scales = parse_three (FIND (reading, "scale", "scale_factor"), scales);
  has_deviations = parse_three (FIND (reading, "std", "image_std", "stddev"), deviations);
  if (!parse_three (FIND (reading, "mean", "image_mean"), means))
    return;
  if (has_deviations) {
    ens_preprocess_set_range (&reading->source, ens_preprocess_unit (means, deviations, 3), means,
                              deviations, 3);
  } else if (has_scales) {
    for (guint c = 0; c < 3; c++)
      deviations[c] = 1 / scales[c];
    ens_preprocess_set_range (&reading->source, 1, means, deviations, 3);
  }
}

/* ---- Ultralytics ---- */

/* Its files don't say the range, but its classifiers all take the same. */
static void
read_ultralytics (Reading *reading)
{
  const char *author = FIND (reading, "author");
  const char *task = FIND (reading, "task");
  EnsPreprocessSource source = {reading->source.preprocess, ENS_CERTAINTY_GUESS,
                                "what Ultralytics' networks take"};

  if (g_strcmp0 (author, "Ultralytics") != 0 || task == NULL)
    return;
  ens_preprocess_set_order (&source, "rgb");
  ens_preprocess_set_range (&source, 255, &(const double) {0}, &(const double) {1}, 1);
}

static void
read_size (Reading *reading)
{
  const char *text =
      FIND (reading, "imgsz", "input_size", "image_size", "customvision.preprocess.targetwidth");
  double size[3];
  guint n = text != NULL ? ens_preprocess_parse_numbers (text, size, 3) : 0;

  if (n > 0 && (n == 1 || size[n - 1] == size[n - 2]) && size[n - 1] > 0)
    ens_preprocess_set_size (&reading->source, size[n - 1]);
}

static void
read_labels (Reading *reading, const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  const char *text = FIND (reading, "names", "labels", "classes", "class_names", "id2label");

  if (text == NULL)
    return;
  if (g_str_has_suffix (text, ".txt") && strchr (text, '\n') == NULL)
    ens_preprocess_read_labels (&reading->source, folder, text);
  else
    ens_preprocess_set_labels (&reading->source, ens_preprocess_parse_labels (text));
}

void
ens_preprocess_from_properties (EnsPreprocess *preprocess, const char *path, GHashTable *properties)
{
  Reading reading = {{preprocess, ENS_CERTAINTY_STATED, reading.name}, properties};
  const char *order =
      FIND (&reading, "image.bitmappixelformat", "channel_order", "color_format", "order");
  const char *text;

  if (order != NULL)
    ens_preprocess_set_order (&reading.source, order);
  read_nominal_range (&reading);
  read_mean (&reading);
  read_size (&reading);
  read_labels (&reading, path);
  read_ultralytics (&reading);
  /* For people to read, whatever language it is in. */
  text = FIND (&reading, "preprocess", "preprocessing");
  if (text != NULL)
    ens_preprocess_note (preprocess, "stated in %s: %s", reading.source.name, text);
}
