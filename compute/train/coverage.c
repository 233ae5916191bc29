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

/* An object as the input shows it. */
typedef struct {
  guint class;
  EnsRect rect;
  double share; /* of it that the input shows */
  double area;  /* of all of it, in the unit of the picture */
  gboolean counts;
} Object;

/* FALSE: nothing of it is seen. An empty rectangle may be anywhere. */
static gboolean
see_object (const EnsDatasetBox *box, const EnsAugmentation *augmentation, guint input,
            Object *object)
{
  const double aspect = augmentation->aspect;
  const double pixels = (double)input * input * MAX (aspect, 1 / aspect);
  float share = 1;

  *object = (Object) {.class = box->class, .rect = ENS_RECT_WHOLE, .area = get_area (&box->rect)};
  object->counts = !box->difficult && !box->crowd && object->area * pixels >= ENS_MIN_OBJECT_PIXELS;
  if (object->area > 0 && !ens_augment_rect (augmentation, &box->rect, &object->rect, &share))
    return FALSE;
  object->share = share;
  return TRUE;
}

/* -- one position -- */

/* Of one class. */
typedef struct {
  double largest, sum, area;
  gboolean unknown;
} Position;

static void
add_object (Position *position, const Object *object, const EnsRect *region)
{
  double share = object->share * ens_cover (&object->rect, region);

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
fill_from_objects (const EnsTargetParams *params, const GArray *objects, guint row, guint column,
                   float *targets, float *weights)
{
  EnsRect region = ens_dense_map_get_rect (params->map, row, column);

  for (guint c = 0; c < params->n_classes; c++) {
    Position position = {0};

    for (guint i = 0; i < objects->len; i++)
      if (g_array_index (objects, Object, i).class == c)
        add_object (&position, &g_array_index (objects, Object, i), &region);
    targets[c] = (float)get_target (&position, params->coverage);
    weights[c] = position.unknown ? 0 : 1;
  }
}

/* The objects' share of all that is seen. */
static void
fill_from_areas (const EnsTargetParams *params, const GArray *objects, float *targets,
                 float *weights)
{
  for (guint c = 0; c < params->n_classes; c++) {
    targets[c] = 0;
    weights[c] = 1;
  }
  for (guint i = 0; i < objects->len; i++) {
    const Object *object = &g_array_index (objects, Object, i);

    if (object->counts)
      targets[object->class] = MIN (targets[object->class] + (float)get_area (&object->rect), 1.0F);
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

/* (transfer full, Object) */
static GArray *
list_objects (const EnsTargetParams *params, const EnsDatasetItem *item,
              const EnsAugmentation *augmentation)
{
  GArray *objects = g_array_new (FALSE, FALSE, sizeof (Object));
  Object object;

  for (guint i = 0; item->boxes != NULL && i < item->boxes->len; i++)
    if (see_object (&g_array_index (item->boxes, EnsDatasetBox, i), augmentation,
                    params->map->input, &object))
      g_array_append_val (objects, object);
  return objects;
}

void
ens_targets_fill (const EnsTargetParams *params, const EnsDatasetItem *item,
                  const EnsAugmentation *augmentation, float *targets, float *weights)
{
  g_autoptr (GArray) objects = list_objects (params, item, augmentation);
  guint columns = params->map->columns;

  for (guint p = 0; p < params->map->rows * columns; p++) {
    if (item->boxes == NULL)
      fill_from_labels (params, item, targets, weights);
    else if (params->coverage == ENS_COVERAGE_IMAGE)
      fill_from_areas (params, objects, targets, weights);
    else
      fill_from_objects (params, objects, p / columns, p % columns, targets, weights);
    adjust_weights (params, item, targets, weights);
    targets += params->n_classes;
    weights += params->n_classes;
  }
}
