/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "graph/attributes.h"

#include "check-main.h"

static EnsAttributes *
make_attributes (void)
{
  EnsAttributes *attributes = ens_attributes_new ();
  g_autoptr (EnsTensor) tensor =
      ens_tensor_new_copy (ENS_TYPE_INT64, &ENS_SHAPE (2), (const gint64[]) {-1, 6});

  ens_attributes_set_ints (attributes, "pads", (const gint64[]) {0, 0, 1, 1}, 4);
  ens_attributes_set_int (attributes, "axis", 2);
  ens_attributes_set_int (attributes, "axis", 1);
  ens_attributes_set_float (attributes, "alpha", 0.1f);
  ens_attributes_set_floats (attributes, "scales", (const float[]) {1, 2.5}, 2);
  ens_attributes_set_string (attributes, "mode", "lin\near");
  ens_attributes_set_tensor (attributes, "value", tensor);
  return attributes;
}

START_TEST (test_read)
{
  g_autoptr (EnsAttributes) attributes = make_attributes ();
  g_autoptr (GError) error = NULL;
  gint64 pads[4] = {0}, absent[2] = {7, 7};
  float scales[3];

  ck_assert_int_eq (ens_attributes_int (attributes, "axis", -1), 1);
  ck_assert_int_eq (ens_attributes_int (attributes, "group", 1), 1);
  ck_assert_double_eq (ens_attributes_float (attributes, "alpha", 0), 0.1f);
  ck_assert_str_eq (ens_attributes_string (attributes, "mode", NULL), "lin\near");
  ck_assert_str_eq (ens_attributes_string (attributes, "auto_pad", "NOTSET"), "NOTSET");
  ck_assert_uint_eq (ens_attributes_ints (attributes, "pads", pads, 4), 4);
  ck_assert_int_eq (pads[3], 1);
  ck_assert_uint_eq (ens_attributes_ints (attributes, "strides", absent, 2), 0);
  ck_assert_int_eq (absent[1], 7);
  ck_assert_uint_eq (ens_attributes_floats (attributes, "scales", scales, 3), 2);
  ck_assert_double_eq (scales[1], 2.5f);
  ck_assert (ens_attributes_has (attributes, "value"));
  ck_assert (!ens_attributes_finish (attributes, "node “n” (Op)", &error));
  ck_assert_str_eq (error->message,
                    "node “n” (Op): unknown attribute “value”, known are alpha, auto_pad, axis, "
                    "group, mode, pads, scales, strides");
  g_clear_error (&error);
  ens_attributes_ignore (attributes, "value");
  ens_attributes_ignore (attributes, "seed");
  ens_attributes_finish (attributes, "node “n” (Op)", &error);
  ck_assert_no_error (error);
}
END_TEST

START_TEST (test_misread)
{
  enum { INT, FLOAT, STRING, INTS, FLOATS, TENSOR } kind;
  static const struct {
    int kind;
    const char *name, *message;
  } rows[] = {
      {INT, "pads", "n: attribute “pads” is a list of ints, expected an int"},
      {FLOAT, "axis", "n: attribute “axis” is an int, expected a float"},
      {STRING, "value", "n: attribute “value” is a tensor, expected a string"},
      {INTS, "alpha", "n: attribute “alpha” is a float, expected a list of ints"},
      {INTS, "pads", "n: attribute “pads” has 4 values, expected at most 3"},
      {FLOATS, "mode", "n: attribute “mode” is a string, expected a list of floats"},
      {TENSOR, "scales", "n: attribute “scales” is a list of floats, expected a tensor"},
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (EnsAttributes) attributes = make_attributes ();
    g_autoptr (GError) error = NULL;
    const char *name = rows[i].name;
    gint64 integers[3];
    float reals[3];

    kind = rows[i].kind;
    if (kind == INT)
      ck_assert_int_eq (ens_attributes_int (attributes, name, 42), 42);
    else if (kind == FLOAT)
      ck_assert_double_eq (ens_attributes_float (attributes, name, 42), 42);
    else if (kind == STRING)
      ck_assert_ptr_null (ens_attributes_string (attributes, name, NULL));
    else if (kind == INTS)
      ck_assert_uint_eq (ens_attributes_ints (attributes, name, integers, 3), 0);
    else if (kind == FLOATS)
      ck_assert_uint_eq (ens_attributes_floats (attributes, name, reals, 3), 0);
    else
      ck_assert_ptr_null (ens_attributes_tensor (attributes, name));
    ck_assert (!ens_attributes_finish (attributes, "n", &error));
    ck_assert_error (error, ENS_ERROR, ENS_ERROR_FORMAT);
    ck_assert_pstr_eq (error->message, rows[i].message);
  }
}
END_TEST

START_TEST (test_print)
{
  g_autoptr (EnsAttributes) attributes = make_attributes ();
  g_autoptr (EnsAttributes) none = ens_attributes_new ();
  g_autofree char *text = ens_attributes_to_string (attributes);
  g_autofree char *nothing = ens_attributes_to_string (none);

  ck_assert_str_eq (text, "alpha=0.100000001 axis=1 mode=\"lin\\near\" pads=[0, 0, 1, 1] "
                          "scales=[1, 2.5] value=<int64 2: -1 6>");
  ck_assert_str_eq (nothing, "");
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("graph/attributes");
  test_add ("read", test_read);
  test_add ("misread", test_misread);
  test_add ("print", test_print);
  return test_run ();
}
