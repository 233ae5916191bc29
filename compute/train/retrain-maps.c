/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/retrain-maps.h"

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "dataset/dataset.h"
#include "engine/network.h"
#include "train/dense-map.h"
#include "train/preprocess.h"

struct _EnsMapper {
  EnsPreprocess *preprocess;
  EnsNetwork *network;
  guint n_classes;
  guint pad; /* pixels of mean around a part: half of what a position stands for */
};

/* ---- One picture ---- */

EnsMapper *
ens_mapper_new (const char *path, EnsDevice *device, GError **error)
{
  g_autoptr (EnsMapper) mapper = g_new0 (EnsMapper, 1);

  mapper->preprocess = ens_preprocess_find (path, error);
  if (mapper->preprocess == NULL)
    return NULL;
  if (mapper->preprocess->labels == NULL || mapper->preprocess->size == 0) {
    ens_fail (error, ENS_ERROR_DATA, path,
              "expected labels and size in the file beside it, as retrain writes them");
    return NULL;
  }
  mapper->n_classes = g_strv_length (mapper->preprocess->labels);
  mapper->pad = mapper->preprocess->size / 2;
  mapper->network = ens_network_load_convolutional (path, mapper->preprocess->size, device, error);
  return mapper->network != NULL ? g_steal_pointer (&mapper) : NULL;
}

void
ens_mapper_free (EnsMapper *mapper)
{
  if (mapper == NULL)
    return;
  g_clear_pointer (&mapper->network, ens_network_unref);
  g_clear_pointer (&mapper->preprocess, ens_preprocess_free);
  g_free (mapper);
}

const char *const *
ens_mapper_get_classes (const EnsMapper *mapper)
{
  return (const char *const *)mapper->preprocess->labels;
}

/* What of the part lies in the frame, in the part's coordinates. */
static EnsRect
find_seen (const EnsRect *part)
{
  float left = MAX (part->x, 0), right = MIN (part->x + part->width, 1);
  float top = MAX (part->y, 0), bottom = MIN (part->y + part->height, 1);

  return (EnsRect) {(left - part->x) / part->width, (top - part->y) / part->height,
                    (right - left) / part->width, (bottom - top) / part->height};
}

/* The part with the mean around it, width + 2 pad × height + 2 pad. (transfer full) */
static float *
fill_input (const EnsMapper *mapper, const EnsFrame *frame, const EnsRect *part, guint width,
            guint height)
{
  const EnsNormalise *normalise = &mapper->preprocess->normalise;
  const gsize n_channels = ens_order_channels (normalise->order), pad = mapper->pad;
  const gsize row = (width + 2 * pad) * n_channels;
  const EnsRect seen = find_seen (part);
  const EnsRect source = {part->x + seen.x * part->width, part->y + seen.y * part->height,
                          seen.width * part->width, seen.height * part->height};
  const guint left = (guint)lroundf (seen.x * width), top = (guint)lroundf (seen.y * height);
  const guint columns = MAX ((guint)lroundf (seen.width * width), 1);
  const guint rows = MAX ((guint)lroundf (seen.height * height), 1);
  g_autofree float *pixels = g_new (float, (gsize)rows *columns *n_channels);
  float *input = g_new0 (float, row *(height + 2 * pad));

  ens_frame_resize (frame, &source, 1, columns, rows, normalise, NULL, pixels);
  for (gsize y = 0; y < rows; y++)
    memcpy (input + (y + top + pad) * row + (left + pad) * n_channels,
            pixels + y * columns * n_channels, columns * n_channels * sizeof (float));
  return input;
}

/* Positions lie evenly, the middles of the outermost ones on the edges. Returns their size. */
static float
place (float *begin, guint n, double extent, double size)
{
  for (guint i = 0; i < n; i++)
    begin[i] = (float)((n > 1 ? (double)i / (n - 1) : 0.5) - size / extent / 2);
  return (float)(size / extent);
}

EnsResult *
ens_mapper_run (EnsMapper *mapper, const EnsFrame *frame, const EnsRect *part, guint width,
                guint height, GError **error)
{
  const guint n_channels = ens_order_channels (mapper->preprocess->normalise.order);
  const guint pad = mapper->pad;
  g_autoptr (EnsPlan) plan = ens_network_plan (
      mapper->network, &ENS_SHAPE (1, height + 2 * pad, width + 2 * pad, n_channels), error);
  g_autoptr (EnsResult) result = NULL;
  g_autofree float *input = NULL;
  const EnsShape *shape;

  if (plan == NULL)
    return NULL;
  shape = ens_plan_get_output_shape (plan, 0);
  if (shape->rank != 4 || shape->dims[3] != mapper->n_classes) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_SHAPE,
                 "expected a map of the %u labels in the file beside the network, found other "
                 "outputs",
                 mapper->n_classes);
    return NULL;
  }
  result = ens_result_new (ens_mapper_get_classes (mapper), mapper->n_classes, NULL, 0, 0);
  result->width = width;
  result->height = height;
  ens_result_add_map (result, (guint)shape->dims[2], (guint)shape->dims[1]);
  result->map->width = place (result->map->x, result->map->columns, width, 2.0 * pad);
  result->map->height = place (result->map->y, result->map->rows, height, 2.0 * pad);
  input = fill_input (mapper, frame, part, width, height);
  return ens_plan_run (plan, (const gconstpointer[]) {input},
                       (const gpointer[]) {result->map->probabilities}, error)
             ? g_steal_pointer (&result)
             : NULL;
}

/* ---- Pictures of a data set ---- */

static void
map_free (gpointer data)
{
  EnsRetrainMap *map = data;

  g_free (map->path);
  g_array_unref (map->boxes);
  g_clear_pointer (&map->result, ens_result_unref);
  g_free (map);
}

/* The `turn`-th of the classes that the picture shows, counted round; n_classes: it shows none. */
static guint
choose_class (const EnsDatasetItem *item, guint n_classes, guint turn)
{
  guint n_present = 0;

  for (guint c = 0; c < n_classes; c++)
    n_present += item->labels[c] == ENS_LABEL_PRESENT;
  for (guint c = 0, i = 0; c < n_classes; c++)
    if (item->labels[c] == ENS_LABEL_PRESENT && i++ == turn % n_present)
      return c;
  return n_classes;
}

static GArray *
list_boxes (const EnsDatasetItem *item, guint class)
{
  GArray *boxes = g_array_new (FALSE, FALSE, sizeof (EnsRect));

  for (guint i = 0; item->boxes != NULL && i < item->boxes->len; i++) {
    const EnsDatasetBox *box = &g_array_index (item->boxes, EnsDatasetBox, i);

    if (box->class == class && box->rect.width > 0)
      g_array_append_val (boxes, box->rect);
  }
  return boxes;
}

static gboolean
add_map (GPtrArray *maps, EnsMapper *mapper, const EnsDatasetItem *item,
         const EnsFrameOpener *opener, GError **error)
{
  guint side = ens_sub_image_size (mapper->preprocess->size);
  g_autoptr (EnsPicture) picture = ens_frame_opener_read (opener, item->path, NULL);
  const EnsFrame *frame;
  EnsRetrainMap *map;
  double scale;

  if (picture == NULL)
    return TRUE;
  frame = &picture->frame;
  scale = (double)side / MIN (frame->width, frame->height);
  map = g_new0 (EnsRetrainMap, 1);
  g_ptr_array_add (maps, map);
  map->path = g_strdup (item->path);
  map->class = choose_class (item, mapper->n_classes, maps->len);
  map->boxes = list_boxes (item, map->class);
  map->result = ens_mapper_run (mapper, frame, &ENS_RECT_WHOLE, (guint)lrint (frame->width * scale),
                                (guint)lrint (frame->height * scale), error);
  return map->result != NULL || (g_prefix_error (error, "%s: ", item->path), FALSE);
}

/* Pictures of a split that show a class. (transfer container) */
static GPtrArray *
list_shown (const EnsDataset *dataset)
{
  const GPtrArray *images = dataset->samples[ENS_SPLIT_VALIDATION];
  GPtrArray *shown = g_ptr_array_new ();

  for (guint i = 0; i < images->len; i++)
    if (choose_class (images->pdata[i], dataset->n_classes, 0) < dataset->n_classes)
      g_ptr_array_add (shown, images->pdata[i]);
  return shown;
}

static gboolean
check_classes (const EnsMapper *mapper, const EnsDataset *dataset, const char *path, GError **error)
{
  return g_strv_equal (ens_mapper_get_classes (mapper), (const char *const *)dataset->classes)
         || ens_fail (error, ENS_ERROR_DATA, path, "its classes are not those of %s",
                      dataset->folder);
}

GPtrArray *
ens_retrain_draw_maps (const EnsRetrainParams *params, guint n, EnsDevice *device,
                       const EnsFrameOpener *opener, GError **error)
{
  g_autoptr (GPtrArray) maps = g_ptr_array_new_with_free_func (map_free);
  g_autoptr (EnsMapper) mapper = ens_mapper_new (params->recipe.output, device, error);
  g_autoptr (EnsDataset) dataset = NULL;
  g_autoptr (GPtrArray) shown = NULL;

  if (mapper == NULL)
    return NULL;
  dataset = ens_dataset_load (params->recipe.dataset, NULL, error);
  if (dataset == NULL
      || (params->recipe.one_class != NULL
          && !ens_dataset_keep_class (dataset, params->recipe.one_class, error))
      || !check_classes (mapper, dataset, params->recipe.output, error))
    return NULL;
  shown = list_shown (dataset);
  n = MIN (n, shown->len);
  for (guint i = 0; i < n; i++)
    if (!add_map (maps, mapper, shown->pdata[(guint64)i * shown->len / n], opener, error))
      return NULL;
  return g_steal_pointer (&maps);
}
