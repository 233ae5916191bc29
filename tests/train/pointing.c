/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pointing NETWORK.onnx DATASET CLASS [CROPS]
 *
 * Does a retrained network know where an object is? Of every validation and test picture with one
 * of the class, random square crops inside the picture are taken, such that the middle of the
 * object's box lies anywhere in the crop; with 0 crops all pictures of the class are taken as they
 * are. Prints how often the highest value of the network's map lies in a box of the class, how
 * often the middle does, and the correlation of the map with the largest share of an object at its
 * positions.
 *
 * Crops are scaled to 512 × 512, pictures to a shorter side of 512, with the mean around them, so
 * that positions stand for parts whose middles reach the edges. A network of one class is measured
 * as it was trained by retrain --one-class. */
#include <gst/gst.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "decode.h"
#include "train/retrain-maps.h"

enum { SIDE = 512 };

/* The longer side of an object as a share of the crop's. */
#define MIN_OBJECT 0.3
#define MAX_OBJECT 0.8

typedef struct {
  EnsMapper *mapper;
  guint class, rows, columns;
  EnsRandom random;
  guint n, n_peaks, n_middles, n_picture_middles;
  double area, x, y, xx, yy, xy;
  guint64 n_positions;
} Pointing;

/* The part of a box that lies in the crop, in its coordinates. */
static EnsRect
clip (const EnsRect *box, const EnsRect *crop)
{
  float left = MAX (box->x, crop->x), top = MAX (box->y, crop->y);
  float right = MIN (box->x + box->width, crop->x + crop->width);
  float bottom = MIN (box->y + box->height, crop->y + crop->height);

  return (EnsRect) {(left - crop->x) / crop->width, (top - crop->y) / crop->height,
                    (right - left) / crop->width, (bottom - top) / crop->height};
}

static EnsRect
draw_crop (Pointing *pointing, const EnsFrame *frame, const EnsRect *box)
{
  double longer = MAX (box->width * frame->width, box->height * frame->height);
  double side = longer / ens_random_between (&pointing->random, MIN_OBJECT, MAX_OBJECT);
  float width = (float)(side / frame->width), height = (float)(side / frame->height);
  float x = (float)ens_random_uniform (&pointing->random);
  float y = (float)ens_random_uniform (&pointing->random);

  return (EnsRect) {box->x + box->width / 2 - x * width, box->y + box->height / 2 - y * height,
                    width, height};
}

static gboolean
contains (const EnsRect *rect, double x, double y)
{
  return x >= rect->x && y >= rect->y && x < rect->x + rect->width && y < rect->y + rect->height;
}

static void
add_position (Pointing *pointing, double value, double share)
{
  pointing->x += value;
  pointing->y += share;
  pointing->xx += value * value;
  pointing->yy += share * share;
  pointing->xy += value * share;
  pointing->n_positions++;
}

/* Of objects that lie inside. */
static double
find_share (const GArray *objects, const EnsRect *region)
{
  double largest = 0;

  for (guint i = 0; i < objects->len; i++)
    largest = MAX (largest, ens_cover (&g_array_index (objects, EnsRect, i), region));
  return largest;
}

static gboolean
is_in_object (const GArray *objects, const EnsRect *region)
{
  for (guint i = 0; i < objects->len; i++)
    if (contains (&g_array_index (objects, EnsRect, i), region->x + region->width / 2,
                  region->y + region->height / 2))
      return TRUE;
  return FALSE;
}

static void
judge (Pointing *pointing, const EnsResult *result, const GArray *objects, const EnsRect *seen)
{
  const EnsProbabilityMap *map = result->map;
  EnsRect peak = {0};
  float highest = -1;

  for (guint i = 0; i < ens_probability_map_get_size (map); i++) {
    float value = map->probabilities[i * result->n_classes + pointing->class];
    EnsRect region = ens_probability_map_get_rect (map, i);

    add_position (pointing, value, find_share (objects, &region));
    if (value <= highest)
      continue;
    highest = value;
    peak = region;
  }
  pointing->rows = map->rows;
  pointing->columns = map->columns;
  pointing->n++;
  pointing->n_peaks += is_in_object (objects, &peak);
  pointing->n_middles += is_in_object (objects, &ENS_RECT_WHOLE);
  pointing->n_picture_middles += is_in_object (objects, seen);
  for (guint i = 0; i < objects->len; i++)
    pointing->area += g_array_index (objects, EnsRect, i).width
                      * g_array_index (objects, EnsRect, i).height / objects->len;
}

/* A part of the frame, of which nothing but `boxes` shows objects. */
static gboolean
measure_part (Pointing *pointing, const EnsFrame *frame, const EnsRect *part, const GArray *boxes,
              guint width, guint height, GError **error)
{
  g_autoptr (EnsResult) result = NULL;
  g_autoptr (GArray) objects = g_array_new (FALSE, FALSE, sizeof (EnsRect));
  EnsRect seen = clip (&ENS_RECT_WHOLE, part);

  for (guint i = 0; i < boxes->len; i++) {
    EnsRect object = clip (&g_array_index (boxes, EnsRect, i), part);

    g_array_append_val (objects, object);
  }
  result = ens_mapper_run (pointing->mapper, frame, part, width, height, error);
  if (result == NULL)
    return FALSE;
  judge (pointing, result, objects, &seen);
  return TRUE;
}

static gboolean
measure_crops (Pointing *pointing, const EnsFrame *frame, const GArray *boxes, guint n_crops,
               GError **error)
{
  for (guint i = 0; i < n_crops; i++) {
    EnsRect crop = draw_crop (pointing, frame, &g_array_index (boxes, EnsRect, 0));

    if (!measure_part (pointing, frame, &crop, boxes, SIDE, SIDE, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
measure_whole (Pointing *pointing, const EnsFrame *frame, const GArray *boxes, GError **error)
{
  double scale = (double)SIDE / MIN (frame->width, frame->height);

  return measure_part (pointing, frame, &ENS_RECT_WHOLE, boxes, (guint)lrint (frame->width * scale),
                       (guint)lrint (frame->height * scale), error);
}

/* Of the class's objects that count. (transfer full, EnsRect) */
static GArray *
list_boxes (const EnsDatasetItem *item, guint class)
{
  GArray *boxes = g_array_new (FALSE, FALSE, sizeof (EnsRect));

  for (guint i = 0; item->boxes != NULL && i < item->boxes->len; i++) {
    const EnsDatasetBox *box = &g_array_index (item->boxes, EnsDatasetBox, i);

    if (box->class == class && !box->crowd && !box->difficult)
      g_array_append_val (boxes, box->rect);
  }
  return boxes;
}

static gboolean
measure_split (Pointing *pointing, const EnsDataset *dataset, EnsSplit split,
               const EnsFrameOpener *opener, guint n_crops, GError **error)
{
  for (guint i = 0; i < dataset->samples[split]->len; i++) {
    const EnsDatasetItem *item = dataset->samples[split]->pdata[i];
    g_autoptr (GArray) boxes = list_boxes (item, pointing->class);
    g_autoptr (EnsPicture) picture = NULL;

    if (boxes->len == 0 || (n_crops > 0 && boxes->len > 1))
      continue;
    picture = ens_frame_opener_read (opener, item->path, error);
    if (picture == NULL
        || !(n_crops > 0 ? measure_crops (pointing, &picture->frame, boxes, n_crops, error)
                         : measure_whole (pointing, &picture->frame, boxes, error)))
      return FALSE;
  }
  return TRUE;
}

static void
print_result (const Pointing *pointing)
{
  double n = pointing->n, m = (double)pointing->n_positions;
  double covariance = pointing->xy / m - pointing->x / m * pointing->y / m;
  double x = pointing->xx / m - pow (pointing->x / m, 2);
  double y = pointing->yy / m - pow (pointing->y / m, 2);

  printf ("%u pictures or crops, map of %u × %u positions\n", pointing->n, pointing->rows,
          pointing->columns);
  printf ("peak in the object:   %5.1f %%\n", 100 * pointing->n_peaks / n);
  printf ("middle in the object: %5.1f %%\n", 100 * pointing->n_middles / n);
  printf ("middle of what is seen of the picture: %.1f %%\n",
          100 * pointing->n_picture_middles / n);
  printf ("an object's area:     %5.1f %%\n", 100 * pointing->area / n);
  printf ("correlation of map and share: %.3f\n", covariance / sqrt (x * y));
}

static gboolean
run (Pointing *pointing, char **arguments, guint n_crops, GError **error)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 0, error);
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  g_autoptr (EnsDataset) dataset = NULL;

  if (device == NULL)
    return FALSE;
  pointing->mapper = ens_mapper_new (arguments[1], device, error);
  if (pointing->mapper == NULL)
    return FALSE;
  dataset = ens_dataset_load (arguments[2], NULL, error);
  if (dataset == NULL
      || (g_strv_length ((char **)ens_mapper_get_classes (pointing->mapper)) == 1
          && !ens_dataset_keep_class (dataset, arguments[3], error)))
    return FALSE;
  while (pointing->class < dataset->n_classes
         && strcmp (dataset->classes[pointing->class], arguments[3]) != 0)
    pointing->class ++;
  if (pointing->class == dataset->n_classes
      || !g_strv_equal (ens_mapper_get_classes (pointing->mapper),
                        (const char *const *)dataset->classes)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_DATA,
                 "%s: no class “%s”, or not the network's classes", arguments[2], arguments[3]);
    return FALSE;
  }
  for (guint s = ENS_SPLIT_VALIDATION; s < ENS_N_SPLITS; s++)
    if (!measure_split (pointing, dataset, (EnsSplit)s, gst_ensemble_decoder_get_opener (decoder),
                        n_crops, error))
      return FALSE;
  print_result (pointing);
  return TRUE;
}

int
main (int argc, char *argv[])
{
  Pointing pointing = {0};
  g_autoptr (GError) error = NULL;

  if (argc < 4) {
    fprintf (stderr, "usage: pointing NETWORK.onnx DATASET CLASS [CROPS]\n");
    return 2;
  }
  gst_init (NULL, NULL);
  ens_random_init (&pointing.random, &(EnsRandomStream) {.seed = 1});
  if (!run (&pointing, argv, argc > 4 ? (guint)atoi (argv[4]) : 4, &error)) {
    fprintf (stderr, "pointing: %s\n", error->message);
    return 1;
  }
  g_clear_pointer (&pointing.mapper, ens_mapper_free);
  return 0;
}
