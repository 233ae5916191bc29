/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scales that take the place of the bundle's: checked before frames are. */
#include "ensemble-classify.h"

#include <string.h>

/* otherwise: what happens if they don't fit, for the warning. */
static gboolean
check_scales (GstEnsembleClassify *self, const GstEnsembleSettings *settings, const char *otherwise)
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
  GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS, ("%s: %s", otherwise, error->message), (NULL));
  return FALSE;
}

gboolean
gst_ensemble_classify_check_scales (GstEnsembleClassify *self, const GstEnsembleSettings *settings)
{
  return check_scales (self, settings, "The property \"scales\" is not changed");
}

static gboolean
have_same_scales (const GstEnsembleSettings *a, const GstEnsembleSettings *b)
{
  return a->n_scales == b->n_scales
         && memcmp (a->scales, b->scales, a->n_scales * sizeof *a->scales) == 0;
}

void
gst_ensemble_classify_check_early_scales (GstEnsembleClassify *self)
{
  GstEnsembleSettings checked;

  GST_OBJECT_LOCK (self);
  checked = self->settings;
  GST_OBJECT_UNLOCK (self);
  if (check_scales (self, &checked, "The property \"scales\" does not count, the bundle's do"))
    return;
  GST_OBJECT_LOCK (self);
  /* Others may have been set since. */
  if (have_same_scales (&self->settings, &checked))
    self->settings.n_scales = 0;
  GST_OBJECT_UNLOCK (self);
}
