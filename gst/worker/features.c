/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/features.h"

#define MAX_WINDOWS 1000000

static void
read_preset (EnsJsonReader *reader, EnsWindowsPreset *preset)
{
  g_autofree char *name = ens_json_reader_string (reader, "windows_preset");

  if (name != NULL && !ens_windows_preset_parse (name, preset))
    ens_json_reader_fail (reader, "windows_preset",
                          "expected fast, balanced or quality, found “%s”", name);
}

static void
read_share (EnsJsonReader *reader, EnsFitShare *share)
{
  share->n = ens_json_reader_integer (reader, "shares", 1, WORKER_MAX_SHARES);
  share->index = ens_json_reader_integer (reader, "share", 1, MAX (share->n, 1)) - 1;
}

WorkerFeatures *
worker_features_read (EnsJsonReader *reader)
{
  WorkerFeatures *features = g_new0 (WorkerFeatures, 1);

  features->preset = ENS_WINDOWS_BALANCED;
  features->dataset = ens_json_reader_string (reader, "dataset");
  features->cache = ens_json_reader_string (reader, "cache");
  if (ens_json_reader_has (reader, "networks"))
    features->networks = ens_json_reader_strings (reader, "networks", 1);
  else if (!ens_json_reader_has (reader, "lists"))
    ens_json_reader_fail (reader, NULL, "expected networks or lists, found neither");
  if (ens_json_reader_has (reader, "lists"))
    features->lists = ens_json_reader_strings (reader, "lists", 1);
  if (ens_json_reader_has (reader, "unrelated"))
    features->unrelated = ens_json_reader_string (reader, "unrelated");
  if (ens_json_reader_has (reader, "windows_preset"))
    read_preset (reader, &features->preset);
  features->windows = ens_json_reader_integer (reader, "windows", 0, MAX_WINDOWS);
  read_share (reader, &features->share);
  return features;
}

void
worker_features_write (const WorkerFeatures *features, EnsJson *json)
{
  ens_json_string (json, "dataset", features->dataset);
  if (features->networks != NULL)
    ens_json_strings (json, "networks", (const char *const *)features->networks);
  if (features->lists != NULL)
    ens_json_strings (json, "lists", (const char *const *)features->lists);
  if (features->unrelated != NULL)
    ens_json_string (json, "unrelated", features->unrelated);
  ens_json_string (json, "cache", features->cache);
  ens_json_unsigned (json, "windows", features->windows);
  ens_json_string (json, "windows_preset", ens_windows_preset_name (features->preset));
  ens_json_unsigned (json, "share", features->share.index + 1);
  ens_json_unsigned (json, "shares", features->share.n);
}

void
worker_features_free (WorkerFeatures *features)
{
  g_free (features->dataset);
  g_strfreev (features->networks);
  g_strfreev (features->lists);
  g_free (features->unrelated);
  g_free (features->cache);
  g_free (features);
}

gboolean
worker_features_check_paths (const WorkerFeatures *features,
                             gboolean (*check) (const char *path, gpointer data, GError **error),
                             gpointer data, GError **error)
{
  const char *single[] = {features->dataset, features->cache, features->unrelated};
  char **const several[] = {features->networks, features->lists};

  for (guint i = 0; i < G_N_ELEMENTS (single); i++)
    if (single[i] != NULL && !check (single[i], data, error))
      return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (several); i++)
    for (guint k = 0; several[i] != NULL && several[i][k] != NULL; k++)
      if (!check (several[i][k], data, error))
        return FALSE;
  return TRUE;
}
