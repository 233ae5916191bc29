/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "styles.h"

#include <math.h>

#include "html.h"
#include "page.h"
#include "training.h"

/* Of a small picture. */
#define SIDE 224

char *
tool_style_judge (const EnsStyleMeasure *measure)
{
  const EnsStyleFigure *style = &measure->figures[ENS_STYLE_LEARNT];
  const EnsStyleFigure *simple = &measure->figures[measure->simple];
  const char *name = ens_style_method_names[measure->simple];
  const gboolean labelled = !isnan (style->accuracy);
  g_autofree char *figures =
      labelled
          ? g_strdup_printf ("accuracy %.1f %%, the style %.1f %%", 100 * simple->accuracy,
                             100 * style->accuracy)
          : g_strdup_printf ("distance %.2f, the style %.2f", simple->distance, style->distance);

  if (measure->suffices && measure->simple == ENS_STYLE_NOTHING)
    return g_strdup_printf ("Pictures need no style: %s without one.", figures);
  if (measure->suffices)
    return g_strdup_printf ("Something simpler suffices, %s: %s.", name, figures);
  return g_strdup_printf ("The style does more than what is simpler, at best %s: %s.", name,
                          figures);
}

static void
add_distance (GString *html, double distance)
{
  if (isnan (distance))
    g_string_append (html, "<td class=\"none\">–</td>");
  else
    html_add (html, "<td>%.2f</td>", distance);
}

static void
add_methods (GString *html, const EnsStyleMeasure *measure)
{
  g_autofree char *judgement = tool_style_judge (measure);

  html_add (
      html,
      "<section id=\"figures\">\n<h2>Beside simpler methods</h2>\n<p>%s</p>\n<p>Distance "
      "compares means and standard deviations of what discriminators see (the pictures, "
      "their high frequencies, a classifier’s first layers) with those of camera B’s "
      "pictures, in B’s standard deviations; one half of B’s pictures has %.2f to the other. "
      "Accuracy is the bundle’s on labelled pictures of camera A, if there were any; AdaBN has "
      "none where networks have no batch normalisation.</p>\n"
      "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr><th>pictures of A</th>"
      "<th>distance</th><th>accuracy</th></tr></thead>\n<tbody>\n",
      judgement, measure->floor);
  for (guint m = 0; m < ENS_STYLE_N_METHODS; m++) {
    html_add (html, "<tr class=\"%s\"><th scope=\"row\">%s</th>",
              m == ENS_STYLE_LEARNT ? "best" : "other", ens_style_method_names[m]);
    add_distance (html, measure->figures[m].distance);
    html_add_share (html, measure->figures[m].accuracy, TRUE);
    g_string_append (html, "</tr>\n");
  }
  g_string_append (html, "</tbody></table></div>\n</section>\n");
}

static void
add_picture (GString *html, const char *path, const EnsPicture *picture, const char *name,
             EnsThreadPool *pool)
{
  guint width, height;

  g_string_append (html, "<article class=\"card\">");
  if (page_open_picture (html, path, picture, SIDE, pool, &width, &height))
    g_string_append (html, "</svg>");
  html_add (html, "<div><p>%s</p>", name);
  page_add_file (html, path);
  g_string_append (html, "</div></article>\n");
}

/* A picture of A, and what becomes of it; then pictures of B. */
static void
add_pictures (GString *html, const ToolStyle *style)
{
  const EnsStyleMeasure *measure = style->measure;
  EnsThreadPool *pool = ens_thread_pool_new (1);

  g_string_append (html, "<section id=\"pictures\">\n<h2>Pictures</h2>\n<p>Of camera A as they "
                         "are, and as each method makes them.</p>\n");
  for (guint i = 0; i < measure->cards->len; i++) {
    const EnsStyleCard *card = measure->cards->pdata[i];

    g_string_append (html, "<div class=\"cards\">\n");
    for (guint m = 0; m < ENS_STYLE_N_METHODS; m++)
      if (card->pictures[m] != NULL)
        add_picture (html, card->path, card->pictures[m], ens_style_method_names[m], pool);
    g_string_append (html, "</div>\n");
  }
  g_string_append (html, "<h3>Camera B</h3>\n<div class=\"cards\">\n");
  for (guint i = 0; i < measure->others->len; i++)
    add_picture (html, style->params->to, measure->others->pdata[i], "", pool);
  g_string_append (html, "</div>\n</section>\n");
  ens_thread_pool_unref (pool);
}

static void
add_header (GString *html, const ToolStyle *style, const char *name)
{
  const EnsStyleResult *result = style->result;
  g_autofree char *from = g_filename_display_name (style->params->recipe.dataset);
  g_autofree char *to = g_filename_display_name (style->params->to);

  html_add (html,
            "<header>\n<h1>%s</h1>\n<p>A style from %u pictures of camera A (%s) and %u of camera "
            "B (%s), in %u epochs. Discriminators saw %u features.</p>\n<nav><a "
            "href=\"#figures\">Beside simpler methods</a><a href=\"#pictures\">Pictures</a><a "
            "href=\"#training\">Training</a></nav>\n</header>\n",
            name, result->recipe.n_images, from, result->n_images, to, result->recipe.loop.n_epochs,
            result->n_features);
}

gboolean
tool_style_write (const ToolStyle *style, const char *path, GError **error)
{
  g_autoptr (GString) html = g_string_new (NULL);
  g_autofree char *base = g_filename_display_basename (style->params->recipe.output);
  g_autofree char *name = html_clean (base), *title = g_strconcat (base, ", a style", NULL);

  page_open (html, title);
  add_header (html, style, name);
  add_methods (html, style->measure);
  add_pictures (html, style);
  training_add_terms (html, style->history, ens_style_terms);
  return page_write (html, path, error);
}
