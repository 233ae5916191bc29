/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of the frames that are due ensembleclassify analyses: those in which something has moved,
 * or an element upstream has found something else, since the last one that was analysed. */
#include "ensemble-classify.h"

#include "classify-debug.h"
#include "ensemble/frame-crop.h"
#include "frame-bridge.h"

void
gst_ensemble_classify_reset_motion (GstEnsembleClassify *self)
{
  ens_motion_reset (self->motion.state);
  self->motion.analysed = GST_CLOCK_TIME_NONE;
  g_clear_pointer (&self->motion.regions, gst_ensemble_regions_free);
}

/* The share of the frame, or of its crop, that has changed. A frame that can't be read has: the
 * analysis says what is wrong with it. */
static double
measure (GstEnsembleClassify *self, GstBuffer *buffer, const EnsRect *crop)
{
  GstVideoFrame video;
  EnsFrame frame;
  double share;

  if (!gst_ensemble_map_frame (&video, buffer, &self->info))
    return 1;
  gst_ensemble_describe_frame (&video, &frame);
  if (crop->width > 0) {
    const EnsFramePart part = ens_frame_crop_find_part (crop, frame.width, frame.height);

    frame = ens_frame_cut (&frame, &part);
  }
  share = ens_motion_measure (self->motion.state, &frame);
  gst_video_frame_unmap (&video);
  return share;
}

/* Whether the last analysis is too old, or of another time. */
static gboolean
is_overdue (const GstEnsembleMotion *motion, GstClockTime running_time, GstClockTime period)
{
  if (!GST_CLOCK_TIME_IS_VALID (motion->analysed) || !GST_CLOCK_TIME_IS_VALID (running_time))
    return period > 0;
  return running_time < motion->analysed
         || (period > 0 && running_time - motion->analysed >= period);
}

/* Counts a frame that is left out. */
static void
leave_out (GstEnsembleClassify *self, double share)
{
  GST_DEBUG_OBJECT (self, "not analysing a still frame: %.4f of it has changed", share);
  GST_OBJECT_LOCK (self);
  self->motion.n_still++;
  GST_OBJECT_UNLOCK (self);
}

gboolean
gst_ensemble_classify_has_moved (GstEnsembleClassify *self, const GstEnsembleDueFrame *frame)
{
  GstEnsembleMotion *motion = &self->motion;
  double least, share;
  GstClockTime period;

  GST_OBJECT_LOCK (self);
  least = motion->least;
  period = motion->period;
  GST_OBJECT_UNLOCK (self);
  if (least <= 0) {
    gst_ensemble_classify_reset_motion (self);
    return TRUE;
  }
  share = measure (self, frame->buffer, &frame->settings->crop);
  if (share < least && frame->revision == motion->revision
      && gst_ensemble_regions_match (frame->regions, motion->regions)
      && !is_overdue (motion, frame->running_time, period)
      && gst_ensemble_analyser_confirm (self->analyser, frame->running_time,
                                        GST_BUFFER_PTS (frame->buffer), frame->settings)) {
    leave_out (self, share);
    return FALSE;
  }
  ens_motion_keep (motion->state);
  motion->analysed = frame->running_time;
  motion->revision = frame->revision;
  gst_ensemble_regions_free (motion->regions);
  motion->regions = gst_ensemble_regions_copy (frame->regions);
  return TRUE;
}
