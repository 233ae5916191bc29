/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ensembleclassify keeps for a person to label. */
#include "ensemble-classify.h"
#include "property-members.h"

enum {
  PROP_COLLECT,
  PROP_COLLECT_LIMIT,
  PROP_COLLECT_BYTES,
  PROP_COLLECT_CROPS,
  PROP_COLLECT_RESERVE,
  N_PROPS
};

#define PLAYING (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

void
gst_ensemble_classify_install_collect_properties (GObjectClass *object, guint first)
{
  GParamSpec *const specs[N_PROPS] = {
      g_param_spec_string ("collect", "Collect",
                           "Folder in which frames are kept that a person should label: whose "
                           "classes have changed, are withheld by the gate or near a threshold, "
                           "and unlike those kept (none)",
                           NULL, PLAYING),
      g_param_spec_uint ("collect-limit", "Collect limit",
                         "Maximum number of pictures in the folder; those of the least value go "
                         "first, of these the oldest (0: any number)",
                         0, G_MAXUINT, GST_ENSEMBLE_COLLECT_LIMIT, PLAYING),
      g_param_spec_uint64 ("collect-bytes", "Collect bytes",
                           "Maximum of bytes in the folder (0: any number)", 0, G_MAXUINT64,
                           GST_ENSEMBLE_COLLECT_BYTES, PLAYING),
      g_param_spec_boolean ("collect-crops", "Collect crops",
                            "Keep the window (region proposal) that shows the class instead of the "
                            "whole frame, where there is one",
                            FALSE, PLAYING),
      g_param_spec_uint64 ("collect-reserve", "Collect reserve",
                           "Bytes of the folder's disk that stay free: with less nothing is kept "
                           "until there is room again",
                           0, G_MAXUINT64 / 2, GST_ENSEMBLE_COLLECT_RESERVE, PLAYING),
  };

  for (guint i = 0; i < N_PROPS; i++)
    g_object_class_install_property (object, first + i, specs[i]);
}

void
gst_ensemble_classify_update_collector (GstEnsembleClassify *self)
{
  GstEnsembleCollectSettings settings;
  GstEnsembleCollector *collector = NULL;
  gboolean wanted;
  guint request;

  GST_OBJECT_LOCK (self);
  settings = self->collect;
  settings.folder = g_strdup (settings.folder);
  wanted = self->running && settings.folder != NULL && *settings.folder != '\0';
  request = ++self->collect_request;
  GST_OBJECT_UNLOCK (self);
  if (wanted)
    collector = gst_ensemble_collector_new (GST_ELEMENT (self), &settings);
  g_free (settings.folder);
  /* Another thread may have set something, or stopped the element, since. */
  GST_OBJECT_LOCK (self);
  if (request == self->collect_request)
    gst_ensemble_analyser_set_collector (self->analyser, g_steal_pointer (&collector));
  GST_OBJECT_UNLOCK (self);
  g_clear_pointer (&collector, gst_ensemble_collector_close);
}

#define MEMBER(member) G_STRUCT_OFFSET (GstEnsembleClassify, member)

static const gsize members[N_PROPS] = {
    [PROP_COLLECT] = MEMBER (collect.folder),
    [PROP_COLLECT_LIMIT] = MEMBER (collect.limit),
    [PROP_COLLECT_BYTES] = MEMBER (collect.bytes),
    [PROP_COLLECT_CROPS] = MEMBER (collect.crops),
    [PROP_COLLECT_RESERVE] = MEMBER (collect.reserve),
};

void
gst_ensemble_classify_set_collect_property (GstEnsembleClassify *self, guint which,
                                            const GValue *value)
{
  GST_OBJECT_LOCK (self);
  gst_ensemble_member_set ((char *)self + members[which], value);
  GST_OBJECT_UNLOCK (self);
  gst_ensemble_classify_update_collector (self);
}

void
gst_ensemble_classify_get_collect_property (GstEnsembleClassify *self, guint which, GValue *value)
{
  GST_OBJECT_LOCK (self);
  gst_ensemble_member_get ((char *)self + members[which], value);
  GST_OBJECT_UNLOCK (self);
}
