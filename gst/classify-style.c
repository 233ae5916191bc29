/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The style of ensembleclassify. It is loaded in a thread of its own while the element plays, which
 * goes on with the old one until then. */
#include "ensemble-classify.h"

#include "classify-debug.h"

/* What is loaded in the background. */
typedef struct {
  EnsEnsemble *ensemble;
  char *name;
  guint request;
} Request;

static void
free_request (gpointer data)
{
  Request *request = data;

  ens_ensemble_unref (request->ensemble);
  g_free (request->name);
  g_free (request);
}

/* The request counts unless another one, or another bundle, has come since. */
static gboolean
take_style (GstEnsembleClassify *self, const Request *request, EnsStyle *style)
{
  g_autoptr (EnsStyle) old = NULL; /* freed without the lock that video waits for */
  gboolean counts;

  GST_OBJECT_LOCK (self);
  counts = request->request == self->style_request;
  if (counts) {
    old = gst_ensemble_analyser_set_style (self->analyser, style);
    g_free (self->opened_style);
    self->opened_style = g_strdup (request->name);
    self->revision++;
  }
  GST_OBJECT_UNLOCK (self);
  return counts;
}

/* The property says again what is in use. */
static gboolean
refuse_style (GstEnsembleClassify *self, const Request *request)
{
  gboolean counts;

  GST_OBJECT_LOCK (self);
  counts = request->request == self->style_request;
  if (counts) {
    g_free (self->style);
    self->style = g_strdup (self->opened_style);
  }
  GST_OBJECT_UNLOCK (self);
  return counts;
}

static void
load (GstElement *element, gpointer data)
{
  GstEnsembleClassify *self = GST_ENSEMBLE_CLASSIFY (element);
  const Request *request = data;
  g_autoptr (EnsStyle) style = NULL;
  g_autoptr (GError) error = NULL;

  if (ens_ensemble_open_style (request->ensemble, request->name, &style, &error)) {
    if (take_style (self, request, style))
      GST_INFO_OBJECT (self, "style is %s", style != NULL ? ens_style_get_name (style) : "none");
  } else if (refuse_style (self, request)) {
    GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
                         ("The style stays as it was: %s", error->message), (NULL));
    g_object_notify (G_OBJECT (self), "style");
  }
}

void
gst_ensemble_classify_set_style (GstEnsembleClassify *self, const char *name)
{
  Request *request = NULL;

  GST_OBJECT_LOCK (self);
  g_free (self->style);
  self->style = g_strdup (name);
  self->style_request++;
  if (self->ensemble != NULL) {
    request = g_new (Request, 1);
    *request = (Request) {ens_ensemble_ref (self->ensemble), g_strdup (name), self->style_request};
  }
  GST_OBJECT_UNLOCK (self);
  if (request != NULL)
    gst_element_call_async (GST_ELEMENT (self), load, request, free_request);
}

gboolean
gst_ensemble_classify_open_style (GstEnsembleClassify *self, EnsEnsemble *ensemble, GError **error)
{
  g_autoptr (EnsStyle) style = NULL;
  Request request;
  gboolean opened;

  GST_OBJECT_LOCK (self);
  request = (Request) {ensemble, g_strdup (self->style), ++self->style_request};
  GST_OBJECT_UNLOCK (self);
  opened = ens_ensemble_open_style (ensemble, request.name, &style, error);
  if (opened)
    take_style (self, &request, style);
  g_free (request.name);
  return opened;
}

void
gst_ensemble_classify_check_style (GstEnsembleClassify *self)
{
  g_autofree char *name = NULL;
  gboolean changed;

  GST_OBJECT_LOCK (self);
  changed = g_strcmp0 (self->style, self->opened_style) != 0;
  name = g_strdup (self->style);
  GST_OBJECT_UNLOCK (self);
  if (changed)
    gst_ensemble_classify_set_style (self, name);
}
