/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/style-adapter.h"

#include <complex.h>
#include <math.h>
#include <string.h>

#include "train/train-style-private.h"

/* Half the width of the square of frequencies that are exchanged, as a share of the shorter side:
 * the least of those that the paper tries. */
#define BETA 0.01
#define MAX_FREQUENCY 8
#define MAX_FREQUENCIES ((2 * MAX_FREQUENCY + 1) * (2 * MAX_FREQUENCY + 1))

struct _EnsStyleAdapter {
  double factor[3], offset[3]; /* to B's mean and variance */
  const GPtrArray *to;
  EnsNetwork *style;
};

/* -- small pictures -- */

EnsSmallPicture *
ens_small_picture_new (const EnsFrame *frame, guint size, EnsThreadPool *pool)
{
  static const EnsNormalise bytes = {ENS_ORDER_RGB, {0, 0, 0}, {1, 1, 1}};
  EnsSmallPicture *picture = g_new0 (EnsSmallPicture, 1);

  ens_frame_scaled_size (frame->width, frame->height, size, &picture->width, &picture->height);
  picture->values = g_new (float, (gsize)picture->width * picture->height * 3);
  ens_frame_resize (frame, &ENS_RECT_WHOLE, 1, picture->width, picture->height, &bytes, pool,
                    picture->values);
  return picture;
}

void
ens_small_picture_free (EnsSmallPicture *picture)
{
  g_free (picture->values);
  g_free (picture);
}

EnsPicture *
ens_small_picture_show (const EnsSmallPicture *picture)
{
  EnsPicture *bytes = ens_picture_new (ENS_PIXELS_RGB, picture->width, picture->height);

  for (guint y = 0; y < picture->height; y++)
    for (guint x = 0; x < 3 * picture->width; x++)
      ens_picture_get_pixels (bytes, 0)[y * bytes->frame.strides[0] + x] =
          (guint8)lrintf (CLAMP (picture->values[(gsize)y * picture->width * 3 + x], 0, 255));
  return bytes;
}

static gsize
count_pixels (const EnsSmallPicture *picture)
{
  return (gsize)picture->width * picture->height;
}

/* (transfer full) */
static EnsSmallPicture *
copy_picture (const EnsSmallPicture *picture)
{
  EnsSmallPicture *copy = g_memdup2 (picture, sizeof *picture);

  copy->values = g_memdup2 (picture->values, count_pixels (picture) * 3 * sizeof (float));
  return copy;
}

/* -- mean and variance -- */

static void
add_all (EnsStyleMoments *moments, const GPtrArray *pictures)
{
  ens_style_moments_init (moments, 3);
  for (guint i = 0; i < pictures->len; i++) {
    const EnsSmallPicture *picture = pictures->pdata[i];

    ens_style_moments_add (moments, picture->values, count_pixels (picture));
  }
}

static void
match_moments (EnsStyleAdapter *adapter, const GPtrArray *from, const GPtrArray *to)
{
  EnsStyleMoments a, b;

  add_all (&a, from);
  add_all (&b, to);
  for (guint c = 0; c < 3; c++)
    ens_style_moments_match (&a, &b, c, &adapter->factor[c], &adapter->offset[c]);
  ens_style_moments_clear (&a);
  ens_style_moments_clear (&b);
}

/* -- the lowest frequencies -- */

static gint
get_reach (const EnsSmallPicture *picture)
{
  return MIN ((gint)(BETA * MIN (picture->width, picture->height)), MAX_FREQUENCY);
}

static double complex
turn (gint frequency, guint place, guint n)
{
  return cexp (2 * G_PI * I * frequency * place / n);
}

/* Coefficients of frequencies −reach … reach along y and x of a channel, over the number of pixels.
 */
static void
transform (const EnsSmallPicture *picture, guint channel, gint reach, double complex *out)
{
  const gint n = 2 * reach + 1;
  g_autofree double complex *columns = g_new0 (double complex, picture->width *(guint)n);

  memset (out, 0, (gsize)(n * n) * sizeof *out);
  for (gint u = -reach; u <= reach; u++)
    for (guint y = 0; y < picture->height; y++) {
      const float *row = picture->values + (gsize)y * picture->width * 3 + channel;
      double complex factor = conj (turn (u, y, picture->height));

      for (guint x = 0; x < picture->width; x++)
        columns[(guint)(u + reach) * picture->width + x] += factor * (double)row[3 * x];
    }
  for (gint u = 0; u < n; u++)
    for (gint v = -reach; v <= reach; v++)
      for (guint x = 0; x < picture->width; x++)
        out[u * n + v + reach] += columns[(guint)u * picture->width + x]
                                  * conj (turn (v, x, picture->width))
                                  / (double)count_pixels (picture);
}

/* Adds a sum of waves. */
static void
add_waves (EnsSmallPicture *picture, guint channel, gint reach, const double complex *waves)
{
  const gint n = 2 * reach + 1;
  g_autofree double complex *row = g_new (double complex, n);

  for (guint y = 0; y < picture->height; y++) {
    float *values = picture->values + (gsize)y * picture->width * 3 + channel;

    for (gint v = 0; v < n; v++) {
      row[v] = 0;
      for (gint u = 0; u < n; u++)
        row[v] += waves[u * n + v] * turn (u - reach, y, picture->height);
    }
    for (guint x = 0; x < picture->width; x++) {
      double sum = 0;

      for (gint v = 0; v < n; v++)
        sum += creal (row[v] * turn (v - reach, x, picture->width));
      values[3 * x] += (float)sum;
    }
  }
}

/* Amplitudes become the other picture's, phases stay. */
static void
exchange_frequencies (EnsSmallPicture *picture, const EnsSmallPicture *other)
{
  const gint reach = MIN (get_reach (picture), get_reach (other)), n = (2 * reach + 1);
  double complex own[MAX_FREQUENCIES], others[MAX_FREQUENCIES];

  for (guint c = 0; c < 3; c++) {
    transform (picture, c, reach, own);
    transform (other, c, reach, others);
    for (gint i = 0; i < n * n; i++) {
      double amplitude = cabs (own[i]);

      own[i] = amplitude > 0 ? own[i] * (cabs (others[i]) / amplitude - 1) : cabs (others[i]);
    }
    add_waves (picture, c, reach, own);
  }
}

/* -- the style -- */

static gboolean
apply_style (const EnsStyleAdapter *adapter, const EnsSmallPicture *picture, EnsSmallPicture *out,
             GError **error)
{
  g_autoptr (EnsPlan) plan =
      ens_network_plan (adapter->style, &ENS_SHAPE (1, picture->height, picture->width, 3), error);

  return plan != NULL
         && ens_plan_run (plan, (const gconstpointer[]) {picture->values},
                          (const gpointer[]) {out->values}, error);
}

/* -- all of them -- */

EnsStyleAdapter *
ens_style_adapter_new (const GPtrArray *from, const GPtrArray *to, const char *style,
                       EnsDevice *device, GError **error)
{
  EnsNetwork *network = ens_network_load (style, device, error);
  EnsStyleAdapter *adapter;

  if (network == NULL)
    return NULL;
  adapter = g_new0 (EnsStyleAdapter, 1);
  adapter->style = network;
  adapter->to = to;
  match_moments (adapter, from, to);
  return adapter;
}

void
ens_style_adapter_free (EnsStyleAdapter *adapter)
{
  ens_network_unref (adapter->style);
  g_free (adapter);
}

EnsSmallPicture *
ens_style_adapter_run (EnsStyleAdapter *adapter, EnsStyleMethod method, guint number,
                       const EnsSmallPicture *picture, GError **error)
{
  g_autoptr (EnsSmallPicture) out = copy_picture (picture);

  if (method == ENS_STYLE_MEANS)
    for (gsize i = 0; i < 3 * count_pixels (out); i++)
      out->values[i] = (float)(out->values[i] * adapter->factor[i % 3] + adapter->offset[i % 3]);
  if (method == ENS_STYLE_FREQUENCIES)
    exchange_frequencies (out, adapter->to->pdata[number * 7 % adapter->to->len]);
  if (method == ENS_STYLE_LEARNT && !apply_style (adapter, picture, out, error))
    return NULL;
  return g_steal_pointer (&out);
}

/* -- opening -- */

/* One picture, then the end. */
typedef struct {
  EnsFrameSource parent;
  EnsPicture *picture;
} Source;

static gboolean
next (EnsFrameSource *source, EnsPicture **picture, GError **error)
{
  *picture = g_steal_pointer (&((Source *)source)->picture);
  return TRUE;
}

static void
free_source (EnsFrameSource *source)
{
  g_clear_pointer (&((Source *)source)->picture, ens_picture_unref);
  g_free (source);
}

/* (transfer full) */
static EnsPicture *
adapt (const EnsStyleOpener *opener, const EnsPicture *picture, GError **error)
{
  g_autoptr (EnsSmallPicture) small =
      ens_small_picture_new (&picture->frame, opener->size, opener->pool);
  g_autoptr (EnsSmallPicture) adapted =
      ens_style_adapter_run (opener->adapter, opener->method, opener->n_opened, small, error);
  EnsResidual residual = {small->width, small->height, NULL};

  if (adapted == NULL)
    return NULL;
  for (gsize i = 0; i < 3 * count_pixels (small); i++)
    adapted->values[i] -= small->values[i];
  residual.values = adapted->values;
  return ens_frame_add_residual (&picture->frame, &residual, NULL, opener->pool);
}

static EnsFrameSource *
open_adapted (gpointer data, const char *path, GError **error)
{
  EnsStyleOpener *opener = data;
  g_autoptr (EnsPicture) picture = ens_frame_opener_read (opener->from, path, error);
  EnsPicture *adapted = picture != NULL ? adapt (opener, picture, error) : NULL;
  Source *source;

  if (adapted == NULL)
    return NULL;
  opener->n_opened++;
  source = g_new0 (Source, 1);
  source->parent.next = next;
  source->parent.free = free_source;
  source->picture = adapted;
  return &source->parent;
}

void
ens_style_opener_init (EnsStyleOpener *opener, const EnsFrameOpener *from, EnsStyleAdapter *adapter,
                       EnsStyleMethod method, guint size, EnsThreadPool *pool)
{
  *opener = (EnsStyleOpener) {.opener = {.open = open_adapted, .data = opener},
                              .from = from,
                              .adapter = adapter,
                              .method = method,
                              .size = size,
                              .pool = pool};
}
