/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a bundle on disk is still the one that was read. */
#include <glib/gstdio.h>

#include "ensemble/bundle-private.h"

static void
add_file (GString *stamp, const EnsBundle *bundle, const char *file)
{
  g_autofree char *path = g_build_filename (bundle->folder, file, NULL);
  GStatBuf status = {0};

  g_stat (path, &status);
  g_string_append_printf (stamp,
                          "%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
                          " %" G_GINT64_FORMAT ".%09ld ",
                          (guint64)status.st_dev, (guint64)status.st_ino, (gint64)status.st_size,
                          (gint64)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

char *
ens_bundle_stamp (const EnsBundle *bundle)
{
  GString *stamp = g_string_new (NULL);

  add_file (stamp, bundle, ENS_BUNDLE_FILE);
  for (guint n = 0; n < bundle->n_networks; n++) {
    const EnsBundleNetwork *network = &bundle->networks[n];

    add_file (stamp, bundle, network->network);
    add_file (stamp, bundle, network->classifier);
    if (network->window_classifier != NULL)
      add_file (stamp, bundle, network->window_classifier);
  }
  if (bundle->gate != NULL)
    add_file (stamp, bundle, bundle->gate->file);
  return g_string_free (stamp, FALSE);
}
