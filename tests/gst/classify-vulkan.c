/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element on a GPU: what it says on the CPU, by one submission a frame; and on a GPU that fails
 * while it plays, with no frame lost. Software Vulkan will do; without any, tests skip. */
#include <string.h>

#include "classify-fixture.h"
#include "engine/network.h"
#include "vulkan/device.h"
#include "vulkan/functions.h"

static EnsVulkanFunctions real;
static struct {
  guint n_submits;  /* so far */
  gboolean lost;    /* the device is, until it is recreated … */
  gboolean refused; /* … which it can't be */
} state;

static VKAPI_ATTR VkResult VKAPI_CALL
submit (VkQueue queue, uint32_t n, const VkSubmitInfo *submits, VkFence fence)
{
  state.n_submits++;
  return state.lost ? VK_ERROR_DEVICE_LOST : real.QueueSubmit (queue, n, submits, fence);
}

static VKAPI_ATTR VkResult VKAPI_CALL
open_device (VkPhysicalDevice physical, const VkDeviceCreateInfo *info,
             const VkAllocationCallbacks *a, VkDevice *device)
{
  if (state.refused)
    return VK_ERROR_INITIALIZATION_FAILED;
  state.lost = FALSE;
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

/* The linker puts this in place of the engine's calls (--wrap). */
EnsVulkanDevice *__real_ens_vulkan_device_open (const char *selector,
                                                const EnsVulkanOptions *options, GError **error);
EnsVulkanDevice *__wrap_ens_vulkan_device_open (const char *selector,
                                                const EnsVulkanOptions *options, GError **error);

EnsVulkanDevice *
__wrap_ens_vulkan_device_open (const char *selector, const EnsVulkanOptions *options,
                               GError **error)
{
  EnsVulkanOptions wrapped = *options;

  wrapped.wrap = wrap;
  return __real_ens_vulkan_device_open (selector, &wrapped, error);
}

/* FALSE, and the test skipped, where there is no such device. */
static gboolean
play_on (Classify *classify, const char *device)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDevice) opened = ens_device_open (device, 1, &error);

  if (opened == NULL) {
    test_skip (error->message);
    return FALSE;
  }
  state.lost = state.refused = FALSE;
  g_object_set (classify->element, "device", device, NULL);
  classify_play_mode (classify, "sync");
  return TRUE;
}

static const guint colours[] = {0xff0000, 0x20e040, 0x1010ff, 0x808080, 0xffc000};

/* Pushes a frame and compares what is found with what is expected: three colours' probabilities. */
static void
check_frame (Classify *classify, guint i, float *probabilities, double tolerance)
{
  g_autoptr (GstBuffer) out =
      classify_push (classify, colours[i % G_N_ELEMENTS (colours)], i * FRAME);
  const EnsResult *result = classify_get_result (out);

  for (guint c = 0; c < result->n_classes; c++) {
    if (tolerance > 0)
      ck_assert_double_eq_tol (result->classes[c].p, probabilities[c], tolerance);
    probabilities[c] = result->classes[c].p;
  }
}

#define N_FRAMES 10
#define N_COLOURS 3

static void
judge_on_cpu (Classify *classify, float (*probabilities)[N_COLOURS])
{
  classify_play_mode (classify, "sync");
  for (guint i = 0; i < N_FRAMES; i++)
    check_frame (classify, i, probabilities[i], 0);
  gst_element_set_state (classify->element, GST_STATE_NULL);
}

/* What happens to the device while it plays, and the words of the warning that there must be. */
typedef struct {
  const char *name, *device;
  gboolean lost, refused;
  const char *warning;
  double tolerance;
} Row;

static const Row rows[] = {
    {"sound", "vulkan", .tolerance = 1e-3},
    {"float16", "vulkan+float16", .tolerance = 1e-2},
    {"lost once", "vulkan", TRUE, FALSE, "was recreated after device loss", 1e-3},
    {"lost for good", "vulkan", TRUE, TRUE, "falls back to the CPU", 1e-3},
};

#define FAILS_AT 4

static gboolean
take_warning (GstBus *bus, const char *words)
{
  g_autoptr (GstMessage) message = NULL;
  gboolean found = FALSE;

  while ((message = gst_bus_pop_filtered (bus, GST_MESSAGE_WARNING)) != NULL) {
    g_autoptr (GError) warning = NULL;

    gst_message_parse_warning (message, &warning, NULL);
    found = found || (words != NULL && strstr (warning->message, words) != NULL);
    ck_assert_ptr_nonnull (words);
    g_clear_pointer (&message, gst_message_unref);
  }
  return found;
}

START_TEST (check_row)
{
  const Row *row = &rows[_i];
  float expected[N_FRAMES][N_COLOURS];
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autofree char *active = NULL;

  judge_on_cpu (classify, expected);
  gst_element_set_bus (classify->element, bus);
  if (!play_on (classify, row->device))
    return;
  for (guint i = 0; i < N_FRAMES; i++) {
    guint before = state.n_submits;

    if (i == FAILS_AT) {
      state.lost = row->lost;
      state.refused = row->refused;
    }
    check_frame (classify, i, expected[i], row->tolerance);
    if (i > 0 && row->warning == NULL)
      ck_assert_uint_eq (state.n_submits - before, 1);
    if (row->warning == NULL || i < FAILS_AT)
      ck_assert (!take_warning (bus, NULL));
  }
  ck_assert (take_warning (bus, row->warning) == (row->warning != NULL));
  g_object_get (classify->element, "active-device", &active, NULL);
  ck_assert (g_str_has_prefix (active, "vulkan:"));
  gst_element_set_bus (classify->element, NULL);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify-vulkan");
  test_fixture (classify_set_up, classify_tear_down);
  TEST_ADD_ROWS (NULL, check_row, rows);
  return test_run ();
}
