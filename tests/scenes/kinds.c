/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kinds.h"

#include <math.h>

#include "random.h"

static void
set_colour (cairo_t *cr, Colour c, double alpha)
{
  cairo_set_source_rgba (cr, c.r, c.g, c.b, alpha);
}

Look
look_new (GRand *random)
{
  Look look = {.phase = 0};
  double hue = g_rand_double (random);

  look.main = from_hsv (hue, between (random, 0.35, 0.95), between (random, 0.45, 1));
  look.second = from_hsv (fmod (hue + between (random, 0.2, 0.8), 1), between (random, 0.2, 0.9),
                          between (random, 0.4, 1));
  look.third =
      from_hsv (g_rand_double (random), between (random, 0, 0.6), between (random, 0.2, 1));
  look.natural =
      from_hsv (between (random, 0.02, 0.1), between (random, 0.25, 0.6), between (random, 0.3, 1));
  look.fill = chance (random, 0.5) ? FILL_PLAIN : pick (random, N_FILLS);
  look.fill_size = between (random, 0.03, 0.09);
  look.fill_angle = between (random, -1.6, 1.6);
  look.outline = chance (random, 0.4) ? 0 : between (random, 0.006, 0.018);
  for (guint i = 0; i < G_N_ELEMENTS (look.vary); i++)
    look.vary[i] = g_rand_double (random);
  return look;
}

void
line (cairo_t *cr, Colour colour, double width)
{
  set_colour (cr, colour, 1);
  cairo_set_line_width (cr, width);
  cairo_set_line_cap (cr, CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join (cr, CAIRO_LINE_JOIN_ROUND);
  cairo_stroke (cr);
}

void
polygon (cairo_t *cr, const double (*points)[2], guint n)
{
  cairo_new_sub_path (cr);
  for (guint i = 0; i < n; i++)
    cairo_line_to (cr, points[i][0], points[i][1]);
  cairo_close_path (cr);
}

void
ellipse (cairo_t *cr, double x, double y, double rx, double ry)
{
  cairo_matrix_t saved;

  cairo_get_matrix (cr, &saved);
  cairo_new_sub_path (cr);
  cairo_translate (cr, x, y);
  cairo_scale (cr, rx, ry);
  cairo_arc (cr, 0, 0, 1, 0, 2 * G_PI);
  cairo_close_path (cr);
  cairo_set_matrix (cr, &saved);
}

void
rounded (cairo_t *cr, double x, double y, double width, double height, double radius)
{
  cairo_new_sub_path (cr);
  cairo_arc (cr, x + width - radius, y + radius, radius, -G_PI_2, 0);
  cairo_arc (cr, x + width - radius, y + height - radius, radius, 0, G_PI_2);
  cairo_arc (cr, x + radius, y + height - radius, radius, G_PI_2, G_PI);
  cairo_arc (cr, x + radius, y + radius, radius, G_PI, 3 * G_PI_2);
  cairo_close_path (cr);
}

/* One row of the pattern, from x = -1 to 1 at height y, in the pattern's own coordinates. */
static void
pattern_row (cairo_t *cr, const Look *look, int row)
{
  double step = look->fill_size, y = row * step;

  if (look->fill == FILL_STRIPES) {
    if (row % 2 == 0)
      cairo_rectangle (cr, -1, y, 2, step);
    return;
  }
  for (int column = (int)(-1 / step); column <= 1 / step; column++) {
    double x = column * step;
    /* a scatter that needs no state: the fractional part of a large multiple */
    double scatter =
        0.2 + 0.8 * fabs (fmod (sin (row * 12.9898 + column * 78.233) * 43758.5453, 1));

    if (look->fill == FILL_CHECKS && (row + column) % 2 == 0)
      cairo_rectangle (cr, x, y, step, step);
    else if (look->fill == FILL_DOTS && (row + column) % 2 == 0)
      ellipse (cr, x, y, step * 0.45, step * 0.45);
    else if (look->fill == FILL_SPECKLES)
      ellipse (cr, x + step * scatter, y, step * 0.3 * scatter, step * 0.25 * scatter);
  }
}

static void
paint_pattern (cairo_t *cr, const Look *look)
{
  cairo_save (cr);
  cairo_clip (cr);
  cairo_rotate (cr, look->fill_angle);
  for (int row = (int)(-1 / look->fill_size); row <= 1 / look->fill_size; row++)
    pattern_row (cr, look, row);
  set_colour (cr, look->second, look->fill == FILL_SPECKLES ? 0.55 : 0.8);
  cairo_fill (cr);
  cairo_restore (cr);
}

/* Light comes from the upper left: clear there, dark below. */
static void
paint_light (cairo_t *cr, double x1, double y1, double x2, double y2)
{
  cairo_pattern_t *light = cairo_pattern_create_linear (x1, y1, x1 + 0.4 * (x2 - x1), y2);

  cairo_pattern_add_color_stop_rgba (light, 0, 1, 1, 1, 0.28);
  cairo_pattern_add_color_stop_rgba (light, 0.45, 1, 1, 1, 0);
  cairo_pattern_add_color_stop_rgba (light, 0.55, 0, 0, 0.1, 0);
  cairo_pattern_add_color_stop_rgba (light, 1, 0, 0, 0.1, 0.32);
  cairo_set_source (cr, light);
  cairo_fill_preserve (cr);
  cairo_pattern_destroy (light);
}

void
shape (cairo_t *cr, const Look *look, Colour colour, gboolean patterned)
{
  cairo_path_t *path = cairo_copy_path (cr);
  double x1, y1, x2, y2;

  cairo_path_extents (cr, &x1, &y1, &x2, &y2);
  set_colour (cr, colour, 1);
  cairo_fill_preserve (cr);
  if (patterned && look->fill != FILL_PLAIN) {
    paint_pattern (cr, look);
    cairo_new_path (cr);
    cairo_append_path (cr, path);
  }
  paint_light (cr, x1, y1, x2, y2);
  if (look->outline > 0)
    line (cr, shade (colour, 0.35), look->outline);
  cairo_new_path (cr);
  cairo_path_destroy (path);
}
