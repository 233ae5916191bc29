/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The crop of ensembleclassify: the part of the frame that is analysed. It is a share of the frame,
 * so that it can be checked when it is set, and stays right when a camera changes its resolution.
 */
#include "ensemble-classify.h"

#include <math.h>

#define N_NUMBERS 4 /* x, y, width, height */

static void
refuse (GstEnsembleClassify *self, const char *reason)
{
  GST_ELEMENT_WARNING (self, RESOURCE, SETTINGS,
                       ("The property \"crop\" is not changed: %s", reason), (NULL));
}

static EnsRect
clip (const EnsRect *rect)
{
  float x = CLAMP (rect->x, 0, 1), y = CLAMP (rect->y, 0, 1);

  return (EnsRect) {x, y, fminf (rect->x + rect->width, 1) - x,
                    fminf (rect->y + rect->height, 1) - y};
}

static gboolean
reaches_beyond (const EnsRect *rect)
{
  return rect->x < 0 || rect->y < 0 || (double)rect->x + rect->width > 1 + 1e-6
         || (double)rect->y + rect->height > 1 + 1e-6;
}

/* FALSE with a warning if it can't be a crop. */
static gboolean
read_crop (GstEnsembleClassify *self, const GValue *array, EnsRect *crop)
{
  float numbers[N_NUMBERS] = {0};
  guint n = gst_value_array_get_size (array);
  EnsRect given;

  *crop = (EnsRect) {0};
  if (n == 0)
    return TRUE;
  if (n != N_NUMBERS) {
    refuse (self, "it has to have four numbers, x, y, width and height, or none");
    return FALSE;
  }
  for (guint i = 0; i < N_NUMBERS; i++)
    numbers[i] = (float)g_value_get_double (gst_value_array_get_value (array, i));
  given = (EnsRect) {numbers[0], numbers[1], numbers[2], numbers[3]};
  *crop = clip (&given);
  if (!(given.width > 0 && given.height > 0 && crop->width > 0 && crop->height > 0)) {
    refuse (self, "nothing of the frame, which reaches from 0 to 1, would be left");
    return FALSE;
  }
  if (reaches_beyond (&given))
    GST_ELEMENT_WARNING (
        self, RESOURCE, SETTINGS,
        ("The property \"crop\" reaches beyond the frame, which is from 0 to 1: it "
         "is cut to <%g, %g, %g, %g>",
         (double)crop->x, (double)crop->y, (double)crop->width, (double)crop->height),
        (NULL));
  return TRUE;
}

void
gst_ensemble_classify_set_crop (GstEnsembleClassify *self, const GValue *array)
{
  EnsRect crop;

  if (!read_crop (self, array, &crop))
    return;
  GST_OBJECT_LOCK (self);
  self->settings.crop = crop;
  GST_OBJECT_UNLOCK (self);
}

void
gst_ensemble_classify_get_crop (const EnsRect *crop, GValue *array)
{
  const float numbers[N_NUMBERS] = {crop->x, crop->y, crop->width, crop->height};

  for (guint i = 0; crop->width > 0 && i < N_NUMBERS; i++) {
    GValue value = G_VALUE_INIT;

    g_value_init (&value, G_TYPE_DOUBLE);
    g_value_set_double (&value, numbers[i]);
    gst_value_array_append_and_take_value (array, &value);
  }
}
