/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members on a GPU, which samples what they look at, against the same on the CPU: all framings,
 * also when the device is lost in between. Software Vulkan will do; without any, tests skip. */
#include <vulkan/vulkan.h>

#include "check-main.h"
#include "classify/similarity.h"
#include "engine/device-private.h"
#include "ensemble/member.h"
#include "onnx/onnx.h"
#include "toy-member.h"
#include "vulkan/functions.h"

#define CLASSES TOY_CLASSES
#define N_WINDOWS 21

/* The table is exchanged through these: Vulkan's functions get no pointer to pass on. */
static EnsVulkanFunctions real;
static guint n_lost; /* submissions that still fail */

static VKAPI_ATTR VkResult VKAPI_CALL
submit (VkQueue queue, uint32_t n, const VkSubmitInfo *submits, VkFence fence)
{
  if (n_lost == 0)
    return real.QueueSubmit (queue, n, submits, fence);
  n_lost--;
  return VK_ERROR_DEVICE_LOST;
}

static void
wrap (EnsVulkanFunctions *vk, gpointer data)
{
  if (vk->QueueSubmit != NULL && vk->QueueSubmit != submit) {
    real.QueueSubmit = vk->QueueSubmit;
    vk->QueueSubmit = submit;
  }
}

typedef struct {
  ToyMember toy;
  EnsPicture *picture;
  char *gate; /* NULL: none */
} Fixture;

static Fixture *fixture;

static guint scales[] = {32, 40, 56};

static void
set_up (void)
{
  fixture = g_new0 (Fixture, 1);
  toy_member_init (&fixture->toy, FALSE);
  fixture->toy.settings.crop = 0.875F;
  fixture->picture = toy_picture (3, 0, 72, 61);
}

static void
tear_down (void)
{
  ens_picture_unref (fixture->picture);
  g_free (fixture->gate);
  toy_member_clear (&fixture->toy);
  g_clear_pointer (&fixture, g_free);
}

static EnsMember *
make_member (const Fixture *fixture, EnsDevice *device)
{
  const EnsMemberSource source = {&fixture->toy.settings,  fixture->toy.network,
                                  fixture->toy.classifier, fixture->toy.window_classifier,
                                  fixture->gate,           CLASSES};
  g_autoptr (GError) error = NULL;
  EnsMember *member = ens_member_new (&source, device, &error);

  ck_assert_no_error (error);
  return member;
}

typedef struct {
  float whole[CLASSES], windows[N_WINDOWS][CLASSES];
  float similarities[CLASSES], window_similarities[N_WINDOWS][CLASSES];
} Values;

static void
place_windows (EnsRect *windows)
{
  for (guint w = 0; w < N_WINDOWS; w++)
    windows[w] = (EnsRect) {0.03F * w, 0.02F * w, 0.4F, 0.2F + 0.02F * w};
}

/* wait: all in one run. */
static void
judge (const Fixture *fixture, EnsDevice *device, gboolean wait, Values *values)
{
  g_autoptr (EnsMember) member = make_member (fixture, device);
  g_autoptr (EnsJobs) jobs = ens_jobs_new (device, wait);
  g_autoptr (EnsMemberJobs) run = ens_member_jobs_new_among (member, jobs);
  const EnsFrame *frame = &fixture->picture->frame;
  EnsRect rects[N_WINDOWS];
  const EnsMemberImages images = {frame, &ENS_RECT_WHOLE, 1, scales, 3, values->similarities};
  const EnsMemberImages windows = {
      .frame = frame,
      .rects = rects,
      .n_rects = N_WINDOWS,
      .similarities = values->window_similarities[0],
  };
  g_autoptr (GError) error = NULL;

  place_windows (rects);
  ens_member_jobs_run_whole (run, &images, values->whole, &error);
  ck_assert_no_error (error);
  ens_member_jobs_run_windows (run, &windows, values->windows[0], &error);
  ck_assert_no_error (error);
  ens_jobs_run (jobs, &error);
  ck_assert_no_error (error);
}

static void
check_near (const Values *found, const Values *expected)
{
  for (guint c = 0; c < CLASSES; c++) {
    ck_assert_double_eq_tol (found->whole[c], expected->whole[c], 1e-3);
    for (guint w = 0; w < N_WINDOWS; w++)
      ck_assert_double_eq_tol (found->windows[w][c], expected->windows[w][c], 1e-3);
  }
}

static EnsDevice *
open_gpu (EnsVulkanOptions options)
{
  g_autoptr (GError) error = NULL;
  EnsDevice *device;

  n_lost = 0;
  options.wrap = wrap;
  device = ens_device_open_vulkan ("", 2, &options, &error);
  if (device == NULL)
    test_skip (error->message);
  return device;
}

#define STAGED 1
#define FLIP 2

START_TEST (test_framings)
{
  g_autoptr (EnsDevice) cpu = ens_device_open ("cpu", 2, NULL);
  g_autoptr (EnsDevice) gpu = open_gpu ((EnsVulkanOptions) {.staged = (_i & STAGED) != 0});

  fixture->toy.settings.flip = (_i & FLIP) != 0;
  for (guint whole = 0; gpu != NULL && whole < ENS_N_FRAMINGS; whole++) {
    Values expected, found;

    fixture->toy.settings.framing = (EnsFraming)whole;
    /* One of both is sampled on the CPU, the other on the device. */
    fixture->toy.settings.window_framing =
        whole == ENS_FRAMING_LETTERBOX ? ENS_FRAMING_STRETCH : ENS_FRAMING_LETTERBOX;
    judge (fixture, cpu, FALSE, &expected);
    for (guint wait = 0; wait < 2; wait++) {
      judge (fixture, gpu, wait, &found);
      check_near (&found, &expected);
    }
  }
}
END_TEST

/* Lost once, so that the device is recreated, and for good, so that the CPU takes over. */
START_TEST (test_lost)
{
  g_autoptr (EnsDevice) cpu = ens_device_open ("cpu", 2, NULL);
  Values expected;

  judge (fixture, cpu, FALSE, &expected);
  for (guint lost = 1; lost < 100; lost += 98) {
    g_autoptr (EnsDevice) gpu = open_gpu ((EnsVulkanOptions) {.staged = TRUE});
    g_autofree char *warning = NULL;
    Values found;

    if (gpu == NULL)
      return;
    judge (fixture, gpu, TRUE, &found);
    n_lost = lost;
    for (guint i = 0; i < 2; i++) {
      judge (fixture, gpu, TRUE, &found);
      check_near (&found, &expected);
    }
    warning = ens_device_take_warning (gpu);
    ck_assert (lost == 1 || warning != NULL);
  }
}
END_TEST

/* What the windows' own features have learnt, each being of the class after its neighbour's. */
static char *
save_gate (const Fixture *fixture, EnsDevice *device, EnsSimilarity kind)
{
  const EnsMemberSource source = {&fixture->toy.settings, fixture->toy.network};
  g_autoptr (EnsMember) member = ens_member_new (&source, device, NULL);
  g_autoptr (EnsMemberJobs) run = ens_member_jobs_new (member);
  g_autoptr (EnsGraph) graph = ens_graph_new ("gate");
  EnsValue *input =
      ens_graph_add_input (graph, "features", ENS_TYPE_FLOAT32, &ENS_SHAPE (-1, TOY_FEATURES));
  float features[N_WINDOWS][TOY_FEATURES];
  guint8 labels[N_WINDOWS][CLASSES] = {0};
  EnsRect rects[N_WINDOWS];
  char *path = g_build_filename (test_folder, "gate.onnx", NULL);

  place_windows (rects);
  ck_assert (ens_member_jobs_run_windows (
      run, &(EnsMemberImages) {&fixture->picture->frame, rects, N_WINDOWS}, features[0], NULL));
  for (guint w = 0; w < N_WINDOWS; w++)
    labels[w][w % CLASSES] = ENS_LABEL_PRESENT;
  ens_graph_add_output (
      graph,
      ens_similarity_append (
          graph, input, kind,
          &(EnsExamples) {{N_WINDOWS, CLASSES, labels[0]}, TOY_FEATURES, features[0]}, NULL));
  ck_assert (ens_onnx_export (graph, path, NULL));
  return path;
}

/* Every similarity runs on the GPU as part of the member. */
START_TEST (test_gates)
{
  g_autoptr (EnsDevice) cpu = ens_device_open ("cpu", 2, NULL);
  g_autoptr (EnsDevice) gpu = open_gpu ((EnsVulkanOptions) {0});
  Values expected, found;

  if (gpu == NULL)
    return;
  fixture->gate = save_gate (fixture, cpu, (EnsSimilarity)_i);
  judge (fixture, cpu, FALSE, &expected);
  judge (fixture, gpu, TRUE, &found);
  check_near (&found, &expected);
  for (guint c = 0; c < CLASSES; c++) {
    ck_assert_double_eq_tol (found.similarities[c], expected.similarities[c], 1e-3);
    ck_assert (isfinite (found.similarities[c]) && found.similarities[c] != 0);
    for (guint w = 0; w < N_WINDOWS; w++)
      ck_assert_double_eq_tol (found.window_similarities[w][c], expected.window_similarities[w][c],
                               1e-3);
  }
  ck_assert_double_ne (found.window_similarities[0][0], found.window_similarities[9][0]);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("ensemble/member-vulkan");
  test_fixture (set_up, tear_down);
  test_add_row (NULL, "framings", test_framings, 0);
  test_add_row (NULL, "framings-copying", test_framings, STAGED);
  test_add_row (NULL, "framings-flipped", test_framings, FLIP);
  test_add ("lost", test_lost);
  test_add_loop ("gates", test_gates, ENS_SIMILARITY_NEAREST + 1);
  return test_run ();
}
