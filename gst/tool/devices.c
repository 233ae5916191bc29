#include "tool.h"

#include "vulkan/report.h"

static void
print_line (const char *name, const char *value)
{
  g_print ("  %-20s%s\n", name, value);
}

static void
print_gpu (const EnsVulkanReport *report)
{
  g_autofree char *memory = g_format_size_full (report->memory, G_FORMAT_SIZE_IEC_UNITS);

  g_print ("\nvulkan:%u  %s\n", report->index, report->name);
  print_line ("kind", report->kind);
  print_line ("driver", report->driver);
  print_line ("Vulkan", report->vulkan);
  print_line ("UUID", report->uuid);
  if (report->unfit != NULL) {
    print_line ("can't be used", report->unfit);
    return;
  }
  print_line ("memory", memory);
  print_line ("float16", report->float16);
  print_line ("subgroup", report->subgroup);
  print_line ("matrices", report->matrices);
  print_line ("imports", report->imports);
  print_line ("timeline semaphores", report->timeline ? "yes" : "no");
  print_line ("runs", report->runs);
  if (report->quirks != NULL)
    print_line ("not trusted", report->quirks);
}

static gboolean
print_cpu (GError **error)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 0, error);

  if (device == NULL)
    return FALSE;
  g_print ("cpu  %s\n", ens_device_get_description (device));
  return TRUE;
}

static gboolean
print_choice (GError **error)
{
  g_autoptr (EnsDevice) device = ens_device_open ("auto", 0, error);

  if (device == NULL)
    return FALSE;
  g_print ("\n--device auto takes %s.\n", ens_device_get_name (device));
  return TRUE;
}

static gboolean
run (gconstpointer options, char **arguments, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GPtrArray) reports = ens_vulkan_report (NULL, &reason);

  if (!print_cpu (error))
    return FALSE;
  if (reports == NULL)
    g_print ("\nNo GPUs: %s\n", reason->message);
  else if (reports->len == 0)
    g_print ("\nNo GPUs: Vulkan's loader finds no driver.\n");
  for (guint i = 0; reports != NULL && i < reports->len; i++)
    print_gpu (g_ptr_array_index (reports, i));
  return print_choice (error);
}

static const ToolOption options[] = {TOOL_OPTION_END};

const ToolCommand tool_devices = {
    .name = "devices",
    .arguments = "",
    .completions = "",
    .summary = "List what networks can run on",
    .help =
        "Names the processor and every GPU that Vulkan knows, with what each can do and which "
        "variants of the shaders it would run. A GPU is chosen by its number, or by part of its "
        "name or UUID:\n\n"
        "  gst-ensemble-1.0 benchmark --device vulkan:radeon NETWORK.onnx",
    .options = options,
    .run = run,
};
