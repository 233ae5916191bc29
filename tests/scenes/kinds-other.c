/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Things outside the quickstart's classes: its original network was trained on them, and to the
 * ensemble they are strangers. */
#include "kinds.h"

#include <math.h>

static const Colour white = {0.96, 0.96, 0.94}, ink = {0.12, 0.12, 0.15};
static const Colour steel = {0.72, 0.75, 0.78}, rubber = {0.16, 0.16, 0.18};

static void
draw_bicycle (cairo_t *cr, const Look *look)
{
  const double hub[2] = {-0.3, 0.3}, pedal = -0.04 + 0.04 * look->vary[0];

  for (int i = 0; i < 2; i++) {
    for (int spoke = 0; spoke < 8; spoke++) {
      double angle = 2 * G_PI * (look->phase + spoke / 8.0);

      cairo_move_to (cr, hub[i], 0.12);
      cairo_line_to (cr, hub[i] + 0.18 * cos (angle), 0.12 + 0.18 * sin (angle));
    }
    line (cr, steel, 0.008);
    ellipse (cr, hub[i], 0.12, 0.18, 0.18);
    line (cr, rubber, 0.035);
  }
  cairo_move_to (cr, hub[0], 0.12);
  cairo_line_to (cr, pedal, 0.12);
  cairo_line_to (cr, 0.2, -0.14);
  cairo_line_to (cr, -0.13, -0.12);
  cairo_close_path (cr);
  cairo_move_to (cr, pedal, 0.12);
  cairo_line_to (cr, -0.15, -0.2);
  cairo_move_to (cr, hub[1], 0.12);
  cairo_line_to (cr, 0.18, -0.24);
  line (cr, look->main, 0.035);
  cairo_move_to (cr, -0.22, -0.21);
  cairo_line_to (cr, -0.08, -0.21);
  cairo_move_to (cr, 0.12, -0.25);
  cairo_line_to (cr, 0.27, -0.22);
  line (cr, ink, 0.04);
}

static void
draw_bird (cairo_t *cr, const Look *look)
{
  double flap = 0.3 * sin (2 * G_PI * look->phase), width = 0.12 + 0.04 * look->vary[0];
  const double beak[][2] = {{0.36, -0.1}, {0.5, -0.05}, {0.36, -0.03}};

  cairo_move_to (cr, -0.2, 0);
  cairo_line_to (cr, -0.5, -0.04);
  cairo_line_to (cr, -0.46, 0.08);
  cairo_close_path (cr);
  shape (cr, look, look->second, FALSE);
  polygon (cr, beak, G_N_ELEMENTS (beak));
  shape (cr, look, (Colour) {0.95, 0.65, 0.1}, FALSE);
  ellipse (cr, 0, 0.02, 0.28, width);
  shape (cr, look, look->main, TRUE);
  ellipse (cr, 0.28, -0.07, 0.11, 0.1);
  shape (cr, look, look->main, FALSE);
  ellipse (cr, 0.31, -0.09, 0.02, 0.02);
  shape (cr, look, ink, FALSE);
  cairo_move_to (cr, 0.12, -0.03);
  cairo_curve_to (cr, 0.05, -0.3 + flap, -0.15, -0.42 + flap, -0.3, -0.4 + flap);
  cairo_curve_to (cr, -0.25, -0.2 + flap / 2, -0.2, -0.05, -0.12, 0);
  cairo_close_path (cr);
  shape (cr, look, look->second, FALSE);
}

static void
draw_butterfly (cairo_t *cr, const Look *look)
{
  double spread = 0.75 + 0.25 * cos (2 * G_PI * look->phase);

  for (int side = -1; side <= 1; side += 2) {
    double s = side * spread;

    cairo_move_to (cr, 0, 0);
    cairo_curve_to (cr, s * 0.12, -0.45, s * 0.55, -0.5, s * 0.48, -0.2);
    cairo_curve_to (cr, s * 0.45, -0.02, s * 0.2, 0.04, 0, 0.02);
    shape (cr, look, look->main, TRUE);
    cairo_move_to (cr, 0, 0.02);
    cairo_curve_to (cr, s * 0.25, 0.0, s * 0.48, 0.15, s * 0.34, 0.36);
    cairo_curve_to (cr, s * 0.22, 0.46, s * 0.08, 0.3, 0, 0.1);
    shape (cr, look, look->second, FALSE);
    ellipse (cr, s * 0.32, -0.24, 0.05 * spread, 0.05 + 0.03 * look->vary[0]);
    shape (cr, look, look->third, FALSE);
    cairo_move_to (cr, 0, -0.16);
    cairo_curve_to (cr, s * 0.04, -0.3, s * 0.1, -0.35, s * 0.13, -0.36);
    line (cr, ink, 0.014);
  }
  ellipse (cr, 0, 0.04, 0.035, 0.22);
  shape (cr, look, ink, FALSE);
}

static void
draw_hand (cairo_t *cr, double turns, double length, double width)
{
  cairo_move_to (cr, 0, 0);
  cairo_line_to (cr, length * sin (2 * G_PI * turns), -length * cos (2 * G_PI * turns));
  line (cr, ink, width);
}

static void
draw_clock (cairo_t *cr, const Look *look)
{
  double rim = 0.04 + 0.05 * look->vary[0];

  ellipse (cr, 0, 0, 0.49, 0.49);
  shape (cr, look, look->main, TRUE);
  ellipse (cr, 0, 0, 0.49 - rim, 0.49 - rim);
  shape (cr, look, mix (look->third, white, 0.85), FALSE);
  for (int hour = 0; hour < 12; hour++) {
    double angle = G_PI * hour / 6, inner = hour % 3 ? 0.36 : 0.31;

    cairo_move_to (cr, inner * cos (angle), inner * sin (angle));
    cairo_line_to (cr, 0.39 * cos (angle), 0.39 * sin (angle));
  }
  line (cr, ink, 0.022);
  draw_hand (cr, look->vary[1] + look->phase / 12, 0.22, 0.045);
  draw_hand (cr, look->vary[2] + look->phase, 0.34, 0.028);
  ellipse (cr, 0, 0, 0.035, 0.035);
  shape (cr, look, look->main, FALSE);
}

static void
draw_cup (cairo_t *cr, const Look *look)
{
  double foot = 0.22 + 0.08 * look->vary[0];

  ellipse (cr, 0.3, 0.0, 0.15, 0.17);
  line (cr, shade (look->main, 0.8), 0.065);
  cairo_move_to (cr, -0.34, -0.3);
  cairo_curve_to (cr, -0.34, 0.1, -0.3, 0.38, -foot, 0.38);
  cairo_line_to (cr, foot, 0.38);
  cairo_curve_to (cr, 0.3, 0.38, 0.34, 0.1, 0.34, -0.3);
  cairo_close_path (cr);
  shape (cr, look, look->main, TRUE);
  ellipse (cr, 0, -0.3, 0.34, 0.08);
  shape (cr, look, mix (look->main, white, 0.5), FALSE);
  ellipse (cr, 0, -0.285, 0.29, 0.055);
  shape (cr, look, mix (look->natural, (Colour) {0.3, 0.16, 0.08}, 0.6), FALSE);
}

static void
draw_guitar (cairo_t *cr, const Look *look)
{
  Colour wood = mix (look->main, (Colour) {0.8, 0.5, 0.2}, 0.5);

  cairo_move_to (cr, -0.04, -0.06);
  cairo_curve_to (cr, -0.2, -0.06, -0.16, 0.1, -0.15, 0.16);
  cairo_curve_to (cr, -0.3, 0.22, -0.28, 0.5, 0, 0.5);
  cairo_curve_to (cr, 0.28, 0.5, 0.3, 0.22, 0.15, 0.16);
  cairo_curve_to (cr, 0.16, 0.1, 0.2, -0.06, 0.04, -0.06);
  cairo_close_path (cr);
  shape (cr, look, wood, TRUE);
  ellipse (cr, 0, 0.2, 0.075, 0.075);
  shape (cr, look, ink, FALSE);
  rounded (cr, -0.035, -0.42, 0.07, 0.56, 0.01);
  shape (cr, look, shade (look->natural, 0.5), FALSE);
  rounded (cr, -0.06, -0.5, 0.12, 0.12, 0.02);
  shape (cr, look, shade (wood, 0.6), FALSE);
  rounded (cr, -0.1, 0.34, 0.2, 0.035, 0.01);
  shape (cr, look, shade (wood, 0.5), FALSE);
  for (int i = -1; i <= 1; i++) {
    cairo_move_to (cr, i * 0.017, -0.42);
    cairo_line_to (cr, i * 0.017, 0.35);
  }
  line (cr, white, 0.006);
}

static void
draw_key (cairo_t *cr, const Look *look)
{
  Colour metal = mix (look->main, (Colour) {0.85, 0.7, 0.3}, 0.5);
  int teeth = 2 + (int)(3 * look->vary[0]);

  cairo_rectangle (cr, -0.14, -0.035, 0.62, 0.07);
  for (int i = 0; i < teeth; i++)
    cairo_rectangle (cr, 0.42 - 0.08 * i, 0.03, 0.05, 0.1 + 0.04 * (i % 2));
  shape (cr, look, metal, FALSE);
  cairo_set_fill_rule (cr, CAIRO_FILL_RULE_EVEN_ODD);
  ellipse (cr, -0.32, 0, 0.18, 0.18);
  ellipse (cr, -0.34, 0, 0.07 + 0.04 * look->vary[1], 0.09);
  shape (cr, look, metal, FALSE);
  cairo_set_fill_rule (cr, CAIRO_FILL_RULE_WINDING);
}

static void
draw_lamp (cairo_t *cr, const Look *look)
{
  double top = 0.1 + 0.1 * look->vary[0];
  const double screen[][2] = {{-top, -0.5}, {top, -0.5}, {0.32, -0.02}, {-0.32, -0.02}};

  cairo_move_to (cr, 0, -0.05);
  cairo_line_to (cr, 0, 0.44);
  line (cr, mix (look->third, steel, 0.5), 0.045);
  if (look->vary[1] < 0.5) {
    ellipse (cr, 0, 0.28, 0.13, 0.15);
    shape (cr, look, look->second, FALSE);
  }
  rounded (cr, -0.19, 0.42, 0.38, 0.08, 0.035);
  shape (cr, look, mix (look->third, steel, 0.5), FALSE);
  polygon (cr, screen, G_N_ELEMENTS (screen));
  shape (cr, look, mix (look->main, (Colour) {1, 0.95, 0.75}, 0.35), TRUE);
}

static void
draw_mushroom (cairo_t *cr, const Look *look)
{
  double stem = 0.1 + 0.05 * look->vary[0];

  cairo_move_to (cr, -stem, -0.05);
  cairo_curve_to (cr, -stem, 0.2, -stem - 0.05, 0.3, -stem - 0.06, 0.45);
  cairo_line_to (cr, stem + 0.06, 0.45);
  cairo_curve_to (cr, stem + 0.05, 0.3, stem, 0.2, stem, -0.05);
  cairo_close_path (cr);
  shape (cr, look, mix (look->natural, white, 0.7), FALSE);
  cairo_move_to (cr, -0.45, 0.02);
  cairo_curve_to (cr, -0.45, -0.55, 0.45, -0.55, 0.45, 0.02);
  cairo_curve_to (cr, 0.2, 0.1, -0.2, 0.1, -0.45, 0.02);
  shape (cr, look, look->main, FALSE);
  for (int i = 0; i < 5; i++)
    ellipse (cr, -0.28 + 0.14 * i, -0.14 - 0.13 * (i % 2), 0.045, 0.04);
  shape (cr, look, white, FALSE);
}

static void
draw_plane (cairo_t *cr, const Look *look)
{
  const double tail[][2] = {{-0.46, -0.24}, {-0.36, -0.24}, {-0.24, -0.05}, {-0.44, -0.05}};
  const double wing[][2] = {{-0.06, 0.02}, {0.12, 0.02}, {-0.12, 0.26}, {-0.24, 0.26}};
  double radius = 0.075 + 0.025 * look->vary[0];

  polygon (cr, tail, G_N_ELEMENTS (tail));
  shape (cr, look, look->second, FALSE);
  cairo_move_to (cr, -0.48, -0.04);
  cairo_curve_to (cr, -0.2, -radius * 1.3, 0.25, -radius * 1.3, 0.4, -radius * 0.6);
  cairo_curve_to (cr, 0.52, 0, 0.5, radius * 0.9, 0.36, radius);
  cairo_curve_to (cr, 0.1, radius * 1.2, -0.3, radius, -0.48, -0.04);
  shape (cr, look, mix (look->main, white, 0.4), TRUE);
  for (int i = 0; i < 7; i++)
    ellipse (cr, -0.2 + 0.075 * i, -0.025, 0.017, 0.02);
  shape (cr, look, ink, FALSE);
  polygon (cr, wing, G_N_ELEMENTS (wing));
  shape (cr, look, look->second, FALSE);
  rounded (cr, -0.06, 0.11, 0.14, 0.06, 0.025);
  shape (cr, look, steel, FALSE);
}

static void
draw_star (cairo_t *cr, const Look *look)
{
  int points = 5 + (int)(3 * look->vary[0]);
  double inner = 0.2 + 0.1 * look->vary[1];

  for (int i = 0; i < 2 * points; i++) {
    double radius = i % 2 ? inner : 0.49, angle = G_PI * i / points - G_PI_2;

    cairo_line_to (cr, radius * cos (angle), radius * sin (angle));
  }
  cairo_close_path (cr);
  shape (cr, look, look->main, TRUE);
}

static void
draw_umbrella (cairo_t *cr, const Look *look)
{
  int gores = 4 + 2 * (int)(2 * look->vary[0]);

  cairo_move_to (cr, 0, -0.48);
  cairo_line_to (cr, 0, 0.4);
  cairo_arc_negative (cr, 0.06, 0.4, 0.06, G_PI, 0.1);
  line (cr, shade (look->natural, 0.5), 0.03);
  for (int gore = 0; gore < gores; gore++) {
    double left = -0.48 + 0.96 * gore / gores, right = left + 0.96 / gores;

    cairo_move_to (cr, 0, -0.44);
    cairo_curve_to (cr, left * 0.7, -0.4, left, -0.2, left, 0.02);
    cairo_curve_to (cr, left + 0.02, -0.05, right - 0.02, -0.05, right, 0.02);
    cairo_curve_to (cr, right, -0.2, right * 0.7, -0.4, 0, -0.44);
    shape (cr, look, gore % 2 ? look->second : look->main, FALSE);
  }
}

const Kind other_kinds[] = {
    {"bicycle", draw_bicycle, STANDS, 0.3, 0.06, 0.8, "street"},
    {"bird", draw_bird, FLIES, 0.3, 0.3, 1, "sky"},
    {"butterfly", draw_butterfly, FLIES, 0.4, 0.6, 0.5, "meadow"},
    {"clock", draw_clock, ANYWHERE, 0.5, 0.1, 0, "room"},
    {"cup", draw_cup, STANDS, 0.4, 0.06, 0, "room"},
    {"guitar", draw_guitar, ANYWHERE, 0.5, 0.7, 0, "room"},
    {"key", draw_key, ANYWHERE, 0.2, 1.5, 0.2, NULL},
    {"lamp", draw_lamp, STANDS, 0.5, 0.05, 0, "room"},
    {"mushroom", draw_mushroom, STANDS, 0.45, 0.12, 0, "forest"},
    {"plane", draw_plane, FLIES, 0.25, 0.3, 1, "sky"},
    {"star", draw_star, ANYWHERE, 0.5, 1.5, 0.3, NULL},
    {"umbrella", draw_umbrella, ANYWHERE, 0.5, 0.3, 0.2, "street"},
};
const guint n_other_kinds = G_N_ELEMENTS (other_kinds);
