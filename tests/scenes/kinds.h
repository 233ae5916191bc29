/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kinds of things that draw-scenes knows, as vector drawings.
 *
 * A kind draws itself around the origin, y downwards, its larger side about 1 unit long. A Look
 * holds everything that differs between two things of one kind; the same look gives the same
 * drawing, and `phase` moves its parts (legs, wheels, tails). */
#pragma once

#include <cairo.h>

#include "colour.h"

typedef enum { FILL_PLAIN, FILL_STRIPES, FILL_DOTS, FILL_CHECKS, FILL_SPECKLES, N_FILLS } Fill;

typedef struct {
  Colour main, second, third;
  Colour natural; /* what skin, leaves and wood are made of: differs less than the others */
  Fill fill;
  double fill_size, fill_angle;
  double outline; /* width of contours; 0: none */
  double vary[4]; /* in [0, 1): proportions and variants, as the kind likes */
  double phase;   /* in cycles */
} Look;

/* Where a thing is met, when the place has a ground and a sky. */
typedef enum { STANDS, FLIES, FLOATS, ANYWHERE } Habitat;

typedef struct {
  const char *name;
  void (*draw) (cairo_t *cr, const Look *look);
  Habitat habitat;
  double half_height; /* of the drawing, to put it on the ground */
  double turn;        /* how far it may be rotated, radians */
  double speed;       /* how fast it moves through a scene; 0: it stays */
  const char *place;  /* the name of the place where it is usually met, or NULL */
} Kind;

/* The quickstart's classes, and the things its original network was trained on, sorted by name. */
extern const Kind set_kinds[];
extern const guint n_set_kinds;
extern const Kind other_kinds[];
extern const guint n_other_kinds;

Look look_new (GRand *random);

/* Pieces that kinds are made of. `shape` fills the current path with a shaded colour, and with the
 * look's pattern when `patterned`, draws the contour and clears the path. */
void shape (cairo_t *cr, const Look *look, Colour colour, gboolean patterned);
void line (cairo_t *cr, Colour colour, double width);
void polygon (cairo_t *cr, const double (*points)[2], guint n);
void ellipse (cairo_t *cr, double x, double y, double rx, double ry);
void rounded (cairo_t *cr, double x, double y, double width, double height, double radius);
