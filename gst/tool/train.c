/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "evaluation-table.h"
#include "monitor.h"
#include "network-list.h"
#include "report/report.h"
#include "retrain.h"
#include "tool.h"
#include "train/label-next.h"

#include <string.h>

#include "decode.h"

#define BUNDLE_ENDING ".ensemble"

/* Index of a method: the document's, with a sigmoid that is not calibrated. */
#define DOCUMENT_SIGMOID 2

typedef struct {
  char **networks, **lists;
  char *output, *name, *one_class, *method, *head, *cache, *preset, *gate, *unrelated, *unlabelled,
      *report, *device;
  gint threads, windows, cache_limit, retrain;
  double c;
} Options;

static gboolean
check_options (const Options *options, EnsFitParams *params, GError **error)
{
  static const char *const methods[] = {"standard", "document", "document-sigmoid", NULL};
  guint method = params->method;
  EnsGateSettings gate;

  if (options->output == NULL) {
    g_set_error (error, TOOL_ERROR_USAGE, 0,
                 "--output=BUNDLE is needed: a folder to write, such as site.ensemble");
    return FALSE;
  }
  if (!tool_check_least ("--windows", options->windows, 0, error)
      || !tool_check_least ("--retrain", options->retrain, 0, error)
      || !tool_check_least ("--svm-c", options->c, 0, error)
      || !tool_parse_preset ("--windows-preset", options->preset, &params->windows_preset, error)
      || (options->report != NULL && !tool_report_check (options->report, error)))
    return FALSE;
  if (!tool_parse_choice ("--method", options->method, methods, &method, error)
      || !ens_gate_parse (options->gate, &gate, error))
    return FALSE;
  params->method = method == ENS_FIT_STANDARD ? ENS_FIT_STANDARD : ENS_FIT_DOCUMENT;
  params->plain_sigmoid = method == DOCUMENT_SIGMOID;
  params->gate = options->gate;
  params->unrelated = options->unrelated;
  params->bundle = options->output;
  params->name = options->name;
  params->one_class = options->one_class;
  params->cache = options->cache;
  params->cache_limit = options->cache_limit < 0 ? -1 : (gint64)options->cache_limit << 20;
  params->windows = (guint)options->windows;
  return TRUE;
}

/* (transfer full) */
static char *
choose_head (const Options *options)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  if (!(options->c > 0))
    return g_strdup (options->head);
  return g_strconcat (options->method != NULL && g_str_has_prefix (options->method, "document")
                          ? "svm,root=0,c="
                          : "svm,c=",
                      g_ascii_dtostr (number, sizeof number, options->c), NULL);
}

/* The first network's retraining. */
typedef struct {
  char *output; /* NULL: there is none */
  EnsRetrainParams params;
  EnsRetrainResult result;
} Retraining;

static void
retraining_clear (Retraining *retraining)
{
  g_clear_pointer (&retraining->output, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Retraining, retraining_clear)

/* NAME-retrained.onnx beside the bundle. (transfer full) */
static char *
name_retrained (const char *bundle)
{
  g_autofree char *stem = g_strdup (bundle);

  while (g_str_has_suffix (stem, G_DIR_SEPARATOR_S))
    stem[strlen (stem) - 1] = '\0';
  if (g_str_has_suffix (stem, BUNDLE_ENDING))
    stem[strlen (stem) - strlen (BUNDLE_ENDING)] = '\0';
  return g_strconcat (stem, "-retrained.onnx", NULL);
}

/* One that was stopped continues, and one that ended is not repeated because what follows was
 * stopped. */
static void
set_resumption (EnsRecipeParams *params)
{
  g_autofree char *checkpoint = ens_recipe_name_checkpoint (params);

  params->keep_checkpoint = TRUE;
  params->loop.resume = g_file_test (checkpoint, G_FILE_TEST_EXISTS);
}

static gboolean
retrain_first (const Options *options, const char *dataset, ToolNetworks *networks,
               EnsDevice *device, Retraining *retraining, GError **error)
{
  guint n;
  const EnsFitNetwork *network = tool_networks_get (networks, &n);
  EnsRetrainParams *params = &retraining->params;

  retraining->output = name_retrained (options->output);
  *params = ENS_RETRAIN_DEFAULTS;
  params->network = network->path;
  params->normalise = network->normalise;
  params->size = network->size;
  params->taps = network->taps;
  params->recipe.dataset = dataset;
  params->recipe.one_class = options->one_class;
  params->recipe.output = retraining->output;
  params->recipe.loop.n_epochs = (guint)options->retrain;
  set_resumption (&params->recipe);
  if (!tool_retrain_network (params, device, &retraining->result, error))
    return FALSE;
  tool_networks_add_retrained (networks, retraining->output);
  g_print ("\n");
  return TRUE;
}

static gboolean
write_report (const EnsEvaluation *evaluation, const Retraining *retraining, EnsDevice *device,
              const EnsFrameOpener *opener, const char *path, GError **error)
{
  g_auto (ToolRetraining) shown = {0};

  if (retraining->output == NULL)
    return tool_report_write (evaluation, NULL, opener, path, error);
  return tool_retraining_read (&retraining->params, &retraining->result, device, opener, &shown,
                               error)
         && tool_report_write (evaluation, &shown, opener, path, error);
}

/* The bundle is written: the retraining is no longer needed to go on. */
static void
retraining_finish (Retraining *retraining)
{
  if (retraining->output == NULL)
    return;
  retraining->params.recipe.keep_checkpoint = FALSE;
  ens_recipe_finish (&retraining->params.recipe);
}

static gboolean
add_next_labels (EnsEvaluation *evaluation, const EnsFitParams *params, const char *folder,
                 EnsDevice *device, const EnsFrameOpener *opener, const EnsMonitor *monitor,
                 GError **error)
{
  g_autoptr (EnsEnsemble) ensemble = ens_ensemble_open (params->bundle, device, error);

  return ensemble != NULL
         && ens_add_next_labels (evaluation->findings, ensemble, folder, opener, monitor, error);
}

/* (transfer full) */
static EnsEvaluation *
make_bundle (const EnsFitParams *params, const Options *options, Retraining *retraining,
             EnsDevice *device, const EnsFrameOpener *opener, GError **error)
{
  g_autoptr (ToolMonitor) monitor = tool_monitor_new ();
  g_autoptr (EnsEvaluation) evaluation =
      ens_fit (params, device, opener, tool_monitor_get (monitor), error);

  if (evaluation == NULL)
    return NULL;
  retraining_finish (retraining);
  if (options->unlabelled != NULL
      && !add_next_labels (evaluation, params, options->unlabelled, device, opener,
                           tool_monitor_get (monitor), error))
    return NULL;
  return g_steal_pointer (&evaluation);
}

static gboolean
fit (const EnsFitParams *params, const Options *options, Retraining *retraining, EnsDevice *device,
     GError **error)
{
  g_autoptr (GstEnsembleDecoder) decoder = gst_ensemble_decoder_new ();
  const EnsFrameOpener *opener = gst_ensemble_decoder_get_opener (decoder);
  const char *report = options->report;
  g_autoptr (EnsEvaluation) evaluation =
      make_bundle (params, options, retraining, device, opener, error);

  if (evaluation == NULL
      || (report != NULL && !write_report (evaluation, retraining, device, opener, report, error)))
    return FALSE;
  tool_evaluation_print (evaluation);
  g_print ("\n%s\n", params->bundle);
  if (report != NULL)
    g_print ("%s\n", report);
  return TRUE;
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  EnsFitParams params = ENS_FIT_DEFAULTS;
  g_autoptr (ToolNetworks) networks = NULL;
  g_autoptr (EnsDevice) device = NULL;
  g_autofree char *head = choose_head (options);
  g_auto (Retraining) retraining = {0};

  if (!check_options (options, &params, error))
    return FALSE;
  networks = tool_networks_collect (options->networks, options->lists, error);
  if (networks == NULL)
    return FALSE;
  device = tool_open_device (options->device, options->threads, error);
  if (device == NULL
      || (options->retrain > 0
          && !retrain_first (options, arguments[0], networks, device, &retraining, error)))
    return FALSE;
  params.dataset = arguments[0];
  params.head = head;
  params.networks = tool_networks_get (networks, &params.n_networks);
  return fit (&params, options, &retraining, device, error);
}

static const ToolOption option_table[] = {
    {"network", 'n', G_OPTION_ARG_STRING_ARRAY, G_STRUCT_OFFSET (Options, networks), "FILE[,…]",
     "A network and what it expects; once for each", "*.onnx"},
    {"networks", 0, G_OPTION_ARG_FILENAME_ARRAY, G_STRUCT_OFFSET (Options, lists), "FILE.json",
     "The same from a file", "*.json"},
    {"output", 'o', G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, output), "BUNDLE",
     "The bundle to write, a folder NAME.ensemble", "/"},
    {"retrain", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, retrain), "EPOCHS",
     "Retrain the first network, too: such as 20 (0)"},
    {"name", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, name), "NAME",
     "The ensemble's name (the bundle's)"},
    TOOL_OPTION_ONE_CLASS (Options),
    {"method", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, method), "NAME",
     "standard, document or document-sigmoid (standard)", "standard document document-sigmoid"},
    {"head", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, head), "NAME[,…]",
     "What is learnt on features (svm)", "svm"},
    {"svm-c", 'c', G_OPTION_ARG_DOUBLE, G_STRUCT_OFFSET (Options, c), "C",
     "As --head=svm,c=C (by cross validation)"},
    {"windows", 'w', G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, windows), "N",
     "Region proposals of a picture (100; 0: none)"},
    {"windows-preset", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, preset), "NAME",
     "fast, balanced or quality (balanced)", "fast balanced quality"},
    {"report", 'r', G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, report), "FILE.html",
     "Write a self-contained HTML report", "*.html"},
    {"gate", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, gate), "KIND[,…]",
     "How unrelated pictures are told (the best; off)",
     "off label-cosine label-centred-cosine label-distance label-nearest cosine centred-cosine "
     "distance mahalanobis nearest nearest+probability"},
    {"unrelated", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, unrelated), "FOLDER",
     "Pictures of no class, to choose the gate by", "/"},
    TOOL_OPTION_UNLABELLED (Options),
    {"cache", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, cache), "FOLDER",
     "Where features are kept (the user's cache folder)", "/"},
    {"cache-limit", 0, G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, cache_limit), "MIB",
     "Limit of earlier runs' features (8192; -1: none)"},
    TOOL_OPTION_DEVICE (Options),
    TOOL_OPTION_THREADS (Options),
    TOOL_OPTION_END,
};

const ToolCommand tool_train = {
    .name = "train",
    .arguments = "DATASET",
    .completions = "/",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Make an ensemble from networks and labelled pictures",
    .help = "DATASET is a folder CLASS/*.jpg or SPLIT/CLASS/*.jpg, COCO, VOC, YOLO, *.csv ….",
    .manual =
        "A network's KEYs, where inspect does not detect the preprocessing: order=RGB|BGR|GRAY, "
        "size=PIXELS, mean=R+G+B, scale=R+G+B or std=R+G+B; further: role=original|retrained, "
        "taps=NAME+NAME…, scales=N+N…, window-sizes=N+N…, framing=scale|crop|letterbox|stretch, "
        "window-framing=…, flip=yes|no, name=NAME.\n\n"
        "Folders of classes, CLASS/*.jpg, without folders of splits above them are divided, too: a "
        "fifth of each class is for validation, a fifth for the test.\n\n"
        "Beside folders, these layouts are read; the first one whose files a folder has is taken. "
        "COCO: "
        "*.json with lists images, annotations and categories, in any folder. Open Images: "
        "*-annotations-bbox.csv, *-annotations-human-imagelabels.csv, class-descriptions*.csv. "
        "CVAT: "
        "annotations.xml. Pascal VOC: Annotations/NAME.xml and JPEGImages, with lists in "
        "ImageSets/Main, or "
        "NAME.xml beside each picture. YOLO: data.yaml or obj.data, and labels/NAME.txt for "
        "images/NAME.jpg. LabelMe: NAME.json for each picture. VGG Image Annotator: *.json or "
        "*.csv "
        "with region_attributes. CUB-200: images.txt, image_class_labels.txt, classes.txt, "
        "train_test_split.txt. JSON: a list of {\"image\": …, \"label\": …}, *.json, or one a "
        "line, "
        "*.jsonl; Create ML's. Lists, *.txt: a picture and its class a line. Tables, *.csv or "
        "*.tsv, in the folder or called like it: a first line "
        "names the columns file, class, split, or a column for each class (1, 0), or width, "
        "height, "
        "xmin, ymin, xmax, ymax too. In all of these a picture can show several classes. Where all "
        "objects of a class are marked as difficult, or an annotation of it is damaged, the "
        "picture "
        "neither teaches nor measures that class. Splits are called train, validation (valid, val, "
        "dev) and test. Where nothing divides the pictures, a fifth is for validation and a fifth "
        "for "
        "the test, always the same ones. Without a validation split a fifth of the training "
        "pictures "
        "is held out. What is left out is counted by reason. Pictures and annotations that are "
        "broken are named and skipped; more than one in ten is an error. Names in files don't lead "
        "out of "
        "the set's folder.\n\n"
        "role=original is for a network of a large general data set, such as ImageNet: it "
        "classifies the whole picture, once per scale (P2). role=retrained, the default, is for "
        "a network that knows classes like yours: it classifies the whole picture (P1) and every "
        "window (region proposal, P3), so that with 100 windows nearly all of an analysis is "
        "spent there. Give the role retrained to a small network, or to none: without one no "
        "windows are classified. name=NAME is the network's name in results.\n\n"
        "--retrain=EPOCHS first retrains the first network on the data set, as the command retrain "
        "does, and adds the result, NAME-retrained.onnx beside the bundle, in the role retrained; "
        "the first network becomes an original one if no role was given. If it or what follows is "
        "stopped, the same command continues. The report shows its curves and maps, too. A network "
        "that has "
        "learnt "
        "the training pictures, by this option or by retrain, says more of them than of new ones: "
        "weights and thresholds are then chosen on the validation pictures alone.\n\n"
        "Every network gets a linear classifier for each class, trained on the training and "
        "validation pictures. Ensemble weights, the share of region proposals, calibration and "
        "per-class thresholds are cross-fitted: the figures that train prints are of pictures that "
        "had no part in any choice. Log odds are averaged and calibrated again; where no picture "
        "shows several classes, classes exclude each other. Where region proposals don't raise "
        "the figure, streams do without them.\n\n"
        "With flip=yes features of whole pictures are averaged with those of their mirror images, "
        "in training and in use: whole pictures then take twice the time. Windows are not "
        "mirrored.\n\n"
        "--method=document is the published method: classifiers trained on the training pictures, "
        "features as they are, windows classified by the retrained network's classifiers of whole "
        "pictures, averages of probabilities, P = w P1 + (1 - w) max (P2, P3); with "
        "document-sigmoid, decision values become probabilities by the plain sigmoid.\n\n"
        "From the "
        "size of the training pictures follows which pictures are large and divided into "
        "sub-images (tiles): “sub_images” in the bundle's ensemble.json.\n\n"
        "What is wrong with the data set is printed last, a sentence each: classes that have few "
        "pictures, near copies, small pictures, false alarms on pictures of no class, labels that "
        "are likely wrong, classes that are taken for each other, and whether more pictures would "
        "help. Of a folder of pictures without labels, --unlabelled names those to label next: of "
        "which the ensemble is least sure. "
        "The report shows the pictures too, and how the bundle does on the validation split. "
        "Probabilities that images are diagnosed with come from classifiers that were trained "
        "without them.\n\n"
        "The gate withholds classes from pictures that resemble none of their training pictures. "
        "Kinds of similarity compete: to the mean of a class or to its nearest pictures, of "
        "features or of the values of a label layer (label-…) that is trained for it. The one is "
        "taken that "
        "tells known pictures from others best: from those of classes that are left out in turn, "
        "and from pictures of no class, in a class folder “none” or --unrelated. A class is "
        "reported at similarities that keep 95 % of its own pictures; with --gate=keep=0.9 or "
        "--gate=nearest,keep=0.9 they keep 90 %. Of --gate=[KIND][,NAME=VALUE...] the names are: "
        "keep=SHARE; high=SHARE, of its own pictures that are not too similar, for copies to be "
        "withheld (1: all); loss-low=NATS and loss-high=NATS, the range in which the label layer's "
        "training ends (0.05 to 0.2); width=N, values of the label layer, the classes' logits "
        "first and then projections of the features (one for each class). --gate=off makes no "
        "gate.\n\n"
        "A value of 0 … 255 becomes (value - mean) * scale, or (value - mean) / std; if mean "
        "and std are of 1 at most, they are of values 0 … 1. Channels are counted in the "
        "network's own order. What is not given is detected, as inspect does, and "
        "printed.\n\n"
        "A picture's aspect ratio is kept: framing=scale, the default, scales its shorter side to "
        "each of the scales and takes all of it. framing=crop takes the centre crop, crop=SHARE of "
        "the shorter side, as many networks are evaluated; framing=letterbox pads it to a square "
        "with the mean; framing=stretch ignores the aspect ratio. Windows are stretched, unless "
        "window-framing is letterbox or crop.\n\n"
        "Features are kept in the cache folder: a second run with other settings takes "
        "seconds, and an interrupted one continues where it was. Beyond the cache's limit "
        "features of earlier runs are removed, the least recently used first.\n\n"
        "  gst-ensemble-1.0 train photos -o site.ensemble \\\n"
        "    -n squeezenet1.1.onnx,role=original,order=BGR,mean=104+117+123,scale=1 \\\n"
        "    -n mobilenet.onnx,role=retrained,mean=127.5,scale=0.00784,size=160",
    .options = option_table,
    .options_size = sizeof (Options),
    .defaults = &(const Options) {.windows = 100, .cache_limit = ENS_FEATURE_CACHE_LIMIT >> 20},
    .run = run,
};
