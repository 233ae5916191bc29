/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-ops                 checks all rows (options: -p /ops/Conv runs those of Conv,
 *                          -p /gradients/Conv differentiates them)
 * test-ops vulkan          checks them on a Vulkan device (-p /vulkan/Conv)
 * test-ops benchmark [OP]  times kernels on rows that have inputs for it
 * test-ops support         prints what each operator has */
#include "harness.h"

#include <string.h>

#include "check-main.h"

#define ROWS(stem) test_##stem,

const TestOperator *const test_operators[] = {TEST_OP_STEMS (ROWS) NULL};

int
main (int argc, char **argv)
{
  if (argc >= 2 && strcmp (argv[1], "benchmark") == 0)
    return test_benchmark (argc >= 3 ? argv[2] : NULL);
  if (argc >= 2 && strcmp (argv[1], "support") == 0) {
    test_support ();
    return 0;
  }
  test_init (&argc, &argv);
  if (argc >= 2 && strcmp (argv[1], "vulkan") == 0)
    return test_run_vulkan ();
  test_add_checks ();
  test_add_gradients ();
  test_add_hostile ();
  return test_run ();
}
