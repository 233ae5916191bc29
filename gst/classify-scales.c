/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scales that take the place of the bundle's: checked before frames are. */
#include "ensemble-classify.h"

gboolean
gst_ensemble_classify_check_scales (GstEnsembleClassify *self, const GstEnsembleSettings *settings)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsEnsemble) ensemble = NULL;

  GST_OBJECT_LOCK (self);
  if (self->ensemble != NULL)
    ensemble = ens_ensemble_ref (self->ensemble);
  GST_OBJECT_UNLOCK (self);
  if (ensemble == NULL || settings->n_scales == 0
      || ens_ensemble_check_scales (ensemble, settings->scales, settings->n_scales, &error))
    return TRUE;
  GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
                       ("The property \"scales\" is not changed: %s", error->message), (NULL));
  return FALSE;
}

void
gst_ensemble_classify_check_early_scales (GstEnsembleClassify *self)
{
  GstEnsembleSettings settings;

  GST_OBJECT_LOCK (self);
  settings = self->settings;
  GST_OBJECT_UNLOCK (self);
  if (gst_ensemble_classify_check_scales (self, &settings))
    return;
  GST_OBJECT_LOCK (self);
  self->settings.n_scales = 0;
  GST_OBJECT_UNLOCK (self);
}
