/* SPDX-License-Identifier: LGPL-2.1-or-later */
// A C++ application's use of the library: as much of every header as has to be linked.
#include <gst/ensemble/ensemble.h>

#if !GST_ENSEMBLE_CHECK_VERSION(0, 1, 0) || GST_ENSEMBLE_CHECK_VERSION(1000, 0, 0)
#error GST_ENSEMBLE_CHECK_VERSION
#endif

int
main (int argc, char **argv)
{
  static const char *const classes[] = {"cat"};
  guint major, minor, micro;

  gst_init (&argc, &argv);
  gst_ensemble_version (&major, &minor, &micro);

  GstBuffer *buffer = gst_buffer_new ();
  EnsResult *result = ens_result_new (classes, 1, classes, 1, 1);
  result->classes[0].present = TRUE;
  result->classes[0].window = 0;
  result->windows[0].rect = ENS_RECT_WHOLE;
  gst_buffer_add_ensemble_meta (buffer, result, 0);
  guint n_regions = gst_buffer_add_ensemble_regions (buffer, result, 64, 48);
  bool found = gst_ensemble_meta_get_result (gst_buffer_get_ensemble_meta (buffer)) == result;
  ens_result_unref (result);
  gst_buffer_unref (buffer);

  return found && n_regions == 1 && major == GST_ENSEMBLE_VERSION_MAJOR
                 && minor == GST_ENSEMBLE_VERSION_MINOR && micro == GST_ENSEMBLE_VERSION_MICRO
             ? 0
             : 1;
}
