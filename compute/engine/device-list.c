/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system's GPUs, as facts for people. */
#include "engine/device-private.h"
#include "vulkan/report.h"

static void
free_fact (gpointer data)
{
  EnsDeviceFact *fact = data;

  g_free (fact->value);
  g_free (fact);
}

static void
free_entry (gpointer data)
{
  EnsDeviceEntry *entry = data;

  g_free (entry->name);
  g_free (entry->title);
  g_ptr_array_unref (entry->facts);
  g_free (entry);
}

/* Facts of which nothing is known are left out. */
static void
add (EnsDeviceEntry *entry, const char *label, const char *value)
{
  EnsDeviceFact *fact;

  if (value == NULL)
    return;
  fact = g_new (EnsDeviceFact, 1);
  *fact = (EnsDeviceFact) {label, g_strdup (value)};
  g_ptr_array_add (entry->facts, fact);
}

static void
add_abilities (EnsDeviceEntry *entry, const EnsVulkanReport *report)
{
  g_autofree char *memory = g_format_size_full (report->memory, G_FORMAT_SIZE_IEC_UNITS);

  add (entry, "memory", memory);
  add (entry, "float16", report->float16);
  add (entry, "subgroup", report->subgroup);
  add (entry, "cooperative matrices", report->matrices);
  add (entry, "imports", report->imports);
  add (entry, "timeline semaphores", report->timeline ? "yes" : "no");
  add (entry, "shaders", report->shaders);
  add (entry, "driver workaround", report->quirk);
}

static EnsDeviceEntry *
make_entry (const EnsVulkanReport *report)
{
  EnsDeviceEntry *entry = g_new (EnsDeviceEntry, 1);

  entry->name = g_strdup_printf ("vulkan:%u", report->index);
  entry->title = g_strdup (report->name);
  entry->facts = g_ptr_array_new_with_free_func (free_fact);
  add (entry, "kind", report->kind);
  add (entry, "driver", report->driver);
  add (entry, "Vulkan", report->vulkan);
  add (entry, "UUID", report->uuid);
  add (entry, "can't be used", report->unfit);
  if (report->unfit == NULL)
    add_abilities (entry, report);
  return entry;
}

GPtrArray *
ens_device_list_gpus (GError **error)
{
  g_autoptr (GPtrArray) reports = ens_vulkan_report (NULL, error);
  GPtrArray *entries;

  if (reports == NULL)
    return NULL;
  entries = g_ptr_array_new_with_free_func (free_entry);
  for (guint i = 0; i < reports->len; i++)
    g_ptr_array_add (entries, make_entry (g_ptr_array_index (reports, i)));
  return entries;
}

char *
ens_device_describe_matrices (EnsDevice *device)
{
  g_autoptr (EnsVulkanDevice) vulkan = ens_device_ref_vulkan (device);
  const char *mode;
  guint n_refused;

  if (vulkan == NULL || !ens_device_wants_float16 (device))
    return NULL;
  mode = ens_matrix_mode_name (ens_vulkan_device_get_info (vulkan)->matrices);
  n_refused = ens_vulkan_device_get_counters (vulkan).n_refused;
  return n_refused == 0 ? g_strdup (mode)
                        : g_strdup_printf ("%s; the driver failed to compile %u of its pipelines",
                                           mode, n_refused);
}
