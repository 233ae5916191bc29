/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "overlay-scene.h"

#include <math.h>

#include "pixels.h"

/* An em, of the frame's shorter side; and in pixels at least, below which letters are not legible.
 */
#define TEXT_SIZE 0.036
#define MIN_TEXT_SIZE 12

#define PANEL_PADDING 0.5 /* around text, in em */
#define CAPTION_PADDING 0.2
#define PANEL_WIDTH 0.55 /* at most, of the frame */

/* Colours for people with any colour vision: Okabe and Ito, Color Universal Design (2008), its blue
 * lighter, as it stands on a dark ground. A class keeps its colour. */
static const guint32 palette[] = {
    0xFFE69F00, 0xFF56B4E9, 0xFF2FBF95, 0xFFF0E442, 0xFF7D9BFF, 0xFFF0743E, 0xFFE58FBF, 0xFFC9C9C9,
};

/* A class to be shown. */
typedef struct {
  const EnsClassResult *found;
  const EnsRect *window; /* NULL: none */
  guint32 colour;
} Shown;

typedef struct {
  const OverlayOptions *options;
  OverlayStyle style;
  gint width, height, margin;
  GPtrArray *outlines, *texts; /* GstVideoOverlayRectangle; texts lie above outlines */
} Scene;

/* (transfer full) (nullable) rectangle */
static void
add (GPtrArray *rectangles, GstVideoOverlayRectangle *rectangle)
{
  if (rectangle != NULL)
    g_ptr_array_add (rectangles, rectangle);
}

static GstVideoRectangle
place_of (GstVideoOverlayRectangle *rectangle)
{
  GstVideoRectangle place;

  gst_video_overlay_rectangle_get_render_rectangle (rectangle, &place.x, &place.y,
                                                    (guint *)&place.w, (guint *)&place.h);
  return place;
}

/* What a stream's results together say, if they do. */
static gboolean
is_present (const EnsClassResult *found)
{
  return found->state <= ENS_CLASS_UNKNOWN ? found->present : found->state == ENS_CLASS_PRESENT;
}

/* A single result that is withheld does not dim what is there. */
static gboolean
is_withheld (const EnsClassResult *found)
{
  return found->withheld && found->state != ENS_CLASS_PRESENT;
}

static gboolean
is_shown (const OverlayOptions *options, const EnsClassResult *found)
{
  if (is_withheld (found))
    return options->withheld;
  return options->threshold < 0 ? is_present (found) : found->p >= options->threshold;
}

static int
compare_shown (gconstpointer a, gconstpointer b)
{
  const EnsClassResult *x = ((const Shown *)a)->found, *y = ((const Shown *)b)->found;

  if (is_withheld (x) != is_withheld (y))
    return is_withheld (x) ? 1 : -1;
  return (x->p < y->p) - (x->p > y->p);
}

/* Of Shown: those that count first, the most probable first. */
static GArray *
choose_classes (const OverlayOptions *options, const EnsResult *result)
{
  GArray *chosen = g_array_new (FALSE, FALSE, sizeof (Shown));

  for (guint c = 0; c < result->n_classes; c++) {
    const EnsClassResult *found = &result->classes[c];
    Shown shown = {found, found->window < 0 ? NULL : &result->windows[found->window].rect,
                   palette[c % G_N_ELEMENTS (palette)]};

    if (is_shown (options, found))
      g_array_append_val (chosen, shown);
  }
  g_array_sort (chosen, compare_shown);
  return chosen;
}

/* Four bars along the edges: memory and time of the outline alone, not of what it surrounds. */
static void
add_outline (Scene *scene, const GstVideoRectangle *box, guint32 colour)
{
  guint rim = MAX ((guint)(scene->style.text_size / 16), 1), thick = 4 * rim;
  guint across = MIN (thick, (guint)box->w), down = MIN (thick, (guint)box->h);
  guint between = (guint)box->h > 2 * down ? (guint)box->h - 2 * down : 0;

  add (scene->outlines, overlay_draw_bar (colour, box->x, box->y, (guint)box->w, down, rim));
  add (scene->outlines,
       overlay_draw_bar (colour, box->x, box->y + box->h - (gint)down, (guint)box->w, down, rim));
  add (scene->outlines,
       overlay_draw_bar (colour, box->x, box->y + (gint)down, across, between, rim));
  add (scene->outlines, overlay_draw_bar (colour, box->x + box->w - (gint)across,
                                          box->y + (gint)down, across, between, rim));
}

static gboolean
is_free (const Scene *scene, const GstVideoRectangle *place)
{
  for (guint i = 0; i < scene->texts->len; i++) {
    GstVideoRectangle other = place_of (g_ptr_array_index (scene->texts, i));

    if (place->x < other.x + other.w && other.x < place->x + place->w
        && place->y < other.y + other.h && other.y < place->y + place->h)
      return FALSE;
  }
  return TRUE;
}

/* Above the box, inside it, below it: the first place in the frame that hides no other text. */
static void
place_caption (const Scene *scene, const GstVideoRectangle *box, GstVideoOverlayRectangle *caption)
{
  GstVideoRectangle size = place_of (caption);
  const struct {
    gint x, y;
  } places[] = {
      {box->x, box->y - size.h},
      {box->x + box->w - size.w, box->y - size.h},
      {box->x, box->y},
      {box->x + box->w - size.w, box->y},
      {box->x, box->y + box->h - size.h},
      {box->x + box->w - size.w, box->y + box->h - size.h},
      {box->x, box->y + box->h},
  };
  gint right = MAX (scene->width - size.w, 0), bottom = MAX (scene->height - size.h, 0);

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    GstVideoRectangle place = {CLAMP (places[i].x, 0, right), CLAMP (places[i].y, 0, bottom),
                               size.w, size.h};

    overlay_move (caption, place.x, place.y);
    if (is_free (scene, &place))
      return;
  }
}

static void
add_caption (Scene *scene, const GstVideoRectangle *box, const Shown *shown)
{
  OverlayStyle style = scene->style;
  OverlayRow row = {shown->found->name, "", -1, 0, is_withheld (shown->found)};
  GstVideoOverlayRectangle *caption;

  style.text = shown->colour;
  style.padding = CAPTION_PADDING;
  caption = overlay_draw_panel (&style, &row, 1, (guint)(PANEL_WIDTH * scene->width),
                                (guint)scene->height);
  if (caption == NULL)
    return;
  place_caption (scene, box, caption);
  add (scene->texts, caption);
}

static void
add_windows (Scene *scene, const GArray *shown)
{
  for (guint i = 0; i < shown->len; i++) {
    const Shown *one = &g_array_index (shown, Shown, i);
    GstVideoRectangle box;

    if (one->window == NULL)
      continue;
    box = gst_ensemble_rect_to_pixels (one->window, (guint)scene->width, (guint)scene->height);
    add_outline (scene, &box, one->colour);
    add_caption (scene, &box, one);
  }
}

/* Puts a panel into the corner, `used` pixels away from the frame's edge. Returns its height. */
static gint
add_in_corner (Scene *scene, GstVideoOverlayRectangle *panel, gint used)
{
  OverlayCorner corner = scene->options->corner;
  GstVideoRectangle size;
  gint x, y;

  if (panel == NULL)
    return 0;
  size = place_of (panel);
  x = corner == OVERLAY_TOP_LEFT || corner == OVERLAY_BOTTOM_LEFT
          ? scene->margin
          : scene->width - size.w - scene->margin;
  y = corner == OVERLAY_TOP_LEFT || corner == OVERLAY_TOP_RIGHT
          ? scene->margin + used
          : scene->height - size.h - scene->margin - used;
  overlay_move (panel, x, y);
  add (scene->texts, panel);
  return size.h;
}

static GstVideoOverlayRectangle *
draw_in_corner (const Scene *scene, const OverlayRow *rows, guint n_rows, gint used)
{
  gint room = scene->height - 2 * scene->margin - used;

  return overlay_draw_panel (&scene->style, rows, n_rows, (guint)(PANEL_WIDTH * scene->width),
                             (guint)MAX (room, 0));
}

static OverlayRow
make_row (const OverlayOptions *options, const Shown *shown, char **value)
{
  const EnsClassResult *found = shown->found;

  *value =
      is_withheld (found) ? g_strdup ("withheld") : g_strdup_printf ("%.0f %%", 100 * found->p);
  return (OverlayRow) {found->name, *value, options->bars ? found->p : -1, shown->colour,
                       is_withheld (found)};
}

/* Returns the panel's height. */
static gint
add_labels (Scene *scene, const char *heading, const GArray *shown, gint used)
{
  guint limit = scene->options->max_labels, n = limit > 0 ? MIN (limit, shown->len) : shown->len;
  g_autofree OverlayRow *rows = g_new0 (OverlayRow, n + 1);
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);
  guint n_rows = 0;

  if (n == 0)
    return 0;
  if (heading != NULL)
    rows[n_rows++] = (OverlayRow) {.text = heading, .value = "", .share = -1};
  for (guint i = 0; i < n; i++) {
    char *value;

    rows[n_rows++] = make_row (scene->options, &g_array_index (shown, Shown, i), &value);
    g_ptr_array_add (values, value);
  }
  return add_in_corner (scene, draw_in_corner (scene, rows, n_rows, used), used);
}

char *
overlay_age_text (GstClockTime age)
{
  if (!GST_CLOCK_TIME_IS_VALID (age) || age < 100 * GST_MSECOND)
    return NULL;
  if (age < 10 * GST_SECOND)
    return g_strdup_printf ("%u.%u s ago", (guint)(age / GST_SECOND),
                            (guint)(age / (100 * GST_MSECOND) % 10));
  if (age < 2 * 60 * GST_SECOND)
    return g_strdup_printf ("%u s ago", (guint)(age / GST_SECOND));
  return g_strdup_printf ("%u min ago", (guint)MIN (age / (60 * GST_SECOND), G_MAXUINT));
}

static gint
add_age (Scene *scene, GstClockTime age, gint used)
{
  g_autofree char *text = overlay_age_text (age);
  OverlayRow row = {text, "", -1, 0, TRUE};

  return text == NULL ? 0 : add_in_corner (scene, draw_in_corner (scene, &row, 1, used), used);
}

/* (transfer none) rectangles */
static GstVideoOverlayComposition *
compose (GPtrArray *below, GPtrArray *above)
{
  GstVideoOverlayComposition *composition;

  if (below->len + above->len == 0)
    return NULL;
  composition = gst_video_overlay_composition_new (NULL);
  for (guint i = 0; i < below->len; i++)
    gst_video_overlay_composition_add_rectangle (composition, g_ptr_array_index (below, i));
  for (guint i = 0; i < above->len; i++)
    gst_video_overlay_composition_add_rectangle (composition, g_ptr_array_index (above, i));
  return composition;
}

/* Captions of windows find their places around the panels, which are there before them. */
static void
fill (Scene *scene, const OverlayResult *results, guint n_results)
{
  const OverlayOptions *options = scene->options;
  g_autoptr (GPtrArray) shown = g_ptr_array_new_with_free_func ((GDestroyNotify)g_array_unref);
  gint used = 0;

  for (guint i = 0; i < n_results; i++) {
    GArray *classes = choose_classes (options, results[i].result);

    g_ptr_array_add (shown, classes);
    if (options->labels)
      used += add_labels (scene, n_results > 1 ? results[i].result->bundle : NULL, classes, used);
    if (options->age)
      used += add_age (scene, results[i].age, used);
  }
  for (guint i = 0; options->windows && i < n_results; i++)
    add_windows (scene, g_ptr_array_index (shown, i));
}

GstVideoOverlayComposition *
overlay_scene_new (const OverlayOptions *options, const OverlayResult *results, guint n_results,
                   guint width, guint height)
{
  double size = options->text_scale * MAX (TEXT_SIZE * MIN (width, height), MIN_TEXT_SIZE);
  GDestroyNotify unref = (GDestroyNotify)gst_video_overlay_rectangle_unref;
  g_autoptr (GPtrArray) outlines = g_ptr_array_new_with_free_func (unref);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (unref);
  Scene scene = {
      .options = options,
      .style = {options->font, size, PANEL_PADDING, options->text, options->background},
      .width = (gint)width,
      .height = (gint)height,
      .margin = (gint)(size / 2),
      .outlines = outlines,
      .texts = texts,
  };

  fill (&scene, results, n_results);
  return compose (outlines, texts);
}
