#include "tool.h"

#include <gst/gst.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

static const ToolCommand *const commands[] = {
    &tool_train, &tool_evaluate, &tool_classify, &tool_windows, &tool_inspect, &tool_benchmark,
};

static void
print_usage (void)
{
  g_print (
      "Usage: gst-ensemble-1.0 COMMAND …\n\n"
      "Trains ensembles of networks, tags pictures and videos with them, and looks inside.\n\n");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    g_print ("  %-10s  %s\n", commands[i]->name, commands[i]->summary);
  g_print ("\nEach command explains itself: gst-ensemble-1.0 COMMAND --help\n");
}

static const ToolCommand *
find_command (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (commands[i]->name, name) == 0)
      return commands[i];
  return NULL;
}

/* Where the terminal's characters are not UTF-8: plain quotes and dashes, not question marks. */
static void
print_ascii (const char *text)
{
  g_autofree char *plain = g_str_to_ascii (text, "C");

  fputs (plain, stdout);
}

static void
print_error_ascii (const char *text)
{
  g_autofree char *plain = g_str_to_ascii (text, "C");

  fputs (plain, stderr);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  const ToolCommand *command;

  setlocale (LC_ALL, "");
  /* Numbers are printed and read in one way, whatever the user's language. */
  setlocale (LC_NUMERIC, "C");
  if (!g_get_charset (NULL)) {
    g_set_print_handler (print_ascii);
    g_set_printerr_handler (print_error_ascii);
  }
  if (argc < 2 || strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0) {
    print_usage ();
    return argc < 2 ? 2 : 0;
  }
  if (strcmp (argv[1], "--version") == 0) {
    g_print ("gst-ensemble-1.0 %s\n", ENS_VERSION);
    return 0;
  }
  command = find_command (argv[1]);
  if (command == NULL) {
    g_printerr ("gst-ensemble-1.0: there is no command “%s”; see gst-ensemble-1.0 --help\n",
                argv[1]);
    return 2;
  }
  gst_init (NULL, NULL);
  if (command->run (command, argc - 1, argv + 1, &error))
    return 0;
  g_printerr ("gst-ensemble-1.0 %s: %s\n", command->name, error->message);
  return error->domain == TOOL_ERROR_USAGE || error->domain == G_OPTION_ERROR ? 2 : 1;
}
