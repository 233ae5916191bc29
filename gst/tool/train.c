#include "evaluation-table.h"
#include "monitor.h"
#include "network-list.h"
#include "tool.h"

#include "decode.h"

typedef struct {
  char **networks, **lists;
  char *output, *name, *cache, *preset, *device;
  gint threads, windows;
  double c;
} Options;

static void
options_clear (Options *options)
{
  g_strfreev (options->networks);
  g_strfreev (options->lists);
  g_free (options->output);
  g_free (options->name);
  g_free (options->cache);
  g_free (options->preset);
  g_free (options->device);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static ToolNetworks *
collect_networks (const Options *options, GError **error)
{
  g_autoptr (ToolNetworks) networks = tool_networks_new ();
  guint n;

  for (guint i = 0; options->lists != NULL && options->lists[i] != NULL; i++)
    if (!tool_networks_read (networks, options->lists[i], error))
      return NULL;
  for (guint i = 0; options->networks != NULL && options->networks[i] != NULL; i++)
    if (!tool_networks_add (networks, options->networks[i], error))
      return NULL;
  tool_networks_get (networks, &n);
  if (n == 0) {
    g_set_error (
        error, TOOL_ERROR_USAGE, 0,
        "networks are needed: --network=FILE.onnx, once for each, or --networks=FILE.json");
    return NULL;
  }
  return g_steal_pointer (&networks);
}

static gboolean
check_options (const Options *options, EnsFitParams *params, GError **error)
{
  if (options->output == NULL) {
    g_set_error (error, TOOL_ERROR_USAGE, 0, "--output=NAME.ensemble is needed");
    return FALSE;
  }
  if (options->threads < 0 || options->windows < 0 || options->c < 0) {
    g_set_error (error, TOOL_ERROR_USAGE, 0, "numbers must not be negative");
    return FALSE;
  }
  if (options->preset != NULL
      && !ens_windows_preset_parse (options->preset, &params->windows_preset)) {
    g_set_error (error, TOOL_ERROR_USAGE, 0,
                 "--windows-preset expects fast, balanced or quality, got “%s”", options->preset);
    return FALSE;
  }
  params->bundle = options->output;
  params->name = options->name;
  params->cache = options->cache;
  params->windows = (guint)options->windows;
  params->c = options->c;
  return TRUE;
}

static gboolean
fit (const EnsFitParams *params, const Options *options, GError **error)
{
  g_autoptr (EnsDevice) device = NULL;
  g_autoptr (GstEnsembleDecoder) decoder = NULL;
  g_autoptr (ToolMonitor) monitor = NULL;
  g_autoptr (EnsEvaluation) evaluation = NULL;

  device =
      ens_device_open (options->device ? options->device : "auto", (guint)options->threads, error);
  if (device == NULL)
    return FALSE;
  decoder = gst_ensemble_decoder_new ();
  monitor = tool_monitor_new ();
  evaluation = ens_fit (params, device, gst_ensemble_decoder_get_opener (decoder),
                        tool_monitor_get (monitor), error);
  g_clear_pointer (&monitor, tool_monitor_free);
  if (evaluation == NULL)
    return FALSE;
  tool_evaluation_print (evaluation);
  g_print ("\n%s\n", params->bundle);
  return TRUE;
}

static gboolean
run (const ToolCommand *command, int argc, char **argv, GError **error)
{
  g_auto (Options) options = {.windows = 100};
  const GOptionEntry entries[] = {
      {"network", 'n', 0, G_OPTION_ARG_STRING_ARRAY, &options.networks,
       "A network and what it expects; once for each", "FILE.onnx[,KEY=VALUE…]"},
      {"networks", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options.lists, "The same from a file",
       "FILE.json"},
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.output, "The bundle to write",
       "NAME.ensemble"},
      {"name", 0, 0, G_OPTION_ARG_STRING, &options.name, "The ensemble's name (the bundle's)",
       "NAME"},
      {"svm-c", 'c', 0, G_OPTION_ARG_DOUBLE, &options.c,
       "Weight of errors in the linear classifiers (by cross validation)", "C"},
      {"windows", 'w', 0, G_OPTION_ARG_INT, &options.windows, "Windows of a picture (100; 0: none)",
       "N"},
      {"windows-preset", 0, 0, G_OPTION_ARG_STRING, &options.preset,
       "fast, balanced or quality (balanced)", "NAME"},
      {"cache", 0, 0, G_OPTION_ARG_FILENAME, &options.cache,
       "Where features are kept (in the user's cache folder)", "FOLDER"},
      {"device", 'd', 0, G_OPTION_ARG_STRING, &options.device,
       "auto, cpu, vulkan or vulkan:N (auto)", "DEVICE"},
      {"threads", 't', 0, G_OPTION_ARG_INT, &options.threads, "Threads on the CPU (all processors)",
       "N"},
      G_OPTION_ENTRY_NULL,
  };
  EnsFitParams params = ENS_FIT_DEFAULTS;
  g_autoptr (ToolNetworks) networks = NULL;

  if (!tool_parse (command, entries, &argc, &argv, 1, 1, error)
      || !check_options (&options, &params, error))
    return FALSE;
  networks = collect_networks (&options, error);
  if (networks == NULL)
    return FALSE;
  params.dataset = argv[1];
  params.networks = tool_networks_get (networks, &params.n_networks);
  return fit (&params, &options, error);
}

const ToolCommand tool_train = {
    .name = "train",
    .arguments = "DATASET",
    .summary = "Make an ensemble from networks and labelled pictures",
    .details =
        "DATASET is a folder: train/CLASS/*.jpg, validation/CLASS/…, test/CLASS/…; pictures in a "
        "class\n"
        "folder “none” show no class. Or it has Pascal VOC's layout, where a picture can show "
        "several.\n\n"
        "What a network expects: order=RGB|BGR|GRAY, mean=R+G+B and scale=R+G+B, with which a "
        "value of\n"
        "0 … 255 becomes (value - mean) * scale, and size=PIXELS. Its part in the ensemble:\n"
        "role=original|retrained, taps=NAME+NAME…, scales=N+N…, window-sizes=N+N…, name=NAME.\n"
        "“inspect NETWORK.onnx” lists what can be tapped.\n\n"
        "  gst-ensemble-1.0 train photos -o site.ensemble \\\n"
        "    -n squeezenet1.1.onnx,role=original,order=BGR,mean=104+117+123,scale=1,size=227 \\\n"
        "    -n mobilenet.onnx,role=retrained,mean=127.5,scale=0.00784,size=160",
    .run = run,
};
