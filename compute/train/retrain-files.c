/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a retraining says of itself in files. */
#include "base/json.h"
#include "train/retrain-private.h"

char *
ens_retrain_describe_settings (const EnsRetrainParams *params, guint size,
                               const EnsDataset *dataset, GError **error)
{
  g_autofree char *text = NULL;
  gboolean done;
  EnsJson json;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  done = ens_recipe_describe_file (&json, "network", params->network, error);
  ens_normalise_write (&json, &params->normalise);
  ens_json_string (&json, "freeze", params->freeze);
  ens_json_unsigned (&json, "size", size);
  ens_json_unsigned (&json, "sub_images", params->sub_images);
  ens_json_unsigned (&json, "step", params->sub_image_step);
  ens_json_unsigned (&json, "sub_image_size", params->sub_image_size);
  ens_json_string (&json, "coverage", ens_coverage_names[params->coverage]);
  ens_json_double (&json, "positive_weight", params->positive_weight);
  ens_json_string (&json, "augment", ens_retrain_augment_names[params->augment]);
  ens_json_double (&json, "label_factor", params->label_factor);
  ens_json_boolean (&json, "normalisation", params->train_normalisation);
  ens_recipe_describe (&params->recipe, dataset, &json);
  ens_json_close (&json);
  text = ens_json_finish (&json);
  return done ? g_steal_pointer (&text) : NULL;
}
