/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tool.h"

static void
print_gpu (const EnsDeviceEntry *gpu)
{
  g_print ("\n%s  %s\n", gpu->name, gpu->title);
  for (guint i = 0; i < gpu->facts->len; i++) {
    const EnsDeviceFact *fact = g_ptr_array_index (gpu->facts, i);

    g_print ("  %-22s%s\n", fact->label, fact->value);
  }
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
  g_autoptr (GPtrArray) gpus = ens_device_list_gpus (&reason);

  if (!print_cpu (error))
    return FALSE;
  if (gpus == NULL)
    g_print ("\nNo GPUs: %s\n", reason->message);
  else if (gpus->len == 0)
    g_print ("\nNo GPUs: Vulkan's loader finds no driver.\n");
  for (guint i = 0; gpus != NULL && i < gpus->len; i++)
    print_gpu (g_ptr_array_index (gpus, i));
  return print_choice (error);
}

static const ToolOption options[] = {TOOL_OPTION_END};

const ToolCommand tool_devices = {
    .name = "devices",
    .arguments = "",
    .completions = "",
    .summary = "List the devices that networks can run on",
    .help = "Names the processor and every GPU that Vulkan knows, with what each can do and which "
            "variants of the shaders it would run. The option --device and the element's property "
            "device take one of these names:",
    .terms = tool_device_names,
    .options = options,
    .run = run,
};
