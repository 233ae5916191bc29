/* run-network MODEL INPUT SHAPE OUTPUT [THREADS]: runs a network on raw float32 files, for scripts
 * that compare it with other engines. INPUT is as SHAPE says, channels last: 1x224x224x3. */
#include <locale.h>
#include <stdlib.h>

#include <ensemble/network.h>

static gboolean
parse_shape (const char *text, EnsShape *shape)
{
  g_auto (GStrv) dims = g_strsplit (text, "x", ENS_MAX_RANK + 1);

  shape->rank = g_strv_length (dims);
  if (shape->rank > ENS_MAX_RANK)
    return FALSE;
  for (guint i = 0; i < shape->rank; i++)
    if (!g_ascii_string_to_signed (dims[i], 10, 1, G_MAXINT32, &shape->dims[i], NULL))
      return FALSE;
  return TRUE;
}

static gboolean
read_input (const char *path, const EnsShape *shape, char **data, GError **error)
{
  gsize size, expected = (gsize)ens_shape_elements (shape) * sizeof (float);

  if (!g_file_get_contents (path, data, &size, error))
    return FALSE;
  if (size == expected)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_SHAPE,
               "%s has %" G_GSIZE_FORMAT " bytes, expected %" G_GSIZE_FORMAT, path, size, expected);
  return FALSE;
}

static gboolean
run (char **argv, guint n_threads, GError **error)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", n_threads, error);
  g_autoptr (EnsNetwork) network = NULL;
  g_autoptr (EnsPlan) plan = NULL;
  g_autofree char *input = NULL, *output = NULL;
  EnsShape shape;
  gsize size;

  if (!parse_shape (argv[3], &shape)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_SHAPE, "“%s” is no shape", argv[3]);
    return FALSE;
  }
  if (device == NULL || !read_input (argv[2], &shape, &input, error)
      || (network = ens_network_load (argv[1], device, error)) == NULL
      || (plan = ens_network_plan (network, &shape, error)) == NULL)
    return FALSE;
  size = (gsize)ens_shape_elements (ens_plan_get_output_shape (plan, 0)) * sizeof (float);
  output = g_malloc (size);
  return ens_plan_run (plan, (const gconstpointer[]) {input}, (const gpointer[]) {output}, error)
         && g_file_set_contents (argv[4], output, (gssize)size, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  if (argc < 5) {
    g_printerr ("usage: %s MODEL INPUT SHAPE OUTPUT [THREADS]\n", argv[0]);
    return EXIT_FAILURE;
  }
  if (!run (argv, argc > 5 ? (guint)atoi (argv[5]) : 0, &error)) {
    g_printerr ("%s\n", error->message);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
