#include "graph/attributes.h"

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

static void
test_read (void)
{
  g_autoptr (EnsAttributes) attributes = make_attributes ();
  g_autoptr (GError) error = NULL;
  gint64 pads[4] = {0}, absent[2] = {7, 7};
  float scales[3];

  g_assert_cmpint (ens_attributes_int (attributes, "axis", -1), ==, 1);
  g_assert_cmpint (ens_attributes_int (attributes, "group", 1), ==, 1);
  g_assert_cmpfloat (ens_attributes_float (attributes, "alpha", 0), ==, 0.1f);
  g_assert_cmpstr (ens_attributes_string (attributes, "mode", NULL), ==, "lin\near");
  g_assert_cmpstr (ens_attributes_string (attributes, "auto_pad", "NOTSET"), ==, "NOTSET");
  g_assert_cmpuint (ens_attributes_ints (attributes, "pads", pads, 4), ==, 4);
  g_assert_cmpint (pads[3], ==, 1);
  g_assert_cmpuint (ens_attributes_ints (attributes, "strides", absent, 2), ==, 0);
  g_assert_cmpint (absent[1], ==, 7);
  g_assert_cmpuint (ens_attributes_floats (attributes, "scales", scales, 3), ==, 2);
  g_assert_cmpfloat (scales[1], ==, 2.5f);
  g_assert_true (ens_attributes_has (attributes, "value"));
  g_assert_false (ens_attributes_finish (attributes, "node “n” (Op)", &error));
  g_assert_cmpstr (error->message, ==,
                   "node “n” (Op): unknown attribute “value”, known are alpha, auto_pad, axis, "
                   "group, mode, pads, scales, strides");
  g_clear_error (&error);
  ens_attributes_ignore (attributes, "value");
  ens_attributes_ignore (attributes, "seed");
  ens_attributes_finish (attributes, "node “n” (Op)", &error);
  g_assert_no_error (error);
}

static void
test_misread (void)
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
      g_assert_cmpint (ens_attributes_int (attributes, name, 42), ==, 42);
    else if (kind == FLOAT)
      g_assert_cmpfloat (ens_attributes_float (attributes, name, 42), ==, 42);
    else if (kind == STRING)
      g_assert_null (ens_attributes_string (attributes, name, NULL));
    else if (kind == INTS)
      g_assert_cmpuint (ens_attributes_ints (attributes, name, integers, 3), ==, 0);
    else if (kind == FLOATS)
      g_assert_cmpuint (ens_attributes_floats (attributes, name, reals, 3), ==, 0);
    else
      g_assert_null (ens_attributes_tensor (attributes, name));
    g_assert_false (ens_attributes_finish (attributes, "n", &error));
    g_assert_error (error, ENS_ERROR, ENS_ERROR_FORMAT);
    g_assert_cmpstr (error->message, ==, rows[i].message);
  }
}

static void
test_print (void)
{
  g_autoptr (EnsAttributes) attributes = make_attributes ();
  g_autoptr (EnsAttributes) none = ens_attributes_new ();
  g_autofree char *text = ens_attributes_to_string (attributes);
  g_autofree char *nothing = ens_attributes_to_string (none);

  g_assert_cmpstr (text, ==,
                   "alpha=0.100000001 axis=1 mode=\"lin\\near\" pads=[0, 0, 1, 1] "
                   "scales=[1, 2.5] value=<int64 2: -1 6>");
  g_assert_cmpstr (nothing, ==, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/attributes/read", test_read);
  g_test_add_func ("/graph/attributes/misread", test_misread);
  g_test_add_func ("/graph/attributes/print", test_print);
  return g_test_run ();
}
