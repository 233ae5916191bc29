/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table.h"
#include "tool.h"

#include "engine/self-test.h"

typedef struct {
  char *device;
  gint threads;
} Options;

/* Prints the table and counts what did not pass. */
static guint
print_results (const GPtrArray *results)
{
  g_autoptr (ToolTable) table = tool_table_new ("operator|ran|>error|");
  guint n_failed = 0;

  for (guint i = 0; i < results->len; i++) {
    const EnsSelfTestResult *result = g_ptr_array_index (results, i);

    tool_table_row (table);
    tool_table_cell (table, "%s", result->name);
    tool_table_cell (table, "%s", result->kernel != NULL ? result->kernel : "");
    if (result->problem != NULL) {
      tool_table_cell (table, "%s", "");
      tool_table_cell (table, "%s", result->problem);
    } else {
      tool_table_cell (table, "%.1e", result->error);
      tool_table_cell (table, "%s", result->passed ? "ok" : "WRONG");
    }
    n_failed += !result->passed;
  }
  tool_table_print (table);
  return n_failed;
}

static gboolean
run (gconstpointer data, char **arguments, GError **error)
{
  const Options *options = data;
  g_autoptr (EnsDevice) device = tool_open_device (options->device, options->threads, error);
  g_autoptr (GPtrArray) results = NULL;
  g_autofree char *warning = NULL;
  guint n_failed;

  if (device == NULL)
    return FALSE;
  g_print ("%s: %s\n\n", ens_device_get_name (device), ens_device_get_description (device));
  results = ens_self_test (device);
  n_failed = print_results (results);
  warning = ens_device_take_warning (device);
  if (warning != NULL)
    g_print ("\n%s\n", warning);
  if (n_failed == 0 && warning == NULL) {
    g_print ("\nAll %u passed.\n", results->len);
    return TRUE;
  }
  g_set_error (error, ENS_ERROR, ENS_ERROR_DEVICE,
               "%u of %u did not pass on %s; update its driver, or use --device cpu", n_failed,
               results->len, ens_device_get_description (device));
  return FALSE;
}

static const ToolOption options[] = {
    TOOL_OPTION_DEVICE (Options),
    TOOL_OPTION_THREADS (Options),
    TOOL_OPTION_END,
};

const ToolCommand tool_selftest = {
    .name = "selftest",
    .arguments = "",
    .summary = "Compare a device with plain arithmetic",
    .help =
        "Runs every operator once on the device, and two small networks, and compares what comes "
        "out with the operators' plain references: the largest difference as a part of the "
        "largest value. What a GPU has no shader for runs on the CPU, as the table says.",
    .options = options,
    .options_size = sizeof (Options),
    .run = run,
};
