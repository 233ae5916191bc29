/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a retraining says of itself in files. */
#include <string.h>

#include "base/fail.h"
#include "base/json.h"
#include "train/retrain-private.h"

char *
ens_retrain_name_beside (const EnsRetrainParams *params, const char *ending)
{
  gsize length = strlen (params->output);

  if (g_str_has_suffix (params->output, ".onnx"))
    length -= strlen (".onnx");
  return g_strdup_printf ("%.*s%s", (int)length, params->output, ending);
}

char *
ens_retrain_name_log (const EnsRetrainParams *params)
{
  return params->loop.log != NULL ? g_strdup (params->loop.log)
                                  : ens_retrain_name_beside (params, ".jsonl");
}

static char *
hash_file (const char *path, GError **error)
{
  g_autofree char *contents = NULL;
  g_autoptr (GError) reason = NULL;
  gsize size;

  if (g_file_get_contents (path, &contents, &size, &reason))
    return g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *)contents, size);
  ens_fail (error, ENS_ERROR_FILE, path, "can't read it: %s", reason->message);
  return NULL;
}

char *
ens_retrain_describe_settings (const EnsRetrainParams *params, guint size,
                               const EnsDataset *dataset, GError **error)
{
  g_autofree char *hash = hash_file (params->network, error);
  EnsJson json;

  if (hash == NULL)
    return NULL;
  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "network", hash);
  ens_json_string (&json, "dataset", params->dataset);
  ens_json_unsigned (&json, "images", dataset->samples[ENS_SPLIT_TRAIN]->len);
  ens_json_unsigned (&json, "classes", dataset->n_classes);
  ens_json_string (&json, "freeze", params->freeze);
  ens_json_unsigned (&json, "size", size);
  ens_json_unsigned (&json, "sub_images", params->sub_images);
  ens_json_unsigned (&json, "step", params->sub_image_step);
  ens_json_string (&json, "coverage", ens_coverage_names[params->coverage]);
  ens_json_double (&json, "positive_weight", params->positive_weight);
  ens_json_string (&json, "augment", ens_retrain_augment_names[params->augment]);
  ens_json_unsigned (&json, "batch", params->batch);
  ens_json_double (&json, "label_factor", params->label_factor);
  ens_json_unsigned (&json, "seed", params->seed);
  ens_json_boolean (&json, "normalisation", params->train_normalisation);
  ens_json_unsigned (&json, "optimiser", params->loop.optimiser.kind);
  ens_json_double (&json, "rate", params->loop.rate);
  ens_json_double (&json, "decay", params->loop.optimiser.decay);
  ens_json_double (&json, "average", params->loop.average);
  ens_json_string (&json, "schedule", ens_schedule_names[params->loop.schedule.kind]);
  ens_json_unsigned (&json, "epochs", params->loop.n_epochs);
  ens_json_close (&json);
  return ens_json_finish (&json);
}

static void
write_numbers (EnsJson *json, const char *name, const float *numbers, guint n)
{
  ens_json_open_array (json, name, ENS_JSON_FLAT);
  for (guint i = 0; i < n; i++)
    ens_json_float (json, NULL, numbers[i]);
  ens_json_close (json);
}

static void
write_texts (EnsJson *json, const char *name, const char *const *texts)
{
  if (texts == NULL)
    return;
  ens_json_open_array (json, name, ENS_JSON_FLAT);
  for (; *texts != NULL; texts++)
    ens_json_string (json, NULL, *texts);
  ens_json_close (json);
}

char *
ens_retrain_describe_network (const EnsRetrainParams *params, guint size,
                              const char *const *classes)
{
  const EnsNormalise *normalise = &params->normalise;
  g_autofree char *file = g_path_get_basename (params->output);
  guint n = ens_order_channels (normalise->order);
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_BLOCK);
  ens_json_open_array (&json, "networks", ENS_JSON_BLOCK);
  ens_json_open_object (&json, NULL, ENS_JSON_BLOCK);
  ens_json_string (&json, "file", file);
  ens_json_string (&json, "role", "retrained");
  ens_json_string (&json, "order", ens_order_names[normalise->order]);
  write_numbers (&json, "mean", normalise->mean, n);
  write_numbers (&json, "scale", normalise->scale, n);
  ens_json_unsigned (&json, "size", size);
  write_texts (&json, "taps", params->taps);
  write_texts (&json, "labels", classes);
  ens_json_close (&json);
  ens_json_close (&json);
  ens_json_close (&json);
  return ens_json_finish (&json);
}
