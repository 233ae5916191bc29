/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/ensemble/version.h>

void
gst_ensemble_version (guint *major, guint *minor, guint *micro)
{
  g_return_if_fail (major != NULL && minor != NULL && micro != NULL);
  *major = GST_ENSEMBLE_VERSION_MAJOR;
  *minor = GST_ENSEMBLE_VERSION_MINOR;
  *micro = GST_ENSEMBLE_VERSION_MICRO;
}
