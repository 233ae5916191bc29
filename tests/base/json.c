/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json.h"

#include <locale.h>
#include <math.h>

#include "check-main.h"

static const struct {
  double value;
  gboolean is_float;
  const char *text;
} numbers_rows[] = {
    {0.9F, TRUE, "0.9"},
    {0.1, FALSE, "0.1"},
    {1.0F / 3, TRUE, "0.33333334"},
    {1.0 / 3, FALSE, "0.3333333333333333"},
    {16777216, TRUE, "16777216"},
    {-0.0, FALSE, "-0"},
    {1e-30F, TRUE, "1e-30"},
    {INFINITY, TRUE, "null"},
    {NAN, FALSE, "null"},
};

START_TEST (test_numbers)
{
  setlocale (LC_ALL, "de_DE.UTF-8");
  EnsJson json;
  g_autofree char *text = NULL;

  ens_json_init (&json);
  if (numbers_rows[_i].is_float)
    ens_json_float (&json, NULL, (float)numbers_rows[_i].value);
  else
    ens_json_double (&json, NULL, numbers_rows[_i].value);
  text = ens_json_finish (&json);
  ck_assert_pstr_eq (text, numbers_rows[_i].text);
}
END_TEST

static const struct {
  const char *value, *text;
} strings_rows[] = {
    {"plain", "\"plain\""},
    {"a \"b\" \\ c", "\"a \\\"b\\\" \\\\ c\""},
    {"line\nnext\tcell\r", "\"line\\nnext\\tcell\\u000d\""},
    {"Möwe", "\"Möwe\""},
    {"bad \xff byte", "\"bad \xef\xbf\xbd byte\""},
    {NULL, "null"},
};

START_TEST (test_strings)
{
  EnsJson json;
  g_autofree char *text = NULL;

  ens_json_init (&json);
  ens_json_string (&json, NULL, strings_rows[_i].value);
  text = ens_json_finish (&json);
  ck_assert_pstr_eq (text, strings_rows[_i].text);
}
END_TEST

START_TEST (test_layout)
{
  EnsJson json;
  g_autofree char *text = NULL;

  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_BLOCK);
  ens_json_integer (&json, "a", -1);
  ens_json_open_array (&json, "flat", ENS_JSON_FLAT);
  ens_json_boolean (&json, NULL, TRUE);
  ens_json_open_object (&json, NULL, ENS_JSON_BLOCK);
  ens_json_null (&json, "inside");
  ens_json_unsigned (&json, "flat", G_MAXUINT64);
  ens_json_close (&json);
  ens_json_close (&json);
  ens_json_raw (&json, "raw", "{\"x\":1}");
  ens_json_open_array (&json, "empty", ENS_JSON_BLOCK);
  ens_json_close (&json);
  ens_json_open_array (&json, "block", ENS_JSON_BLOCK);
  ens_json_integer (&json, NULL, 1);
  ens_json_integer (&json, NULL, 2);
  ens_json_close (&json);
  ens_json_floats (&json, "every second", (const float[]) {1, 2, 0.5F, 3}, 2, 2);
  ens_json_strings (&json, "words", (const char *const[]) {"b", "a", NULL});
  ens_json_close (&json);
  text = ens_json_finish (&json);
  ck_assert_str_eq (text,
                    "{\n"
                    "  \"a\": -1,\n"
                    "  \"flat\": [true, {\"inside\": null, \"flat\": 18446744073709551615}],\n"
                    "  \"raw\": {\"x\":1},\n"
                    "  \"empty\": [],\n"
                    "  \"block\": [\n"
                    "    1,\n"
                    "    2\n"
                    "  ],\n"
                    "  \"every second\": [1, 0.5],\n"
                    "  \"words\": [\"b\", \"a\"]\n"
                    "}");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("base/json");
  TEST_ADD_LOOP ("numbers", test_numbers, numbers_rows);
  TEST_ADD_LOOP ("strings", test_strings, strings_rows);
  test_add ("layout", test_layout);
  return test_run ();
}
