/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One thing as pixels, its place in the picture, and what of it can be seen. */
#pragma once

#include "kinds.h"

/* In pixels of the picture. */
typedef struct {
  double x, y;    /* centre */
  double size;    /* of the kind's unit: about its longer side */
  double angle;   /* radians, clockwise */
  double stretch; /* width grows by this factor, height shrinks by it */
  gboolean flip;  /* faces left */
} Pose;

typedef struct {
  cairo_surface_t *surface; /* ARGB32, just large enough */
  int left, top;            /* its upper left corner in the picture; may lie outside */
} Sprite;

typedef struct {
  int x, y, width, height; /* empty when width is 0 */
} Box;

/* The share of every pixel of a picture that is not covered yet, 255 all of it. */
typedef struct {
  guint8 *clear;
  int width, height;
} Cover;

Sprite sprite_draw (const Kind *kind, const Look *look, const Pose *pose);
void sprite_clear (Sprite *sprite);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Sprite, sprite_clear)

/* Onto a picture, over a soft shadow. */
void sprite_paint (const Sprite *sprite, cairo_t *cr);
/* The box round the part of the sprite inside the picture, covered or not. */
Box sprite_box (const Sprite *sprite, int width, int height);
/* Returns the visible share of the whole thing, in [0, 1], and covers the pixels it takes: call it
 * for the foremost thing first. */
double sprite_uncover (const Sprite *sprite, Cover *cover);
