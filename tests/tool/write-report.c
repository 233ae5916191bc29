/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* write-report KIND FILE.html: a report on figures that are known beforehand, for report.py.
 *
 *   several   three classes of hostile names, several in a picture; six pictures
 *   single    the same with one class or none in a picture, and without windows
 *   lost      the same as several, but no picture can be read again
 *   large     80 classes and 400 pictures
 *   retrained a retraining of four epochs, with maps of two pictures
 *   contours  two photographs with the maps of a contour network
 *   style     a style beside what is simpler, with one picture of each camera */
#include <gst/gst.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "report/contours.h"
#include "report/styles.h"
#include "report/report.h"
#include "report/retraining.h"

/* ---- Pictures ---- */

typedef struct {
  EnsFrameSource source;
  gboolean done;
} Source;

static gboolean
next_picture (EnsFrameSource *source, EnsPicture **picture, GError **error)
{
  *picture = ((Source *)source)->done ? NULL : ens_picture_new (ENS_PIXELS_RGB, 640, 300);
  ((Source *)source)->done = TRUE;
  return TRUE;
}

static void
free_source (EnsFrameSource *source)
{
  g_free (source);
}

static EnsFrameSource *
open_picture (gpointer lost, const char *path, GError **error)
{
  Source *source;

  if (lost != NULL) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: gone", path);
    return NULL;
  }
  source = g_new0 (Source, 1);
  source->source = (EnsFrameSource) {next_picture, free_source};
  return &source->source;
}

/* ---- Evaluations ---- */

static const char *const names[] = {"<b>cat</b> & \"dog\"", "o'neill\x01\xff", "ünder %s %n", NULL};

static void
add_pictures (EnsEvaluation *evaluation)
{
  evaluation->paths = g_new0 (char *, evaluation->n_images + 1);
  for (guint i = 0; i < evaluation->n_images; i++)
    evaluation->paths[i] = g_strdup_printf ("/set/<img src=\"x%u\">.jpg", i);
}

static void
add_windows (EnsEvaluation *evaluation, const float *scores)
{
  gsize n = (gsize)evaluation->n_images * evaluation->n_classes;

  evaluation->window_scores = g_memdup2 (scores, n * sizeof *scores);
  evaluation->windows = g_new (EnsRect, n);
  for (gsize i = 0; i < n; i++)
    evaluation->windows[i] = (EnsRect) {0.25F, 0.5F, 0.5F, 0.25F};
}

static void
add_findings (EnsEvaluation *evaluation)
{
  EnsFinding *finding =
      ens_finding_new (ENS_FINDING_SMALL, g_strdup ("2 of the <6> pictures are small."));

  for (guint i = 0; i < 2; i++)
    ens_finding_show (finding, evaluation->paths[i], g_strdup_printf ("%u×9 <pixels>", i));
  evaluation->findings = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_finding_free);
  evaluation->notes = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (evaluation->notes, g_strdup ("set: left out <hidden> files: 2"));
  g_ptr_array_add (evaluation->findings, finding);
  g_ptr_array_add (evaluation->findings,
                   ens_finding_new (ENS_FINDING_BALANCE, g_strdup ("Some classes are rare.")));
}

/* As ens_fit () measures them. */
static void
add_gate (EnsEvaluation *evaluation)
{
  static const EnsGateFigure figures[] = {{"cosine", .75, .9, .825}, {"nearest", .8, NAN, .8}};

  evaluation->gate_kind = g_strdup ("cosine");
  evaluation->gate_figures = g_memdup2 (figures, sizeof figures);
  evaluation->n_gate_figures = G_N_ELEMENTS (figures);
  evaluation->n_unrelated = 7;
}

static EnsEvaluation *
evaluate_six (gboolean several)
{
  static const float with[] = {.9F, .8F, .1F, .8F, .9F, .1F, .7F, .2F, .9F,
                               .6F, .3F, .2F, .1F, .1F, .1F, .2F, .4F, .8F};
  static const float without[] = {.6F, .5F, .4F, .6F, .5F, .4F, .6F, .5F, .4F,
                                  .6F, .5F, .4F, .6F, .5F, .4F, .6F, .5F, .4F};
  static const guint8 one[] = {1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1};
  static const guint8 many[] = {1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1};
  static const float thresholds[] = {.5F, .5F, .75F};
  EnsLabels truth = {6, 3, several ? many : one};
  EnsEvaluation *evaluation = ens_evaluation_new ("six </title>", "test", names, &truth, 2);

  ens_evaluation_add (evaluation, "net <1>", &truth, &(EnsScores) {.p = without});
  ens_evaluation_add (evaluation, ENS_EVALUATION_WITHOUT_WINDOWS, &truth,
                      &(EnsScores) {.p = with, .thresholds = thresholds});
  if (several) {
    ens_evaluation_add (evaluation, ENS_EVALUATION_WITH_WINDOWS, &truth,
                        &(EnsScores) {.p = with, .thresholds = thresholds});
    add_windows (evaluation, with);
  }
  add_pictures (evaluation);
  if (several) {
    add_findings (evaluation);
    add_gate (evaluation);
    evaluation->gate = g_new (EnsGateCounts, 1);
    *evaluation->gate = (EnsGateCounts) {.correct = 6, .wrong = 3, .wrong_withheld = 1};
  } else { /* as a training has it */
    evaluation->cross_fitted = TRUE;
    add_gate (evaluation);
  }
  return evaluation;
}

static EnsEvaluation *
evaluate_many (void)
{
  enum { CLASSES = 80, IMAGES = 400 };
  g_autofree guint8 *labels = g_new (guint8, CLASSES * IMAGES);
  g_autofree float *scores = g_new (float, CLASSES *IMAGES);
  g_autofree float *thresholds = g_new (float, CLASSES);
  g_auto (GStrv) classes = g_new0 (char *, CLASSES + 1);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  EnsLabels truth = {IMAGES, CLASSES, labels};
  EnsEvaluation *evaluation;

  for (guint c = 0; c < CLASSES; c++) {
    classes[c] = g_strdup_printf ("class %u", c);
    thresholds[c] = 0.5F;
  }
  for (guint i = 0; i < CLASSES * IMAGES; i++) {
    labels[i] = g_rand_double (random) < 0.05;
    scores[i] =
        (float)(labels[i] != 0 ? g_rand_double (random) : g_rand_double_range (random, 0, .7));
  }
  evaluation = ens_evaluation_new ("many", "test", (const char *const *)classes, &truth, 0);
  for (guint n = 0; n < 3; n++)
    ens_evaluation_add (evaluation, "net", &truth, &(EnsScores) {.p = scores});
  ens_evaluation_add (evaluation, ENS_EVALUATION_WITHOUT_WINDOWS, &truth,
                      &(EnsScores) {.p = scores, .thresholds = thresholds});
  ens_evaluation_add (evaluation, ENS_EVALUATION_WITH_WINDOWS, &truth,
                      &(EnsScores) {.p = scores, .thresholds = thresholds});
  add_pictures (evaluation);
  add_windows (evaluation, scores);
  return evaluation;
}

/* ---- A retraining ---- */

/* Of a picture with one box; the peak of its 2 × 2 positions is at the lower right corner. */
static void
add_map (GPtrArray *maps, guint class, const EnsRect *box)
{
  static const float p[] = {.1F, .2F, .3F, .6F};
  EnsRetrainMap *map = g_new0 (EnsRetrainMap, 1);
  EnsProbabilityMap *positions;

  map->path = g_strdup_printf ("/set/<b>%u.jpg", class);
  map->class = class;
  map->boxes = g_array_new (FALSE, FALSE, sizeof (EnsRect));
  g_array_append_val (map->boxes, *box);
  map->result = ens_result_new (names, 3, NULL, 0, 0);
  map->result->width = 640;
  map->result->height = 300;
  ens_result_add_map (map->result, 2, 2);
  positions = map->result->map;
  positions->x[0] = positions->y[0] = -.25F;
  positions->x[1] = positions->y[1] = .5F;
  positions->width = positions->height = .5F;
  for (guint i = 0; i < G_N_ELEMENTS (p); i++)
    positions->probabilities[i * 3 + class] = p[i];
  g_ptr_array_add (maps, map);
}

static void
free_map (gpointer data)
{
  EnsRetrainMap *map = data;

  g_array_unref (map->boxes);
  ens_result_unref (map->result);
  g_free (map->path);
  g_free (map);
}

/* evaluation: of the ensemble that the network belongs to; NULL: the network alone. */
static gboolean
write_retraining (const EnsEvaluation *evaluation, const EnsFrameOpener *opener, const char *path,
                  GError **error)
{
  static const EnsLoopEpoch epochs[] = {{1, .3, .5, .25, .5, .01},
                                        {2, .2, .75, .2, .75, .008},
                                        {3, .1, NAN, NAN, NAN, .004},
                                        {4, .05, 1, .3, .5, .001}};
  g_autoptr (GArray) history = g_array_new (FALSE, FALSE, sizeof (EnsLoopEpoch));
  g_autoptr (GPtrArray) maps = g_ptr_array_new_with_free_func (free_map);
  EnsRetrainParams params = ENS_RETRAIN_DEFAULTS;
  EnsRetrainResult result = {
      .recipe = {.loop = {.n_epochs = 4, .best_epoch = 1, .best = {.2, .75, -.2}},
                 .n_classes = 3,
                 .n_images = 9,
                 .n_parameters = 2,
                 .n_weights = 10},
      .map = {.input = 256, .rows = 2, .columns = 2},
  };
  const ToolRetraining retraining = {&params, &result, history, maps};

  g_array_append_vals (history, epochs, G_N_ELEMENTS (epochs));
  add_map (maps, 0, &(EnsRect) {.5F, .5F, .5F, .5F});
  add_map (maps, 2, &(EnsRect) {.0F, .0F, .5F, .5F});
  params.network = "<net>.onnx";
  params.recipe.dataset = "set & \xff";
  params.recipe.output = "/out/<new>.onnx";
  return evaluation != NULL ? tool_report_write (evaluation, &retraining, opener, path, error)
                            : tool_retraining_write (&retraining, opener, path, error);
}

/* ---- Contours ---- */

static void
free_contour_picture (gpointer data)
{
  EnsContourPicture *picture = data;

  ens_plane_clear (&picture->truth);
  ens_plane_clear (&picture->probability);
  g_free (picture->path);
  g_free (picture);
}

static gboolean
write_contours (const EnsFrameOpener *opener, const char *path, GError **error)
{
  EnsContourTraining params = ENS_CONTOUR_TRAINING_DEFAULTS;
  EnsContourEvaluation evaluation = {
      .split = ENS_SPLIT_TEST,
      .pictures = g_ptr_array_new_with_free_func (free_contour_picture),
      .methods = {{NAN, .score = {.7, .8, .6, .45}},
                  {3, .score = {.6, .5, .7, .3}},
                  {1.5, .score = {.5, .4, .65, .2}}},
  };
  gboolean done;

  for (guint i = 0; i < 2; i++) {
    EnsContourPicture *picture = g_new0 (EnsContourPicture, 1);

    picture->path = g_strdup_printf ("/set/<b>%u.jpg", i);
    ens_plane_init (&picture->truth, 640, 300);
    ens_plane_init (&picture->probability, 640, 300);
    g_ptr_array_add (evaluation.pictures, picture);
  }
  params.recipe.output = "/out/<new>.onnx";
  done =
      tool_contours_write (&(ToolContours) {&params, NULL, NULL, &evaluation}, opener, path, error);
  g_ptr_array_unref (evaluation.pictures);
  return done;
}

static gboolean
write_style (const char *path, GError **error)
{
  EnsStyleTraining params = ENS_STYLE_TRAINING_DEFAULTS;
  EnsStyleResult result = {.recipe = {.n_images = 3, .loop = {.n_epochs = 2}}, .n_images = 4};
  EnsStyleCard card = {.path = (char *)"/set/<a>.jpg"};
  g_autoptr (GPtrArray) cards = g_ptr_array_new ();
  g_autoptr (GPtrArray) others = g_ptr_array_new_with_free_func ((GDestroyNotify)ens_picture_unref);
  EnsStyleMeasure measure = {.figures = {{2, .5}, {1, .6}, {1.5, NAN}, {NAN, .4}, {.5, .75}},
                             .floor = .25,
                             .simple = ENS_STYLE_MEANS,
                             .cards = cards,
                             .others = others};
  g_autoptr (GArray) history = g_array_new (FALSE, FALSE, sizeof (EnsLoopEpoch));
  gboolean done;

  for (guint i = 0; i < 2; i++)
    g_array_append_vals (history, &(EnsLoopEpoch) {.epoch = i + 1, .terms = {1, 2, 3}}, 1);
  for (guint m = 0; m < ENS_STYLE_N_METHODS; m++)
    if (m != ENS_STYLE_BATCH_NORM)
      card.pictures[m] = ens_picture_new (ENS_PIXELS_RGB, 64, 48);
  g_ptr_array_add (cards, &card);
  g_ptr_array_add (others, ens_picture_new (ENS_PIXELS_RGB, 48, 64));
  params.recipe.dataset = "/<old> & worn";
  params.recipe.output = "/out/<new>.onnx";
  params.to = "/new";
  done = tool_style_write (&(ToolStyle) {&params, &result, history, &measure}, path, error);
  for (guint m = 0; m < ENS_STYLE_N_METHODS; m++)
    g_clear_pointer (&card.pictures[m], ens_picture_unref);
  return done;
}

static gboolean
write_page (const char *kind, const EnsFrameOpener *opener, const char *path, GError **error)
{
  g_autoptr (EnsEvaluation) evaluation = NULL;

  if (strcmp (kind, "retrained") == 0)
    return write_retraining (NULL, opener, path, error);
  if (strcmp (kind, "contours") == 0)
    return write_contours (opener, path, error);
  if (strcmp (kind, "style") == 0)
    return write_style (path, error);
  evaluation =
      strcmp (kind, "large") == 0 ? evaluate_many () : evaluate_six (strcmp (kind, "single") != 0);
  if (strcmp (kind, "both") == 0)
    return write_retraining (evaluation, opener, path, error);
  return tool_report_write (evaluation, NULL, opener, path, error);
}

int
main (int argc, char **argv)
{
  gboolean lost = argc == 3 && strcmp (argv[1], "lost") == 0;
  EnsFrameOpener opener = {open_picture, GINT_TO_POINTER (lost)};
  g_autoptr (GError) error = NULL;

  if (argc != 3)
    return 2;
  gst_init (NULL, NULL);
  if (write_page (argv[1], &opener, argv[2], &error))
    return 0;
  g_printerr ("%s\n", error->message);
  return 1;
}
