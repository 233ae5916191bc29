/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Textured backgrounds. A place is a function from a point to a colour, so it can be painted at any
 * size: x and y are in units of the picture's height, y downwards from 0 to 1. */
#pragma once

#include <cairo.h>

#include "colour.h"

typedef struct _Place Place;

typedef struct {
  const Place *place;
  guint32 seed;
  double horizon; /* y of the line between ground and sky; 0 for places without one */
  double scale;   /* of the texture's pieces, about 1 */
  double turn;    /* of the texture, radians */
  Colour tint[3];
} Setting;

struct _Place {
  const char *name;
  Colour (*shade) (const Setting *setting, double x, double y);
  double horizon[2]; /* lowest and highest; 0 for places without one */
};

extern const Place places[];
extern const guint n_places;

/* The place of that name; it must exist. */
const Place *place_find (const char *name);
Setting setting_new (const Place *place, GRand *random);
/* (transfer full) an RGB24 picture of the place; the texture is laid out for a picture `height`
 * pixels high, of whatever width. */
cairo_surface_t *setting_paint (const Setting *setting, int width, int height);
