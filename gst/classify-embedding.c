/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network whose features go with results. */
#include "ensemble-classify.h"

void
gst_ensemble_classify_check_embedding (GstEnsembleClassify *self)
{
  g_autoptr (EnsEnsemble) ensemble = gst_ensemble_classify_get_ensemble (self);
  g_autoptr (GError) error = NULL;
  const char *name;

  GST_OBJECT_LOCK (self);
  name = self->settings.embedding;
  GST_OBJECT_UNLOCK (self);
  if (ensemble != NULL && name != NULL && ens_ensemble_find_network (ensemble, name, &error) < 0)
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
                         ("Results have no embedding: %s", error->message), (NULL));
}

void
gst_ensemble_classify_set_embedding (GstEnsembleClassify *self, const char *name)
{
  GST_OBJECT_LOCK (self);
  /* Copies of the settings outlive the next change. */
  self->settings.embedding = name != NULL && *name != '\0' ? g_intern_string (name) : NULL;
  GST_OBJECT_UNLOCK (self);
  gst_ensemble_classify_check_embedding (self);
}
