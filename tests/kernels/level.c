/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The levels of this processor, and its peak. */
#include "kernels/level.h"

#include "check-main.h"
#include "kernels/peak.h"

START_TEST (test_order)
{
  const EnsKernels *kernels;
  gboolean chosen = FALSE;
  guint n = 0;

  ck_assert_str_eq (ens_kernels_name (ens_kernels_get_level (0)), "baseline");
  for (; (kernels = ens_kernels_get_level (n)) != NULL; n++)
    chosen |= kernels == ens_kernels_get ();
  ck_assert (chosen);
  ck_assert_ptr_null (ens_kernels_get_level (n + 1));
  ck_assert_ptr_null (ens_kernels_get_level (G_MAXUINT));
}
END_TEST

static const struct {
  const char *name, *level;
  gboolean is_known;
} environment_rows[] = {{"known", "baseline", TRUE}, {"unknown", "abacus", FALSE}};

/* The environment names a level; what it does not know is ignored. A process chooses once. */
START_TEST (test_environment)
{
  const char *level = environment_rows[_i].level;

  g_setenv ("ENSEMBLE_LEVEL", level, TRUE);
  ck_assert_int_eq (strcmp (ens_kernels_name (ens_kernels_get ()), level) == 0,
                    environment_rows[_i].is_known);
}
END_TEST

START_TEST (test_peak)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);

  ck_assert_double_gt (ens_peak_gflops (ens_kernels_get_level (0), pool), 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("kernels/level");
  test_add ("order", test_order);
  TEST_ADD_ROWS ("environment", test_environment, environment_rows);
  test_add ("peak", test_peak);
  return test_run ();
}
