/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vulkan/pipeline-cache.h"

#include <shaders.h>
#include <string.h>

#include "base/files.h"

/* A file is this header and the driver's data. Some drivers don't check that data, so corruption
 * has to be detected here. */
typedef struct {
  char magic[8];
  guint64 size;        /* of the data */
  guint8 checksum[32]; /* SHA-256 of the data */
} Header;

static const char magic[8] = "ENSVKPC1";

static void
compute_checksum (gconstpointer data, gsize size, guint8 *result)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = sizeof ((Header *)NULL)->checksum;

  g_checksum_update (checksum, data, (gssize)size);
  g_checksum_get_digest (checksum, result, &length);
}

/* Named by all that compiled code depends on. */
static char *
get_path (const EnsVulkanDevice *device)
{
  const EnsVulkanPhysical *physical = &device->physical;
  const guint32 numbers[] = {physical->vendor_id, physical->device_id, physical->driver_version,
                             (guint32)physical->driver_id};
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *name = NULL;
  const EnsShader *shaders;
  guint n;

  g_checksum_update (checksum, (const guchar *)numbers, sizeof numbers);
  g_checksum_update (checksum, physical->cache_uuid, sizeof physical->cache_uuid);
  shaders = ens_shader_list (&n);
  for (guint i = 0; i < n; i++)
    g_checksum_update (checksum, (const guchar *)shaders[i].words,
                       (gssize)(shaders[i].n_words * sizeof *shaders[i].words));
  name = g_strconcat (g_checksum_get_string (checksum), ".pipelines", NULL);
  return g_build_filename (g_get_user_cache_dir (), "gst-ensemble", "vulkan", name, NULL);
}

static gboolean
is_sound (const char *contents, gsize size)
{
  guint8 checksum[sizeof ((Header *)NULL)->checksum];
  Header header;

  if (size < sizeof header)
    return FALSE;
  memcpy (&header, contents, sizeof header);
  if (memcmp (header.magic, magic, sizeof magic) != 0 || header.size != size - sizeof header)
    return FALSE;
  compute_checksum (contents + sizeof header, size - sizeof header, checksum);
  return memcmp (header.checksum, checksum, sizeof checksum) == 0;
}

gboolean
ens_vulkan_pipeline_cache_open (EnsVulkanDevice *device, GError **error)
{
  VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
  g_autofree char *path = get_path (device), *contents = NULL;
  gsize size;

  if (g_file_get_contents (path, &contents, &size, NULL)) {
    if (is_sound (contents, size)) {
      info.initialDataSize = size - sizeof (Header);
      info.pInitialData = contents + sizeof (Header);
    } else
      g_info ("%s is corrupt, recompiling pipelines", path);
  }
  ENS_VK_DEVICE (device, CreatePipelineCache, device->handle, &info, NULL, &device->pipeline_cache);
  return TRUE;
error:
  return FALSE;
}

/* A file's contents, or NULL. (transfer full) */
static char *
read_cache (EnsVulkanDevice *device, gsize *size, GError **error)
{
  g_autofree char *contents = NULL;
  Header header = {.size = 0};
  gsize n = 0;

  ENS_VK_DEVICE (device, GetPipelineCacheData, device->handle, device->pipeline_cache, &n, NULL);
  contents = g_malloc0 (sizeof header + n);
  ENS_VK_DEVICE (device, GetPipelineCacheData, device->handle, device->pipeline_cache, &n,
                 contents + sizeof header);
  memcpy (header.magic, magic, sizeof magic);
  header.size = n;
  compute_checksum (contents + sizeof header, n, header.checksum);
  memcpy (contents, &header, sizeof header);
  *size = sizeof header + n;
  return g_steal_pointer (&contents);
error:
  return NULL;
}

void
ens_vulkan_pipeline_cache_save (EnsVulkanDevice *device)
{
  g_autofree char *path = get_path (device), *folder = g_path_get_dirname (path);
  g_autofree char *contents = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  contents = read_cache (device, &size, &error);
  if (contents != NULL && g_mkdir_with_parents (folder, 0700) == 0)
    ens_file_write (path, contents, size, ENS_FILE_USUAL, &error);
  if (error != NULL)
    g_info ("the pipeline cache can't be written: %s", error->message);
}
