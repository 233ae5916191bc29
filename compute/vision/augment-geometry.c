/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clipping of boxes is by Sutherland and Hodgman, "Reentrant polygon clipping", CACM 17 (1974).
 */
#include "vision/augment-geometry.h"

#include <math.h>

gboolean
ens_augmentation_is_upright (const EnsAugmentation *augmentation)
{
  return augmentation->rotation == 0 && augmentation->shear[0] == 0 && augmentation->shear[1] == 0;
}

static double
to_radians (double degrees)
{
  return degrees * (G_PI / 180);
}

/* What turns and shears the picture's content. Inverted, because the output asks what it shows. */
static void
get_inverse (const EnsAugmentation *augmentation, double inverse[2][2])
{
  const double c = cos (to_radians (augmentation->rotation));
  const double s = sin (to_radians (augmentation->rotation));
  const double kx = tan (to_radians (augmentation->shear[0]));
  const double ky = tan (to_radians (augmentation->shear[1]));
  const double forward[2][2] = {{c - s * ky, c * kx - s}, {s + c * ky, s * kx + c}};
  const double determinant = forward[0][0] * forward[1][1] - forward[0][1] * forward[1][0];

  inverse[0][0] = forward[1][1] / determinant;
  inverse[0][1] = -forward[0][1] / determinant;
  inverse[1][0] = -forward[1][0] / determinant;
  inverse[1][1] = forward[0][0] / determinant;
}

/* Angles are true where lengths along both axes count alike: x is multiplied by the aspect ratio
 * meanwhile. */
EnsAffine
ens_augmentation_get_affine (const EnsAugmentation *augmentation)
{
  const EnsRect *view = &augmentation->view;
  const double aspect = augmentation->aspect;
  const gboolean flip = ens_augmentation_has (augmentation, ENS_AUGMENT_FLIP);
  const double width = flip ? -view->width : view->width, height = view->height;
  double inverse[2][2];
  EnsAffine affine;

  get_inverse (augmentation, inverse);
  affine.x[0] = inverse[0][0] * width;
  affine.x[1] = inverse[0][1] * height / aspect;
  affine.y[0] = inverse[1][0] * width * aspect;
  affine.y[1] = inverse[1][1] * height;
  affine.x[2] = view->x + view->width / 2.0 - (affine.x[0] + affine.x[1]) / 2;
  affine.y[2] = view->y + view->height / 2.0 - (affine.y[0] + affine.y[1]) / 2;
  return affine;
}

/* -- boxes -- */

typedef struct {
  double x, y;
} Point;

/* Four corners, and one more for each side that they are clipped at. */
typedef struct {
  guint n;
  Point points[8];
} Polygon;

static Point
invert (const EnsAffine *affine, double x, double y)
{
  const double determinant = affine->x[0] * affine->y[1] - affine->x[1] * affine->y[0];

  x -= affine->x[2];
  y -= affine->y[2];
  return (Point) {(affine->y[1] * x - affine->x[1] * y) / determinant,
                  (affine->x[0] * y - affine->y[0] * x) / determinant};
}

static double
get_area (const Polygon *polygon)
{
  double sum = 0;

  for (guint i = 0; i < polygon->n; i++) {
    const Point *a = &polygon->points[i], *b = &polygon->points[(i + 1) % polygon->n];

    sum += a->x * b->y - b->x * a->y;
  }
  return fabs (sum) / 2;
}

/* How far a point lies on the inner side of one of the unit square's sides. */
static double
get_depth (const Point *point, guint side)
{
  const double value = side % 2 == 0 ? point->x : point->y;

  return side < 2 ? value : 1 - value;
}

static Polygon
clip_at (const Polygon *polygon, guint side)
{
  Polygon clipped = {0};

  for (guint i = 0; i < polygon->n; i++) {
    const Point *a = &polygon->points[i], *b = &polygon->points[(i + 1) % polygon->n];
    const double depth_a = get_depth (a, side), depth_b = get_depth (b, side);

    if (depth_a >= 0)
      clipped.points[clipped.n++] = *a;
    if ((depth_a >= 0) != (depth_b >= 0)) {
      const double t = depth_a / (depth_a - depth_b);

      clipped.points[clipped.n++] = (Point) {a->x + t * (b->x - a->x), a->y + t * (b->y - a->y)};
    }
  }
  return clipped;
}

static EnsRect
get_hull (const Polygon *polygon)
{
  Point low = polygon->points[0], high = low;

  for (guint i = 1; i < polygon->n; i++) {
    low = (Point) {fmin (low.x, polygon->points[i].x), fmin (low.y, polygon->points[i].y)};
    high = (Point) {fmax (high.x, polygon->points[i].x), fmax (high.y, polygon->points[i].y)};
  }
  return (EnsRect) {(float)low.x, (float)low.y, (float)(high.x - low.x), (float)(high.y - low.y)};
}

/* The box as a polygon of the output, without what lies beyond the picture. */
static Polygon
move_box (const EnsAugmentation *augmentation, const EnsRect *rect)
{
  const EnsAffine affine = ens_augmentation_get_affine (augmentation);
  const double x0 = fmax (rect->x, 0), x1 = fmin ((double)rect->x + rect->width, 1);
  const double y0 = fmax (rect->y, 0), y1 = fmin ((double)rect->y + rect->height, 1);

  if (!(x0 < x1 && y0 < y1))
    return (Polygon) {0};
  return (Polygon) {4,
                    {invert (&affine, x0, y0), invert (&affine, x1, y0), invert (&affine, x1, y1),
                     invert (&affine, x0, y1)}};
}

gboolean
ens_augment_rect (const EnsAugmentation *augmentation, const EnsRect *rect, EnsRect *moved,
                  float *share)
{
  Polygon polygon = move_box (augmentation, rect);
  const double whole = get_area (&polygon);
  double left;

  for (guint side = 0; side < 4; side++)
    polygon = clip_at (&polygon, side);
  left = get_area (&polygon);
  if (!(left > 0)) {
    *moved = (EnsRect) {0};
    *share = 0;
    return FALSE;
  }
  *moved = get_hull (&polygon);
  *share = (float)fmin (left / whole, 1);
  return TRUE;
}
