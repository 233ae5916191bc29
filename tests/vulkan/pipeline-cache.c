/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file that compiled pipelines are kept in: used when it is sound, else ignored and
 * rewritten. */
#include "build.h"

#include "base/files.h"
#include "check-main.h"
#include "cpu/weights.h"
#include "vulkan/executor.h"
#include "vulkan/functions.h"

static PFN_vkCreatePipelineCache real;
static gsize given; /* bytes that the driver was given */

static VKAPI_ATTR VkResult VKAPI_CALL
create (VkDevice device, const VkPipelineCacheCreateInfo *info, const VkAllocationCallbacks *a,
        VkPipelineCache *cache)
{
  given = info->initialDataSize;
  return real (device, info, a, cache);
}

static void
wrap (EnsVulkanFunctions *vk, gpointer data)
{
  if (vk->CreatePipelineCache == NULL || vk->CreatePipelineCache == create)
    return;
  real = vk->CreatePipelineCache;
  vk->CreatePipelineCache = create;
}

/* Opens a device and makes a pipeline. FALSE, and the test skipped, where there is none. */
static gboolean
use_device (void)
{
  const EnsVulkanOptions options = {.wrap = wrap};
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsVulkanDevice) device = ens_vulkan_device_open ("", &options, &error);
  g_autoptr (EnsVulkanWeights) weights = NULL;
  g_autoptr (EnsPackedWeights) cpu_weights = ens_packed_weights_new ();
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_autoptr (EnsVulkanExecutor) executor = NULL;
  g_auto (Builder) b;

  builder_init (&b, 1);
  if (device == NULL) {
    test_skip (error->message);
    return FALSE;
  }
  weights = ens_vulkan_weights_new (device);
  ens_graph_add_output (b.graph,
                        build (&b, "Tanh", NULL, build_input (&b, &ENS_SHAPE (1, 8)), NULL));
  executor = ens_vulkan_executor_new (
      g_steal_pointer (&b.graph), &(EnsVulkanContext) {device, weights, pool, cpu_weights}, &error);
  ck_assert_no_error (error);
  return TRUE;
}

/* The only file of the folder. */
static char *
find_file (void)
{
  g_autofree char *folder =
      g_build_filename (g_get_user_cache_dir (), "gst-ensemble", "vulkan", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  char *path;

  ck_assert_ptr_nonnull (dir);
  name = g_dir_read_name (dir);
  ck_assert_ptr_nonnull (name);
  path = g_build_filename (folder, name, NULL);
  ck_assert_ptr_null (g_dir_read_name (dir));
  return path;
}

typedef struct {
  const char *name;
  gssize cut;    /* bytes that are left; −1: all */
  gssize change; /* the byte that is changed, from the end if negative; 0: none */
  gboolean used;
} Row;

static const Row rows[] = {
    {"sound", -1, 0, TRUE},      {"empty", 0, 0, FALSE},  {"header-alone", 48, 0, FALSE},
    {"truncated", 60, 0, FALSE}, {"magic", -1, 1, FALSE}, {"size", -1, 9, FALSE},
    {"checksum", -1, 20, FALSE}, {"data", -1, -1, FALSE},
};

static void
damage (const char *path, const Row *row)
{
  g_autofree char *contents = NULL;
  gsize size;

  ck_assert (g_file_get_contents (path, &contents, &size, NULL));
  if (row->change != 0)
    contents[row->change < 0 ? (gssize)size + row->change : row->change] ^= 1;
  if (row->cut >= 0)
    size = MIN (size, (gsize)row->cut);
  ck_assert (g_file_set_contents (path, contents, (gssize)size, NULL));
}

START_TEST (check_row)
{
  const Row *row = &rows[_i];
  g_autofree char *path = NULL;

  if (!use_device ())
    return;
  path = find_file ();
  damage (path, row);
  use_device ();
  ck_assert_int_eq (given > 0, row->used);
  use_device ();
  ck_assert_uint_gt (given, 0);
}
END_TEST

int
main (int argc, char **argv)
{
  g_autofree char *folder = g_dir_make_tmp ("pipeline-cache-XXXXXX", NULL);
  int status;

  g_setenv ("XDG_CACHE_HOME", folder, TRUE);
  test_init (&argc, &argv);
  test_suite ("vulkan/pipeline-cache");
  TEST_ADD_ROWS (NULL, check_row, rows);
  status = test_run ();
  ens_remove_tree (folder);
  return status;
}
