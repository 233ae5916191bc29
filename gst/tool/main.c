/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "help.h"
#include "tool.h"

#include <errno.h>
#include <gst/gst.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/files.h"
#include "kernels/blas.h"

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

static void
set_up_locale (void)
{
  setlocale (LC_ALL, "");
  /* Numbers are printed and read in one way, whatever the user's language. */
  setlocale (LC_NUMERIC, "C");
  if (!g_get_charset (NULL)) {
    g_set_print_handler (print_ascii);
    g_set_printerr_handler (print_error_ascii);
  }
}

static int
print_and_free (char *text)
{
  g_print ("%s", text);
  g_free (text);
  return 0;
}

static int
fail (const ToolCommand *command, const GError *error)
{
  g_printerr ("gst-ensemble-1.0 %s: %s\n", command->name, error->message);
  return error->domain == TOOL_ERROR_USAGE ? 2 : 1;
}

static int
run_command (const ToolCommand *command, int argc, char **argv)
{
  gpointer options = tool_options_new (command);
  char **arguments = NULL;
  g_autoptr (GError) error = NULL;
  gboolean help = FALSE;
  int status = 0;

  if (!tool_parse (command, argc, argv, options, &arguments, &help, &error)) {
    status = fail (command, error);
  } else if (help) {
    print_and_free (tool_help (command));
  } else {
    gst_init (NULL, NULL);
    ens_blas_use_one_thread ();
    if (!command->run (options, arguments, &error))
      status = fail (command, error);
  }
  tool_options_free (command, options);
  return status;
}

static int
run (int argc, char **argv)
{
  const ToolCommand *command;
  gboolean help;

  if (argc < 2) {
    g_autofree char *overview = tool_overview ();

    g_printerr ("%s", overview);
    return 2;
  }
  if (strcmp (argv[1], "--version") == 0)
    return print_and_free (g_strdup ("gst-ensemble-1.0 " ENS_VERSION "\n"));
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0)
    return print_and_free (tool_overview ());
  help = strcmp (argv[1], "help") == 0;
  if (help && argc == 2)
    return print_and_free (tool_overview ());
  command = tool_find_command (argv[help ? 2 : 1]);
  if (command != NULL && help)
    return print_and_free (tool_help (command));
  if (command != NULL)
    return run_command (command, argc - 1, argv + 1);
  g_printerr ("gst-ensemble-1.0: there is no command “%s”; see gst-ensemble-1.0 --help\n",
              argv[help ? 2 : 1]);
  return 2;
}

/* Why not all of standard output was written; 0: it was. The reason of a failure before the last
 * one is not kept: writing again tells it. */
static int
find_output_failure (void)
{
  if (fflush (stdout) != 0)
    return errno;
  if (!ferror (stdout))
    return 0;
  return write (STDOUT_FILENO, "\n", 1) < 0 ? errno : EIO;
}

/* Results that did not reach a file are a failure, whatever the command says. */
static int
finish_output (int status)
{
  const int number = find_output_failure ();

  if (number == 0)
    return status;
  g_printerr ("gst-ensemble-1.0: standard output: can't write it: %s%s\n", g_strerror (number),
              ens_write_advice (number));
  return 1;
}

int
main (int argc, char **argv)
{
  set_up_locale ();
  return finish_output (run (argc, argv));
}
