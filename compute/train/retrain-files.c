/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a retraining says of itself in files. */
#include "base/fail.h"
#include "base/json.h"
#include "train/retrain-private.h"

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
  ens_json_string (&json, "freeze", params->freeze);
  ens_json_unsigned (&json, "size", size);
  ens_json_unsigned (&json, "sub_images", params->sub_images);
  ens_json_unsigned (&json, "step", params->sub_image_step);
  ens_json_string (&json, "coverage", ens_coverage_names[params->coverage]);
  ens_json_double (&json, "positive_weight", params->positive_weight);
  ens_json_string (&json, "augment", ens_retrain_augment_names[params->augment]);
  ens_json_double (&json, "label_factor", params->label_factor);
  ens_json_boolean (&json, "normalisation", params->train_normalisation);
  ens_recipe_describe (&params->recipe, dataset, &json);
  ens_json_close (&json);
  return ens_json_finish (&json);
}
