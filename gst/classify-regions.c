/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Regions of upstream that ensembleclassify classifies in place of region proposals. */
#include "ensemble-classify.h"

#include "classify-debug.h"

GType
gst_ensemble_inference_region_get_type (void)
{
  static GType type;
  static const GEnumValue values[] = {
      {GST_ENSEMBLE_INFERENCE_REGION_FULL_FRAME, "The frame, and region proposals in it",
       "full-frame"},
      {GST_ENSEMBLE_INFERENCE_REGION_ROI_LIST,
       "The frame, and regions that elements upstream have attached", "roi-list"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstEnsembleInferenceRegion", values));
  return type;
}

void
gst_ensemble_classify_check_regions (GstEnsembleClassify *self)
{
  g_autoptr (EnsEnsemble) ensemble = NULL;

  GST_OBJECT_LOCK (self);
  if (self->ensemble != NULL && self->inference_region == GST_ENSEMBLE_INFERENCE_REGION_ROI_LIST)
    ensemble = ens_ensemble_ref (self->ensemble);
  GST_OBJECT_UNLOCK (self);
  if (ensemble != NULL && !ens_ensemble_takes_windows (ensemble))
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
                         ("inference-region=roi-list has no effect: the bundle \"%s\" has no "
                          "classifiers for windows, and whole frames are classified",
                          ens_ensemble_get_bundle (ensemble)->name),
                         (NULL));
}

/* (transfer full) NULL: none are wanted. */
static GstEnsembleRegions *
read_regions (GstEnsembleClassify *self, GstBuffer *buffer, const GstEnsembleSettings *settings)
{
  g_autoptr (EnsEnsemble) ensemble = gst_ensemble_classify_get_ensemble (self);
  g_autofree char *object_class = NULL;
  gboolean wanted;

  GST_OBJECT_LOCK (self);
  wanted = self->inference_region == GST_ENSEMBLE_INFERENCE_REGION_ROI_LIST;
  object_class = g_strdup (self->object_class);
  GST_OBJECT_UNLOCK (self);
  if (!wanted || !ens_ensemble_takes_windows (ensemble))
    return NULL;
  return gst_ensemble_regions_read (
      buffer, &(GstEnsembleRegionFilter) {.width = (guint)GST_VIDEO_INFO_WIDTH (&self->info),
                                          .height = (guint)GST_VIDEO_INFO_HEIGHT (&self->info),
                                          .object_class = object_class,
                                          .crop = settings->crop});
}

gboolean
gst_ensemble_classify_find_regions (GstEnsembleClassify *self, GstBuffer *buffer,
                                    const GstEnsembleSettings *settings,
                                    GstEnsembleRegions **regions)
{
  *regions = read_regions (self, buffer, settings);
  if (*regions == NULL || (*regions)->rects->len > 0)
    return TRUE;
  GST_DEBUG_OBJECT (self, "not analysing a frame without regions");
  g_clear_pointer (regions, gst_ensemble_regions_free);
  /* A result that has come meanwhile has not been seen yet. */
  self->retired = self->attached;
  /* Regions that come again are others. */
  g_clear_pointer (&self->motion.regions, gst_ensemble_regions_free);
  GST_OBJECT_LOCK (self);
  self->n_without_regions++;
  GST_OBJECT_UNLOCK (self);
  return FALSE;
}
