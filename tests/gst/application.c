/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An application's use of the installed library: prints the tags of a buffer as JSON. */
#include <gst/ensemble/ensemble.h>
#include <gst/video/video.h>

int
main (int argc, char **argv)
{
  static const char *const classes[] = {"cat", "dog"}, *const networks[] = {"small"};
  g_autoptr (EnsResult) result = NULL, kept = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  GstEnsembleMeta *meta;
  g_autofree char *json = NULL;

  gst_init (&argc, &argv);
  buffer = gst_buffer_new ();
  result = ens_result_new (classes, 2, networks, 1, 1);
  result->classes[1].present = TRUE;
  result->classes[1].window = 0;
  result->windows[0].rect = ENS_RECT_WHOLE;
  gst_buffer_add_ensemble_meta (buffer, result, 0);
  gst_buffer_add_ensemble_regions (buffer, result, 64, 48);

  meta = gst_buffer_get_ensemble_meta (buffer);
  kept = ens_result_ref (gst_ensemble_meta_get_result (meta));
  json = ens_result_to_json (kept, 1);
  g_print ("%s\n", json);
  return gst_buffer_get_n_meta (buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) == 1 ? 0 : 1;
}
