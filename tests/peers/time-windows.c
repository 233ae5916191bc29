/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* time-windows PRESET THREADS REPEATS FILE.ppm...: for each picture prints its path, the fastest
 * run in milliseconds and the number of windows, then the windows in pixels: x y width height, best
 * first. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vision/picture.h"
#include "vision/selective-search.h"

static EnsPicture *
read_ppm (const char *path, GError **error)
{
  g_autofree char *bytes = NULL;
  g_autoptr (EnsPicture) picture = NULL;
  gsize size;
  guint width, height;
  int header = 0;

  if (!g_file_get_contents (path, &bytes, &size, error))
    return NULL;
  if (sscanf (bytes, "P6 %u %u 255%n", &width, &height, &header) != 2 || header == 0 || width == 0
      || height == 0 || width > ENS_FRAME_MAX_SIZE || height > ENS_FRAME_MAX_SIZE
      || size != (gsize)header + 1 + (gsize)3 * width * height) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: not a PPM of 8 bits", path);
    return NULL;
  }
  picture = ens_picture_new (ENS_PIXELS_RGB, width, height);
  for (guint y = 0; y < height; y++)
    memcpy (ens_picture_get_pixels (picture, 0) + y * picture->frame.strides[0],
            bytes + header + 1 + (gsize)y * 3 * width, (gsize)3 * width);
  return g_steal_pointer (&picture);
}

static void
measure (EnsWindowSearch *search, const EnsFrame *frame, const char *path, guint repeats,
         EnsThreadPool *pool)
{
  const EnsWindow *windows;
  double best = HUGE_VAL;
  guint n = 0;

  for (guint i = 0; i < repeats; i++) {
    gint64 start = g_get_monotonic_time ();

    n = ens_window_search_run (search, frame, G_MAXUINT, pool, &windows);
    best = MIN (best, (double)(g_get_monotonic_time () - start) / 1e3);
  }
  printf ("%s %.3f %u\n", path, best, n);
  for (guint i = 0; i < n; i++) {
    const EnsRect *rect = &windows[i].rect;

    printf ("%.2f %.2f %.2f %.2f\n", rect->x * frame->width, rect->y * frame->height,
            rect->width * frame->width, rect->height * frame->height);
  }
}

int
main (int argc, char **argv)
{
  EnsWindowsPreset preset;
  g_autoptr (EnsWindowSearch) search = NULL;
  g_autoptr (EnsThreadPool) pool = NULL;

  if (argc < 5 || !ens_windows_preset_parse (argv[1], &preset)) {
    g_printerr ("usage: %s PRESET THREADS REPEATS FILE.ppm...\n", argv[0]);
    return EXIT_FAILURE;
  }
  search = ens_window_search_new (preset);
  pool = ens_thread_pool_new ((guint)atoi (argv[2]));
  for (int i = 4; i < argc; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (EnsPicture) picture = read_ppm (argv[i], &error);

    if (picture == NULL) {
      g_printerr ("%s\n", error->message);
      return EXIT_FAILURE;
    }
    measure (search, &picture->frame, argv[i], (guint)MAX (atoi (argv[3]), 1), pool);
  }
  return EXIT_SUCCESS;
}
