/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "places.h"

#include <math.h>
#include <string.h>

#include "noise.h"
#include "random.h"

static const Colour white = {1, 1, 1}, black = {0, 0, 0};

static Colour
sky_at (const Setting *s, double x, double y)
{
  Colour blue = mix ((Colour) {0.35, 0.6, 0.92}, s->tint[0], 0.25);
  double clouds = noise_fractal (s->seed + 90, x * 2.2 * s->scale, y * 4.5 * s->scale, 5);

  blue = mix (blue, (Colour) {0.86, 0.93, 0.98}, CLAMP (y / MAX (s->horizon, 0.6), 0, 1));
  return mix (blue, white, 0.9 * noise_step (0.5, 0.75, clouds));
}

/* Ridges of hills that get paler with distance, above `y0`. */
static Colour
hills_at (const Setting *s, Colour colour, double x, double y)
{
  for (guint ridge = 0; ridge < 3; ridge++) {
    double top = s->horizon - 0.14 + 0.055 * ridge
                 + 0.12 * (noise_fractal (s->seed + ridge, x * (1.5 + ridge), 0.5, 4) - 0.5);
    Colour hill = mix ((Colour) {0.2, 0.4, 0.2}, s->tint[1], 0.15);
    double woods = noise_fractal (s->seed + 20 + ridge, x * 25, y * 60, 3);

    if (y > top)
      colour = shade (mix (hill, (Colour) {0.7, 0.8, 0.9}, 0.6 - 0.25 * ridge), 0.9 + 0.2 * woods);
  }
  return colour;
}

static Colour
grass_at (const Setting *s, double x, double y)
{
  double depth = (y - s->horizon) / (1.001 - s->horizon), fine = 60 / (0.35 + depth);
  double blades = noise_fractal (s->seed + 5, x * fine, y * fine * 0.35, 2);
  double patches = noise_fractal (s->seed + 7, x * 5, y * 12, 3);
  Colour green = mix ((Colour) {0.3, 0.52, 0.16}, s->tint[2], 0.18);

  green = mix (green, (Colour) {0.62, 0.66, 0.25}, noise_step (0.4, 0.8, patches) * 0.6);
  return shade (green, 0.6 + 0.7 * blades);
}

static Colour
shade_meadow (const Setting *s, double x, double y)
{
  return y > s->horizon ? grass_at (s, x, y) : hills_at (s, sky_at (s, x, y), x, y);
}

static Colour
shade_sky (const Setting *s, double x, double y)
{
  return sky_at (s, x, y);
}

static Colour
shade_sea (const Setting *s, double x, double y)
{
  double depth = (y - s->horizon) / (1.001 - s->horizon), fine = 8 / (0.12 + depth);
  Colour water = mix ((Colour) {0.08, 0.34, 0.5}, s->tint[1], 0.2);
  double waves;

  if (y < s->horizon)
    return sky_at (s, x, y);
  waves = noise_fractal (s->seed + 3, x * fine, y * fine * 5, 3);
  water = mix (mix (water, (Colour) {0.6, 0.78, 0.86}, 0.5), water, sqrt (depth));
  water = shade (water, 0.75 + 0.5 * waves);
  return mix (water, white, 0.7 * noise_step (0.66, 0.74, waves));
}

/* Courses of bricks, each row shifted by half a brick. */
static Colour
bricks_at (const Setting *s, double x, double y)
{
  double height = 0.055 * s->scale, width = 2.4 * height, row = floor (y / height);
  double across = x / width + (fmod (fabs (row), 2) > 0.5 ? 0.5 : 0), column = floor (across);
  double fx = across - column, fy = y / height - row;
  double joint = MIN (MIN (fx, 1 - fx) * 2.4, MIN (fy, 1 - fy));
  Colour brick = mix ((Colour) {0.62, 0.3, 0.22}, s->tint[0], 0.3);

  brick = shade (brick, 0.7 + 0.45 * noise_hash (s->seed, (int)column, (int)row));
  brick = shade (brick, 0.8 + 0.35 * noise_fractal (s->seed + 1, x * 30, y * 30, 3));
  return mix ((Colour) {0.72, 0.7, 0.66}, brick, noise_step (0.04, 0.12, joint));
}

/* A wall, a pavement with a kerb, and the road. */
static Colour
shade_street (const Setting *s, double x, double y)
{
  double grit = noise_fractal (s->seed + 2, x * 70, y * 90, 2), kerb = s->horizon + 0.1;
  double slab = fabs (fmod (x * 4 + 100 + (y - s->horizon) * 2, 1) - 0.5);

  if (y < s->horizon)
    return bricks_at (s, x, y);
  if (y < kerb)
    return shade ((Colour) {0.62, 0.61, 0.58}, (slab > 0.48 ? 0.7 : 0.85) + 0.25 * grit);
  if (y < kerb + 0.02)
    return shade ((Colour) {0.8, 0.8, 0.78}, 0.8 + 0.2 * grit);
  if (fabs (y - (kerb + 1) / 2) < 0.012 && fmod (x * 2 + 100, 1) < 0.55)
    return shade ((Colour) {0.9, 0.88, 0.8}, 0.8 + 0.2 * grit);
  return shade ((Colour) {0.36, 0.36, 0.38}, 0.65 + 0.6 * grit);
}

static Colour
shade_desert (const Setting *s, double x, double y)
{
  double depth = (y - s->horizon) / (1.001 - s->horizon);
  double warp = noise_fractal (s->seed + 4, x * 3, y * 6, 3);
  double ripple = 0.5 + 0.5 * sin (40 * log (0.15 + depth) * s->scale + 9 * warp + x * 3);
  Colour sand = mix ((Colour) {0.87, 0.72, 0.48}, s->tint[1], 0.15);

  if (y < s->horizon - 0.1 * noise_fractal (s->seed, x * 2, 0, 3))
    return sky_at (s, x, y);
  if (y < s->horizon)
    return shade (sand, 0.85);
  return shade (sand, 0.75 + 0.22 * ripple + 0.2 * noise_value (s->seed + 6, x * 90, y * 90));
}

static Colour
planks_at (const Setting *s, double x, double y)
{
  double depth = (y - s->horizon) / (1.001 - s->horizon);
  double along = (x - 0.6) / (0.6 + depth), plank = floor (along * 7 * s->scale);
  double seam = along * 7 * s->scale - plank;
  double grain = noise_fractal (s->seed + (guint32)(plank + 50), along * 90, depth * 3, 3);
  Colour wood = mix ((Colour) {0.6, 0.4, 0.22}, s->tint[1], 0.2);

  wood = shade (wood, 0.7 + 0.3 * noise_hash (s->seed, (int)plank, 3) + 0.35 * grain);
  return seam < 0.04 ? shade (wood, 0.5) : wood;
}

/* Wallpaper with a motif, a skirting board, and a floor of planks. */
static Colour
shade_room (const Setting *s, double x, double y)
{
  double u = x * 9 * s->scale, v = y * 9 * s->scale, motif;
  Colour paper = mix (s->tint[0], (Colour) {0.9, 0.86, 0.78}, 0.5);

  if (y > s->horizon)
    return planks_at (s, x, y);
  if (y > s->horizon - 0.05)
    return y > s->horizon - 0.008 ? (Colour) {0.5, 0.48, 0.45} : (Colour) {0.93, 0.92, 0.89};
  motif = s->turn < 0 ? sin (u * 2) : sin (u * 2) * sin (v * 2) + 0.3 * cos (u * 4);
  paper = mix (paper, s->tint[2], 0.45 * noise_step (0.25, 0.45, motif));
  return shade (paper, 0.88 + 0.18 * noise_fractal (s->seed, x * 40, y * 40, 2));
}

static Colour
shade_underwater (const Setting *s, double x, double y)
{
  Colour water = mix ((Colour) {0.1, 0.6, 0.7}, (Colour) {0.02, 0.16, 0.34}, y);
  double ray = noise_fractal (s->seed, (x - 0.3 * y) * 5, 0.3, 3);
  double warp = noise_fractal (s->seed + 1, x * 4, y * 4, 3);
  double caustic = 1 - fabs (2 * noise_value (s->seed + 2, x * 7 + 2 * warp, y * 9) - 1);

  water = mix (water, s->tint[0], 0.15);
  water = mix (water, white, 0.35 * (1 - y) * noise_step (0.4, 0.75, ray));
  water = mix (water, white, 0.16 * pow (caustic, 6));
  if (y > s->horizon + 0.06 * noise_fractal (s->seed + 3, x * 4, 0, 3))
    return mix (shade_desert (s, x, y), water, 0.6);
  return water;
}

/* One layer of leaves; where there is none, what is behind it. */
static Colour
leaves_at (const Setting *s, Colour behind, guint layer, double x, double y)
{
  double fine = (13 - 2.0 * layer) * s->scale, turn = s->turn + layer;
  double u = (x * cos (turn) + y * sin (turn)) * fine,
         v = (y * cos (turn) - x * sin (turn)) * fine * 0.6;
  NoiseCell leaf = noise_cell (s->seed + 10 * layer, u, v);
  Colour green = from_hsv (0.19 + 0.15 * leaf.id, 0.7, 0.25 + 0.13 * layer + 0.15 * leaf.id);

  green = shade (mix (green, s->tint[0], 0.15), 0.75 + 0.6 * leaf.edge);
  if (leaf.id < 0.35)
    return behind;
  return mix (shade (behind, 0.6), green, noise_step (0.1, 0.16, leaf.edge));
}

static Colour
shade_forest (const Setting *s, double x, double y)
{
  Colour colour = {0.05, 0.09, 0.05};

  for (guint layer = 0; layer < 4; layer++)
    colour = leaves_at (s, colour, layer, x, y);
  return shade (colour, 0.65 + 0.5 * noise_fractal (s->seed + 4, x * 3, y * 3, 3));
}

static Colour
shade_cobbles (const Setting *s, double x, double y)
{
  NoiseCell stone = noise_cell (s->seed, x * 8 * s->scale, y * 8 * s->scale);
  Colour grey = mix ((Colour) {0.55, 0.54, 0.52}, s->tint[0], 0.2);
  double grit = noise_fractal (s->seed + 6, x * 50, y * 50, 3);

  grey = shade (grey, 0.6 + 0.5 * stone.id + 0.3 * (grit - 0.5));
  return mix ((Colour) {0.2, 0.19, 0.17}, grey, noise_step (0.03, 0.22, stone.edge));
}

/* A tartan: crossing bands of three colours over a weave. */
static Colour
shade_fabric (const Setting *s, double x, double y)
{
  double u = (x * cos (s->turn) + y * sin (s->turn)) * 5 * s->scale;
  double v = (y * cos (s->turn) - x * sin (s->turn)) * 5 * s->scale;
  double across = noise_step (0.3, 0.34, fabs (u - floor (u) - 0.5));
  double along = noise_step (0.3, 0.34, fabs (v - floor (v) - 0.5));
  Colour cloth = mix (s->tint[0], s->tint[1], 0.5 * across + 0.3 * along);

  if (fabs (u - floor (u) - 0.5) < 0.04 || fabs (v - floor (v) - 0.5) < 0.04)
    cloth = mix (cloth, s->tint[2], 0.6);
  return shade (cloth, 0.72 + 0.2 * sin (u * 60) * sin (v * 60)
                           + 0.2 * noise_fractal (s->seed, x * 20, y * 20, 3));
}

static Colour
shade_plaster (const Setting *s, double x, double y)
{
  double warp = noise_fractal (s->seed + 1, x * 2, y * 2, 4);
  double blotch = noise_fractal (s->seed, x * 4 * s->scale + 3 * warp, y * 4 + 2 * warp, 5);
  double crack = fabs (noise_fractal (s->seed + 2, x * 3 + warp, y * 3, 4) - 0.5);
  Colour wall = mix (s->tint[0], s->tint[1], noise_step (0.3, 0.7, blotch));

  wall = mix (wall, black, 0.45 * (1 - noise_step (0.0, 0.012, crack)));
  return shade (wall, 0.75 + 0.4 * noise_fractal (s->seed + 3, x * 45, y * 45, 2));
}

const Place places[] = {
    {"meadow", shade_meadow, {0.45, 0.68}},
    {"sky", shade_sky},
    {"sea", shade_sea, {0.4, 0.6}},
    {"street", shade_street, {0.5, 0.68}},
    {"desert", shade_desert, {0.4, 0.65}},
    {"room", shade_room, {0.55, 0.72}},
    {"underwater", shade_underwater, {0.78, 1.1}},
    {"forest", shade_forest},
    {"cobbles", shade_cobbles},
    {"fabric", shade_fabric},
    {"plaster", shade_plaster},
};
const guint n_places = G_N_ELEMENTS (places);

const Place *
place_find (const char *name)
{
  for (guint i = 0; i < n_places; i++) {
    if (g_str_equal (places[i].name, name))
      return &places[i];
  }
  g_return_val_if_reached (NULL);
}

Setting
setting_new (const Place *place, GRand *random)
{
  Setting setting = {.place = place, .seed = g_rand_int (random)};

  setting.horizon = between (random, place->horizon[0], place->horizon[1]);
  setting.scale = between (random, 0.75, 1.5);
  setting.turn = between (random, -1, 1);
  for (guint i = 0; i < G_N_ELEMENTS (setting.tint); i++)
    setting.tint[i] = from_hsv (g_rand_double (random), between (random, 0.15, 0.65),
                                between (random, 0.3, 0.95));
  return setting;
}

static guint32
to_pixel (Colour c)
{
  guint r = (guint)(CLAMP (c.r, 0, 1) * 255 + 0.5), g = (guint)(CLAMP (c.g, 0, 1) * 255 + 0.5);
  guint b = (guint)(CLAMP (c.b, 0, 1) * 255 + 0.5);

  return r << 16 | g << 8 | b;
}

cairo_surface_t *
setting_paint (const Setting *setting, int width, int height)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  guint8 *data = cairo_image_surface_get_data (surface);
  int stride = cairo_image_surface_get_stride (surface);

  for (int y = 0; y < height; y++) {
    guint32 *row = (guint32 *)(data + (gsize)y * stride);

    for (int x = 0; x < width; x++) {
      /* two samples a pixel, on a diagonal: smooth edges in both directions */
      Colour a = setting->place->shade (setting, (x + 0.25) / height, (y + 0.25) / height);
      Colour b = setting->place->shade (setting, (x + 0.75) / height, (y + 0.75) / height);

      row[x] = to_pixel (mix (a, b, 0.5));
    }
  }
  cairo_surface_mark_dirty (surface);
  return surface;
}
