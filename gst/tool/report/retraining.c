/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "retraining.h"

#include <math.h>

#include "html.h"
#include "page.h"
#include "training.h"

static void
add_figure (GString *html, const char *name, const char *value, const char *explanation)
{
  html_add (html, "<div><dt>%s</dt><dd>%s<small>%s</small></dd></div>\n", name, value, explanation);
}

static void
add_figures (GString *html, const EnsRetrainResult *result)
{
  const EnsLoopResult *loop = &result->recipe.loop;
  g_autofree char *best = g_strdup_printf ("%u", loop->best_epoch + 1);
  g_autofree char *epochs = g_strdup_printf ("of %u%s", loop->n_epochs,
                                             loop->early ? ", after which none was better" : "");
  g_autofree char *loss = g_strdup_printf ("%.4f", loop->best.loss);
  g_autofree char *accuracy = g_strdup_printf ("%.1f %%", 100 * loop->best.accuracy);
  g_autofree char *map = g_strdup_printf ("%u × %u", result->map.rows, result->map.columns);
  g_autofree char *input =
      g_strdup_printf ("positions in %u × %u pixels", result->map.input, result->map.input);

  g_string_append (html, "<dl class=\"figures\">\n");
  add_figure (html, "Best epoch", best, epochs);
  add_figure (html, "Validation loss", loss, "mean squared error of the map");
  if (isfinite (loop->best.accuracy) && result->recipe.n_classes > 1)
    add_figure (html, "Validation accuracy", accuracy, "the likeliest class is right");
  add_figure (html, "Map", map, input);
  g_string_append (html, "</dl>\n");
}

void
training_add_summary (GString *html, const EnsRecipeResult *result)
{
  html_add (html,
            "<p>Retrained on %u pictures of %u %s: %" G_GSIZE_FORMAT
            " weights in %u parameters.</p>\n",
            result->n_images, result->n_classes, result->n_classes == 1 ? "class" : "classes",
            result->n_weights, result->n_parameters);
}

void
training_add_links (GString *html, const ToolRetraining *retraining)
{
  g_string_append (html, "<a href=\"#training\">Training</a>");
  if (retraining->maps->len > 0)
    g_string_append (html, "<a href=\"#maps\">Where the network sees the classes</a>");
  g_string_append (html, "<a href=\"#settings\">Settings</a>");
}

static void
add_header (GString *html, const ToolRetraining *retraining, const char *name)
{
  html_add (html, "<header>\n<h1>%s</h1>\n", name);
  training_add_summary (html, &retraining->result->recipe);
  g_string_append (html, "<nav>");
  training_add_links (html, retraining);
  g_string_append (html, "</nav>\n");
  add_figures (html, retraining->result);
  g_string_append (html, "</header>\n");
}

/* ---- Settings ---- */

static void
add_setting (GString *html, const char *name, const char *value)
{
  g_autofree char *shown = html_clean (value);

  html_add (html, "<tr><th scope=\"row\">%s</th><td>%s</td></tr>\n", name, shown);
}

static void add_formatted (GString *html, const char *name, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static void
add_formatted (GString *html, const char *name, const char *format, ...)
{
  g_autofree char *value = NULL;
  va_list arguments;

  va_start (arguments, format);
  value = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  add_setting (html, name, value);
}

static void
add_path (GString *html, const char *name, const char *path)
{
  g_autofree char *display = g_filename_display_name (path);

  add_setting (html, name, display);
}

static void
add_settings (GString *html, const ToolRetraining *retraining)
{
  const EnsRetrainParams *params = retraining->params;
  const EnsLoopParams *loop = &params->recipe.loop;

  g_string_append (
      html,
      "<section id=\"settings\">\n<h2>Settings</h2>\n<p>Names are those of the "
      "command’s options.</p>\n<div class=\"scroll\" tabindex=\"0\"><table class=\"settings\">\n"
      "<tbody>\n");
  add_path (html, "data set", params->recipe.dataset);
  add_path (html, "network", params->network);
  add_formatted (html, "epochs", "%u", loop->n_epochs);
  add_setting (html, "optimiser", loop->optimiser.kind == ENS_OPTIMISER_SGD ? "sgd" : "adamw");
  add_formatted (html, "learning-rate", "%g%s", loop->rate,
                 loop->optimiser.kind == ENS_OPTIMISER_SGD ? " × number of classes" : "");
  add_setting (html, "schedule", ens_schedule_names[loop->schedule.kind]);
  add_formatted (html, "batch-size", "%u", params->recipe.batch);
  if (params->sub_images > 0)
    add_formatted (html, "sub-images", "%u", params->sub_images);
  else
    add_setting (html, "sub-images", "all");
  add_formatted (html, "sub-image-size", "%u", retraining->result->map.input);
  add_setting (html, "augment", ens_retrain_augment_names[params->augment]);
  add_setting (html, "coverage", ens_coverage_names[params->coverage]);
  add_formatted (html, "positive-weight", "%g", params->positive_weight);
  if (params->recipe.one_class != NULL)
    add_setting (html, "one-class", params->recipe.one_class);
  add_setting (html, "freeze", params->freeze != NULL ? params->freeze : "nothing");
  add_formatted (html, "average", "%g", loop->average);
  add_formatted (html, "patience", "%u", loop->patience);
  add_formatted (html, "seed", "%" G_GUINT64_FORMAT, params->recipe.seed);
  g_string_append (html, "</tbody></table></div>\n</section>\n");
}

void
training_add_sections (GString *html, const ToolRetraining *retraining,
                       const EnsFrameOpener *opener)
{
  training_add_curves (html, retraining->history, &retraining->result->recipe);
  training_add_maps (html, retraining->maps, opener);
  add_settings (html, retraining);
}

gboolean
tool_retraining_write (const ToolRetraining *retraining, const EnsFrameOpener *opener,
                       const char *path, GError **error)
{
  g_autoptr (GString) html = g_string_new (NULL);
  g_autofree char *base = g_filename_display_basename (retraining->params->recipe.output);
  g_autofree char *name = html_clean (base), *title = g_strconcat (base, ", retrained", NULL);

  page_open (html, title);
  add_header (html, retraining, name);
  training_add_sections (html, retraining, opener);
  return page_write (html, path, error);
}
