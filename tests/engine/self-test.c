/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The self-test passes on the CPU and on Vulkan, and leaves out no operator. */
#include "engine/self-test.h"

#include <math.h>
#include <string.h>

#include "check-main.h"
#include "engine/device-private.h"
#include "graph/op.h"

static void
check_device (EnsDevice *device)
{
  g_autoptr (GPtrArray) results = ens_self_test (device);
  g_autofree char *warning = ens_device_take_warning (device);

  for (guint i = 0; i < results->len; i++) {
    const EnsSelfTestResult *result = g_ptr_array_index (results, i);

    if (!result->passed)
      ck_abort_msg ("%s: %s, error %g", result->name,
                    result->problem != NULL ? result->problem : "wrong", result->error);
  }
  ck_assert_ptr_null (warning);
}

START_TEST (test_cpu)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 2, NULL);

  check_device (device);
}
END_TEST

/* What plans are wrapped for: they write no number where their first output begins. */
static gboolean breaks_numbers;

gboolean __real_ens_plan_profile (EnsPlan *plan, const gconstpointer *inputs,
                                  const gpointer *outputs, EnsNodeTime *times, GError **error);
gboolean __wrap_ens_plan_profile (EnsPlan *plan, const gconstpointer *inputs,
                                  const gpointer *outputs, EnsNodeTime *times, GError **error);

gboolean
__wrap_ens_plan_profile (EnsPlan *plan, const gconstpointer *inputs, const gpointer *outputs,
                         EnsNodeTime *times, GError **error)
{
  gboolean done = __real_ens_plan_profile (plan, inputs, outputs, times, error);

  /* Whole networks have floats there. */
  if (breaks_numbers && ens_plan_get_n_nodes (plan) > 4)
    *(float *)outputs[0] = NAN;
  return done;
}

START_TEST (test_no_number)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 2, NULL);
  g_autoptr (GPtrArray) results = NULL;
  guint n_failed = 0;

  breaks_numbers = TRUE;
  results = ens_self_test (device);
  for (guint i = 0; i < results->len; i++)
    n_failed += !((const EnsSelfTestResult *)g_ptr_array_index (results, i))->passed;
  ck_assert_uint_eq (n_failed, 2); /* the network, and it on a batch */
}
END_TEST

static const struct {
  const char *name, *device;
} vulkan_rows[] = {{"vulkan", "vulkan"}, {"half", "vulkan+float16"}};

START_TEST (test_vulkan)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDevice) device = ens_device_open (vulkan_rows[_i].device, 2, &error);

  if (device != NULL)
    check_device (device);
  else
    test_skip (error->message);
}
END_TEST

START_TEST (test_examples)
{
  for (const EnsOp *const *op = ens_op_list (); *op != NULL; op++)
    if ((*op)->example == NULL || (*op)->example->inputs == NULL)
      ck_abort_msg ("%s has no example", (*op)->name);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("engine/self-test");
  test_add ("cpu", test_cpu);
  test_add ("no-number", test_no_number);
  TEST_ADD_ROWS (NULL, test_vulkan, vulkan_rows);
  test_add ("examples", test_examples);
  return test_run ();
}
