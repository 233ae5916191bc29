/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sprite.h"

#include <math.h>

/* Alpha from which a pixel belongs to the thing. */
#define SOLID 128

typedef struct {
  const guint8 *data;
  int stride, side;
} Pixels;

static Pixels
sprite_pixels (const Sprite *sprite)
{
  return (Pixels) {cairo_image_surface_get_data (sprite->surface),
                   cairo_image_surface_get_stride (sprite->surface),
                   cairo_image_surface_get_width (sprite->surface)};
}

static inline guint
alpha_at (const Pixels *pixels, int x, int y)
{
  return ((const guint32 *)(pixels->data + (gsize)y * pixels->stride))[x] >> 24;
}

Sprite
sprite_draw (const Kind *kind, const Look *look, const Pose *pose)
{
  int half = (int)ceil (0.75 * pose->size * MAX (pose->stretch, 1 / pose->stretch)) + 2;
  Sprite sprite = {.left = (int)floor (pose->x) - half, .top = (int)floor (pose->y) - half};
  cairo_t *cr;

  sprite.surface = cairo_image_surface_create (CAIRO_FORMAT_ARGB32, 2 * half, 2 * half);
  cr = cairo_create (sprite.surface);
  cairo_translate (cr, pose->x - sprite.left, pose->y - sprite.top);
  cairo_rotate (cr, pose->angle);
  cairo_scale (cr, pose->size * pose->stretch * (pose->flip ? -1 : 1), pose->size / pose->stretch);
  kind->draw (cr, look);
  g_warn_if_fail (cairo_status (cr) == CAIRO_STATUS_SUCCESS);
  cairo_destroy (cr);
  cairo_surface_flush (sprite.surface);
  return sprite;
}

void
sprite_clear (Sprite *sprite)
{
  g_clear_pointer (&sprite->surface, cairo_surface_destroy);
}

void
sprite_paint (const Sprite *sprite, cairo_t *cr)
{
  double reach = cairo_image_surface_get_width (sprite->surface) / 90.0;

  cairo_set_source_rgba (cr, 0, 0, 0.05, 0.07);
  for (int i = 0; i < 9; i++)
    cairo_mask_surface (cr, sprite->surface, sprite->left + reach * (1.2 + (i % 3 - 1)),
                        sprite->top + reach * (1.6 + (i / 3 - 1)));
  cairo_set_source_surface (cr, sprite->surface, sprite->left, sprite->top);
  cairo_paint (cr);
}

Box
sprite_box (const Sprite *sprite, int width, int height)
{
  Pixels pixels = sprite_pixels (sprite);
  int x1 = width, y1 = height, x2 = -1, y2 = -1;

  for (int j = MAX (0, -sprite->top); j < MIN (pixels.side, height - sprite->top); j++) {
    for (int i = MAX (0, -sprite->left); i < MIN (pixels.side, width - sprite->left); i++) {
      if (alpha_at (&pixels, i, j) < SOLID)
        continue;
      x1 = MIN (x1, i + sprite->left);
      x2 = MAX (x2, i + sprite->left);
      y1 = MIN (y1, j + sprite->top);
      y2 = MAX (y2, j + sprite->top);
    }
  }
  return x2 < 0 ? (Box) {0} : (Box) {x1, y1, x2 - x1 + 1, y2 - y1 + 1};
}

double
sprite_uncover (const Sprite *sprite, Cover *cover)
{
  Pixels pixels = sprite_pixels (sprite);
  guint64 total = 0, visible = 0;

  for (int j = 0; j < pixels.side; j++) {
    for (int i = 0; i < pixels.side; i++) {
      guint alpha = alpha_at (&pixels, i, j);
      int x = i + sprite->left, y = j + sprite->top;

      total += alpha;
      if (alpha > 0 && x >= 0 && y >= 0 && x < cover->width && y < cover->height) {
        guint8 *clear = &cover->clear[(gsize)y * cover->width + x];
        guint seen = (alpha * *clear + 127) / 255;

        visible += seen;
        *clear -= seen;
      }
    }
  }
  return total > 0 ? (double)visible / total : 0;
}
