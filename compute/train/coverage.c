/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/coverage.h"

const char *const ens_coverage_names[] = {"max", "union", "image", NULL};

static double
get_area (const EnsRect *rect)
{
  return (double)rect->width * rect->height;
}

static double
get_overlap (float a, float a_length, float b, float b_length)
{
  return MAX (MIN (a + a_length, b + b_length) - MAX (a, b), 0.0F);
}

double
ens_cover (const EnsRect *object, const EnsRect *region)
{
  double overlap = get_overlap (object->x, object->width, region->x, region->width)
                   * get_overlap (object->y, object->height, region->y, region->height);

  return overlap > 0 ? MIN (overlap / get_area (object), 1) : 0;
}

/* A place in the input, 0 … 1. */
typedef struct {
  float x, y;
} Point;

/* An object as the input shows it: the part of its box, or the places of its mask's cells. */
typedef struct {
  guint class;
  EnsRect rect;
  double share; /* of it that the input shows */
  double area;  /* of all of it, in the unit of the picture */
  gboolean counts;
  guint n_cells;       /* of its mask; 0: it has none */
  guint first, n_seen; /* of these: their places among all objects' */
} Object;

typedef struct {
  GArray *objects; /* Object */
  GArray *places;  /* Point */
} Objects;

static const Object *
get_object (const Objects *objects, guint i)
{
  return &g_array_index (objects->objects, Object, i);
}

/* Adds the places of a mask's cells that are seen. */
static void
see_mask (const EnsDatasetBox *box, const EnsAugmentation *augmentation, Objects *objects,
          Object *object)
{
  const float width = box->rect.width / ENS_OBJECT_MASK_SIDE;
  const float height = box->rect.height / ENS_OBJECT_MASK_SIDE;

  object->first = objects->places->len;
  for (guint row = 0; row < ENS_OBJECT_MASK_SIDE; row++)
    for (guint column = 0; column < ENS_OBJECT_MASK_SIDE; column++) {
      const EnsRect cell = {box->rect.x + (float)column * width, box->rect.y + (float)row * height,
                            width, height};
      EnsRect seen;
      Point place;
      float share;

      if (!ens_object_mask_has (&box->mask, row, column)
          || !ens_augment_rect (augmentation, &cell, &seen, &share) || share < 0.5F)
        continue;
      place = (Point) {seen.x + seen.width / 2, seen.y + seen.height / 2};
      g_array_append_val (objects->places, place);
    }
  object->n_seen = objects->places->len - object->first;
  object->share = (double)object->n_seen / object->n_cells;
  object->area *= (double)object->n_cells / (ENS_OBJECT_MASK_SIDE * ENS_OBJECT_MASK_SIDE);
}

/* FALSE: nothing of it is seen. An empty rectangle may be anywhere. */
static gboolean
see_object (const EnsDatasetBox *box, const EnsAugmentation *augmentation, guint input,
            Objects *objects, Object *object)
{
  const double aspect = augmentation->aspect;
  const double pixels = (double)input * input * MAX (aspect, 1 / aspect);
  float share = 1;

  *object = (Object) {.class = box->class, .rect = ENS_RECT_WHOLE, .area = get_area (&box->rect)};
  object->counts = !box->difficult && !box->crowd && object->area * pixels >= ENS_MIN_OBJECT_PIXELS;
  if (object->area > 0 && !ens_augment_rect (augmentation, &box->rect, &object->rect, &share))
    return FALSE;
  object->share = share;
  object->n_cells = object->counts ? ens_object_mask_count (&box->mask) : 0;
  if (object->n_cells > 0)
    see_mask (box, augmentation, objects, object);
  return object->share > 0;
}

static double
cover (const Objects *objects, const Object *object, const EnsRect *region)
{
  guint n = 0;

  if (object->n_cells == 0)
    return object->share * ens_cover (&object->rect, region);
  for (guint i = object->first; i < object->first + object->n_seen; i++) {
    const Point *place = &g_array_index (objects->places, Point, i);

    n += place->x >= region->x && place->x < region->x + region->width && place->y >= region->y
         && place->y < region->y + region->height;
  }
  return (double)n / object->n_cells;
}

/* -- one position -- */

/* Of one class. */
typedef struct {
  double largest, sum, area;
  gboolean unknown;
} Position;

static void
add_object (Position *position, const Objects *objects, const Object *object, const EnsRect *region)
{
  double share = cover (objects, object, region);

  if (!object->counts) {
    position->unknown = position->unknown || share > 0;
    return;
  }
  position->largest = MAX (position->largest, share);
  position->sum += share * object->area;
  position->area += object->area;
}

static double
get_target (const Position *position, EnsCoverage coverage)
{
  if (coverage == ENS_COVERAGE_UNION)
    return position->area > 0 ? position->sum / position->area : 0;
  return position->largest;
}

/* -- all of them -- */

static void
fill_from_objects (const EnsTargetParams *params, const Objects *objects, guint row, guint column,
                   float *targets, float *weights)
{
  EnsRect region = ens_dense_map_get_rect (params->map, row, column);

  for (guint c = 0; c < params->n_classes; c++) {
    Position position = {0};

    for (guint i = 0; i < objects->objects->len; i++)
      if (get_object (objects, i)->class == c)
        add_object (&position, objects, get_object (objects, i), &region);
    targets[c] = (float)get_target (&position, params->coverage);
    weights[c] = position.unknown ? 0 : 1;
  }
}

/* The share of all that is seen. */
static double
get_seen_area (const Object *object, const EnsAugmentation *augmentation)
{
  return object->n_cells > 0 ? object->share * object->area / get_area (&augmentation->view)
                             : get_area (&object->rect);
}

/* The objects' share of all that is seen. */
static void
fill_from_areas (const EnsTargetParams *params, const Objects *objects,
                 const EnsAugmentation *augmentation, float *targets, float *weights)
{
  for (guint c = 0; c < params->n_classes; c++) {
    targets[c] = 0;
    weights[c] = 1;
  }
  for (guint i = 0; i < objects->objects->len; i++) {
    const Object *object = get_object (objects, i);

    if (object->counts)
      targets[object->class] =
          MIN (targets[object->class] + (float)get_seen_area (object, augmentation), 1.0F);
    else
      weights[object->class] = 0;
  }
}

static void
fill_from_labels (const EnsTargetParams *params, const EnsDatasetItem *item, float *targets,
                  float *weights)
{
  for (guint c = 0; c < params->n_classes; c++) {
    targets[c] = item->labels[c] == ENS_LABEL_PRESENT;
    weights[c] = 1;
  }
}

/* What holds at every position: labels that are not known, and how much positives count. */
static void
adjust_weights (const EnsTargetParams *params, const EnsDatasetItem *item, const float *targets,
                float *weights)
{
  for (guint c = 0; c < params->n_classes; c++)
    weights[c] *= item->labels[c] == ENS_LABEL_UNKNOWN
                      ? 0
                      : (float)(1 + (params->positive_weight - 1) * targets[c]);
}

static void
list_objects (const EnsTargetParams *params, const EnsDatasetItem *item,
              const EnsAugmentation *augmentation, Objects *objects)
{
  Object object;

  for (guint i = 0; item->boxes != NULL && i < item->boxes->len; i++)
    if (see_object (&g_array_index (item->boxes, EnsDatasetBox, i), augmentation,
                    params->map->input, objects, &object))
      g_array_append_val (objects->objects, object);
}

void
ens_targets_fill (const EnsTargetParams *params, const EnsDatasetItem *item,
                  const EnsAugmentation *augmentation, float *targets, float *weights)
{
  g_autoptr (GArray) array = g_array_new (FALSE, FALSE, sizeof (Object));
  g_autoptr (GArray) places = g_array_new (FALSE, FALSE, sizeof (Point));
  Objects objects = {array, places};
  guint columns = params->map->columns;

  list_objects (params, item, augmentation, &objects);
  for (guint p = 0; p < params->map->rows * columns; p++) {
    if (item->boxes == NULL)
      fill_from_labels (params, item, targets, weights);
    else if (params->coverage == ENS_COVERAGE_IMAGE)
      fill_from_areas (params, &objects, augmentation, targets, weights);
    else
      fill_from_objects (params, &objects, p / columns, p % columns, targets, weights);
    adjust_weights (params, item, targets, weights);
    targets += params->n_classes;
    weights += params->n_classes;
  }
}
