/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "overlay-draw.h"

#include <math.h>
#include <pango/pangocairo.h>

/* In em. */
#define GAP 1.0 /* between a row's text and its value */
#define BAR_HEIGHT 0.18
#define ROW_HEIGHT 1.35
#define ROW_WITH_BAR 1.7
#define MIN_BAR_WIDTH 5.0

#define DIMMED 0.65 /* opacity of what does not count */

/* An image whose pixels go to an overlay rectangle. */
typedef struct {
  GstBuffer *buffer;
  GstMapInfo map;
  cairo_surface_t *surface;
  cairo_t *cairo;
  guint width, height;
} Canvas;

static void
set_colour (cairo_t *cairo, guint32 argb, double opacity)
{
  cairo_set_source_rgba (cairo, ((argb >> 16) & 255) / 255., ((argb >> 8) & 255) / 255.,
                         (argb & 255) / 255., (argb >> 24) / 255. * opacity);
}

static Canvas
canvas_open (guint width, guint height)
{
  Canvas canvas = {.width = width, .height = height};

  canvas.buffer = gst_buffer_new_allocate (NULL, (gsize)width * height * 4, NULL);
  gst_buffer_add_video_meta (canvas.buffer, GST_VIDEO_FRAME_FLAG_NONE,
                             GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, width, height);
  gst_buffer_map (canvas.buffer, &canvas.map, GST_MAP_READWRITE);
  memset (canvas.map.data, 0, canvas.map.size);
  canvas.surface = cairo_image_surface_create_for_data (canvas.map.data, CAIRO_FORMAT_ARGB32,
                                                        (int)width, (int)height, (int)width * 4);
  canvas.cairo = cairo_create (canvas.surface);
  return canvas;
}

static GstVideoOverlayRectangle *
canvas_close (Canvas *canvas, gint x, gint y)
{
  GstVideoOverlayRectangle *rectangle;

  cairo_destroy (canvas->cairo);
  cairo_surface_destroy (canvas->surface);
  gst_buffer_unmap (canvas->buffer, &canvas->map);
  rectangle =
      gst_video_overlay_rectangle_new_raw (canvas->buffer, x, y, canvas->width, canvas->height,
                                           GST_VIDEO_OVERLAY_FORMAT_FLAG_PREMULTIPLIED_ALPHA);
  gst_buffer_unref (canvas->buffer);
  return rectangle;
}

void
overlay_move (GstVideoOverlayRectangle *rectangle, gint x, gint y)
{
  guint width, height;

  gst_video_overlay_rectangle_get_render_rectangle (rectangle, NULL, NULL, &width, &height);
  gst_video_overlay_rectangle_set_render_rectangle (rectangle, x, y, width, height);
}

GstVideoOverlayRectangle *
overlay_draw_bar (guint32 colour, gint x, gint y, guint width, guint height, guint rim)
{
  Canvas canvas;

  if (width == 0 || height == 0)
    return NULL;
  canvas = canvas_open (width, height);
  set_colour (canvas.cairo, 0xC0000000, 1);
  cairo_paint (canvas.cairo);
  if (width > 2 * rim && height > 2 * rim) {
    set_colour (canvas.cairo, colour, 1);
    cairo_set_operator (canvas.cairo, CAIRO_OPERATOR_SOURCE);
    cairo_rectangle (canvas.cairo, rim, rim, width - 2 * rim, height - 2 * rim);
    cairo_fill (canvas.cairo);
  }
  return canvas_close (&canvas, x, y);
}

static PangoLayout *
make_layout (PangoContext *context, const OverlayStyle *style, const char *text, gboolean dimmed)
{
  PangoLayout *layout = pango_layout_new (context);
  PangoFontDescription *font = pango_font_description_from_string (style->font);

  pango_font_description_set_absolute_size (font, style->text_size * PANGO_SCALE);
  if (dimmed)
    pango_font_description_set_style (font, PANGO_STYLE_ITALIC);
  pango_layout_set_font_description (layout, font);
  pango_font_description_free (font);
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  pango_layout_set_ellipsize (layout, PANGO_ELLIPSIZE_END);
  pango_layout_set_text (layout, text, -1);
  return layout;
}

static int
layout_width (PangoLayout *layout)
{
  int width;

  pango_layout_get_pixel_size (layout, &width, NULL);
  return width;
}

static double
row_height (const OverlayStyle *style, const OverlayRow *row)
{
  return style->text_size * (row->share < 0 ? ROW_HEIGHT : ROW_WITH_BAR);
}

static double
row_width (PangoContext *context, const OverlayStyle *style, const OverlayRow *row)
{
  g_autoptr (PangoLayout) text = make_layout (context, style, row->text, row->dimmed);
  g_autoptr (PangoLayout) value = make_layout (context, style, row->value, row->dimmed);
  int width = layout_width (value);

  return layout_width (text) + (width > 0 ? width + GAP * style->text_size : 0);
}

static void
draw_text (cairo_t *cairo, const OverlayStyle *style, const OverlayRow *row, double width)
{
  PangoContext *context = pango_cairo_create_context (cairo);
  g_autoptr (PangoLayout) value = make_layout (context, style, row->value, row->dimmed);
  g_autoptr (PangoLayout) text = make_layout (context, style, row->text, row->dimmed);
  int taken = layout_width (value);
  double left = taken > 0 ? width - taken - GAP * style->text_size : width;

  set_colour (cairo, style->text, row->dimmed ? DIMMED : 1);
  cairo_move_to (cairo, width - taken, 0);
  pango_cairo_show_layout (cairo, value);
  pango_layout_set_width (text, (int)(MAX (left, 0) * PANGO_SCALE));
  cairo_move_to (cairo, 0, 0);
  pango_cairo_show_layout (cairo, text);
  g_object_unref (context);
}

static void
draw_bar (cairo_t *cairo, const OverlayStyle *style, const OverlayRow *row, double width)
{
  double y = round (style->text_size * (ROW_WITH_BAR - 1.5 * BAR_HEIGHT));
  double height = MAX (round (style->text_size * BAR_HEIGHT), 2);

  set_colour (cairo, style->text, 0.25);
  cairo_rectangle (cairo, 0, y, width, height);
  cairo_fill (cairo);
  set_colour (cairo, row->colour, row->dimmed ? DIMMED : 1);
  cairo_rectangle (cairo, 0, y, width * MIN (row->share, 1), height);
  cairo_fill (cairo);
}

/* What fits, and in the last row how many more there are. The rows borrow from `rows` and `more`.
 */
static GArray *
fit_rows (const OverlayStyle *style, const OverlayRow *rows, guint n_rows, double room, char **more)
{
  GArray *fitting = g_array_new (FALSE, FALSE, sizeof (OverlayRow));
  OverlayRow last = {.value = "", .share = -1, .dimmed = TRUE};
  double height = 0;
  guint n = 0;

  while (n < n_rows && height + row_height (style, &rows[n]) <= room)
    height += row_height (style, &rows[n++]);
  while (n < n_rows && n > 0 && height + row_height (style, &last) > room)
    height -= row_height (style, &rows[--n]);
  g_array_append_vals (fitting, rows, n);
  if (n > 0 && n < n_rows) {
    last.text = *more = g_strdup_printf ("+ %u", n_rows - n);
    g_array_append_val (fitting, last);
  }
  return fitting;
}

static void
measure (const OverlayStyle *style, const GArray *rows, double *width, double *height)
{
  PangoContext *context = pango_font_map_create_context (pango_cairo_font_map_get_default ());

  *width = 0;
  *height = 0;
  for (guint i = 0; i < rows->len; i++) {
    const OverlayRow *row = &g_array_index (rows, OverlayRow, i);

    *width = MAX (*width, row_width (context, style, row));
    if (row->share >= 0)
      *width = MAX (*width, MIN_BAR_WIDTH * style->text_size);
    *height += row_height (style, row);
  }
  g_object_unref (context);
}

GstVideoOverlayRectangle *
overlay_draw_panel (const OverlayStyle *style, const OverlayRow *rows, guint n_rows,
                    guint max_width, guint max_height)
{
  double padding = round (style->padding * style->text_size), width, height;
  g_autofree char *more = NULL;
  g_autoptr (GArray) fitting = fit_rows (style, rows, n_rows, max_height - 2 * padding, &more);
  Canvas canvas;

  if (fitting->len == 0 || max_width <= 2 * padding)
    return NULL;
  measure (style, fitting, &width, &height);
  width = MIN (ceil (width), max_width - 2 * padding);
  canvas = canvas_open ((guint)(width + 2 * padding), (guint)ceil (height + 2 * padding));
  set_colour (canvas.cairo, style->background, 1);
  cairo_paint (canvas.cairo);
  cairo_translate (canvas.cairo, padding, padding);
  for (guint i = 0; i < fitting->len; i++) {
    const OverlayRow *row = &g_array_index (fitting, OverlayRow, i);

    draw_text (canvas.cairo, style, row, width);
    if (row->share >= 0)
      draw_bar (canvas.cairo, style, row, width);
    cairo_translate (canvas.cairo, 0, row_height (style, row));
  }
  return canvas_close (&canvas, 0, 0);
}
