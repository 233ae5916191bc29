/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "random.h"
#include "scene.h"
#include "write.h"

enum { PURPOSE_SHEET = 4 };

#define CELL 120
#define LOOKS 6

static void
draw_name (cairo_t *cr, const char *name, double x, double y)
{
  cairo_select_font_face (cr, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
  cairo_set_font_size (cr, 13);
  cairo_set_source_rgb (cr, 0, 0, 0);
  cairo_move_to (cr, x, y);
  cairo_show_text (cr, name);
}

static void
draw_looks (cairo_t *cr, const Kind *kind, double left, double top, guint32 seed)
{
  g_autoptr (GRand) random = random_for (seed, PURPOSE_SHEET, g_str_hash (kind->name), 0);

  draw_name (cr, kind->name, left + 8, top + 16);
  for (int i = 0; i < LOOKS; i++) {
    Look look = look_new (random);
    Pose pose = {left + (i + 0.5) * CELL, top + 0.5 * CELL + 8, 0.8 * CELL, 0, 1, FALSE};
    g_auto (Sprite) sprite = {0};

    look.phase = g_rand_double (random);
    sprite = sprite_draw (kind, &look, &pose);
    sprite_paint (&sprite, cr);
  }
}

static void
draw_place (cairo_t *cr, const Place *place, double left, double top, guint32 seed)
{
  g_autoptr (GRand) random = random_for (seed, PURPOSE_SHEET, g_str_hash (place->name), 1);
  Setting setting = setting_new (place, random);
  cairo_surface_t *picture = setting_paint (&setting, 2 * CELL - 8, CELL * 4 / 3);

  draw_name (cr, place->name, left + 8, top + 16);
  cairo_set_source_surface (cr, picture, left + 4, top + 22);
  cairo_paint (cr);
  cairo_surface_destroy (picture);
}

gboolean
write_sheet (const char *path, guint32 seed, GError **error)
{
  guint rows = (n_set_kinds + n_other_kinds + 1) / 2, place_rows = (n_places + 5) / 6;
  int place_height = CELL * 4 / 3 + 28;
  cairo_surface_t *sheet = cairo_image_surface_create (CAIRO_FORMAT_RGB24, 2 * LOOKS * CELL,
                                                       rows * CELL + place_rows * place_height);
  cairo_t *cr = cairo_create (sheet);
  cairo_status_t status;

  cairo_set_source_rgb (cr, 0.93, 0.92, 0.9);
  cairo_paint (cr);
  for (guint i = 0; i < n_set_kinds + n_other_kinds; i++)
    draw_looks (cr, i < n_set_kinds ? &set_kinds[i] : &other_kinds[i - n_set_kinds],
                (i % 2) * LOOKS * CELL, (i / 2) * CELL, seed);
  for (guint i = 0; i < n_places; i++)
    draw_place (cr, &places[i], (i % 6) * 2 * CELL, rows * CELL + (i / 6) * place_height, seed);
  status = cairo_surface_write_to_png (sheet, path);
  cairo_destroy (cr);
  cairo_surface_destroy (sheet);
  if (status == CAIRO_STATUS_SUCCESS)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: can't write the picture: %s", path,
               cairo_status_to_string (status));
  return FALSE;
}
