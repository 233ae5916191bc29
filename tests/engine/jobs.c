/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs that wait for each other, also of one plan, each give what their own rectangle gives. */
#include "engine/jobs.h"

#include "build.h"
#include "check-main.h"
#include "engine/network-private.h"
#include "support/picture.h"

#define SIZE 16
#define N_FLOATS (SIZE * SIZE * 3)

static const EnsNormalise normalise = {ENS_ORDER_RGB, {120, 120, 120}, {0.02F, 0.02F, 0.02F}};

/* Of a network that changes signs. */
static EnsPlan *
make_plan (EnsDevice *device)
{
  g_auto (Builder) b;
  g_autoptr (EnsNetwork) network = NULL;

  builder_init (&b, 1);
  ens_graph_add_output (
      b.graph, build (&b, "Neg", NULL, build_input (&b, &ENS_SHAPE (1, SIZE, SIZE, 3)), NULL));
  network = ens_network_new (g_steal_pointer (&b.graph), device, NULL);
  return ens_network_plan (network, &ENS_SHAPE (1, SIZE, SIZE, 3), NULL);
}

static const struct {
  const char *name, *device;
  gboolean one_plan;
} rows[] = {
    {"cpu/two-plans", "cpu", FALSE},
    {"cpu/one-plan", "cpu", TRUE},
    {"vulkan/two-plans", "vulkan", FALSE},
    {"vulkan/one-plan", "vulkan", TRUE},
};

static void
check_jobs (EnsDevice *device, EnsPlan *const plans[2])
{
  static const EnsRect rects[] = {{0, 0, 1, 1}, {0.25F, 0.5F, 0.5F, 0.5F}};
  g_autoptr (EnsPicture) picture = ens_picture_new (ENS_PIXELS_RGB, 40, 32);
  g_autoptr (EnsJobs) jobs = ens_jobs_new (device, TRUE);
  float found[2][N_FLOATS] = {{0}}, expected[N_FLOATS];

  test_picture_fill_random (picture, 1);
  for (guint i = 0; i < 2; i++)
    ck_assert (ens_jobs_add (jobs,
                             &(EnsJob) {.plan = plans[i],
                                        .n_inputs = 1,
                                        .shapes = &ENS_SHAPE (1, SIZE, SIZE, 3),
                                        .frame = &picture->frame,
                                        .rects = &rects[i],
                                        .framing = ENS_FRAMING_STRETCH,
                                        .normalise = &normalise,
                                        .outputs = {found[i]}},
                             NULL));
  ck_assert (ens_jobs_run (jobs, NULL));
  for (guint i = 0; i < 2; i++) {
    ens_frame_resize (&picture->frame, &rects[i], 1, SIZE, SIZE, &normalise, NULL, expected);
    for (guint j = 0; j < N_FLOATS; j++)
      ck_assert_double_eq_tol (found[i][j], -expected[j], 1e-4);
  }
}

START_TEST (test_jobs)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDevice) device = ens_device_open (rows[_i].device, 2, &error);
  g_autoptr (EnsPlan) first = NULL, second = NULL;

  if (device == NULL) {
    test_skip (error->message);
    return;
  }
  first = make_plan (device);
  second = make_plan (device);
  check_jobs (device, (EnsPlan *const[]) {first, rows[_i].one_plan ? first : second});
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("engine/jobs");
  TEST_ADD_ROWS (NULL, test_jobs, rows);
  return test_run ();
}
