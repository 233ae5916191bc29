/* The levels of this processor, and its peak. */
#include "kernels/level.h"

#include "kernels/peak.h"

static void
test_order (void)
{
  const EnsKernels *kernels;
  gboolean chosen = FALSE;
  guint n = 0;

  g_assert_cmpstr (ens_kernels_name (ens_kernels_get_level (0)), ==, "baseline");
  for (; (kernels = ens_kernels_get_level (n)) != NULL; n++)
    chosen |= kernels == ens_kernels_get ();
  g_assert_true (chosen);
  g_assert_null (ens_kernels_get_level (n + 1));
  g_assert_null (ens_kernels_get_level (G_MAXUINT));
}

/* The environment names a level; what it does not know is ignored. */
static void
test_environment (void)
{
  if (g_test_subprocess ()) {
    g_print ("level %s\n", ens_kernels_name (ens_kernels_get ()));
    return;
  }
  g_setenv ("ENSEMBLE_LEVEL", "baseline", TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout ("*level baseline*");
  g_setenv ("ENSEMBLE_LEVEL", "abacus", TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout_unmatched ("*level abacus*");
  g_unsetenv ("ENSEMBLE_LEVEL");
}

static void
test_peak (gconstpointer kernels)
{
  g_autoptr (EnsThreadPool) pool = ens_thread_pool_new (2);

  g_assert_cmpfloat (ens_peak_gflops (kernels, pool), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kernels/level/order", test_order);
  g_test_add_func ("/kernels/level/environment", test_environment);
  g_test_add_data_func ("/kernels/level/peak", ens_kernels_get_level (0), test_peak);
  return g_test_run ();
}
