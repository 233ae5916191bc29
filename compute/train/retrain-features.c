/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What frozen layers make of a sub-image, computed once. */
#include <string.h>

#include "engine/network-private.h"
#include "train/retrain-private.h"

/* Bytes of features that are kept; others are computed again. */
#define MAX_KEPT ((gsize)1 << 30)

struct _EnsRetrainFeatures {
  EnsPlan *plan; /* of one sub-image */
  gsize n;       /* features of one */
  GMutex mutex;
  GHashTable *kept; /* key → float[n]; guarded by the mutex */
};

EnsRetrainFeatures *
ens_retrain_features_new (const EnsRetrainGraph *graph, const char *value, EnsDevice *device,
                          GError **error)
{
  g_autoptr (EnsGraph) body = ens_graph_copy (graph->dense);
  g_autoptr (EnsNetwork) network = NULL;
  EnsRetrainFeatures *features;
  EnsPlan *plan;

  g_ptr_array_set_size (body->inputs, 1);
  g_ptr_array_set_size (body->outputs, 0);
  ens_graph_add_output (body, ens_graph_find (body, value));
  ens_graph_remove_unused (body);
  network = ens_network_new (g_steal_pointer (&body), device, error);
  if (network == NULL)
    return NULL;
  plan = ens_network_plan (
      network, &ENS_SHAPE (1, graph->map.input, graph->map.input, graph->n_channels), error);
  if (plan == NULL)
    return NULL;
  features = g_new0 (EnsRetrainFeatures, 1);
  features->plan = plan;
  features->n = (gsize)ens_shape_elements (ens_plan_get_output_shape (plan, 0));
  features->kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_mutex_init (&features->mutex);
  return features;
}

void
ens_retrain_features_free (EnsRetrainFeatures *features)
{
  ens_plan_unref (features->plan);
  g_hash_table_unref (features->kept);
  g_mutex_clear (&features->mutex);
  g_free (features);
}

gboolean
ens_retrain_features_find (EnsRetrainFeatures *features, const char *key, float *out)
{
  const float *found;

  g_mutex_lock (&features->mutex);
  found = g_hash_table_lookup (features->kept, key);
  g_mutex_unlock (&features->mutex);
  if (found != NULL)
    memcpy (out, found, features->n * sizeof *out);
  return found != NULL;
}

gboolean
ens_retrain_features_compute (EnsRetrainFeatures *features, const char *key, const float *pixels,
                              float *out, GError **error)
{
  if (!ens_plan_run (features->plan, (const gconstpointer[]) {pixels}, (const gpointer[]) {out},
                     error))
    return FALSE;
  g_mutex_lock (&features->mutex);
  if ((g_hash_table_size (features->kept) + 1) * features->n * sizeof *out <= MAX_KEPT
      && !g_hash_table_contains (features->kept, key))
    g_hash_table_insert (features->kept, g_strdup (key),
                         g_memdup2 (out, features->n * sizeof *out));
  g_mutex_unlock (&features->mutex);
  return TRUE;
}
