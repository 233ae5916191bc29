/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contours.h"

#include <math.h>
#include <string.h>

#include "html.h"
#include "page.h"
#include "training.h"

/* Of a photograph with the two maps beside it. */
#define SIDE 1200
#define GAP 6

const char *const tool_contour_method_names[ENS_N_CONTOUR_METHODS] = {"network", "Canny",
                                                                      "gradient"};

static void
add_method (GString *html, const EnsContourFigures *figures, const char *name)
{
  html_add (html, "<tr><th scope=\"row\">%s</th>", name);
  if (isnan (figures->deviation))
    g_string_append (html, "<td class=\"none\">–</td>");
  else
    html_add (html, "<td>%g px</td>", figures->deviation);
  html_add_share (html, figures->score.f, TRUE);
  html_add_share (html, figures->score.precision, FALSE);
  html_add_share (html, figures->score.recall, FALSE);
  html_add (html, "<td>%.2f</td></tr>\n", figures->score.threshold);
}

static void
add_table (GString *html, const EnsContourEvaluation *evaluation)
{
  g_string_append (
      html, "<section id=\"figures\">\n<h2>Beside other methods</h2>\n<p>ODS is the highest F "
            "measure of one threshold for all photographs. Found pixels are matched with drawn "
            "ones, one to one, at most 0.0075 of the diagonal apart; recall is weighted by the "
            "share of people who drew a pixel, whose drawings are laid over each other. It is a "
            "variant of the measure of BSDS500 and can’t be compared with figures of that. Canny’s "
            "edges and the gradient’s magnitude have the smoothing that suits these photographs "
            "best.</p>\n<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th>contours</th>"
            "<th>smoothing</th><th>ODS</th><th>precision</th><th>recall</th><th>threshold</th></tr>"
            "</thead>\n<tbody>\n");
  for (guint i = 0; i < ENS_N_CONTOUR_METHODS; i++)
    add_method (html, &evaluation->methods[i], tool_contour_method_names[i]);
  g_string_append (html, "</tbody></table></div>\n</section>\n");
}

/* ---- Photographs ---- */

static void
paint_photograph (EnsPicture *painted, const EnsFrame *frame, guint width, guint height)
{
  static const EnsNormalise bytes = {ENS_ORDER_RGB, {0, 0, 0}, {1, 1, 1}};
  g_autofree float *pixels = g_new (float, (gsize)width *height * 3);

  ens_frame_resize (frame, &ENS_RECT_WHOLE, 1, width, height, &bytes, NULL, pixels);
  for (guint y = 0; y < height; y++)
    for (guint i = 0; i < width * 3; i++)
      ens_picture_get_pixels (painted, 0)[y * painted->frame.strides[0] + i] =
          (guint8)lrintf (CLAMP (pixels[(gsize)y * width * 3 + i], 0, 255));
}

/* Dark lines on white, from column x on. */
static void
paint_map (EnsPicture *painted, const EnsPlane *map, guint x)
{
  for (guint y = 0; y < map->height; y++)
    for (guint i = 0; i < map->width * 3; i++) {
      float value = map->values[(gsize)y * map->width + i / 3];

      ens_picture_get_pixels (painted, 0)[y * painted->frame.strides[0] + x * 3 + i] =
          (guint8)lrintf (255 - 255 * CLAMP (value, 0, 1));
    }
}

/* The photograph, what people drew and what the network found, side by side. (transfer full) */
static EnsPicture *
paint (const EnsContourPicture *picture, const EnsFrame *frame)
{
  const guint width = picture->truth.width, height = picture->truth.height;
  EnsPicture *painted = ens_picture_new (ENS_PIXELS_RGB, 3 * width + 2 * GAP, height);

  memset (ens_picture_get_pixels (painted, 0), 255, height * painted->frame.strides[0]);
  paint_photograph (painted, frame, width, height);
  paint_map (painted, &picture->truth, width + GAP);
  paint_map (painted, &picture->probability, 2 * (width + GAP));
  return painted;
}

static void
add_picture (GString *html, const EnsContourPicture *picture, const EnsFrameOpener *opener,
             EnsThreadPool *pool)
{
  g_autoptr (EnsPicture) photograph = ens_frame_opener_read (opener, picture->path, NULL);
  g_autoptr (EnsPicture) painted = NULL;
  guint width, height;

  if (photograph != NULL)
    painted = paint (picture, &photograph->frame);
  g_string_append (html, "<article class=\"card\">");
  if (page_open_picture (html, picture->path, painted, SIDE, pool, &width, &height))
    g_string_append (html, "</svg>");
  g_string_append (html, "<div>");
  page_add_file (html, picture->path);
  g_string_append (html, "</div></article>\n");
}

static void
add_pictures (GString *html, const EnsContourEvaluation *evaluation, const EnsFrameOpener *opener)
{
  EnsThreadPool *pool = ens_thread_pool_new (1);

  g_string_append (html, "<section id=\"maps\">\n<h2>Photographs</h2>\n<p>From left to right: the "
                         "photograph, the contours that people drew, darker where more of them "
                         "did, and the network’s map.</p>\n<div class=\"cards wide\">\n");
  for (guint i = 0; i < evaluation->pictures->len; i++)
    add_picture (html, evaluation->pictures->pdata[i], opener, pool);
  g_string_append (html, "</div>\n</section>\n");
  ens_thread_pool_unref (pool);
}

gboolean
tool_contours_write (const ToolContours *contours, const EnsFrameOpener *opener, const char *path,
                     GError **error)
{
  const EnsContourEvaluation *evaluation = contours->evaluation;
  g_autoptr (GString) html = g_string_new (NULL);
  g_autofree char *base = g_filename_display_basename (contours->params->recipe.output);
  g_autofree char *name = html_clean (base), *title = g_strconcat (base, ", contours", NULL);

  page_open (html, title);
  html_add (html,
            "<header>\n<h1>%s</h1>\n<p>Contours of %u photographs of the %s split.</p>\n"
            "<nav><a href=\"#figures\">Beside other methods</a><a href=\"#maps\">Photographs</a>",
            name, evaluation->pictures->len, ens_split_name (evaluation->split));
  if (contours->result != NULL)
    g_string_append (html, "<a href=\"#training\">Training</a>");
  g_string_append (html, "</nav>\n</header>\n");
  add_table (html, evaluation);
  add_pictures (html, evaluation, opener);
  if (contours->result != NULL)
    training_add_curves (html, contours->history, contours->result);
  return page_write (html, path, error);
}
