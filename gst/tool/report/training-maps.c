/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Maps of a retrained network over the photographs. */
#include <math.h>

#include "ensemble/map-picture.h"
#include "html.h"
#include "page.h"
#include "training.h"

#define SIDE 320

/* Of the map's colour where the probability is highest; the photograph is seen through it. */
#define OPACITY 0.75F

static const float colour[3] = {230, 20, 130};

/* The highest probability, where its middle lies in the picture, and the lowest. */
typedef struct {
  float p, x, y, lowest;
} Peak;

static Peak
find_peak (const EnsRetrainMap *shown)
{
  const EnsProbabilityMap *map = shown->result->map;
  Peak peak = {-1, 0, 0, 1};

  for (guint i = 0; i < ens_probability_map_get_size (map); i++) {
    float p = map->probabilities[i * shown->result->n_classes + shown->class];
    EnsRect rect = ens_probability_map_get_rect (map, i);

    peak.lowest = MIN (peak.lowest, p);
    if (p <= peak.p)
      continue;
    peak.p = p;
    peak.x = CLAMP (rect.x + rect.width / 2, 0, 1);
    peak.y = CLAMP (rect.y + rect.height / 2, 0, 1);
  }
  return peak;
}

/* Whether the peak lies in one of the class's boxes. */
static gboolean
hits_box (const EnsRetrainMap *map, const Peak *peak)
{
  for (guint i = 0; i < map->boxes->len; i++) {
    const EnsRect *box = &g_array_index (map->boxes, EnsRect, i);

    if (peak->x >= box->x && peak->x < box->x + box->width && peak->y >= box->y
        && peak->y < box->y + box->height)
      return TRUE;
  }
  return FALSE;
}

/* Of a grey picture. */
static void
find_range (const EnsPicture *grey, guint8 *lowest, guint8 *highest)
{
  *lowest = 255;
  *highest = 0;
  for (guint y = 0; y < grey->frame.height; y++)
    for (guint x = 0; x < grey->frame.width; x++) {
      guint8 value = ((const guint8 *)grey->frame.planes[0])[y * grey->frame.strides[0] + x];

      *lowest = MIN (*lowest, value);
      *highest = MAX (*highest, value);
    }
}

/* The photograph with the map's colour over it, clear where the probability is lowest and strongest
 * where it is highest. (transfer full) */
static EnsPicture *
paint (const EnsFrame *frame, const EnsRetrainMap *map, EnsThreadPool *pool)
{
  static const EnsNormalise bytes = {ENS_ORDER_RGB, {0, 0, 0}, {1, 1, 1}};
  g_autoptr (EnsPicture) grey = ens_map_picture_new (map->result, map->class, SIDE);
  const guint width = grey->frame.width, height = grey->frame.height;
  g_autofree float *pixels = g_new (float, (gsize)width *height * 3);
  EnsPicture *painted = ens_picture_new (ENS_PIXELS_RGB, width, height);
  guint8 lowest, highest;

  find_range (grey, &lowest, &highest);
  ens_frame_resize (frame, &ENS_RECT_WHOLE, 1, width, height, &bytes, pool, pixels);
  for (gsize i = 0; i < (gsize)width * height * 3; i++) {
    gsize y = i / 3 / width, x = i / 3 % width;
    guint8 p = ens_picture_get_pixels (grey, 0)[y * grey->frame.strides[0] + x];
    float opacity = OPACITY * (float)(p - lowest) / (float)MAX (highest - lowest, 1);

    ens_picture_get_pixels (painted, 0)[y * painted->frame.strides[0] + x * 3 + i % 3] =
        (guint8)lrintf (CLAMP (pixels[i] + (colour[i % 3] - pixels[i]) * opacity, 0, 255));
  }
  return painted;
}

static void
add_peak (GString *html, const Peak *peak, guint width, guint height)
{
  for (guint i = 0; i < 2; i++)
    html_add (html, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"7\" stroke-width=\"%d\"/>",
              i == 0 ? "frame-edge" : "frame", (double)peak->x * width, (double)peak->y * height,
              i == 0 ? 6 : 3);
}

static void
add_map (GString *html, const EnsRetrainMap *map, const EnsFrameOpener *opener, EnsThreadPool *pool)
{
  g_autoptr (EnsPicture) picture = ens_frame_opener_read (opener, map->path, NULL);
  g_autoptr (EnsPicture) painted = picture != NULL ? paint (&picture->frame, map, pool) : NULL;
  g_autofree char *class = html_clean (map->result->classes[map->class].name);
  Peak peak = find_peak (map);
  guint width, height;

  g_string_append (html, "<article class=\"card\">");
  if (page_open_picture (html, map->path, painted, SIDE, pool, &width, &height)) {
    for (guint i = 0; i < map->boxes->len; i++)
      page_add_frame (html, &g_array_index (map->boxes, EnsRect, i), width, height);
    add_peak (html, &peak, width, height);
    g_string_append (html, "</svg>");
  }
  html_add (html, "<div><p class=\"verdict\"><b>%s</b><span>%.2f – %.2f</span></p>", class,
            (double)peak.lowest, (double)peak.p);
  if (map->boxes->len > 0)
    html_add (html, "<p class=\"muted\">%s</p>",
              hits_box (map, &peak) ? "the peak lies in the box" : "the peak lies outside the box");
  page_add_file (html, map->path);
  g_string_append (html, "</div></article>\n");
}

/* How often the peak lies in a box. */
static void
add_hits (GString *html, const GPtrArray *maps)
{
  guint n_boxed = 0, n_hits = 0;

  for (guint i = 0; i < maps->len; i++) {
    Peak peak = find_peak (maps->pdata[i]);

    n_boxed += ((const EnsRetrainMap *)maps->pdata[i])->boxes->len > 0;
    n_hits += hits_box (maps->pdata[i], &peak);
  }
  if (n_boxed > 0)
    html_add (html, " The peak lies in a box of the class in %u of %u pictures.", n_hits, n_boxed);
}

void
training_add_maps (GString *html, const GPtrArray *maps, const EnsFrameOpener *opener)
{
  EnsThreadPool *pool;

  if (maps->len == 0)
    return;
  pool = ens_thread_pool_new (1);
  g_string_append (html,
                   "<section id=\"maps\" class=\"windows\">\n<h2>Where the network sees the "
                   "classes</h2>\n<p>The dense map of a class that the picture shows, over "
                   "pictures of the validation split. The photograph is clear where the "
                   "probability is lowest, and its colour strongest at the peak, which has a "
                   "ring; numbers are the lowest and the highest. Frames are labelled boxes.");
  add_hits (html, maps);
  g_string_append (html, "</p>\n<div class=\"cards\">\n");
  for (guint i = 0; i < maps->len; i++)
    add_map (html, maps->pdata[i], opener, pool);
  g_string_append (html, "</div>\n</section>\n");
  ens_thread_pool_unref (pool);
}
