/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The quickstart's classes. */
#include "kinds.h"

#include <math.h>

static const Colour white = {0.96, 0.96, 0.94}, ink = {0.12, 0.12, 0.15};
static const Colour glass = {0.66, 0.84, 0.93}, rubber = {0.16, 0.16, 0.18};

/* A hot-air balloon: gores, a skirt, ropes and a basket. */
static void
draw_balloon (cairo_t *cr, const Look *look)
{
  double width = 0.32 + 0.06 * look->vary[0];
  int gores = 3 + (int)(3 * look->vary[1]);

  cairo_move_to (cr, -0.08, 0.2);
  cairo_line_to (cr, -0.06, 0.38);
  cairo_move_to (cr, 0.08, 0.2);
  cairo_line_to (cr, 0.06, 0.38);
  line (cr, ink, 0.012);
  for (int gore = gores; gore >= 1; gore--) {
    double w = width * gore / gores;

    cairo_move_to (cr, 0, -0.5);
    cairo_curve_to (cr, w * 1.35, -0.5, w * 1.35, -0.1, w * 0.3, 0.22);
    cairo_line_to (cr, -w * 0.3, 0.22);
    cairo_curve_to (cr, -w * 1.35, -0.1, -w * 1.35, -0.5, 0, -0.5);
    cairo_close_path (cr);
    shape (cr, look, (gores - gore) % 2 ? look->second : look->main, gore == gores);
  }
  rounded (cr, -0.085, 0.37, 0.17, 0.13, 0.025);
  shape (cr, look, mix (look->natural, (Colour) {0.5, 0.3, 0.12}, 0.7), FALSE);
}

static void
draw_sail (cairo_t *cr, const Look *look, Colour colour, double width, double foot)
{
  cairo_move_to (cr, width > 0 ? 0.02 : -0.02, -0.46);
  cairo_curve_to (cr, width * 0.55, -0.25, width, -0.02, width, foot);
  cairo_line_to (cr, width > 0 ? 0.02 : -0.02, foot);
  cairo_close_path (cr);
  shape (cr, look, colour, width > 0);
}

static void
draw_funnels (cairo_t *cr, const Look *look)
{
  int n = 1 + (int)(3 * look->vary[2]);

  for (int i = 0; i < n; i++) {
    cairo_rectangle (cr, -0.2 + 0.15 * i, -0.2, 0.075, 0.22);
    shape (cr, look, look->second, FALSE);
    cairo_rectangle (cr, -0.2 + 0.15 * i, -0.2, 0.075, 0.05);
    shape (cr, look, ink, FALSE);
  }
  rounded (cr, -0.28, 0.0, 0.5, 0.16, 0.02);
  shape (cr, look, white, FALSE);
  for (int i = 0; i < 5; i++)
    ellipse (cr, -0.21 + 0.09 * i, 0.07, 0.026, 0.026);
  shape (cr, look, glass, FALSE);
}

/* A sailing boat or a steamer. */
static void
draw_boat (cairo_t *cr, const Look *look)
{
  gboolean sails = look->vary[0] < 0.65;
  double depth = 0.16 + 0.06 * look->vary[1];

  if (sails) {
    cairo_move_to (cr, 0, -0.5);
    cairo_line_to (cr, 0, 0.2);
    line (cr, shade (look->natural, 0.6), 0.025);
    draw_sail (cr, look, mix (look->second, white, 0.6), 0.3 + 0.12 * look->vary[2], 0.1);
    draw_sail (cr, look, mix (look->second, white, 0.8), -0.25 - 0.1 * look->vary[3], 0.08);
  } else {
    draw_funnels (cr, look);
  }
  cairo_move_to (cr, -0.5, 0.14);
  cairo_line_to (cr, 0.5, 0.14);
  cairo_curve_to (cr, 0.46, 0.14 + depth * 0.6, 0.4, 0.14 + depth, 0.3, 0.14 + depth);
  cairo_line_to (cr, -0.32, 0.14 + depth);
  cairo_curve_to (cr, -0.42, 0.14 + depth, -0.46, 0.2, -0.5, 0.14);
  cairo_close_path (cr);
  shape (cr, look, look->main, !sails);
  cairo_move_to (cr, -0.46, 0.19);
  cairo_line_to (cr, 0.46, 0.19);
  line (cr, white, 0.018);
}

static void
draw_wheel (cairo_t *cr, const Look *look, double x, double y, double radius)
{
  ellipse (cr, x, y, radius, radius);
  shape (cr, look, rubber, FALSE);
  ellipse (cr, x, y, radius * 0.55, radius * 0.55);
  shape (cr, look, mix (look->third, white, 0.7), FALSE);
  for (int i = 0; i < 5; i++) {
    double angle = 2 * G_PI * (look->phase + i / 5.0);

    cairo_move_to (cr, x, y);
    cairo_line_to (cr, x + radius * 0.5 * cos (angle), y + radius * 0.5 * sin (angle));
  }
  line (cr, ink, radius * 0.12);
}

/* A saloon, an estate car or a van, driving to the right. */
static void
draw_car (cairo_t *cr, const Look *look)
{
  double roof = -0.17 - 0.06 * look->vary[0], rear = -0.44 + 0.2 * look->vary[1];
  double front = 0.02 + 0.16 * look->vary[2], pillar = (rear + front) / 2;
  const double cabin[][2] = {
      {rear - 0.04, -0.02}, {rear + 0.04, roof}, {front, roof}, {front + 0.17, -0.02}};
  const double windows[][2] = {{rear + 0.02, -0.03},
                               {rear + 0.075, roof + 0.035},
                               {front - 0.01, roof + 0.035},
                               {front + 0.115, -0.03}};

  polygon (cr, cabin, G_N_ELEMENTS (cabin));
  shape (cr, look, look->main, FALSE);
  polygon (cr, windows, G_N_ELEMENTS (windows));
  shape (cr, look, glass, FALSE);
  cairo_move_to (cr, pillar, roof + 0.01);
  cairo_line_to (cr, pillar, -0.02);
  line (cr, look->main, 0.035);
  cairo_move_to (cr, -0.5, 0.13);
  cairo_line_to (cr, -0.49, 0.0);
  cairo_curve_to (cr, -0.48, -0.04, -0.44, -0.05, -0.4, -0.05);
  cairo_line_to (cr, 0.2, -0.05);
  cairo_curve_to (cr, 0.35, -0.04, 0.47, -0.02, 0.49, 0.04);
  cairo_line_to (cr, 0.5, 0.13);
  cairo_close_path (cr);
  shape (cr, look, look->main, TRUE);
  ellipse (cr, 0.46, 0.035, 0.028, 0.028);
  shape (cr, look, (Colour) {1, 0.93, 0.6}, FALSE);
  rounded (cr, -0.495, 0.0, 0.035, 0.06, 0.012);
  shape (cr, look, (Colour) {0.85, 0.1, 0.1}, FALSE);
  draw_wheel (cr, look, -0.29, 0.13, 0.095);
  draw_wheel (cr, look, 0.29, 0.13, 0.095);
}

/* Swims to the right; its tail beats. */
static void
draw_fish (cairo_t *cr, const Look *look)
{
  double height = 0.15 + 0.1 * look->vary[0], beat = 0.05 * sin (2 * G_PI * look->phase);
  double tail = 0.14 + 0.08 * look->vary[1];

  cairo_move_to (cr, -0.22, 0);
  cairo_curve_to (cr, -0.34, -0.04, -0.42, -tail * 0.8, -0.5, -tail + beat);
  cairo_curve_to (cr, -0.43, 0, -0.43, 0, -0.5, tail + beat);
  cairo_curve_to (cr, -0.42, tail * 0.8, -0.34, 0.04, -0.22, 0);
  shape (cr, look, look->second, FALSE);
  cairo_move_to (cr, -0.14, -height * 0.7);
  cairo_curve_to (cr, -0.1, -height * 1.8, 0.1, -height * 1.7, 0.22, -height * 0.6);
  cairo_close_path (cr);
  shape (cr, look, look->second, FALSE);
  cairo_move_to (cr, 0.5, 0.01);
  cairo_curve_to (cr, 0.35, -height * 1.5, -0.05, -height * 1.3, -0.3, 0);
  cairo_curve_to (cr, -0.05, height * 1.3, 0.35, height * 1.4, 0.5, 0.01);
  shape (cr, look, look->main, TRUE);
  cairo_move_to (cr, 0.02, 0.01);
  cairo_curve_to (cr, -0.08, 0.02, -0.12, 0.08 + beat, -0.1, 0.11 + beat);
  cairo_curve_to (cr, -0.02, 0.11, 0.06, 0.07, 0.02, 0.01);
  shape (cr, look, look->second, FALSE);
  cairo_arc (cr, 0.14, 0, height * 0.85, -0.9, 0.9);
  line (cr, shade (look->main, 0.55), 0.014);
  ellipse (cr, 0.34, -0.04, 0.036, 0.036);
  shape (cr, look, white, FALSE);
  ellipse (cr, 0.348, -0.038, 0.018, 0.018);
  shape (cr, look, ink, FALSE);
}

static void
draw_leaf (cairo_t *cr, const Look *look, double x, double y, double reach)
{
  cairo_move_to (cr, x, y);
  cairo_curve_to (cr, x + reach * 0.3, y - 0.12, x + reach * 0.8, y - 0.12, x + reach, y - 0.1);
  cairo_curve_to (cr, x + reach * 0.8, y - 0.02, x + reach * 0.3, y + 0.02, x, y);
  shape (cr, look, (Colour) {0.25, 0.58, 0.2}, FALSE);
}

/* One flower on its stem, seen from the side and a little from above. */
static void
draw_flower (cairo_t *cr, const Look *look)
{
  int petals = 5 + (int)(6 * look->vary[0]);
  double length = 0.17 + 0.05 * look->vary[1], width = 0.06 + 0.5 / (petals * petals);
  double sway = 0.02 * sin (2 * G_PI * look->phase), x = sway, y = -0.24;
  cairo_matrix_t saved;

  cairo_move_to (cr, 0, 0.5);
  cairo_curve_to (cr, 0.04, 0.25, -0.03, 0.05, x, y);
  line (cr, (Colour) {0.2, 0.5, 0.16}, 0.03);
  draw_leaf (cr, look, 0.015, 0.36, 0.24);
  draw_leaf (cr, look, 0.01, 0.26, -0.22);
  cairo_get_matrix (cr, &saved);
  for (int i = 0; i < petals; i++) {
    cairo_translate (cr, x, y);
    cairo_rotate (cr, 2 * G_PI * i / petals + look->vary[3]);
    ellipse (cr, length * 0.62, 0, length * 0.62, width);
    shape (cr, look, i % 2 ? look->main : shade (look->main, 0.9), FALSE);
    cairo_set_matrix (cr, &saved);
  }
  ellipse (cr, x, y, 0.075 + 0.03 * look->vary[2], 0.075 + 0.03 * look->vary[2]);
  shape (cr, look, mix (look->second, (Colour) {0.95, 0.75, 0.15}, 0.6), FALSE);
}

static void
draw_window (cairo_t *cr, const Look *look, double x, double y, double size)
{
  cairo_rectangle (cr, x, y, size, size);
  shape (cr, look, glass, FALSE);
  cairo_rectangle (cr, x, y, size, size);
  cairo_move_to (cr, x + size / 2, y);
  cairo_line_to (cr, x + size / 2, y + size);
  cairo_move_to (cr, x, y + size / 2);
  cairo_line_to (cr, x + size, y + size / 2);
  line (cr, white, 0.016);
}

/* Walls, a gabled or hipped roof, a chimney, a door and windows. */
static void
draw_house (cairo_t *cr, const Look *look)
{
  double half = 0.32 + 0.1 * look->vary[0], eaves = -0.12 + 0.12 * look->vary[1];
  double ridge = look->vary[2] < 0.4 ? half * 0.5 : 0.02;
  double door = look->vary[3] < 0.5 ? -0.06 : half - 0.2;
  Colour roof = mix (look->second, (Colour) {0.65, 0.25, 0.15}, 0.5);
  const double outline[][2] = {
      {-half - 0.07, eaves}, {-ridge, -0.44}, {ridge, -0.44}, {half + 0.07, eaves}};

  cairo_rectangle (cr, half * 0.45, -0.5, 0.09, 0.3);
  shape (cr, look, shade (roof, 0.75), FALSE);
  cairo_rectangle (cr, -half, eaves, 2 * half, 0.5 - eaves);
  shape (cr, look, mix (look->main, white, 0.3), TRUE);
  polygon (cr, outline, G_N_ELEMENTS (outline));
  shape (cr, look, roof, FALSE);
  cairo_rectangle (cr, door, 0.18, 0.15, 0.32);
  shape (cr, look, shade (look->third, 0.6), FALSE);
  draw_window (cr, look, -half + 0.06, eaves + 0.09, 0.15);
  if (door < 0)
    draw_window (cr, look, half - 0.21, eaves + 0.09, 0.15);
  else
    draw_window (cr, look, -0.06, eaves + 0.09, 0.15);
}

static void
draw_limb (cairo_t *cr, Colour colour, double x, double y, double length, double angle,
           double width)
{
  cairo_move_to (cr, x, y);
  cairo_line_to (cr, x + length * sin (angle), y + length * cos (angle));
  line (cr, colour, width);
}

/* Walks with swinging arms and legs; wears trousers or a skirt, sometimes a hat. */
static void
draw_person (cairo_t *cr, const Look *look)
{
  double swing = 0.15 + 0.35 * sin (2 * G_PI * look->phase);
  Colour skin = mix (look->natural, (Colour) {0.93, 0.72, 0.55}, 0.45),
         hair = shade (look->third, 0.35);
  const double skirt[][2] = {{-0.075, 0.02}, {0.075, 0.02}, {0.15, 0.26}, {-0.15, 0.26}};

  draw_limb (cr, shade (skin, 0.85), 0.0, -0.2, 0.26, swing, 0.05);
  draw_limb (cr, shade (look->second, 0.7), -0.02, 0.1, 0.36, -swing * 0.8, 0.075);
  draw_limb (cr, look->second, 0.02, 0.1, 0.36, swing * 0.8, 0.075);
  if (look->vary[0] < 0.4) {
    polygon (cr, skirt, G_N_ELEMENTS (skirt));
    shape (cr, look, look->second, TRUE);
  }
  rounded (cr, -0.1, -0.26, 0.2, 0.38, 0.06);
  shape (cr, look, look->main, TRUE);
  draw_limb (cr, skin, 0.0, -0.2, 0.28, -swing, 0.05);
  draw_limb (cr, look->main, 0.0, -0.2, 0.13, -swing, 0.065);
  cairo_rectangle (cr, -0.03, -0.3, 0.06, 0.06);
  shape (cr, look, skin, FALSE);
  ellipse (cr, 0, -0.38, 0.09, 0.105);
  shape (cr, look, skin, FALSE);
  cairo_arc (cr, 0, -0.39, 0.1, G_PI * (0.85 + 0.15 * look->vary[1]), -0.1);
  cairo_close_path (cr);
  shape (cr, look, hair, FALSE);
  if (look->vary[2] < 0.35) {
    rounded (cr, -0.15, -0.455, 0.3, 0.03, 0.012);
    rounded (cr, -0.085, -0.51, 0.17, 0.07, 0.02);
    shape (cr, look, look->third, FALSE);
  }
}

static void
draw_conifer (cairo_t *cr, const Look *look, Colour leaves)
{
  int layers = 3 + (int)(2 * look->vary[2]);

  for (int i = layers - 1; i >= 0; i--) {
    double top = -0.5 + 0.6 * i / layers, half = 0.14 + 0.2 * (i + 1) / layers;
    const double layer[][2] = {{0, top}, {half, top + 0.32}, {-half, top + 0.32}};

    polygon (cr, layer, G_N_ELEMENTS (layer));
    shape (cr, look, leaves, FALSE);
  }
}

static void
draw_crown (cairo_t *cr, const Look *look, Colour leaves)
{
  int blobs = 5 + (int)(4 * look->vary[2]);
  double sway = 0.012 * sin (2 * G_PI * look->phase);

  for (int i = 0; i < blobs; i++) {
    double angle = 2 * G_PI * i / blobs + look->vary[3];

    ellipse (cr, sway + 0.2 * cos (angle), -0.17 + 0.16 * sin (angle), 0.16, 0.155);
    shape (cr, look, shade (leaves, 0.82 + 0.1 * (i % 3)), FALSE);
  }
  ellipse (cr, sway, -0.17, 0.23, 0.21);
  shape (cr, look, leaves, FALSE);
}

/* A conifer or a broad-leaved tree, green or in autumn's colours. */
static void
draw_tree (cairo_t *cr, const Look *look)
{
  const Colour green = {0.2, 0.5, 0.18}, autumn = {0.82, 0.48, 0.12};
  Colour leaves = mix (look->vary[1] < 0.75 ? green : autumn, look->main, 0.22);
  double trunk = 0.04 + 0.02 * look->vary[3];
  const double outline[][2] = {
      {-trunk * 0.7, -0.1}, {trunk * 0.7, -0.1}, {trunk * 1.3, 0.5}, {-trunk * 1.3, 0.5}};

  polygon (cr, outline, G_N_ELEMENTS (outline));
  shape (cr, look, mix (look->natural, (Colour) {0.4, 0.27, 0.15}, 0.7), FALSE);
  if (look->vary[0] < 0.4)
    draw_conifer (cr, look, leaves);
  else
    draw_crown (cr, look, leaves);
}

const Kind set_kinds[] = {
    {"balloon", draw_balloon, FLIES, 0.5, 0.12, 0.3, "sky"},
    {"boat", draw_boat, FLOATS, 0.36, 0.1, 0.6, "sea"},
    {"car", draw_car, STANDS, 0.225, 0.06, 1, "street"},
    {"fish", draw_fish, ANYWHERE, 0.2, 0.5, 0.8, "underwater"},
    {"flower", draw_flower, STANDS, 0.5, 0.15, 0, "meadow"},
    {"house", draw_house, STANDS, 0.5, 0.04, 0, "meadow"},
    {"person", draw_person, STANDS, 0.5, 0.1, 0.4, "street"},
    {"tree", draw_tree, STANDS, 0.5, 0.06, 0, "meadow"},
};
const guint n_set_kinds = G_N_ELEMENTS (set_kinds);
