/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: which of a buffer's regions an ensemble has attached. A result's metadata say so,
 * because they survive everything; regions lose their parameters when a picture is scaled. */
#pragma once

#include <gst/ensemble/meta.h>

G_BEGIN_DECLS

/* Fields of GstEnsembleMeta's structure, GVariants ai: ids of GstVideoRegionOfInterestMeta, and of
 * GstAnalyticsODMtd. */
#define GST_ENSEMBLE_REGION_IDS "regions"
#define GST_ENSEMBLE_OBJECT_IDS "objects"

/* Tells the metadata of this result, if the buffer has them. */
static inline void
gst_ensemble_note_ids (GstBuffer *buffer, const EnsResult *result, const char *field,
                       const gint *ids, guint n_ids)
{
  gpointer state = NULL;
  GstEnsembleMeta *meta, *own = NULL;
  GValue value = G_VALUE_INIT;

  while ((meta = gst_buffer_iterate_ensemble_meta (buffer, &state)) != NULL)
    if (gst_ensemble_meta_get_result (meta) == result)
      own = meta;
  if (own == NULL || n_ids == 0)
    return;
  g_value_init (&value, G_TYPE_VARIANT);
  g_value_take_variant (&value, g_variant_ref_sink (g_variant_new_fixed_array (
                                    G_VARIANT_TYPE_INT32, ids, n_ids, sizeof *ids)));
  gst_structure_take_value (gst_custom_meta_get_structure (&own->meta), field, &value);
}

/* The ids that a result's metadata say, n_ids of them. Valid as long as these are. */
static inline const gint *
gst_ensemble_get_noted_ids (GstEnsembleMeta *meta, const char *field, gsize *n_ids)
{
  const GValue *value = gst_structure_get_value (gst_ensemble_meta_get_structure (meta), field);

  *n_ids = 0;
  if (value == NULL)
    return NULL;
  return g_variant_get_fixed_array (g_value_get_variant (value), n_ids, sizeof (gint));
}

G_END_DECLS
