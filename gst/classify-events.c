/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The properties of ensembleclassify that say when a class counts as present. */
#include "ensemble-classify.h"
#include "property-members.h"

/* By their order in the list below. */
enum {
  PROP_SMOOTHING,
  PROP_CONSENSUS,
  PROP_CONSENSUS_OF,
  PROP_HYSTERESIS,
  PROP_MIN_PRESENT,
  PROP_MIN_ABSENT,
  PROP_FORGET,
  PROP_POST_MESSAGES,
  N_PROPS
};

#define PLAYING (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static GParamSpec *
make_time (const char *name, const char *nick, const char *blurb)
{
  return g_param_spec_int64 (name, nick, blurb, -1, G_MAXINT64, -1, PLAYING);
}

static void
make_evidence_properties (GParamSpec **specs)
{
  specs[PROP_SMOOTHING] = make_time (
      "smoothing", "Smoothing",
      "Half-life in nanoseconds of the exponential mean over time that smooths probabilities (-1: "
      "the bundle's, 0.25 s unless it says otherwise; 0: none)");
  specs[PROP_CONSENSUS] = g_param_spec_int (
      "consensus", "Consensus",
      "Number of results among the last consensus-of that must agree before a class's state "
      "changes (-1: the bundle's, 2 unless it says otherwise; 1 of 1: each result by itself)",
      -1, ENS_MAX_CONSENSUS, -1, PLAYING);
  specs[PROP_CONSENSUS_OF] = g_param_spec_int (
      "consensus-of", "Consensus of",
      "Number of last results that the consensus is sought among, at least consensus (-1: the "
      "bundle's, 3 unless it says otherwise)",
      -1, ENS_MAX_CONSENSUS, -1, PLAYING);
  specs[PROP_HYSTERESIS] = g_param_spec_float (
      "hysteresis", "Hysteresis",
      "Share that the threshold of a class that is present is lowered by (-1: the bundle's, 0.2 "
      "unless it says otherwise)",
      -1, 1, -1, PLAYING);
}

static void
make_duration_properties (GParamSpec **specs)
{
  specs[PROP_MIN_PRESENT] = make_time ("min-present", "Minimum present",
                                       "Nanoseconds that a class that has appeared stays present "
                                       "at least (-1: the bundle's, 0 unless it says otherwise)");
  specs[PROP_MIN_ABSENT] = make_time ("min-absent", "Minimum absent",
                                      "Nanoseconds that a class that has left stays absent at "
                                      "least (-1: the bundle's, 0 unless it says otherwise)");
  specs[PROP_FORGET] = make_time (
      "forget", "Forget",
      "Nanoseconds without a result after which states are unknown and classes leave, at least as "
      "long as the results of a consensus usually take (-1: the bundle's, 10 s unless it says "
      "otherwise; 0: never)");
  specs[PROP_POST_MESSAGES] = g_param_spec_boolean (
      "post-messages", "Post messages",
      "Post element messages class-appeared and class-left on the bus; downstream gets both as "
      "events in any case",
      TRUE, PLAYING);
}

void
gst_ensemble_classify_install_events_properties (GObjectClass *object, guint first)
{
  GParamSpec *specs[N_PROPS];

  make_evidence_properties (specs);
  make_duration_properties (specs);
  for (guint i = 0; i < N_PROPS; i++)
    g_object_class_install_property (object, first + i, specs[i]);
}

#define MEMBER(member) G_STRUCT_OFFSET (GstEnsembleClassify, member)

static const gsize members[N_PROPS] = {
    [PROP_SMOOTHING] = MEMBER (settings.time.half_life),
    [PROP_CONSENSUS] = MEMBER (settings.time.consensus),
    [PROP_CONSENSUS_OF] = MEMBER (settings.time.consensus_of),
    [PROP_HYSTERESIS] = MEMBER (settings.time.hysteresis),
    [PROP_MIN_PRESENT] = MEMBER (settings.time.min_present),
    [PROP_MIN_ABSENT] = MEMBER (settings.time.min_absent),
    [PROP_FORGET] = MEMBER (settings.time.forget),
    [PROP_POST_MESSAGES] = MEMBER (post_messages),
};

void
gst_ensemble_classify_set_events_property (GstEnsembleClassify *self, guint which,
                                           const GValue *value)
{
  GST_OBJECT_LOCK (self);
  gst_ensemble_member_set ((char *)self + members[which], value);
  GST_OBJECT_UNLOCK (self);
}

void
gst_ensemble_classify_get_events_property (GstEnsembleClassify *self, guint which, GValue *value)
{
  GST_OBJECT_LOCK (self);
  gst_ensemble_member_get ((char *)self + members[which], value);
  GST_OBJECT_UNLOCK (self);
}

void
gst_ensemble_classify_send_events (GstEnsembleClassify *self, gboolean downstream)
{
  gboolean post;

  GST_OBJECT_LOCK (self);
  post = self->post_messages;
  GST_OBJECT_UNLOCK (self);
  gst_ensemble_state_events_send (self->state_events, GST_ELEMENT (self), post,
                                  downstream ? GST_BASE_TRANSFORM_SRC_PAD (self) : NULL);
}

void
gst_ensemble_classify_end_states (GstEnsembleClassify *self, const char *reason)
{
  gst_ensemble_state_events_end (self->state_events, reason);
}
