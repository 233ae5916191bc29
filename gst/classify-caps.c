/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What to do about caps that ensembleclassify can't take. */
#include "ensemble-classify.h"

#include <gst/allocators/gstdmabuf.h>

static const char *
find_dma_buf_remedy (const GstStructure *structure)
{
  const char *format = gst_structure_get_string (structure, "drm-format");

  /* “NV12:0x0100000000000002” */
  return format != NULL && strchr (format, ':') != NULL
             ? "its pixels are tiled, put an element before it that lays them out in rows, such as "
               "vapostproc"
             : "put an element before it that brings frames into system memory, such as vapostproc";
}

/* What to put before the element for such caps. */
static const char *
find_remedy (const GstCaps *caps)
{
  const GstCapsFeatures *features = gst_caps_get_features (caps, 0);
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  gint width = 0, height = 0;

  if (!gst_structure_has_name (structure, "video/x-raw"))
    return "put decodebin before it";
  gst_structure_get (structure, "width", G_TYPE_INT, &width, "height", G_TYPE_INT, &height, NULL);
  if (MAX (width, height) > ENS_FRAME_MAX_SIZE)
    return "put videoscale before it";
  if (features != NULL && gst_caps_features_contains (features, GST_CAPS_FEATURE_MEMORY_DMABUF))
    return find_dma_buf_remedy (structure);
  if (features != NULL
      && !gst_caps_features_is_equal (features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY))
    return "put an element before it that brings frames into system memory, such as gldownload";
  return "put videoconvert before it";
}

static GstPadProbeReturn
explain_caps (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstEnsembleClassify *self = data;
  g_autoptr (GstCaps) taken = NULL;
  g_autofree char *text = NULL;
  GstCaps *caps;

  if (GST_EVENT_TYPE (GST_PAD_PROBE_INFO_EVENT (info)) != GST_EVENT_CAPS)
    return GST_PAD_PROBE_OK;
  gst_event_parse_caps (GST_PAD_PROBE_INFO_EVENT (info), &caps);
  taken = gst_pad_get_pad_template_caps (pad);
  if (gst_caps_is_subset (caps, taken))
    return GST_PAD_PROBE_OK;
  text = gst_caps_to_string (caps);
  GST_ELEMENT_ERROR (self, STREAM, FORMAT, ("Can't take %s; %s", text, find_remedy (caps)), (NULL));
  return GST_PAD_PROBE_OK;
}

void
gst_ensemble_classify_explain_caps (GstEnsembleClassify *self)
{
  gst_pad_add_probe (GST_BASE_TRANSFORM_SINK_PAD (self), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM,
                     explain_caps, self, NULL);
}
