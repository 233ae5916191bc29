/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "random.h"
#include "scene.h"

typedef struct {
  double gain[3], lift, vignette, grain;
} Exposure;

static Exposure
exposure_new (GRand *random)
{
  Exposure exposure = {.lift = between (random, -0.04, 0.05),
                       .vignette = between (random, 0, 0.35),
                       .grain = between (random, 0, 0.05)};
  double light = between (random, 0.75, 1.15);

  for (guint i = 0; i < 3; i++)
    exposure.gain[i] = light * between (random, 0.92, 1.08);
  return exposure;
}

/* Out of focus: the picture is drawn smaller and back again. */
static void
blur (cairo_surface_t *picture, double shrink)
{
  int width = cairo_image_surface_get_width (picture),
      height = cairo_image_surface_get_height (picture);
  int w = MAX (1, (int)(width / shrink)), h = MAX (1, (int)(height / shrink));
  cairo_surface_t *small = cairo_image_surface_create (CAIRO_FORMAT_RGB24, w, h);
  cairo_t *cr = cairo_create (small);

  cairo_scale (cr, (double)w / width, (double)h / height);
  cairo_set_source_surface (cr, picture, 0, 0);
  cairo_pattern_set_filter (cairo_get_source (cr), CAIRO_FILTER_GOOD);
  cairo_paint (cr);
  cairo_destroy (cr);
  cr = cairo_create (picture);
  cairo_scale (cr, (double)width / w, (double)height / h);
  cairo_set_source_surface (cr, small, 0, 0);
  cairo_pattern_set_extend (cairo_get_source (cr), CAIRO_EXTEND_PAD);
  cairo_paint (cr);
  cairo_destroy (cr);
  cairo_surface_destroy (small);
}

static guint32
expose (guint32 pixel, const Exposure *exposure, double light, double grain)
{
  guint32 result = 0;

  for (guint i = 0; i < 3; i++) {
    double value = ((pixel >> (16 - 8 * i)) & 255) / 255.0;

    value = value * exposure->gain[i] * light + exposure->lift + grain;
    result |= (guint32)(CLAMP (value, 0, 1) * 255 + 0.5) << (16 - 8 * i);
  }
  return result;
}

void
photograph (cairo_surface_t *picture, GRand *random)
{
  Exposure exposure = exposure_new (random);
  int width, height, stride;
  guint8 *data;

  if (chance (random, 0.3))
    blur (picture, between (random, 1.2, 2.2));
  width = cairo_image_surface_get_width (picture);
  height = cairo_image_surface_get_height (picture);
  stride = cairo_image_surface_get_stride (picture);
  cairo_surface_flush (picture);
  data = cairo_image_surface_get_data (picture);
  for (int y = 0; y < height; y++) {
    guint32 *row = (guint32 *)(data + (gsize)y * stride);
    double dy = (2.0 * y - height) / height;

    for (int x = 0; x < width; x++) {
      double dx = (2.0 * x - width) / width,
             light = 1 - exposure.vignette * (dx * dx + dy * dy) / 2;

      row[x] = expose (row[x], &exposure, light, exposure.grain * between (random, -1, 1));
    }
  }
  cairo_surface_mark_dirty (picture);
}
