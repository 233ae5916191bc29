/* SPDX-License-Identifier: LGPL-2.1-or-later */
/**
 * SECTION:element-ensemblepublish
 * @title: ensemblepublish
 *
 * Writes the results that ensembleclassify has attached to buffers as JSON Lines, one line per
 * result: a result that several frames carry is written once, with the first of them. Video passes
 * untouched, also after the file can no longer be written: a warning then tells that results are
 * lost.
 *
 * |[
 * gst-launch-1.0 -q filesrc location=street.mp4 ! decodebin ! videoconvert ! \
 *     ensembleclassify model=street.ensemble ! ensemblepublish ! fakesink
 * ]| Prints the result of every frame on standard output; -q keeps other lines out of it.
 */
#include "ensemble-publish.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <gst/ensemble/ensemble.h>
#include <stdio.h>

GST_DEBUG_CATEGORY_STATIC (gst_ensemble_publish_debug);
#define GST_CAT_DEFAULT gst_ensemble_publish_debug

#define STANDARD_OUTPUT "-"

struct _GstEnsemblePublish {
  GstBaseTransform parent;

  char *location; /* guarded by the object lock */

  /* Of the streaming thread. */
  FILE *file;
  char *path;          /* the location that is open */
  GPtrArray *previous; /* EnsResult: what the last buffer carried */
  gboolean failed;
};

enum { PROP_0, PROP_LOCATION, N_PROPS };

static GParamSpec *props[N_PROPS];

static GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

G_DEFINE_FINAL_TYPE (GstEnsemblePublish, gst_ensemble_publish, GST_TYPE_BASE_TRANSFORM)

static gboolean
start (GstBaseTransform *trans)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (trans);

  GST_OBJECT_LOCK (self);
  self->path = g_strdup (self->location);
  GST_OBJECT_UNLOCK (self);
  self->file = g_str_equal (self->path, STANDARD_OUTPUT) ? stdout : g_fopen (self->path, "w");
  self->failed = FALSE;
  if (self->file != NULL) {
    GST_INFO_OBJECT (self, "writing to %s", self->path);
    return TRUE;
  }
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_WRITE,
                     ("%s: can't be opened for writing: %s", self->path, g_strerror (errno)),
                     (NULL));
  g_clear_pointer (&self->path, g_free);
  return FALSE;
}

static void
report_failure (GstEnsemblePublish *self)
{
  if (self->failed)
    return;
  self->failed = TRUE;
  GST_ELEMENT_WARNING (self, RESOURCE, WRITE,
                       ("%s: results are being lost: %s", self->path, g_strerror (errno)), (NULL));
}

static gboolean
stop (GstBaseTransform *trans)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (trans);

  GST_INFO_OBJECT (self, "closing %s", self->path);
  if (self->file != stdout && fclose (self->file) != 0)
    report_failure (self);
  self->file = NULL;
  g_clear_pointer (&self->path, g_free);
  g_ptr_array_set_size (self->previous, 0);
  return TRUE;
}

static void
write_line (GstEnsemblePublish *self, GstEnsembleMeta *meta)
{
  g_autofree char *json = gst_ensemble_meta_to_json (meta);

  GST_LOG_OBJECT (self, "publishing %s", json);
  /* A reader at the other end of a pipe wants each line when it is there. */
  if (fprintf (self->file, "%s\n", json) < 0 || fflush (self->file) != 0)
    report_failure (self);
}

static GstFlowReturn
transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (trans);
  GPtrArray *carried = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_result_unref);
  gpointer state = NULL;
  GstEnsembleMeta *meta;

  while ((meta = gst_buffer_iterate_ensemble_meta (buffer, &state)) != NULL) {
    const EnsResult *result = gst_ensemble_meta_get_result (meta);

    if (!g_ptr_array_find (self->previous, result, NULL))
      write_line (self, meta);
    g_ptr_array_add (carried, g_boxed_copy (GST_TYPE_ENSEMBLE_RESULT, result));
  }
  g_ptr_array_unref (self->previous);
  self->previous = carried;
  return GST_FLOW_OK;
}

static void
set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (object);
  const char *location = g_value_get_string (value);

  if (id != PROP_LOCATION) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    return;
  }
  GST_OBJECT_LOCK (self);
  g_free (self->location);
  self->location = g_strdup (location != NULL ? location : STANDARD_OUTPUT);
  GST_OBJECT_UNLOCK (self);
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (object);

  if (id != PROP_LOCATION) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    return;
  }
  GST_OBJECT_LOCK (self);
  g_value_set_string (value, self->location);
  GST_OBJECT_UNLOCK (self);
}

static void
finalize (GObject *object)
{
  GstEnsemblePublish *self = GST_ENSEMBLE_PUBLISH (object);

  g_ptr_array_unref (self->previous);
  g_free (self->location);
  G_OBJECT_CLASS (gst_ensemble_publish_parent_class)->finalize (object);
}

static void
gst_ensemble_publish_class_init (GstEnsemblePublishClass *klass)
{
  GObjectClass *object = G_OBJECT_CLASS (klass);
  GstElementClass *element = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *transform = GST_BASE_TRANSFORM_CLASS (klass);

  GST_DEBUG_CATEGORY_INIT (gst_ensemble_publish_debug, "ensemblepublish", 0,
                           "writing results as JSON Lines");
  object->set_property = set_property;
  object->get_property = get_property;
  object->finalize = finalize;
  props[PROP_LOCATION] = g_param_spec_string (
      "location", "Location",
      "File for the results; \"-\": standard output (with gst-launch-1.0 -q)", STANDARD_OUTPUT,
      G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  g_object_class_install_properties (object, N_PROPS, props);

  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);
  gst_element_class_set_static_metadata (
      element, "Ensemble result publisher", "Filter/Metadata/Video",
      "Writes classification results as JSON Lines", "The gst-ensemble authors");
  transform->start = start;
  transform->stop = stop;
  transform->transform_ip = transform_ip;
}

static void
gst_ensemble_publish_init (GstEnsemblePublish *self)
{
  self->location = g_strdup (STANDARD_OUTPUT);
  self->previous = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_result_unref);
  gst_base_transform_set_in_place (GST_BASE_TRANSFORM (self), TRUE);
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
}
