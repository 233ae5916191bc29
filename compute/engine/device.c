#include "engine/device.h"

#include <string.h>

#include "kernels/level.h"

struct _EnsDevice {
  gatomicrefcount references;
  char *name, *description;
  EnsPool *pool;
  EnsArenas *arenas;
  EnsVulkanDevice *vulkan; /* NULL: networks run on the CPU */
};

/* The processor's name as the system tells it. (transfer full) */
static char *
get_processor_name (void)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (g_file_get_contents ("/proc/cpuinfo", &text, NULL, NULL))
    lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines != NULL && lines[i] != NULL; i++) {
    const char *colon = strchr (lines[i], ':');

    if (colon != NULL && g_str_has_prefix (lines[i], "model name"))
      return g_strstrip (g_strdup (colon + 1));
  }
  return g_strdup ("processor");
}

static char *
describe (EnsPool *pool)
{
  g_autofree char *processor = get_processor_name ();
  guint n_threads = ens_pool_get_threads (pool);

  return g_strdup_printf ("%s, %s, %u %s", processor, ens_kernels_name (ens_kernels_get ()),
                          n_threads, n_threads == 1 ? "thread" : "threads");
}

static EnsDevice *
make_device (guint n_threads)
{
  EnsDevice *device = g_new0 (EnsDevice, 1);

  g_atomic_ref_count_init (&device->references);
  device->pool = ens_pool_new (n_threads);
  device->arenas = ens_arenas_new ();
  return device;
}

static EnsDevice *
make_cpu (guint n_threads)
{
  EnsDevice *device = make_device (n_threads);

  device->name = g_strdup ("cpu");
  device->description = describe (device->pool);
  return device;
}

/* Takes it over. */
static EnsDevice *
make_gpu (EnsVulkanDevice *vulkan, guint n_threads)
{
  EnsDevice *device = make_device (n_threads);

  device->vulkan = vulkan;
  device->name = g_strdup_printf ("vulkan:%u", ens_vulkan_device_get_index (vulkan));
  device->description = g_strdup (ens_vulkan_device_get_description (vulkan));
  return device;
}

EnsDevice *
ens_device_open_vulkan (const char *selector, guint n_threads, const EnsVulkanOptions *options,
                        GError **error)
{
  EnsVulkanDevice *vulkan = ens_vulkan_device_open (selector, options, error);

  if (vulkan != NULL)
    return make_gpu (vulkan, n_threads);
  g_prefix_error (error, "device “vulkan%s%s”: ", *selector != '\0' ? ":" : "", selector);
  return NULL;
}

static EnsDevice *
open_best (guint n_threads)
{
  EnsVulkanDevice *vulkan = ens_vulkan_device_open_gpu ();

  return vulkan != NULL ? make_gpu (vulkan, n_threads) : make_cpu (n_threads);
}

EnsDevice *
ens_device_open (const char *name, guint n_threads, GError **error)
{
  g_return_val_if_fail (name != NULL, NULL);

  if (strcmp (name, "auto") == 0)
    return open_best (n_threads);
  if (strcmp (name, "cpu") == 0)
    return make_cpu (n_threads);
  if (strcmp (name, "vulkan") == 0)
    return ens_device_open_vulkan ("", n_threads, NULL, error);
  if (g_str_has_prefix (name, "vulkan:"))
    return ens_device_open_vulkan (name + strlen ("vulkan:"), n_threads, NULL, error);
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
               "device “%s” is unknown, expected auto, cpu, vulkan or vulkan:N", name);
  return NULL;
}

EnsDevice *
ens_device_ref (EnsDevice *device)
{
  g_atomic_ref_count_inc (&device->references);
  return device;
}

void
ens_device_unref (EnsDevice *device)
{
  if (!g_atomic_ref_count_dec (&device->references))
    return;
  g_clear_pointer (&device->vulkan, ens_vulkan_device_unref);
  ens_arenas_unref (device->arenas);
  ens_pool_unref (device->pool);
  g_free (device->name);
  g_free (device->description);
  g_free (device);
}

const char *
ens_device_get_name (EnsDevice *device)
{
  return device->name;
}

const char *
ens_device_get_description (EnsDevice *device)
{
  return device->description;
}

EnsPool *
ens_device_get_pool (EnsDevice *device)
{
  return device->pool;
}

EnsArenas *
ens_device_get_arenas (EnsDevice *device)
{
  return device->arenas;
}

EnsVulkanDevice *
ens_device_get_vulkan (EnsDevice *device)
{
  return device->vulkan;
}
