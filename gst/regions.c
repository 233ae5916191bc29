/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/ensemble/regions.h>

#include <gst/video/video.h>

#include "pixels.h"
#include "region-ids.h"

/* 0 is the id of regions whose makers gave them none, and the parent of those that have none. */
static gint
free_id (GstBuffer *buffer)
{
  GstVideoRegionOfInterestMeta *region;
  gpointer state = NULL;
  gint largest = 0;

  while ((region = (GstVideoRegionOfInterestMeta *)gst_buffer_iterate_meta_filtered (
              buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
         != NULL)
    largest = MAX (largest, region->id);
  return largest + 1;
}

static GstStructure *
describe (const EnsClassResult *found, guint class_index, const EnsRect *rect)
{
  return gst_structure_new (
      "detection", "label", G_TYPE_STRING, found->name, "label_id", G_TYPE_INT, (gint)class_index,
      "confidence", G_TYPE_DOUBLE, (double)found->p3, "x_min", G_TYPE_DOUBLE, (double)rect->x,
      "x_max", G_TYPE_DOUBLE, (double)(rect->x + rect->width), "y_min", G_TYPE_DOUBLE,
      (double)rect->y, "y_max", G_TYPE_DOUBLE, (double)(rect->y + rect->height), NULL);
}

guint
gst_buffer_add_ensemble_regions (GstBuffer *buffer, const EnsResult *result, guint width,
                                 guint height)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint));
  gint id;

  g_return_val_if_fail (GST_IS_BUFFER (buffer) && gst_buffer_is_writable (buffer), 0);
  g_return_val_if_fail (result != NULL, 0);

  id = free_id (buffer);
  for (guint c = 0; c < result->n_classes; c++) {
    const EnsClassResult *found = &result->classes[c];
    const EnsRect *rect;
    GstVideoRegionOfInterestMeta *region;
    GstVideoRectangle pixels;

    if (!found->present || found->window < 0)
      continue;
    rect = &result->windows[found->window].rect;
    pixels = gst_ensemble_rect_to_pixels (rect, width, height);
    region = gst_buffer_add_video_region_of_interest_meta (buffer, found->name, pixels.x, pixels.y,
                                                           pixels.w, pixels.h);
    region->id = id;
    g_array_append_val (ids, id);
    id++;
    gst_video_region_of_interest_meta_add_param (region, describe (found, c, rect));
  }
  gst_ensemble_note_ids (buffer, result, GST_ENSEMBLE_REGION_IDS, (const gint *)ids->data,
                         ids->len);
  return ids->len;
}
