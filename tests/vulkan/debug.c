/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* With the validation layers on, Vulkan objects have names and dispatches the label of their node;
 * without, no such function is there to be called. */
#include "planned.h"
#include "build.h"
#include "check-main.h"

#include "vulkan/functions.h"

static EnsVulkanFunctions real;
static GPtrArray *names; /* of objects and labels */
static gint n_open;      /* labels that have begun and not ended */

static VKAPI_ATTR VkResult VKAPI_CALL
note_name (VkDevice device, const VkDebugUtilsObjectNameInfoEXT *info)
{
  g_ptr_array_add (names, g_strdup (info->pObjectName));
  return real.SetDebugUtilsObjectNameEXT (device, info);
}

static VKAPI_ATTR void VKAPI_CALL
note_begin (VkCommandBuffer commands, const VkDebugUtilsLabelEXT *label)
{
  n_open++;
  g_ptr_array_add (names, g_strdup (label->pLabelName));
  real.CmdBeginDebugUtilsLabelEXT (commands, label);
}

static VKAPI_ATTR void VKAPI_CALL
note_end (VkCommandBuffer commands)
{
  n_open--;
  real.CmdEndDebugUtilsLabelEXT (commands);
}

/* Leaves out what is not there. */
static void
wrap (EnsVulkanFunctions *vk, gpointer data)
{
  if (vk->SetDebugUtilsObjectNameEXT == NULL || vk->SetDebugUtilsObjectNameEXT == note_name)
    return;
  real = *vk;
  vk->SetDebugUtilsObjectNameEXT = note_name;
  vk->CmdBeginDebugUtilsLabelEXT = note_begin;
  vk->CmdEndDebugUtilsLabelEXT = note_end;
}

typedef struct {
  const char *name;
  gboolean validation;
  const char *expected[6]; /* how names begin */
} Row;

static const Row rows[] = {
    {"validation",
     TRUE,
     {"test: arena", "weights 1", "test, from command 0", "conv-texels.float32 0,", "Gemm "}},
    {"none", FALSE, {NULL}},
};

static gboolean
has_name (const char *beginning)
{
  for (guint i = 0; i < names->len; i++)
    if (g_str_has_prefix (g_ptr_array_index (names, i), beginning))
      return TRUE;
  return FALSE;
}

/* A product with constants. */
static void
plan (EnsVulkanDevice *device)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (1);
  g_auto (Builder) b;
  g_auto (Planned) planned;

  builder_init (&b, 1);
  ens_graph_add_output (b.graph, build_gemm (&b, build_input (&b, &ENS_SHAPE (3, 8)), 5));
  planned_init (&planned, b.graph, device, pool);
}

START_TEST (test_names)
{
  const Row *row = &rows[_i];
  const EnsVulkanOptions options = {.validation = row->validation, .wrap = wrap};
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsVulkanDevice) device = ens_vulkan_device_open ("", &options, &error);

  if (device == NULL) {
    test_skip (error->message);
    return;
  }
  names = g_ptr_array_new_with_free_func (g_free);
  plan (device);
  for (guint i = 0; row->expected[i] != NULL; i++)
    ck_assert_msg (has_name (row->expected[i]), "nothing is named “%s…”", row->expected[i]);
  ck_assert_uint_eq (names->len > 0, row->validation);
  ck_assert_int_eq (n_open, 0);
  g_clear_pointer (&names, g_ptr_array_unref);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vulkan/debug");
  TEST_ADD_ROWS (NULL, test_names, rows);
  return test_run ();
}
