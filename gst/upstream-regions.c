/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "upstream-regions.h"

#include <gst/video/video.h>

#include "analytics.h"
#include "region-ids.h"
#include "vision/recall.h"

/* Of boxes of one object that has not moved, intersection over union: noise moves the sides of
 * small ones by a pixel. */
#define SAME_OVERLAP 0.8F

/* What is being read. */
typedef struct {
  GstEnsembleRegions *regions;
  const GstEnsembleRegionFilter *filter;
  char **types; /* those that are wanted; NULL: all */
} Reading;

static char **
split_types (const char *object_class)
{
  char **types;

  if (object_class == NULL || *object_class == '\0')
    return NULL;
  types = g_strsplit (object_class, ",", -1);
  for (guint i = 0; types[i] != NULL; i++)
    g_strstrip (types[i]);
  return types;
}

static gboolean
is_taken (const GstEnsembleRegions *regions, const EnsRect *rect, const char *type)
{
  for (guint i = 0; i < regions->rects->len; i++) {
    const EnsRect *taken = &g_array_index (regions->rects, EnsRect, i);

    if (taken->x == rect->x && taken->y == rect->y && taken->width == rect->width
        && taken->height == rect->height
        && g_array_index (regions->origins, EnsRegionOrigin, i).type == type)
      return TRUE;
  }
  return FALSE;
}

/* The region as shares of the frame; FALSE if it has no pixel of it. */
static gboolean
place (const GstEnsembleRegionFilter *filter, const GstEnsembleUpstreamRegion *region,
       EnsRect *rect)
{
  const double left = MAX (region->x, 0), top = MAX (region->y, 0);
  const double right = MIN (region->x + region->width, (double)filter->width);
  const double bottom = MIN (region->y + region->height, (double)filter->height);

  if (right - left < 1 || bottom - top < 1)
    return FALSE;
  *rect =
      (EnsRect) {(float)(left / filter->width), (float)(top / filter->height),
                 (float)((right - left) / filter->width), (float)((bottom - top) / filter->height)};
  return filter->crop.width <= 0 || ens_rect_overlap (&filter->crop, rect) > 0;
}

static void
take_region (const GstEnsembleUpstreamRegion *region, gpointer data)
{
  Reading *reading = data;
  EnsRegionOrigin origin = {.type = region->type, .id = region->id};
  EnsRect rect;

  if (reading->regions->rects->len == GST_ENSEMBLE_MAX_REGIONS
      || (reading->types != NULL
          && (region->type == NULL
              || !g_strv_contains ((const char *const *)reading->types, region->type)))
      || !place (reading->filter, region, &rect)
      || is_taken (reading->regions, &rect, region->type))
    return;
  g_array_append_val (reading->regions->rects, rect);
  g_array_append_val (reading->regions->origins, origin);
}

/* ---- GstVideoRegionOfInterestMeta ---- */

/* (transfer container) */
static GPtrArray *
list_region_metas (GstBuffer *buffer)
{
  GPtrArray *metas = g_ptr_array_new ();
  gpointer state = NULL;
  GstMeta *meta;

  while ((meta = gst_buffer_iterate_meta_filtered (buffer, &state,
                                                   GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
         != NULL)
    g_ptr_array_add (metas, meta);
  return metas;
}

static gboolean
is_class (const EnsResult *result, const char *name)
{
  for (guint c = 0; c < result->n_classes; c++)
    if (g_strcmp0 (result->classes[c].name, name) == 0)
      return TRUE;
  return FALSE;
}

/* An ensemble gives ids that no other region had; a region that has come later may have the same.
 */
static void
remove_own (GPtrArray *metas, const EnsResult *result, gint id)
{
  for (guint i = 0; i < metas->len; i++) {
    const GstVideoRegionOfInterestMeta *region = g_ptr_array_index (metas, i);

    if (region->id == id && is_class (result, g_quark_to_string (region->roi_type))) {
      g_ptr_array_remove_index (metas, i);
      return;
    }
  }
}

static void
remove_ensembles_regions (GPtrArray *metas, GstBuffer *buffer)
{
  gpointer state = NULL;
  GstEnsembleMeta *meta;

  while ((meta = gst_buffer_iterate_ensemble_meta (buffer, &state)) != NULL) {
    const EnsResult *result = gst_ensemble_meta_get_result (meta);
    gsize n_ids;
    const gint *ids = gst_ensemble_get_noted_ids (meta, GST_ENSEMBLE_REGION_IDS, &n_ids);

    for (gsize i = 0; i < n_ids && result != NULL; i++)
      remove_own (metas, result, ids[i]);
  }
}

static void
read_metas (Reading *reading, GstBuffer *buffer)
{
  g_autoptr (GPtrArray) metas = list_region_metas (buffer);

  remove_ensembles_regions (metas, buffer);
  for (guint i = 0; i < metas->len; i++) {
    const GstVideoRegionOfInterestMeta *meta = g_ptr_array_index (metas, i);
    const GstEnsembleUpstreamRegion region = {
        .x = meta->x,
        .y = meta->y,
        .width = meta->w,
        .height = meta->h,
        .type = g_quark_to_string (meta->roi_type),
        /* 0 is the id of regions whose makers gave them none. */
        .id = meta->id > 0 ? meta->id : -1};

    take_region (&region, reading);
  }
}

GstEnsembleRegions *
gst_ensemble_regions_read (GstBuffer *buffer, const GstEnsembleRegionFilter *filter)
{
  GstEnsembleRegions *regions = g_new (GstEnsembleRegions, 1);
  Reading reading = {regions, filter, split_types (filter->object_class)};

  regions->rects = g_array_new (FALSE, FALSE, sizeof (EnsRect));
  regions->origins = g_array_new (FALSE, FALSE, sizeof (EnsRegionOrigin));
  read_metas (&reading, buffer);
  gst_ensemble_read_analytics (buffer, take_region, &reading);
  g_strfreev (reading.types);
  return regions;
}

GstEnsembleRegions *
gst_ensemble_regions_copy (const GstEnsembleRegions *regions)
{
  GstEnsembleRegions *copy;

  if (regions == NULL)
    return NULL;
  copy = g_new (GstEnsembleRegions, 1);
  copy->rects = g_array_ref (regions->rects);
  copy->origins = g_array_ref (regions->origins);
  return copy;
}

gboolean
gst_ensemble_regions_match (const GstEnsembleRegions *a, const GstEnsembleRegions *b)
{
  if (a == NULL || b == NULL)
    return a == b;
  if (a->rects->len != b->rects->len)
    return FALSE;
  for (guint i = 0; i < a->rects->len; i++) {
    const EnsRegionOrigin *of_a = &g_array_index (a->origins, EnsRegionOrigin, i);
    const EnsRegionOrigin *of_b = &g_array_index (b->origins, EnsRegionOrigin, i);

    if (of_a->type != of_b->type || of_a->id != of_b->id
        || ens_rect_overlap (&g_array_index (a->rects, EnsRect, i),
                             &g_array_index (b->rects, EnsRect, i))
               < SAME_OVERLAP)
      return FALSE;
  }
  return TRUE;
}

void
gst_ensemble_regions_free (GstEnsembleRegions *regions)
{
  if (regions == NULL)
    return;
  g_array_unref (regions->rects);
  g_array_unref (regions->origins);
  g_free (regions);
}
