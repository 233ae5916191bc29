/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "analyser-job.h"

#include "ensemble/frame-crop.h"

void
gst_ensemble_job_context_clear (GstEnsembleJobContext *context)
{
  g_clear_pointer (&context->style, ens_style_unref);
  g_clear_pointer (&context->collector, gst_ensemble_collector_unref);
  g_clear_object (&context->cancellable);
}

/* The options that keep pace, for what is analysed of the frame. */
static EnsAnalyseOptions
limit (GstEnsemblePace *pace, EnsEnsemble *ensemble, const GstEnsembleJob *job,
       const EnsAnalyseOptions *options, EnsCut *cut)
{
  const EnsFrame *frame = &job->picture->frame;
  EnsFrameSettings settings = {ensemble, options, frame->width, frame->height};

  if (options->crop.width > 0) {
    EnsFramePart part = ens_frame_crop_find_part (&options->crop, frame->width, frame->height);

    settings.width = part.width;
    settings.height = part.height;
  }
  return gst_ensemble_pace_limit (pace, &settings, &job->settings.pace, cut);
}

EnsResult *
gst_ensemble_job_analyse (const GstEnsembleJob *job, EnsAnalysis *analysis,
                          const GstEnsembleJobContext *context, GError **error)
{
  const GstEnsembleSettings *settings = &job->settings;
  const GstEnsembleRegions *regions = job->regions;
  const EnsAnalyseOptions options = {
      .windows = settings->windows,
      .scales = settings->n_scales > 0 ? settings->scales : NULL,
      .n_scales = settings->n_scales,
      .threshold = settings->threshold,
      .sub_images = settings->sub_images,
      .max_sub_images = settings->max_sub_images,
      .no_gate = !settings->gate,
      .style = context->style,
      .embedding = settings->embedding,
      .cancellable = context->cancellable,
      .crop = settings->crop,
      .reuse = settings->tile_tolerance >= 0,
      .tile_tolerance = MAX (settings->tile_tolerance, 0),
      .stretch = job->stretch,
      .regions = regions != NULL ? (const EnsRect *)regions->rects->data : NULL,
      .origins = regions != NULL ? (const EnsRegionOrigin *)regions->origins->data : NULL,
      .n_regions = regions != NULL ? regions->rects->len : 0,
      .batch_size = settings->batch_size,
      .batch_timeout = (gint64)GST_TIME_AS_USECONDS (settings->batch_timeout),
  };
  EnsAnalyseOptions limited = options;
  EnsCut cut = {0};
  EnsResult *result;

  if (context->pace != NULL)
    limited = limit (context->pace, ens_analysis_get_ensemble (analysis), job, &options, &cut);
  result = ens_analysis_run (analysis, &job->picture->frame, job->picture->pts, &limited, error);
  if (result != NULL)
    ens_result_add_cut (result, &cut);
  return result;
}
