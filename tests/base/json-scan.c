/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json-scan.h"

#include <math.h>
#include <string.h>

#include "check-main.h"

static gboolean
scan_all (const char *text, gsize length, GError **error)
{
  EnsJsonScan scan;

  ens_json_scan_init (&scan, "t.json", text, length);
  ens_json_scan_skip (&scan);
  return ens_json_scan_finish (&scan, error);
}

/* A scan that skips everything accepts what is JSON, and Python's words beside it. */
static const char *const sound_rows[] = {
    "{}",
    "\t[ \r\n] ",
    "0",
    "-1.5e+10",
    "\xef\xbb\xbf{\"a\": [1, 2, {\"b\": null}], \"c\": true}\n",
    "[NaN, Infinity, -Infinity, false]",
    "\"a \\\"quoted\\\" \\u00e4 \\ud83d\\ude00 Möwe\"",
    "[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]",
};

START_TEST (test_sound)
{
  g_autoptr (GError) error = NULL;

  scan_all (sound_rows[_i], strlen (sound_rows[_i]), &error);
  ck_assert_no_error (error);
}
END_TEST

static const struct {
  const char *text, *message;
} unsound_rows[] = {
    {"", "t.json:1:1: not sound JSON: expected a value, found the end of the file"},
    {"{", "t.json:1:2: not sound JSON: expected the name of a member, in quotes"},
    {"{\"a\" 1}", "t.json:1:6: not sound JSON: expected “:”, found “1}”"},
    {"{\"a\": 1,}", "expected the name of a member, in quotes, found “}”"},
    {"{\"a\": 1 \"b\": 2}", "expected “,” or “}”, found “\"b\": 2}”"},
    {"[1,\n2,]", "t.json:2:3: not sound JSON: expected a value, found “]”"},
    {"[1, 2", "expected “,” or “]”, found the end of the file"},
    {"[1}", "expected “,” or “]”, found “}”"},
    {"[-]", "expected a digit, found “]”"},
    {"[1.]", "expected a digit, found “]”"},
    {"[1e]", "expected a digit, found “]”"},
    {"[01]", "expected “,” or “]”, found “1]”"},
    {"\"open", "expected the quote that closes a string, found the end of the file"},
    {"\"line\nbreak\"", "expected the quote that closes a string, found “ break\"”"},
    {"\"\\x41\"", "expected an escape such as \\n or \\u00e4, found “x41\"”"},
    {"\"\\u12g4\"", "expected four hexadecimal digits, found “g4\"”"},
    {"\"\xff\"", "expected text in UTF-8"},
    {"<html>", "expected a value, found “<html>”"},
    {"{} {}", "expected nothing more, found “{}”"},
    {"nul", "expected a value, found “nul”"},
};

START_TEST (test_unsound)
{
  g_autoptr (GError) error = NULL;

  ck_assert (!scan_all (unsound_rows[_i].text, strlen (unsound_rows[_i].text), &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FORMAT);
  if (strstr (error->message, unsound_rows[_i].message) == NULL)
    ck_abort_msg ("“%s” does not say “%s”", error->message, unsound_rows[_i].message);
}
END_TEST

/* Every beginning of a sound text is unsound, and none is read beyond its end. */
START_TEST (test_truncated)
{
  static const char text[] = "{\"a\": [1.5e3, \"b\\u00e4\", {\"c\": null}], \"d\": -0}";

  for (gsize length = 0; length < strlen (text); length++) {
    g_autofree char *beginning = g_memdup2 (text, MAX (length, 1));
    g_autoptr (GError) error = NULL;

    ck_assert (!scan_all (beginning, length, &error));
  }
}
END_TEST

START_TEST (test_depth)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strnfill (1000000, '[');

  ck_assert (!scan_all (text, strlen (text), &error));
  ck_assert_ptr_nonnull (strstr (error->message, "nested at most 64 deep"));
}
END_TEST

static const struct {
  const char *text, *id;
} ids_rows[] = {
    {"7", "7"},    {"-7", "-7"},   {"\"7\"", "7"},       {"\"a\\u0062\"", "ab"}, {"7.0", "7"},
    {"7.5", NULL}, {"null", NULL}, {"{\"a\": 7}", NULL}, {"[7]", NULL},
};

/* Whatever it was, the scan goes on behind it. */
START_TEST (test_ids)
{
  g_autofree char *text = g_strdup_printf ("[%s, 1]", ids_rows[_i].text);
  g_autofree char *id = NULL;
  EnsJsonScan scan;

  ens_json_scan_init (&scan, "t.json", text, strlen (text));
  ck_assert (ens_json_scan_open_array (&scan));
  ck_assert (ens_json_scan_element (&scan));
  id = ens_json_scan_id (&scan);
  ck_assert_pstr_eq (id, ids_rows[_i].id);
  ck_assert (ens_json_scan_element (&scan));
  ck_assert_double_eq (ens_json_scan_number (&scan), 1);
  ck_assert (!ens_json_scan_element (&scan));
  ck_assert (ens_json_scan_finish (&scan, NULL));
}
END_TEST

START_TEST (test_values)
{
  static const char text[] = "[\"M\\u00f6we \\ud83d\\ude00\\n\", \"\\ud800!\", 2.5, -12, 1e400,"
                             " 7.5, 1e300, \"5\", 3, NaN, {\"x\": [1]}, [4]]";
  EnsJsonScan scan;
  g_autoptr (GError) error = NULL;
  g_autofree char *string = NULL, *half = NULL;
  gint64 integer = 0;

  ens_json_scan_init (&scan, "t.json", text, strlen (text));
  ck_assert (ens_json_scan_open_array (&scan));
  ck_assert (ens_json_scan_element (&scan));
  string = ens_json_scan_string (&scan);
  ck_assert_str_eq (string, "Möwe 😀\n");
  ens_json_scan_element (&scan);
  half = ens_json_scan_string (&scan);
  ck_assert_str_eq (half, "\xef\xbf\xbd!");
  ens_json_scan_element (&scan);
  ck_assert_double_eq (ens_json_scan_number (&scan), 2.5);
  ens_json_scan_element (&scan);
  ck_assert (ens_json_scan_integer (&scan, &integer));
  ck_assert_int_eq (integer, -12);
  ens_json_scan_element (&scan);
  ck_assert (isinf (ens_json_scan_number (&scan)));
  for (guint i = 0; i < 3; i++) { /* 7.5, 1e300, "5" */
    ens_json_scan_element (&scan);
    ck_assert (!ens_json_scan_integer (&scan, &integer));
  }
  ens_json_scan_element (&scan);
  ck_assert_ptr_null (ens_json_scan_string (&scan));
  for (guint i = 0; i < 2; i++) { /* NaN, an object */
    ens_json_scan_element (&scan);
    ck_assert (isnan (ens_json_scan_number (&scan)));
  }
  ens_json_scan_element (&scan);
  ck_assert (!ens_json_scan_open_object (&scan));
  ck_assert (!ens_json_scan_element (&scan));
  ck_assert (ens_json_scan_finish (&scan, &error));
}
END_TEST

START_TEST (test_members)
{
  static const char text[] = "{\"a\": {\"skipped\": {}}, \"b\\u0062\": [10, 20], \"\": 3}";
  EnsJsonScan scan;
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  const char *name;

  ens_json_scan_init (&scan, "t.json", text, strlen (text));
  ck_assert (ens_json_scan_open_object (&scan));
  while ((name = ens_json_scan_member (&scan)) != NULL) {
    g_string_append_printf (seen, "%s:", name);
    if (strcmp (name, "bb") != 0) {
      ens_json_scan_skip (&scan);
      continue;
    }
    ck_assert (ens_json_scan_open_array (&scan));
    while (ens_json_scan_element (&scan))
      g_string_append_printf (seen, "%g,", ens_json_scan_number (&scan));
  }
  ck_assert (ens_json_scan_finish (&scan, &error));
  ck_assert_str_eq (seen->str, "a:bb:10,20,:");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("base/json-scan");
  TEST_ADD_LOOP ("sound", test_sound, sound_rows);
  TEST_ADD_LOOP ("unsound", test_unsound, unsound_rows);
  test_add ("truncated", test_truncated);
  test_add ("depth", test_depth);
  TEST_ADD_LOOP ("ids", test_ids, ids_rows);
  test_add ("values", test_values);
  test_add ("members", test_members);
  return test_run ();
}
