/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "engine/device-private.h"
#include "kernels/level.h"

struct _EnsDevice {
  gatomicrefcount references;
  char *name, *description;
  EnsThreadPool *pool;
  EnsArenas *arenas;
  gboolean is_gpu;
  EnsVulkanOptions options; /* of the GPU */
  char *index;              /* of the GPU, as a selector */
  GMutex lock;              /* guards what follows */
  EnsVulkanDevice *vulkan;  /* NULL: the CPU, or a GPU that could not be recreated */
  gint64 recreated;         /* when it was recreated last, g_get_monotonic_time (); 0: never */
  char *warning;
  EnsLimits limits;
};

/* Behind a GPU's name: networks use float16 storage. */
#define FLOAT16_SUFFIX "+float16"

/* A GPU that fails so soon after it was recreated is given up. */
#define RECREATION_MICROSECONDS (60 * G_TIME_SPAN_SECOND)

/* The processor's name according to the system. (transfer full) */
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
describe (EnsThreadPool *pool)
{
  g_autofree char *processor = get_processor_name ();
  guint n_threads = ens_thread_pool_get_threads (pool);

  return g_strdup_printf ("%s, %s, %u %s", processor, ens_kernels_name (ens_kernels_get ()),
                          n_threads, n_threads == 1 ? "thread" : "threads");
}

static EnsDevice *
make_device (guint n_threads)
{
  EnsDevice *device = g_new0 (EnsDevice, 1);

  g_atomic_ref_count_init (&device->references);
  device->pool = ens_thread_pool_new (n_threads);
  device->arenas = ens_arenas_new ();
  g_mutex_init (&device->lock);
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
make_gpu (EnsVulkanDevice *vulkan, const EnsVulkanOptions *options, guint n_threads)
{
  const EnsVulkanDeviceInfo *info = ens_vulkan_device_get_info (vulkan);
  EnsDevice *device = make_device (n_threads);

  device->is_gpu = TRUE;
  device->vulkan = vulkan;
  device->options = *options;
  device->options.float16 = options->float16 && info->float16;
  device->index = g_strdup_printf ("%u", info->index);
  device->name =
      g_strconcat ("vulkan:", device->index, device->options.float16 ? FLOAT16_SUFFIX : "", NULL);
  device->description = g_strdup (info->description);
  return device;
}

EnsDevice *
ens_device_open_vulkan (const char *selector, guint n_threads, const EnsVulkanOptions *options,
                        GError **error)
{
  EnsVulkanOptions defaults = ens_vulkan_options_from_environment ();
  EnsVulkanDevice *vulkan;

  if (options == NULL)
    options = &defaults;
  vulkan = ens_vulkan_device_open (selector, options, error);
  if (vulkan != NULL)
    return make_gpu (vulkan, options, n_threads);
  g_prefix_error (error, "device “vulkan%s%s”: ", *selector != '\0' ? ":" : "", selector);
  return NULL;
}

static EnsDevice *
open_best (guint n_threads)
{
  EnsVulkanOptions options = ens_vulkan_options_from_environment ();
  g_autoptr (GError) reason = NULL;
  EnsVulkanDevice *vulkan = ens_vulkan_device_open (NULL, &options, &reason);

  if (vulkan == NULL)
    g_info ("device “auto” takes the CPU: %s", reason->message);
  return vulkan != NULL ? make_gpu (vulkan, &options, n_threads) : make_cpu (n_threads);
}

static gboolean
is_vulkan (const char *name)
{
  return strcmp (name, "vulkan") == 0 || strcmp (name, "vulkan" FLOAT16_SUFFIX) == 0
         || g_str_has_prefix (name, "vulkan:");
}

/* "vulkan", "vulkan:SELECTOR", either with the suffix. */
static EnsDevice *
open_named (const char *name, guint n_threads, GError **error)
{
  EnsVulkanOptions options = ens_vulkan_options_from_environment ();
  gsize length = strlen (name);
  g_autofree char *whole = NULL;

  options.float16 = g_str_has_suffix (name, FLOAT16_SUFFIX);
  whole = g_strndup (name, options.float16 ? length - strlen (FLOAT16_SUFFIX) : length);
  return ens_device_open_vulkan (strcmp (whole, "vulkan") == 0 ? "" : whole + strlen ("vulkan:"),
                                 n_threads, &options, error);
}

EnsDevice *
ens_device_open (const char *name, guint n_threads, GError **error)
{
  g_return_val_if_fail (name != NULL, NULL);

  if (strcmp (name, "auto") == 0)
    return open_best (n_threads);
  if (strcmp (name, "cpu") == 0)
    return make_cpu (n_threads);
  if (is_vulkan (name))
    return open_named (name, n_threads, error);
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
  g_free (device->warning);
  g_mutex_clear (&device->lock);
  ens_arenas_unref (device->arenas);
  ens_thread_pool_unref (device->pool);
  g_free (device->name);
  g_free (device->index);
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

EnsThreadPool *
ens_device_get_pool (EnsDevice *device)
{
  return device->pool;
}

void
ens_device_set_limits (EnsDevice *device, const EnsLimits *limits)
{
  g_mutex_lock (&device->lock);
  device->limits = *limits;
  g_mutex_unlock (&device->lock);
}

EnsLimits
ens_device_get_limits (EnsDevice *device)
{
  EnsLimits limits;

  g_mutex_lock (&device->lock);
  limits = device->limits;
  g_mutex_unlock (&device->lock);
  return limits;
}

EnsArenas *
ens_device_get_arenas (EnsDevice *device)
{
  return device->arenas;
}

gboolean
ens_device_wants_float16 (EnsDevice *device)
{
  return device->options.float16;
}

gboolean
ens_device_is_gpu (EnsDevice *device)
{
  return device->is_gpu;
}

gboolean
ens_device_imports_dma_bufs (EnsDevice *device)
{
  g_autoptr (EnsVulkanDevice) vulkan = ens_device_ref_vulkan (device);

  return vulkan != NULL && ens_vulkan_device_get_info (vulkan)->max_import > 0;
}

EnsVulkanDevice *
ens_device_ref_vulkan (EnsDevice *device)
{
  EnsVulkanDevice *vulkan = NULL;

  g_mutex_lock (&device->lock);
  if (device->vulkan != NULL)
    vulkan = ens_vulkan_device_ref (device->vulkan);
  g_mutex_unlock (&device->lock);
  return vulkan;
}

/* Lock held. */
static void
recreate (EnsDevice *device)
{
  gint64 now = g_get_monotonic_time ();
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&device->vulkan, ens_vulkan_device_unref);
  if (device->recreated != 0 && now - device->recreated < RECREATION_MICROSECONDS)
    return;
  device->recreated = now;
  device->vulkan = ens_vulkan_device_open (device->index, &device->options, &error);
  if (error != NULL)
    g_info ("%s can't be recreated: %s", device->description, error->message);
}

EnsVulkanDevice *
ens_device_recreate_vulkan (EnsDevice *device, EnsVulkanDevice *failed)
{
  g_mutex_lock (&device->lock);
  if (device->vulkan == failed)
    recreate (device);
  g_mutex_unlock (&device->lock);
  return ens_device_ref_vulkan (device);
}

void
ens_device_warn (EnsDevice *device, const char *format, ...)
{
  char *warning;
  va_list arguments;

  va_start (arguments, format);
  warning = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_message ("%s", warning);
  g_mutex_lock (&device->lock);
  g_free (device->warning);
  device->warning = warning;
  g_mutex_unlock (&device->lock);
}

char *
ens_device_take_warning (EnsDevice *device)
{
  char *warning;

  g_mutex_lock (&device->lock);
  warning = g_steal_pointer (&device->warning);
  g_mutex_unlock (&device->lock);
  return warning;
}
