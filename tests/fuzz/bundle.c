/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever a bundle's manifest says, it is refused, or read and written again without a change. */
#include <string.h>

#include "ensemble/bundle-private.h"
#include "fuzz.h"

/* json-glib 1.6 leaks what it has read of a string when it comes to half a surrogate pair. */
static gboolean
makes_json_glib_leak (const guint8 *data, gsize size)
{
  return memmem (data, size, "\\ud", 3) != NULL || memmem (data, size, "\\uD", 3) != NULL;
}

static const char *const files[] = {"a.onnx", "b.onnx", "c.onnx", NULL};

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *folder = fuzz_folder (files);
  g_autoptr (EnsBundle) bundle = NULL, again = NULL;
  g_autofree char *written = NULL, *rewritten = NULL;
  g_autoptr (GError) error = NULL;

  if (makes_json_glib_leak (data, size))
    return 0;
  fuzz_write (folder, ENS_BUNDLE_FILE, data, size);
  bundle = ens_bundle_load (folder, &error);
  FUZZ_EXPECT ((bundle == NULL) == (error != NULL));
  if (bundle == NULL)
    return 0;

  written = ens_bundle_to_json (bundle);
  fuzz_write (folder, ENS_BUNDLE_FILE, written, strlen (written));
  again = ens_bundle_load (folder, &error);
  FUZZ_EXPECT (error == NULL);
  rewritten = ens_bundle_to_json (again);
  FUZZ_EXPECT (g_strcmp0 (written, rewritten) == 0);
  return 0;
}
