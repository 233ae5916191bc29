#include "base/json-scan.h"

#include <math.h>
#include <string.h>

static gboolean
scan_all (const char *text, gsize length, GError **error)
{
  EnsJsonScan scan;

  ens_json_scan_init (&scan, "t.json", text, length);
  ens_json_scan_skip (&scan);
  return ens_json_scan_finish (&scan, error);
}

/* A scan that skips everything accepts what is JSON, and Python's words beside it. */
static void
test_sound (void)
{
  static const char *const rows[] = {
      "{}",
      " [ ] ",
      "0",
      "-1.5e+10",
      "\xef\xbb\xbf{\"a\": [1, 2, {\"b\": null}], \"c\": true}\n",
      "[NaN, Infinity, -Infinity, false]",
      "\"a \\\"quoted\\\" \\u00e4 \\ud83d\\ude00 Möwe\"",
      "[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]",
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    scan_all (rows[i], strlen (rows[i]), &error);
    g_assert_no_error (error);
  }
}

static void
test_unsound (void)
{
  static const struct {
    const char *text, *message;
  } rows[] = {
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

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (scan_all (rows[i].text, strlen (rows[i].text), &error));
    g_assert_error (error, ENS_ERROR, ENS_ERROR_FORMAT);
    if (strstr (error->message, rows[i].message) == NULL)
      g_error ("row %u: “%s” does not say “%s”", i, error->message, rows[i].message);
  }
}

/* Every beginning of a sound text is unsound, and none is read beyond its end. */
static void
test_truncated (void)
{
  static const char text[] = "{\"a\": [1.5e3, \"b\\u00e4\", {\"c\": null}], \"d\": -0}";

  for (gsize length = 0; length < strlen (text); length++) {
    g_autofree char *beginning = g_memdup2 (text, MAX (length, 1));
    g_autoptr (GError) error = NULL;

    g_assert_false (scan_all (beginning, length, &error));
  }
}

static void
test_depth (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_strnfill (1000000, '[');

  g_assert_false (scan_all (text, strlen (text), &error));
  g_assert_nonnull (strstr (error->message, "nested at most 64 deep"));
}

static void
test_values (void)
{
  static const char text[] = "[\"M\\u00f6we \\ud83d\\ude00\\n\", \"\\ud800!\", 2.5, -12, 1e400,"
                             " 7.5, 1e300, \"5\", 3, NaN, {\"x\": [1]}, [4]]";
  EnsJsonScan scan;
  g_autoptr (GError) error = NULL;
  g_autofree char *string = NULL, *half = NULL;
  gint64 integer = 0;

  ens_json_scan_init (&scan, "t.json", text, strlen (text));
  g_assert_true (ens_json_scan_open_array (&scan));
  g_assert_true (ens_json_scan_element (&scan));
  string = ens_json_scan_string (&scan);
  g_assert_cmpstr (string, ==, "Möwe 😀\n");
  ens_json_scan_element (&scan);
  half = ens_json_scan_string (&scan);
  g_assert_cmpstr (half, ==, "\xef\xbf\xbd!");
  ens_json_scan_element (&scan);
  g_assert_cmpfloat (ens_json_scan_number (&scan), ==, 2.5);
  ens_json_scan_element (&scan);
  g_assert_true (ens_json_scan_integer (&scan, &integer));
  g_assert_cmpint (integer, ==, -12);
  ens_json_scan_element (&scan);
  g_assert_true (isinf (ens_json_scan_number (&scan)));
  for (guint i = 0; i < 3; i++) { /* 7.5, 1e300, "5" */
    ens_json_scan_element (&scan);
    g_assert_false (ens_json_scan_integer (&scan, &integer));
  }
  ens_json_scan_element (&scan);
  g_assert_null (ens_json_scan_string (&scan));
  for (guint i = 0; i < 2; i++) { /* NaN, an object */
    ens_json_scan_element (&scan);
    g_assert_true (isnan (ens_json_scan_number (&scan)));
  }
  ens_json_scan_element (&scan);
  g_assert_false (ens_json_scan_open_object (&scan));
  g_assert_false (ens_json_scan_element (&scan));
  g_assert_true (ens_json_scan_finish (&scan, &error));
}

static void
test_members (void)
{
  static const char text[] = "{\"a\": {\"skipped\": {}}, \"b\\u0062\": [10, 20], \"\": 3}";
  EnsJsonScan scan;
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  const char *name;

  ens_json_scan_init (&scan, "t.json", text, strlen (text));
  g_assert_true (ens_json_scan_open_object (&scan));
  while ((name = ens_json_scan_member (&scan)) != NULL) {
    g_string_append_printf (seen, "%s:", name);
    if (strcmp (name, "bb") != 0) {
      ens_json_scan_skip (&scan);
      continue;
    }
    g_assert_true (ens_json_scan_open_array (&scan));
    while (ens_json_scan_element (&scan))
      g_string_append_printf (seen, "%g,", ens_json_scan_number (&scan));
  }
  g_assert_true (ens_json_scan_finish (&scan, &error));
  g_assert_cmpstr (seen->str, ==, "a:bb:10,20,:");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/base/json-scan/sound", test_sound);
  g_test_add_func ("/base/json-scan/unsound", test_unsound);
  g_test_add_func ("/base/json-scan/truncated", test_truncated);
  g_test_add_func ("/base/json-scan/depth", test_depth);
  g_test_add_func ("/base/json-scan/values", test_values);
  g_test_add_func ("/base/json-scan/members", test_members);
  return g_test_run ();
}
