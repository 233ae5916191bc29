/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever a picture begins with: what is read of its head lies inside the file. */
#include "fuzz.h"
#include "picture-header.h"

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) file = g_bytes_new (data, size);
  GstEnsemblePictureHeader header;
  gboolean known = gst_ensemble_picture_header_read (file, &header);

  FUZZ_EXPECT (known == (header.format < GST_ENSEMBLE_N_STILLS));
  FUZZ_EXPECT (header.orientation >= 1 && header.orientation <= 8);
  FUZZ_EXPECT (header.end <= size);
  return 0;
}
