/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/member-geometry.h"

#include "graph/infer.h"

/* Sides of networks that halve their maps often, or divide them into windows, are multiples of
 * powers of two up to this. */
#define MAX_STEP 64

typedef struct {
  const EnsGraph *body;
  const EnsShape *nominal;
  guint n_features; /* of any image */
} Trial;

/* Whether images of this size give a row of features each. */
static gboolean
takes (const Trial *trial, guint height, guint width)
{
  g_autoptr (EnsGraph) inferred = ens_graph_copy (trial->body);
  EnsShape shape = *trial->nominal;
  const EnsShape *features;

  shape.dims[1] = height;
  shape.dims[2] = width;
  if (!ens_infer_graph (inferred, &shape, NULL))
    return FALSE;
  features = &((const EnsValue *)g_ptr_array_index (inferred->outputs, 0))->shape;
  return features->rank == 2 && features->dims[0] == shape.dims[0]
         && features->dims[1] == trial->n_features;
}

/* At least twice as much, a multiple of the step away. */
static guint
enlarge (guint side, guint step)
{
  return side + (side + step - 1) / step * step;
}

/* 0: no other sizes are taken. */
static guint
find_step (const Trial *trial, guint height, guint width)
{
  for (guint step = 1; step <= MAX_STEP; step *= 2)
    if (takes (trial, height + step, width + 3 * step)
        && takes (trial, enlarge (height, step) + step, enlarge (width, step)))
      return step;
  return 0;
}

/* The smallest side of a square, a multiple of the step away from `side`, which is taken. */
static guint
find_min_side (const Trial *trial, guint side, guint step)
{
  guint too_many = (side - 1) / step + 1, n = 0; /* steps below `side` */

  while (too_many - n > 1) {
    guint middle = n + (too_many - n) / 2;

    if (takes (trial, side - middle * step, side - middle * step))
      n = middle;
    else
      too_many = middle;
  }
  return side - n * step;
}

EnsMemberGeometry
ens_member_find_geometry (const EnsGraph *body, const EnsShape *nominal, guint n_features)
{
  const Trial trial = {body, nominal, n_features};
  guint height = (guint)nominal->dims[1], width = (guint)nominal->dims[2];
  guint step = find_step (&trial, height, width);

  if (step == 0 || (height != width && !takes (&trial, MAX (height, width), MAX (height, width))))
    return (EnsMemberGeometry) {.height = height, .width = width};
  return (EnsMemberGeometry) {.min_side = find_min_side (&trial, MAX (height, width), step),
                              .step = step};
}

static guint
fit_side (const EnsMemberGeometry *geometry, guint side)
{
  guint steps = side > geometry->min_side
                    ? (side - geometry->min_side + geometry->step / 2) / geometry->step
                    : 0;

  return geometry->min_side + steps * geometry->step;
}

void
ens_member_geometry_fit (const EnsMemberGeometry *geometry, EnsShape *shape)
{
  gboolean fixed = ens_member_geometry_is_fixed (geometry);

  shape->dims[1] = fixed ? geometry->height : fit_side (geometry, (guint)shape->dims[1]);
  shape->dims[2] = fixed ? geometry->width : fit_side (geometry, (guint)shape->dims[2]);
}

char *
ens_member_geometry_describe (const EnsMemberGeometry *geometry)
{
  if (ens_member_geometry_is_fixed (geometry))
    return g_strdup_printf ("takes images of %ux%u pixels alone", geometry->width,
                            geometry->height);
  if (geometry->step > 1)
    return g_strdup_printf ("takes images from %u pixels a side on, in steps of %u",
                            geometry->min_side, geometry->step);
  return g_strdup_printf ("takes images from %u pixels a side on", geometry->min_side);
}

gboolean
ens_member_geometry_takes (const EnsMemberGeometry *geometry, guint side, char **reason)
{
  gboolean fixed = ens_member_geometry_is_fixed (geometry);
  gboolean good =
      fixed ? side == MIN (geometry->height, geometry->width) : fit_side (geometry, side) == side;

  if (!good && reason != NULL)
    *reason = ens_member_geometry_describe (geometry);
  return good;
}
