/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/lines.h"

#include <string.h>

#include "check-main.h"

static const struct {
  const char *text, *lines; /* with “|” behind each */
  guint n;
  const char *names; /* the same of those that are names */
} rows[] = {
    {"", "", 0, ""},
    {"a", "a|", 1, "a|"},
    {"a\n", "a|", 1, "a|"},
    {"a\r\n\tb c \n", "a|b c|", 2, "a|b c|"},
    {"\na\n\n", "|a||", 3, "|a|"},
    {"\n", "|", 1, ""},
};

START_TEST (test_lines)
{
  g_autoptr (GBytes) text = g_bytes_new_static (rows[_i].text, strlen (rows[_i].text));
  g_autoptr (GString) found = g_string_new (NULL);
  g_autoptr (GString) named = g_string_new (NULL);
  g_auto (GStrv) names = ens_lines_read_names (text);
  g_auto (EnsLines) lines;
  const char *line;

  ens_lines_init (&lines, text);
  while ((line = ens_lines_next (&lines)) != NULL)
    g_string_append_printf (found, "%s|", line);
  for (guint i = 0; names[i] != NULL; i++)
    g_string_append_printf (named, "%s|", names[i]);
  ck_assert_str_eq (found->str, rows[_i].lines);
  ck_assert_str_eq (named->str, rows[_i].names);
  ck_assert_uint_eq (lines.number, rows[_i].n);
  ck_assert_uint_eq (ens_lines_count (text), rows[_i].n);
}
END_TEST

START_TEST (test_nothing)
{
  g_auto (EnsLines) lines;

  ens_lines_init (&lines, NULL);
  ck_assert_ptr_null (ens_lines_next (&lines));
  ck_assert_uint_eq (ens_lines_count (NULL), 0);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("dataset/lines");
  TEST_ADD_LOOP ("lines", test_lines, rows);
  test_add ("nothing", test_nothing);
  return test_run ();
}
