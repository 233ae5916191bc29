/* The table of embedded shaders. */
#include <shaders.h>

#include <string.h>

#define SPIRV_MAGIC 0x07230203u

static void
test_all_found (void)
{
  guint n;
  const EnsShader *shaders = ens_shader_list (&n);

  g_assert_cmpuint (n, >, 0);
  for (guint i = 0; i < n; i++) {
    g_assert_true (ens_shader_find (shaders[i].stem, shaders[i].storage) == &shaders[i]);
    g_assert_nonnull (ens_shader_find (shaders[i].stem, ENS_TYPE_FLOAT32));
    g_assert_nonnull (ens_shader_find (shaders[i].stem, ENS_TYPE_FLOAT16));
    g_assert_cmpuint (shaders[i].n_words, >, 5);
    g_assert_cmphex (shaders[i].words[0], ==, SPIRV_MAGIC);
    if (i > 0)
      g_assert_cmpint (strcmp (shaders[i - 1].stem, shaders[i].stem), <=, 0);
  }
}

static void
test_none_found (void)
{
  g_assert_null (ens_shader_find ("activation", ENS_TYPE_INT64));
  g_assert_null (ens_shader_find ("no-such-shader", ENS_TYPE_FLOAT32));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shaders/all-found", test_all_found);
  g_test_add_func ("/shaders/none-found", test_none_found);
  return g_test_run ();
}
