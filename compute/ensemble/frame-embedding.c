/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/frame-embedding.h"

#include <string.h>

/* ---- What is kept ---- */

void
ens_kept_embedding_clear (EnsKeptEmbedding *kept)
{
  g_clear_pointer (&kept->values, g_free);
  kept->n_values = 0;
  kept->network = -1;
}

void
ens_kept_embedding_keep (EnsKeptEmbedding *kept, gint network, const EnsResult *result)
{
  const EnsEmbedding *embedding = result->embedding;

  ens_kept_embedding_clear (kept);
  if (embedding == NULL)
    return;
  kept->network = network;
  kept->n_values = embedding->n_values;
  kept->values = g_memdup2 (embedding->values, embedding->n_values * sizeof *embedding->values);
}

gboolean
ens_kept_embedding_restore (const EnsKeptEmbedding *kept, gint network, EnsResult *result)
{
  if (kept->network != network || kept->n_values != result->embedding->n_values)
    return FALSE;
  memcpy (result->embedding->values, kept->values, kept->n_values * sizeof *kept->values);
  return TRUE;
}

/* ---- The whole frame ---- */

gint
ens_sub_images_find_whole (const EnsSubImages *sub_images)
{
  guint n_map = ens_sub_images_get_map_size (sub_images);

  if (sub_images->with_whole)
    return (gint)n_map;
  return n_map == 1 ? 0 : -1;
}

void
ens_embedding_run_clear (EnsEmbeddingRun *run)
{
  g_free (run->probabilities);
  g_free (run->similarities);
}

gboolean
ens_embedding_run_add (EnsEmbeddingRun *run, EnsMember *member, EnsMemberJobs *jobs,
                       const EnsMemberImages *image, GError **error)
{
  EnsMemberImages whole = *image;

  run->probabilities = g_new (float, ens_member_get_width (member));
  if (ens_member_has_gate (member))
    run->similarities = g_new (float, ens_member_get_width (member));
  whole.similarities = run->similarities;
  return ens_member_jobs_run_whole (jobs, &whole, run->probabilities, error);
}
