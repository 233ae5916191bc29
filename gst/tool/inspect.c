#include "inspect.h"

#include <json-glib/json-glib.h>

#include "ensemble/bundle-files.h"
#include "onnx/onnx.h"
#include "table.h"
#include "text.h"

static char *
join_sizes (const guint *sizes, guint n)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, i > 0 ? ", %u" : "%u", sizes[i]);
  return g_string_free (text, FALSE);
}

static void
print_bundle_network (const EnsBundleNetwork *network)
{
  static const char *const roles[] = {
      [ENS_ROLE_ORIGINAL] = "original", [ENS_ROLE_RETRAINED] = "retrained"};
  static const char *const orders[] = {
      [ENS_ORDER_RGB] = "RGB", [ENS_ORDER_BGR] = "BGR", [ENS_ORDER_GRAY] = "grey"};
  const EnsNormalise *normalise = &network->normalise;
  g_autofree char *scales = join_sizes (network->scales, network->n_scales);
  g_autofree char *windows = join_sizes (network->window_sizes, network->n_window_sizes);
  g_autofree char *taps = g_strjoinv (", ", network->taps);

  g_print ("\nnetwork “%s”, %s, weight %.2f\n", network->name, roles[network->role],
           network->weight);
  g_print ("  files      %s, %s\n", network->network, network->classifier);
  g_print ("  taps       %s\n", taps);
  g_print ("  scales     %s (made for %u)\n", scales, network->size);
  g_print ("  windows    %s\n", windows);
  if (!ens_bundle_network_is_plainly_framed (network))
    g_print ("  framing    %s (crop %g), windows %s\n", ens_framing_name (network->framing),
             (double)network->crop, ens_framing_name (network->window_framing));
  g_print ("  pixels     %s, mean %g %g %g, scale %g %g %g\n", orders[normalise->order],
           normalise->mean[0], normalise->mean[1], normalise->mean[2], normalise->scale[0],
           normalise->scale[1], normalise->scale[2]);
}

static void
print_classes (const EnsBundle *bundle)
{
  g_autoptr (ToolTable) table = tool_table_new ("class|>threshold");

  for (guint i = 0; i < bundle->n_classes; i++) {
    tool_table_row (table);
    tool_table_cell (table, "%s", bundle->classes[i]);
    tool_table_cell (table, "%.3f", bundle->thresholds[i]);
  }
  g_print ("\n");
  tool_table_print (table);
}

static void
print_sub_images (const EnsSubImageSettings *settings)
{
  double side = (double)settings->size * settings->large_from;
  g_autofree char *text = g_strdup_printf (
      "frames from %.0f × %.0f pixels on are divided: up to %u sub-images of %u × %u or more, "
      "overlapping by %.0f %%",
      side, side, settings->count, settings->size, settings->size, 100 * settings->overlap);
  g_autoptr (GString) lines = g_string_new (NULL);

  tool_append_words (lines, text, 0, 2);
  g_print ("%s", lines->str);
}

static void
print_provenance (const char *json)
{
  g_autoptr (JsonNode) node = json_from_string (json, NULL);
  g_autofree char *text = json_to_string (node, TRUE);

  g_print ("\nprovenance %s\n", text);
}

static gboolean
inspect_bundle (const char *path, GError **error)
{
  g_autoptr (EnsBundle) bundle = ens_bundle_load (path, error);

  if (bundle == NULL)
    return FALSE;
  g_print ("ensemble “%s”, version %s, %u classes\n", bundle->name, bundle->version,
           bundle->n_classes);
  g_print ("P = %.2f P1 + %.2f max (P2, P3)\n", bundle->window_weight, 1 - bundle->window_weight);
  if (bundle->windows > 0)
    g_print ("%u windows by selective search (%s)\n", bundle->windows,
             ens_windows_preset_name (bundle->windows_preset));
  else
    g_print ("no windows\n");
  if (bundle->sub_images.size > 0)
    print_sub_images (&bundle->sub_images);
  for (guint i = 0; i < bundle->n_networks; i++)
    print_bundle_network (&bundle->networks[i]);
  print_classes (bundle);
  if (bundle->provenance != NULL)
    print_provenance (bundle->provenance);
  return TRUE;
}

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
  gboolean operators;
} Options;

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
    return inspect_bundle (arguments[0], error);
  return tool_inspect_network (arguments[0], (guint)options->size, error);
}

static const ToolOption option_table[] = {
    {"size", 's', G_OPTION_ARG_INT, G_STRUCT_OFFSET (Options, size), "PIXELS",
     "Side of a network's square input, where the file leaves it open (224)"},
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
    .help = "Of a network: its layers and shapes, the values whose features an ensemble can tap, "
            "the operators, if any, that this build does not have, and what images it takes.",
    .manual = "What images a network takes is told with how it is known. It is stated in a file "
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
