/* The table of embedded shaders. */
#include <shaders.h>

#include <string.h>

#define SPIRV_MAGIC 0x07230203u

/* Cooperative matrices multiply elements of 16 bits. */
static gboolean
is_of_matrices (const EnsShader *shader)
{
  return g_str_has_suffix (shader->stem, "-matrix");
}

static void
test_all_found (void)
{
  guint n;
  const EnsShader *shaders = ens_shader_list (&n);

  g_assert_cmpuint (n, >, 0);
  for (guint i = 0; i < n; i++) {
    g_assert_true (ens_shader_find (shaders[i].stem, shaders[i].storage) == &shaders[i]);
    g_assert_nonnull (ens_shader_find (shaders[i].stem, ENS_TYPE_FLOAT16));
    if (!is_of_matrices (&shaders[i]))
      g_assert_nonnull (ens_shader_find (shaders[i].stem, ENS_TYPE_FLOAT32));
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

/* Cooperative matrices come in Khronos' form, whatever the compiler made of them: its capability,
 * its types, each with one of three uses, and none of the older instructions. */
static void
test_matrices (void)
{
  enum { CAPABILITY = 17, TYPE = 4456, LOAD = 4457, STORE = 4458, MULTIPLY_ADD = 4459 };
  const EnsShader *shader = ens_shader_find ("conv-matrix", ENS_TYPE_FLOAT16);
  guint n_types = 0, n_loads = 0, n_stores = 0, n_products = 0;
  gboolean capable = FALSE;
  gsize at;

  for (at = 5; at < shader->n_words; at += shader->words[at] >> 16) {
    const guint32 *instruction = shader->words + at;
    guint opcode = instruction[0] & 0xffff;

    g_assert_cmpuint (instruction[0] >> 16, >, 0);
    g_assert_false (opcode >= 5358 && opcode <= 5362);
    capable = capable || (opcode == CAPABILITY && instruction[1] == 6022);
    if (opcode == TYPE)
      g_assert_cmpuint (instruction[0] >> 16, ==, 7);
    n_types += opcode == TYPE;
    n_loads += opcode == LOAD;
    n_stores += opcode == STORE;
    n_products += opcode == MULTIPLY_ADD;
  }
  g_assert_cmpuint (at, ==, shader->n_words);
  g_assert_true (capable);
  g_assert_cmpuint (n_types, ==, 3);
  g_assert_cmpuint (n_loads, >=, 2);
  g_assert_cmpuint (n_stores, >=, 1);
  g_assert_cmpuint (n_products, >=, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/shaders/all-found", test_all_found);
  g_test_add_func ("/shaders/none-found", test_none_found);
  g_test_add_func ("/shaders/matrices", test_matrices);
  return g_test_run ();
}
