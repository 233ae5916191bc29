/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Batches of several frames on a GPU that fails, or stores what float16 can't hold: each stream
 * gets what the CPU would give it. */
#include "batcher-streams.h"
#include "engine/device-private.h"
#include "vulkan/functions.h"

static EnsVulkanFunctions real;
static struct {
  gint n_lost;    /* devices, from the one that is open on, that are lost; atomic */
  gint n_refused; /* that can't be opened from now on; atomic */
} state;

static gboolean
take_one (gint *n)
{
  if (g_atomic_int_get (n) == 0)
    return FALSE;
  g_atomic_int_add (n, -1);
  return TRUE;
}

static VKAPI_ATTR VkResult VKAPI_CALL
submit (VkQueue queue, uint32_t n, const VkSubmitInfo *submits, VkFence fence)
{
  return g_atomic_int_get (&state.n_lost) > 0 ? VK_ERROR_DEVICE_LOST
                                              : real.QueueSubmit (queue, n, submits, fence);
}

static VKAPI_ATTR VkResult VKAPI_CALL
open_device (VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
             const VkAllocationCallbacks *a, VkDevice *device)
{
  if (take_one (&state.n_refused))
    return VK_ERROR_INITIALIZATION_FAILED;
  take_one (&state.n_lost);
  return real.CreateDevice (physical, info, a, device);
}

static void
wrap (EnsVulkanFunctions *vk, gpointer data)
{
  if (vk->QueueSubmit != NULL && vk->QueueSubmit != submit) {
    real.QueueSubmit = vk->QueueSubmit;
    vk->QueueSubmit = submit;
  }
  if (vk->CreateDevice != NULL && vk->CreateDevice != open_device) {
    real.CreateDevice = vk->CreateDevice;
    vk->CreateDevice = open_device;
  }
}

static EnsDevice *
open_gpu (gboolean float16)
{
  const EnsVulkanOptions options = {.wrap = wrap, .float16 = float16};
  g_autoptr (GError) error = NULL;
  EnsDevice *device = ens_device_open_vulkan ("", 1, &options, &error);

  if (device == NULL)
    test_skip (error->message);
  return device;
}

/* What happens while three streams' batch runs, and the words of the warning. */
static const struct {
  const char *name;
  gint n_lost, n_refused; /* of the state */
  NetworkKind kind;
  gboolean float16;
  double tolerance;
  const char *warning; /* a pattern; NULL: none */
} rows[] = {
    {"sound", 0, 0, PLAIN, FALSE, 1e-5, NULL},
    {"lost-once", 1, 0, PLAIN, FALSE, 1e-5, "recreated after device loss"},
    {"lost-for-good", 1, 1, PLAIN, FALSE, 1e-5, "falls back to the CPU: .*VK_ERROR_DEVICE_LOST"},
    {"lost-again", 2, 0, PLAIN, FALSE, 1e-5, "falls back to the CPU: .*VK_ERROR_DEVICE_LOST"},
    {"float16", 0, 0, PLAIN, TRUE, 4e-3, NULL},
    {"overflows", 0, 0, OVERFLOWS, TRUE, 4e-3, "fall back to float32"},
};

static void
init_streams (Stream *streams, const Fixture *fixture)
{
  for (guint i = 0; i < 3; i++) {
    stream_init (&streams[i], fixture, i, 2);
    streams[i].settings = (EnsBatchSettings) {3, 60 * G_USEC_PER_SEC};
    streams[i].n_frames = 1;
  }
}

START_TEST (test_row)
{
  EnsDevice *device = open_gpu (rows[_i].float16);
  g_auto (Fixture) fixture = {NULL};
  g_autofree char *warning = NULL;
  Stream streams[3];

  fixture_init_on (&fixture, device, rows[_i].kind);
  if (device == NULL)
    return;
  fixture.tolerance = rows[_i].tolerance;
  init_streams (streams, &fixture);
  g_atomic_int_set (&state.n_lost, rows[_i].n_lost);
  g_atomic_int_set (&state.n_refused, rows[_i].n_refused);
  run_streams (streams, 3);
  ck_assert_uint_gt (gate.arrived, 0);
  for (guint i = 0; i < 3; i++) {
    ck_assert_uint_eq (streams[i].n_runs, 2);
    stream_clear (&streams[i]);
  }
  warning = ens_device_take_warning (device);
  test_message ("%s", warning != NULL ? warning : "no warning");
  ck_assert_int_eq (warning != NULL, rows[_i].warning != NULL);
  if (warning != NULL)
    ck_assert (g_regex_match_simple (rows[_i].warning, warning, 0, 0));
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("engine/batcher-gpu");
  TEST_ADD_ROWS (NULL, test_row, rows);
  return test_run ();
}
