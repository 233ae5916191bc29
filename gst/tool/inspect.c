/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect.h"

#include "onnx/onnx.h"
#include "text.h"
#include "tool.h"

static void
print_operators (void)
{
  g_auto (GStrv) names = ens_onnx_list_operators ();
  g_autofree char *list = g_strjoinv (" ", names);
  g_autoptr (GString) text = g_string_new (NULL);

  tool_append_words (text, list, 0, 0);
  g_print ("%s", text->str);
}

typedef struct {
  gint size;
  char *drawing, *frame, *device;
  gboolean operators;
} Options;

static gboolean
inspect_bundle (const Options *options, const char *path, GError **error)
{
  if (options->drawing == NULL)
    return tool_inspect_bundle (path, error)
           && (options->frame == NULL
               || tool_inspect_cost (path, options->frame, options->device, error));
  g_set_error (error, TOOL_ERROR_USAGE, 0,
               "--draw is for a network: one of the bundle's, %s/NAME.onnx", path);
  return FALSE;
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;

  if (!tool_check_least ("--size", options->size, 0, error))
    return FALSE;
  if (options->operators) {
    print_operators ();
    return TRUE;
  }
  if (arguments[0] == NULL) {
    g_set_error (error, TOOL_ERROR_USAGE, 0,
                 "expected BUNDLE|NETWORK.onnx; see gst-ensemble-1.0 inspect --help");
    return FALSE;
  }
  if (g_file_test (arguments[0], G_FILE_TEST_IS_DIR))
    return inspect_bundle (options, arguments[0], error);
  if (options->frame == NULL)
    return tool_inspect_network (arguments[0], (guint)options->size, options->drawing, error);
  g_set_error (error, TOOL_ERROR_USAGE, 0, "--frame is for a bundle, found %s", arguments[0]);
  return FALSE;
}

static const ToolOption option_table[] = {
    {"size", 's', G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, size), "PIXELS",
     "Side of a network's square input, where the file leaves it open (224)"},
    {"draw", 0, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (Options, drawing), "FILE.svg",
     "Draw a network, its layers, shapes and cost", "*.svg"},
    {"frame", 0, G_OPTION_ARG_STRING, G_STRUCT_OFFSET (Options, frame), "WIDTHxHEIGHT",
     "Measure what a frame costs a bundle, and say what cameras get of it"},
    TOOL_OPTION_DEVICE (Options),
    {"operators", 0, G_OPTION_ARG_NONE, G_STRUCT_OFFSET (Options, operators), NULL,
     "List the operators that networks may have"},
    TOOL_OPTION_END,
};

const ToolCommand tool_inspect = {
    .name = "inspect",
    .arguments = "BUNDLE|NETWORK.onnx",
    .completions = "/ *.onnx",
    .min_arguments = 0,
    .max_arguments = 1,
    .summary = "Show what is in an ensemble or a network",
    .help = "Of a network: its layers and shapes, the feature layers that an ensemble can tap, the "
            "operators, if any, that this build does not support, and its input preprocessing. Of "
            "a bundle: settings, networks, thresholds, provenance and measured accuracy.",
    .manual = "--frame measures, on a drawn frame, what each stage of a bundle's analysis costs in "
              "processor time, beside what was estimated beforehand, and prints how many windows "
              "and sub-images ensembleclassify chooses by default for one and four live cameras at "
              "one frame a second, and the properties that change it.\n\n"
              "--draw writes a picture of a network, SVG for any browser: from the top to the "
              "bottom its layers with their shapes, multiply-adds, share of the whole cost and "
              "parameters. Normalisation and activation are drawn with the layer before them, "
              "blocks that repeat once, with their number. Layers that can be tapped are marked. "
              "More about a layer appears under the pointer.\n\n"
              "Input preprocessing (size, channel order, mean, std) is detected automatically, and "
              "printed with its source. It is stated in a file "
              "beside the network: NETWORK.json or networks.json with the members file, order, "
              "mean, scale or std, size, labels and taps; GStreamer's NETWORK.onnx.modelinfo or "
              "NETWORK.modelinfo; preprocessor_config.json or config.json of Hugging Face. Or in "
              "the network's metadata, as onnxmltools, Custom Vision and Ultralytics write it. Or "
              "it is found in the graph, where the network subtracts a mean or divides by a "
              "deviation itself. Or it is a guess: from statistics that a batch normalisation has "
              "of the first layer, or else from what is usual.",
    .options = option_table,
    .options_size = sizeof (Options),
    .run = run,
};
