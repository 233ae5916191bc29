#include <gst/ensemble/regions.h>

#include <gst/video/video.h>

static void
add_region (GstBuffer *buffer, const EnsClassResult *found, gint label_id, const EnsRect *rect,
            guint width, guint height)
{
  GstVideoRegionOfInterestMeta *region;
  guint left = CLAMP (rect->x, 0, 1) * width + 0.5f, top = CLAMP (rect->y, 0, 1) * height + 0.5f;
  guint right = CLAMP (rect->x + rect->width, 0, 1) * width + 0.5f;
  guint bottom = CLAMP (rect->y + rect->height, 0, 1) * height + 0.5f;

  region = gst_buffer_add_video_region_of_interest_meta (buffer, found->name, left, top,
                                                         right - left, bottom - top);
  gst_video_region_of_interest_meta_add_param (
      region,
      gst_structure_new ("detection", "label", G_TYPE_STRING, found->name, "label_id", G_TYPE_INT,
                         label_id, "confidence", G_TYPE_DOUBLE, (double)found->p3, "x_min",
                         G_TYPE_DOUBLE, (double)rect->x, "x_max", G_TYPE_DOUBLE,
                         (double)(rect->x + rect->width), "y_min", G_TYPE_DOUBLE, (double)rect->y,
                         "y_max", G_TYPE_DOUBLE, (double)(rect->y + rect->height), NULL));
}

guint
gst_buffer_add_ensemble_regions (GstBuffer *buffer, const EnsResult *result, guint width,
                                 guint height)
{
  guint n_regions = 0;

  g_return_val_if_fail (GST_IS_BUFFER (buffer) && gst_buffer_is_writable (buffer), 0);
  g_return_val_if_fail (result != NULL, 0);
  for (guint c = 0; c < result->n_classes; c++) {
    const EnsClassResult *found = &result->classes[c];

    if (!found->present || found->window < 0)
      continue;
    add_region (buffer, found, c, &result->windows[found->window].rect, width, height);
    n_regions++;
  }
  return n_regions;
}
