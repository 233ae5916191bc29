/* The self-test passes on the CPU and on Vulkan, and leaves out no operator that has a shader. */
#include "engine/self-test.h"

#include <string.h>

#include "engine/device-private.h"
#include "engine/self-test-rows.h"
#include "graph/op.h"

static void
check_device (EnsDevice *device)
{
  g_autoptr (GPtrArray) results = ens_self_test (device);
  g_autofree char *warning = ens_device_take_warning (device);

  for (guint i = 0; i < results->len; i++) {
    const EnsSelfTestResult *result = g_ptr_array_index (results, i);

    if (!result->passed)
      g_test_fail_printf ("%s: %s, error %g", result->name,
                          result->problem != NULL ? result->problem : "wrong", result->error);
  }
  g_assert_cmpstr (warning, ==, NULL);
}

static void
test_cpu (void)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 2, NULL);

  check_device (device);
}

static void
test_vulkan (gconstpointer name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDevice) device = ens_device_open (name, 2, &error);

  if (device != NULL)
    check_device (device);
  else
    g_test_skip (error->message);
}

static void
test_rows (void)
{
  const EnsOp *const *ops = ens_op_list ();

  for (guint i = 0; ops[i] != NULL; i++) {
    const EnsSelfTestRow *row = ens_self_test_rows;

    while (row->op != NULL && strcmp (row->op, ops[i]->name) != 0)
      row++;
    /* Views move nothing, unless other nodes make them. */
    if (ops[i]->gpu != NULL && !(ops[i]->flags & ENS_OP_VIEW) && row->op == NULL)
      g_test_fail_printf ("%s has a shader, but no row", ops[i]->name);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/self-test/cpu", test_cpu);
  g_test_add_data_func ("/engine/self-test/vulkan", "vulkan", test_vulkan);
  g_test_add_data_func ("/engine/self-test/half", "vulkan+float16", test_vulkan);
  g_test_add_func ("/engine/self-test/rows", test_rows);
  return g_test_run ();
}
