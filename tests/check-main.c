/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check-main.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

typedef struct {
  const char *suite;
  char *name; /* in the suite */
  char *path; /* "/SUITE/NAME" */
} Case;

enum {
  MAX_REASON = 1024,
};

static SRunner *runner;
static Suite *suite;
static const char *suite_name;
static SFun set_up, tear_down; /* NULL: none */
static GArray *cases;          /* Case */
static char **selected;        /* paths; NULL: all */
/* Why the running case was skipped, "" if it was not. Shared with the processes of cases. */
static char *skip_reason;

void
test_init (int *argc, char ***argv)
{
  const GOptionEntry options[] = {
      {"path", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &selected, "Run the cases below PATH", "PATH"},
      {NULL}};
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, argc, argv, &error)) {
    g_printerr ("%s\n", error->message);
    exit (2);
  }
#ifdef TEST_GSTCHECK
  gst_check_init (argc, argv);
#endif
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
  setvbuf (stdout, NULL, _IOLBF, 0);
  skip_reason = mmap (NULL, MAX_REASON, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (skip_reason == MAP_FAILED)
    g_error ("no memory");
  cases = g_array_new (FALSE, FALSE, sizeof (Case));
}

void
test_suite (const char *name)
{
  suite = suite_create (name);
  suite_name = name;
  set_up = tear_down = NULL;
  if (runner == NULL)
    runner = srunner_create (suite);
  else
    srunner_add_suite (runner, suite);
}

void
test_fixture (SFun before, SFun after)
{
  set_up = before;
  tear_down = after;
}

/* -- adding cases -- */

/* Takes the name. */
static void
add (char *name, TestFunction function, guint index)
{
  Case added = {suite_name, name, g_strdup_printf ("/%s/%s", suite_name, name)};
  TCase *test_case = tcase_create (name);

  tcase_set_timeout (test_case, 0);
  if (set_up != NULL)
    tcase_add_checked_fixture (test_case, set_up, tear_down);
  tcase_add_loop_test (test_case, function, (int)index, (int)index + 1);
  suite_add_tcase (suite, test_case);
  g_array_append_val (cases, added);
}

void
test_add (const char *name, TestFunction function)
{
  add (g_strdup (name), function, 0);
}

void
test_add_row (const char *name, const char *row, TestFunction function, guint index)
{
  add (name != NULL ? g_strconcat (name, "/", row, NULL) : g_strdup (row), function, index);
}

void
test_add_rows (const char *name, TestFunction function, gconstpointer rows, gsize row_size,
               guint n_rows)
{
  for (guint i = 0; i < n_rows; i++)
    test_add_row (name, *(const char *const *)((const char *)rows + i * row_size), function, i);
}

void
test_add_loop (const char *name, TestFunction function, guint n_rows)
{
  for (guint i = 0; i < n_rows; i++) {
    char row[16];

    g_snprintf (row, sizeof row, "%u", i);
    test_add_row (name, row, function, i);
  }
}

/* -- running them -- */

static gboolean
is_selected (const Case *c)
{
  const char *by_suite = g_getenv ("CK_RUN_SUITE"), *by_name = g_getenv ("CK_RUN_CASE");

  if ((by_suite != NULL && strcmp (by_suite, c->suite) != 0)
      || (by_name != NULL && strcmp (by_name, c->name) != 0))
    return FALSE;
  for (guint i = 0; selected != NULL && selected[i] != NULL; i++) {
    gsize length = strlen (selected[i]);

    if (strncmp (c->path, selected[i], length) == 0
        && (c->path[length] == '/' || c->path[length] == '\0'))
      return TRUE;
  }
  return selected == NULL;
}

static void
print_failure (TestResult *result)
{
  g_auto (GStrv) lines = g_strsplit (tr_msg (result), "\n", -1);

  printf ("# %s:%d:\n", tr_lfile (result), tr_lno (result));
  for (guint i = 0; lines[i] != NULL; i++)
    printf ("# %s\n", lines[i]);
}

static void
run_case (const Case *c, guint number)
{
  const int n_failed = srunner_ntests_failed (runner);

  skip_reason[0] = '\0';
  srunner_run (runner, c->suite, c->name, CK_SILENT);
  if (srunner_ntests_failed (runner) > n_failed) {
    g_autofree TestResult **failures = srunner_failures (runner);

    printf ("not ok %u - %s\n", number, c->path);
    print_failure (failures[n_failed]);
  } else {
    printf ("ok %u - %s%s%s\n", number, c->path, skip_reason[0] != '\0' ? " # SKIP " : "",
            skip_reason);
  }
}

int
test_run (void)
{
  guint n = 0, number = 0;
  int n_failed;

  for (guint i = 0; i < cases->len; i++)
    n += is_selected (&g_array_index (cases, Case, i));
  if (n == 0 && selected != NULL) {
    g_printerr ("no case is selected\n");
    return 2;
  }
  printf ("1..%u\n", n);
  for (guint i = 0; i < cases->len; i++)
    if (is_selected (&g_array_index (cases, Case, i)))
      run_case (&g_array_index (cases, Case, i), ++number);
  n_failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return n_failed > 0;
}

int
test_run_in_process (void)
{
  srunner_set_fork_status (runner, CK_NOFORK);
  return test_run ();
}

/* -- what cases say -- */

void
test_skip (const char *reason)
{
  g_strlcpy (skip_reason, reason, MAX_REASON);
  g_strdelimit (skip_reason, "\n#", ' ');
}

void
test_message (const char *format, ...)
{
  va_list arguments;
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    printf ("# %s\n", lines[i]);
}
