/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tags.h"

#include <gst/ensemble/meta.h>

static void
clear_tags (gpointer data)
{
  GstEnsembleTags *tags = data;

  gst_structure_free (tags->structure);
  ens_result_unref (tags->result);
  ens_result_unref (tags->whole);
}

GstEnsembleTags *
gst_ensemble_tags_new (EnsResult *result, guint top_k, const GstEnsembleTags *origin)
{
  GstEnsembleTags *tags = g_atomic_rc_box_new (GstEnsembleTags);

  tags->whole = ens_result_ref (result);
  tags->result = ens_result_top (result, top_k);
  tags->structure = gst_ensemble_structure_new (tags->result);
  tags->running_time = origin->running_time;
  tags->stretch = origin->stretch;
  tags->ticket = origin->ticket;
  tags->submitted = origin->submitted;
  return tags;
}

GstEnsembleTags *
gst_ensemble_tags_ref (GstEnsembleTags *tags)
{
  return g_atomic_rc_box_acquire (tags);
}

void
gst_ensemble_tags_unref (GstEnsembleTags *tags)
{
  g_atomic_rc_box_release_full (tags, clear_tags);
}
