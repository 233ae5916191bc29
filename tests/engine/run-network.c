/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* run-network MODEL INPUT SHAPE OUTPUT [INPUT SHAPE OUTPUT …]: runs a network on raw float32 files,
 * for scripts that compare it with other engines. INPUT is as SHAPE says, channels last:
 * 1x224x224x3. */
#include <locale.h>
#include <stdlib.h>

#include "engine/network.h"

static gboolean
parse_shape (const char *text, EnsShape *shape, GError **error)
{
  g_auto (GStrv) dims = g_strsplit (text, "x", ENS_MAX_RANK + 1);
  gboolean good;

  shape->rank = g_strv_length (dims);
  good = shape->rank <= ENS_MAX_RANK;
  for (guint i = 0; good && i < shape->rank; i++)
    good = g_ascii_string_to_signed (dims[i], 10, 1, G_MAXINT32, &shape->dims[i], NULL);
  if (!good)
    g_set_error (error, ENS_ERROR, ENS_ERROR_SHAPE, "“%s” is no shape", text);
  return good;
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

/* arguments: INPUT SHAPE OUTPUT */
static gboolean
run (EnsNetwork *network, char **arguments, GError **error)
{
  g_autoptr (EnsPlan) plan = NULL;
  g_autofree char *input = NULL, *output = NULL;
  EnsShape shape;
  gsize size;

  if (!parse_shape (arguments[1], &shape, error)
      || !read_input (arguments[0], &shape, &input, error)
      || (plan = ens_network_plan (network, &shape, error)) == NULL)
    return FALSE;
  size = (gsize)ens_shape_elements (ens_plan_get_output_shape (plan, 0)) * sizeof (float);
  output = g_malloc (size);
  return ens_plan_run (plan, (const gconstpointer[]) {input}, (const gpointer[]) {output}, error)
         && g_file_set_contents (arguments[2], output, (gssize)size, error);
}

static gboolean
run_all (int argc, char **argv, GError **error)
{
  g_autoptr (EnsDevice) device = ens_device_open ("cpu", 0, error);
  g_autoptr (EnsNetwork) network =
      device != NULL ? ens_network_load (argv[1], device, error) : NULL;

  if (network == NULL)
    return FALSE;
  for (int i = 2; i < argc; i += 3)
    if (!run (network, argv + i, error))
      return FALSE;
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  if (argc < 5 || (argc - 2) % 3 != 0) {
    g_printerr ("usage: %s MODEL INPUT SHAPE OUTPUT [INPUT SHAPE OUTPUT …]\n", argv[0]);
    return EXIT_FAILURE;
  }
  if (!run_all (argc, argv, &error)) {
    g_printerr ("%s\n", error->message);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
