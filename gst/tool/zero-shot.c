/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/zero-shot.h"

#include "monitor.h"
#include "network-list.h"
#include "tool.h"

typedef struct {
  char *network, *output, *name, *names, *link;
  double temperature, bias, threshold;
  gboolean add;
} Options;

static gboolean
check_options (const Options *options, EnsZeroShotParams *params, GError **error)
{
  static const char *const links[] = {"sigmoid", "softmax", NULL};
  guint link = TRUE;

  if (options->network == NULL || options->output == NULL) {
    g_set_error (error, TOOL_ERROR_USAGE, 0, "%s is needed",
                 options->network == NULL ? "--network=FILE.onnx, which embeds pictures,"
                                          : "--output=BUNDLE, a folder to write,");
    return FALSE;
  }
  if (!tool_parse_choice ("--link", options->link, links, &link, error)
      || !tool_check_least ("--temperature", options->temperature, 1e-3, error)
      || !tool_check_least ("--threshold", options->threshold, 0, error))
    return FALSE;
  params->exclusive = (gboolean)link;
  params->bundle = options->output;
  params->name = options->name;
  params->temperature = (float)options->temperature;
  params->bias = (float)options->bias;
  params->threshold = (float)options->threshold;
  return TRUE;
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  EnsZeroShotParams params = {.source = arguments[0]};
  g_autoptr (ToolMonitor) monitor = tool_monitor_new ();
  g_autoptr (ToolNetworks) networks = tool_networks_new ();
  g_autoptr (EnsClassVectors) vectors = NULL;
  g_autofree char *network = NULL, *tap = NULL;
  guint n;

  if (!check_options (options, &params, error))
    return FALSE;
  network = g_strconcat (options->network, ",role=original", NULL);
  if (!tool_networks_add (networks, network, error)
      || (vectors = ens_class_vectors_load (arguments[0], options->names, error)) == NULL)
    return FALSE;
  tap = ens_zero_shot_find_tap (tool_networks_get (networks, &n)->path, vectors, error);
  if (tap == NULL)
    return FALSE;
  tool_networks_tap (networks, tap);
  if (!tool_networks_complete (networks, error))
    return FALSE;
  params.network = tool_networks_get (networks, &n);
  params.vectors = vectors;
  if (!(options->add ? ens_zero_shot_add : ens_zero_shot) (&params, tool_monitor_get (monitor),
                                                           error))
    return FALSE;
  g_print ("%s: %u classes\n", options->output, vectors->n);
  return TRUE;
}

#define OPTION(name, letter, type, member, value, summary, completions)                   \
  {                                                                                       \
    name, letter, G_OPTION_ARG_##type, G_STRUCT_OFFSET (Options, member), value, summary, \
        completions                                                                       \
  }

static const ToolOption option_table[] = {
    OPTION ("network", 'n', STRING, network, "FILE[,KEY=VALUE…]",
            "The network that embeds pictures; KEYs as for train", "*.onnx"),
    OPTION ("output", 'o', FILENAME, output, "BUNDLE", "The ensemble to write, a folder", "/"),
    OPTION ("add", 0, NONE, add, NULL, "Add the classes to the ensemble that is there", NULL),
    OPTION ("names", 0, FILENAME, names, "FILE", "Names of the matrix's rows, a line each",
            "*.txt"),
    OPTION ("link", 0, STRING, link, "KIND",
            "softmax: one class per picture; sigmoid: several, or none (softmax)",
            "softmax sigmoid"),
    OPTION ("temperature", 0, DOUBLE, temperature, "NUMBER", "Factor of similarities (100)", NULL),
    OPTION ("bias", 0, DOUBLE, bias, "NUMBER", "Added to them, for sigmoid (0)", NULL),
    OPTION ("threshold", 0, DOUBLE, threshold, "P", "A class is present from this P on (0.5)",
            NULL),
    OPTION ("name", 0, STRING, name, "NAME", "The ensemble's name (the folder's)", NULL),
    TOOL_OPTION_END};

const ToolCommand tool_zero_shot = {
    .name = "zero-shot",
    .arguments = "VECTORS",
    .completions = "*.npy *.safetensors",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Make an ensemble from a network and its classes' text vectors",
    .help = "VECTORS is a matrix with a row for each class (.npy, .safetensors), or a vector for "
            "each (.safetensors), as the text model that belongs to the network makes them.",
    .manual =
        "Networks such as CLIP and SigLIP have a tower for pictures and one for texts, which embed "
        "both in one space. Here the tower for pictures runs, and texts are vectors that the other "
        "one has made once: examples/python/text-vectors.py makes them from a list of class names. "
        "No pictures are needed, and no training.\n\n"
        "A class's score is temperature · cosine + bias. For CLIP the probabilities are the "
        "softmax of the scores over all classes, and the temperature is usually 100; add a class "
        "such as “something else” for pictures of none. For SigLIP they are the sigmoids "
        "(--link=sigmoid); text-vectors.py prints its temperature and bias.\n\n"
        "The embedding is the network's first output that is as long as the vectors; "
        "-n FILE,taps=LAYER names another layer. Pictures are prepared as train does it; give what "
        "is not detected, such as order=RGB,mean=…,std=…,framing=crop.\n\n"
        "--add puts the classes beside those that the ensemble has been trained on, which stay as "
        "they are: each network classifies what it knows. With --link=softmax the new classes "
        "exclude each other, not the trained ones.\n\n"
        "  python3 text-vectors.py openai/clip-vit-base-patch32 names.txt vectors.npy\n"
        "  gst-ensemble-1.0 zero-shot vectors.npy --names=names.txt -n vision.onnx -o "
        "clip.ensemble",
    .options = option_table,
    .options_size = sizeof (Options),
    .defaults = &(const Options) {.temperature = 100, .threshold = 0.5},
    .run = run,
};
