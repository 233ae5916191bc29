/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <pango/pangocairo.h>

#include "tags.h"

#define PANEL 250
#define ROW 30

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define CAIRO_RGB24_FORMAT "BGRx"
#else
#define CAIRO_RGB24_FORMAT "xRGB"
#endif

/* Each channel in [0, 1]. */
typedef struct {
  double r, g, b;
} Colour;

/* One for each class; with more classes, they repeat. */
static const Colour palette[] = {
    {0.90, 0.25, 0.20}, {0.25, 0.60, 0.95}, {0.95, 0.75, 0.20}, {0.35, 0.75, 0.35},
    {0.75, 0.40, 0.85}, {0.95, 0.55, 0.20}, {0.25, 0.80, 0.80}, {0.95, 0.45, 0.65},
};

static int
count_right (const TaggedFrame *frame, const Labels *labels)
{
  int right = 0;

  for (guint i = 0; i < frame->tags->len; i++) {
    const Tag *tag = &g_array_index (frame->tags, Tag, i);
    gboolean seen = labels_visible_at (labels, tag->name, frame->seconds) >= CLEARLY_VISIBLE;

    if (tag->present || seen)
      right += tag->present == seen ? 1 : -1;
  }
  return right;
}

static const TaggedFrame *
choose_frame (GPtrArray *frames, const Labels *labels)
{
  const TaggedFrame *best = g_ptr_array_index (frames, 0);

  for (guint i = 1; i < frames->len; i++) {
    const TaggedFrame *frame = g_ptr_array_index (frames, i);

    if (count_right (frame, labels) > count_right (best, labels))
      best = frame;
  }
  return best;
}

static cairo_surface_t *
surface_from_sample (GstSample *sample)
{
  const GstStructure *caps = gst_caps_get_structure (gst_sample_get_caps (sample), 0);
  int width = 0, height = 0;
  GstMapInfo map;
  cairo_surface_t *surface;

  gst_structure_get_int (caps, "width", &width);
  gst_structure_get_int (caps, "height", &height);
  surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  gst_buffer_map (gst_sample_get_buffer (sample), &map, GST_MAP_READ);
  /* 32-bit pixels: neither side pads its rows */
  memcpy (cairo_image_surface_get_data (surface), map.data,
          MIN (map.size, (gsize)width * (gsize)height * 4));
  gst_buffer_unmap (gst_sample_get_buffer (sample), &map);
  cairo_surface_mark_dirty (surface);
  return surface;
}

/* The next frame; NULL at the end and, with an error, when decoding fails. */
static GstSample *
next_frame (GstAppSink *sink, GstBus *bus, GError **error)
{
  GstSample *sample;

  while (!(sample = gst_app_sink_try_pull_sample (sink, 50 * GST_MSECOND))
         && !gst_app_sink_is_eos (sink)) {
    g_autoptr (GstMessage) message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);

    if (message) {
      gst_message_parse_error (message, error, NULL);
      return NULL;
    }
  }
  return sample;
}

/* The frame shown at that time: the last one that starts before it. */
static GstSample *
find_frame (GstAppSink *sink, GstBus *bus, double seconds, GError **error)
{
  GstClockTime wanted = (GstClockTime)(seconds * GST_SECOND) + GST_MSECOND;
  g_autoptr (GError) failure = NULL;
  GstSample *sample = NULL, *next;

  while ((next = next_frame (sink, bus, &failure))) {
    if (sample && GST_BUFFER_PTS (gst_sample_get_buffer (next)) > wanted) {
      gst_sample_unref (next);
      return sample;
    }
    g_clear_pointer (&sample, gst_sample_unref);
    sample = next;
  }
  if (failure) {
    g_clear_pointer (&sample, gst_sample_unref);
    g_propagate_error (error, g_steal_pointer (&failure));
  } else if (!sample) {
    g_set_error_literal (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "no frames");
  }
  return sample;
}

static cairo_surface_t *
decode_frame (const char *clip, double seconds, GError **error)
{
  g_autoptr (GstElement) pipeline = gst_parse_launch (
      "filesrc name=source ! decodebin ! videoconvert"
      " ! video/x-raw,format=" CAIRO_RGB24_FORMAT " ! appsink name=sink sync=false",
      error);
  g_autoptr (GstElement) source = NULL, sink = NULL;
  g_autoptr (GstSample) sample = NULL;
  g_autoptr (GstBus) bus = NULL;

  if (!pipeline)
    return NULL;
  source = gst_bin_get_by_name (GST_BIN (pipeline), "source");
  sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  bus = gst_element_get_bus (pipeline);
  g_object_set (source, "location", clip, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  sample = find_frame (GST_APP_SINK (sink), bus, seconds, error);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  if (!sample)
    g_prefix_error (error, "%s: ", clip);
  return sample ? surface_from_sample (sample) : NULL;
}

static void
set_colour (cairo_t *cr, Colour colour, double alpha)
{
  cairo_set_source_rgba (cr, colour.r, colour.g, colour.b, alpha);
}

static Colour
class_colour (guint index)
{
  return palette[index % G_N_ELEMENTS (palette)];
}

static PangoLayout *
text_layout (cairo_t *cr, const char *font, const char *text)
{
  PangoLayout *layout = pango_cairo_create_layout (cr);
  g_autoptr (PangoFontDescription) description = pango_font_description_from_string (font);

  pango_layout_set_font_description (layout, description);
  pango_layout_set_text (layout, text, -1);
  return layout;
}

static void
draw_text (cairo_t *cr, double x, double y, const char *font, const char *text)
{
  g_autoptr (PangoLayout) layout = text_layout (cr, font, text);

  cairo_move_to (cr, x, y);
  pango_cairo_show_layout (cr, layout);
}

static void
draw_window (cairo_t *cr, const Tag *tag, Colour colour, double width, double height)
{
  const TagWindow *window = &tag->window;

  cairo_rectangle (cr, window->x * width, window->y * height, window->width * width,
                   window->height * height);
  set_colour (cr, (Colour) {0, 0, 0}, 0.6);
  cairo_set_line_width (cr, 5);
  cairo_stroke_preserve (cr);
  set_colour (cr, colour, 1);
  cairo_set_line_width (cr, 3);
  cairo_stroke (cr);
}

/* Above the window's upper left corner, or below the labels that are there already: `taken`. */
static void
draw_label (cairo_t *cr, const Tag *tag, Colour colour, double width, double height,
            cairo_region_t *taken)
{
  g_autofree char *text = g_strdup_printf ("%s %.2f", tag->name, tag->p);
  g_autoptr (PangoLayout) layout = text_layout (cr, "Sans Bold 10", text);
  cairo_rectangle_int_t box;

  pango_layout_get_pixel_size (layout, &box.width, &box.height);
  box.width += 10;
  box.height += 4;
  box.x = (int)CLAMP (tag->window.x * width - 1, 0, MAX (width - box.width, 0));
  box.y = (int)MAX (tag->window.y * height - box.height - 1, 0);
  while (cairo_region_contains_rectangle (taken, &box) != CAIRO_REGION_OVERLAP_OUT)
    box.y++;
  cairo_region_union_rectangle (taken, &box);
  cairo_rectangle (cr, box.x, box.y, box.width, box.height);
  set_colour (cr, (Colour) {0.7 * colour.r, 0.7 * colour.g, 0.7 * colour.b}, 1);
  cairo_fill (cr);
  set_colour (cr, (Colour) {1, 1, 1}, 1);
  cairo_move_to (cr, box.x + 5, box.y + 2);
  pango_cairo_show_layout (cr, layout);
}

static void
draw_windows (cairo_t *cr, const TaggedFrame *frame, double width, double height)
{
  cairo_region_t *taken = cairo_region_create ();

  for (guint round = 0; round < 2; round++)
    for (guint i = 0; i < frame->tags->len; i++) {
      const Tag *tag = &g_array_index (frame->tags, Tag, i);
      Colour colour = class_colour (i);

      if (!tag->present || !tag->has_window)
        continue;
      if (round == 0)
        draw_window (cr, tag, colour, width, height);
      else
        draw_label (cr, tag, colour, width, height, taken);
    }
  cairo_region_destroy (taken);
}

static void
draw_bar (cairo_t *cr, const Tag *tag, Colour colour, gboolean seen, double y)
{
  const double left = 104, width = PANEL - left - 52;
  g_autofree char *number = g_strdup_printf ("%.2f", tag->p);

  set_colour (cr, (Colour) {1, 1, 1}, tag->present ? 1 : 0.6);
  draw_text (cr, 30, y + 4, tag->present ? "Sans Bold 10" : "Sans 10", tag->name);
  if (seen) {
    cairo_arc (cr, 18, y + 13, 4.5, 0, 2 * G_PI);
    cairo_fill (cr);
  }
  cairo_rectangle (cr, left, y + 5, width, 16);
  set_colour (cr, (Colour) {1, 1, 1}, 0.12);
  cairo_fill (cr);
  cairo_rectangle (cr, left, y + 5, width * tag->p, 16);
  set_colour (cr, colour, tag->present ? 1 : 0.45);
  cairo_fill (cr);
  cairo_rectangle (cr, left + width * tag->threshold - 1, y + 2, 2, 22);
  set_colour (cr, (Colour) {1, 1, 1}, 0.7);
  cairo_fill (cr);
  set_colour (cr, (Colour) {1, 1, 1}, tag->present ? 1 : 0.6);
  draw_text (cr, left + width + 10, y + 4, "Sans 10", number);
}

static void
draw_panel (cairo_t *cr, const TaggedFrame *frame, const Labels *labels, double height)
{
  g_autofree char *title = g_strdup_printf ("%.2f s", frame->seconds);

  cairo_rectangle (cr, 0, 0, PANEL, height);
  set_colour (cr, (Colour) {0.13, 0.14, 0.17}, 1);
  cairo_fill (cr);
  set_colour (cr, (Colour) {1, 1, 1}, 1);
  draw_text (cr, 12, 12, "Sans Bold 14", title);
  set_colour (cr, (Colour) {1, 1, 1}, 0.6);
  draw_text (cr, 12, height - 26, "Sans 8", "\342\227\217 to be seen    | threshold");
  for (guint i = 0; i < frame->tags->len; i++) {
    const Tag *tag = &g_array_index (frame->tags, Tag, i);
    gboolean seen = labels_visible_at (labels, tag->name, frame->seconds) >= CLEARLY_VISIBLE;

    draw_bar (cr, tag, class_colour (i), seen, 48 + ROW * i);
  }
}

static cairo_surface_t *
annotate (cairo_surface_t *picture, const TaggedFrame *frame, const Labels *labels)
{
  int width = cairo_image_surface_get_width (picture);
  int height = cairo_image_surface_get_height (picture);
  int whole_height = MAX (height, (int)(84 + ROW * frame->tags->len));
  cairo_surface_t *page =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, width + PANEL, whole_height);
  cairo_t *cr = cairo_create (page);

  cairo_set_source_surface (cr, picture, 0, 0);
  cairo_paint (cr);
  draw_windows (cr, frame, width, height);
  cairo_translate (cr, width, 0);
  draw_panel (cr, frame, labels, whole_height);
  cairo_destroy (cr);
  return page;
}

gboolean
picture_write (const char *path, const char *clip, GPtrArray *frames, const Labels *labels,
               GError **error)
{
  const TaggedFrame *frame;
  cairo_surface_t *picture, *page;
  cairo_status_t status;

  g_return_val_if_fail (frames->len > 0, FALSE);
  frame = choose_frame (frames, labels);
  picture = decode_frame (clip, frame->seconds, error);
  if (!picture)
    return FALSE;
  page = annotate (picture, frame, labels);
  status = cairo_surface_write_to_png (page, path);
  cairo_surface_destroy (page);
  cairo_surface_destroy (picture);
  if (status == CAIRO_STATUS_SUCCESS)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: can't write the picture: %s", path,
               cairo_status_to_string (status));
  return FALSE;
}
