/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vision/recall.h"

/* What is known of one list of best windows. */
typedef struct {
  guint64 n_windows;
  guint *found;       /* objects, by threshold */
  double *class_sums; /* of best overlaps */
} List;

struct _EnsRecall {
  EnsRecallSettings settings;
  guint *list_sizes;
  float *thresholds;
  guint n_classes;
  guint n_images, n_objects;
  guint *class_objects;
  List *lists;
};

EnsRecall *
ens_recall_new (const EnsRecallSettings *settings, guint n_classes)
{
  EnsRecall *recall = g_new0 (EnsRecall, 1);

  recall->settings = *settings;
  recall->list_sizes =
      g_memdup2 (settings->list_sizes, settings->n_lists * sizeof *settings->list_sizes);
  recall->thresholds =
      g_memdup2 (settings->thresholds, settings->n_thresholds * sizeof *settings->thresholds);
  recall->settings.list_sizes = recall->list_sizes;
  recall->settings.thresholds = recall->thresholds;
  recall->n_classes = n_classes;
  recall->class_objects = g_new0 (guint, n_classes);
  recall->lists = g_new0 (List, settings->n_lists);
  for (guint l = 0; l < settings->n_lists; l++) {
    recall->lists[l].found = g_new0 (guint, settings->n_thresholds);
    recall->lists[l].class_sums = g_new0 (double, n_classes);
  }
  return recall;
}

void
ens_recall_free (EnsRecall *recall)
{
  if (recall == NULL)
    return;
  for (guint l = 0; l < recall->settings.n_lists; l++) {
    g_free (recall->lists[l].found);
    g_free (recall->lists[l].class_sums);
  }
  g_free (recall->lists);
  g_free (recall->class_objects);
  g_free (recall->list_sizes);
  g_free (recall->thresholds);
  g_free (recall);
}

float
ens_rect_overlap (const EnsRect *a, const EnsRect *b)
{
  float width = MIN (a->x + a->width, b->x + b->width) - MAX (a->x, b->x);
  float height = MIN (a->y + a->height, b->y + b->height) - MAX (a->y, b->y);
  float common;

  if (width <= 0 || height <= 0)
    return 0;
  common = width * height;
  return common / (a->width * a->height + b->width * b->height - common);
}

static guint
cut (const EnsRecall *recall, guint list, guint n_windows)
{
  guint size = recall->list_sizes[list];

  return size == 0 ? n_windows : MIN (size, n_windows);
}

static void
add_object (EnsRecall *recall, const EnsWindow *windows, guint n_windows, const EnsObject *object)
{
  for (guint l = 0; l < recall->settings.n_lists; l++) {
    List *list = &recall->lists[l];
    float best = 0;

    for (guint w = 0; w < cut (recall, l, n_windows); w++)
      best = MAX (best, ens_rect_overlap (&windows[w].rect, &object->rect));
    list->class_sums[object->class_index] += best;
    for (guint t = 0; t < recall->settings.n_thresholds; t++)
      list->found[t] += best >= recall->thresholds[t];
  }
  recall->class_objects[object->class_index]++;
  recall->n_objects++;
}

void
ens_recall_add (EnsRecall *recall, const EnsWindow *windows, guint n_windows,
                const EnsObject *objects, guint n_objects)
{
  for (guint o = 0; o < n_objects; o++) {
    g_return_if_fail (objects[o].class_index < recall->n_classes);
    add_object (recall, windows, n_windows, &objects[o]);
  }
  for (guint l = 0; l < recall->settings.n_lists; l++)
    recall->lists[l].n_windows += cut (recall, l, n_windows);
  recall->n_images++;
}

guint
ens_recall_get_objects (const EnsRecall *recall)
{
  return recall->n_objects;
}

double
ens_recall_get_windows (const EnsRecall *recall, guint list)
{
  return (double)recall->lists[list].n_windows / MAX (recall->n_images, 1);
}

double
ens_recall_get_recall (const EnsRecall *recall, guint list, guint threshold)
{
  return (double)recall->lists[list].found[threshold] / MAX (recall->n_objects, 1);
}

double
ens_recall_get_abo (const EnsRecall *recall, guint list)
{
  double sum = 0;

  for (guint c = 0; c < recall->n_classes; c++)
    sum += recall->lists[list].class_sums[c];
  return sum / MAX (recall->n_objects, 1);
}

double
ens_recall_get_mabo (const EnsRecall *recall, guint list)
{
  double sum = 0;
  guint n_classes = 0;

  for (guint c = 0; c < recall->n_classes; c++) {
    if (recall->class_objects[c] == 0)
      continue;
    sum += recall->lists[list].class_sums[c] / recall->class_objects[c];
    n_classes++;
  }
  return sum / MAX (n_classes, 1);
}
