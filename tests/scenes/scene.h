/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scenes: a place, the things in it and how they move.
 *
 * Time runs from 0 to 1 through a scene. Still pictures are scenes at time 0. */
#pragma once

#include "places.h"
#include "sprite.h"

typedef struct {
  const Kind *kind;
  Look look;
  Pose from, to;
  double cycles; /* of the moving parts, through the scene */
} Actor;

typedef struct {
  int width, height;
  double smallest, largest; /* sizes of the things, as shares of the picture's shorter side */
  double seconds;           /* 0: nothing moves */
  double inside;            /* share of every thing that is inside the picture, at least */
} Stage;

typedef struct {
  Stage stage;
  Setting setting;
  double pan;                  /* pixels that the camera's picture moves to the right */
  GArray *actors;              /* of Actor, the foremost last */
  cairo_surface_t *background; /* wider than the stage by the pan */
} Scene;

/* What can be seen of one thing. */
typedef struct {
  const Kind *kind;
  guint actor; /* the same number through the scene */
  Box box;     /* of the part inside the picture, covered or not */
  double visible;
} VisibleThing;

/* (transfer full) Composes a scene of one thing of each of the `kinds`, in a place where one of
 * them is met, or in any place. */
Scene *scene_new (const Stage *stage, const Kind *const *kinds, guint n_kinds, GRand *random);
void scene_free (Scene *scene);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scene, scene_free)

/* (transfer full) The RGB24 picture of the scene at `time`; what can be seen is appended to
 * `truths` (of VisibleThing, may be NULL). */
cairo_surface_t *scene_render (const Scene *scene, double time, GArray *truths);

/* What a camera does to a picture: focus, exposure, tint, vignette and grain. */
void photograph (cairo_surface_t *picture, GRand *random);
