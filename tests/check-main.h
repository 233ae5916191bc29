/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frame of a test program written with Check: a suite of cases, each run in a process of its
 * own, reported as TAP on standard output.
 *
 * Tests of elements use GStreamer's copy of Check, which is older: what it lacks is here.
 *
 * A program's option -p PATH runs the case of this path, or those below it; there may be several.
 * Check's variables CK_RUN_SUITE, CK_RUN_CASE and CK_FORK=no (to debug) are heeded. Time is limited
 * by meson alone. Warnings and critical messages of GLib are fatal. */
#pragma once

#include <glib.h>
#include <math.h>
#include <string.h>

#ifdef TEST_GSTCHECK
#include <gst/check/gstcheck.h>
typedef TFun TestFunction;
#else
#include <check.h>
typedef const TTest *TestFunction;
#endif

/* In the order of main (): test_init (), test_suite () with its cases, as often as needed, and
 * test_run (), whose result is main ()'s. */
void test_init (int *argc, char ***argv);
/* Cases that are added from now on are this suite's. */
void test_suite (const char *name);
/* Cases that are added from now on, up to the next suite, run between these. */
void test_fixture (SFun set_up, SFun tear_down);
int test_run (void);
/* The same in one process, for cases that share what is slow to make. */
int test_run_in_process (void);

/* The case "/SUITE/NAME". */
void test_add (const char *name, TestFunction function);
/* The case "/SUITE/NAME/ROW", or "/SUITE/ROW" if the name is NULL, which runs the function with
 * _i = index. */
void test_add_row (const char *name, const char *row, TestFunction function, guint index);
/* A case for each row; rows begin with their names. */
void test_add_rows (const char *name, TestFunction function, gconstpointer rows, gsize row_size,
                    guint n_rows);
#define TEST_ADD_ROWS(name, function, rows) \
  test_add_rows (name, function, rows, sizeof *(rows), G_N_ELEMENTS (rows))
/* The same of rows without names: their numbers are. */
void test_add_loop (const char *name, TestFunction function, guint n_rows);
#define TEST_ADD_LOOP(name, function, rows) test_add_loop (name, function, G_N_ELEMENTS (rows))

/* Reports the running case as skipped; the caller returns. */
void test_skip (const char *reason);
/* Prints what helps to understand a failure. */
void test_message (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* -- what Check has no assertions for -- */

#define ck_assert_no_error(error) \
  ck_assert_msg ((error) == NULL, "%s", (error) != NULL ? (error)->message : "")

#define ck_assert_error(error, domain, code)                                                       \
  ck_assert_msg (g_error_matches (error, domain, code), "expected the error %s, found: %s", #code, \
                 (error) != NULL ? (error)->message : "none")

#define ck_assert_contains(text, part)                                                       \
  do {                                                                                       \
    const char *_text = (text), *_part = (part);                                             \
                                                                                             \
    ck_assert_msg (_text != NULL && strstr (_text, _part) != NULL, "“%s” does not say “%s”", \
                   _text != NULL ? _text : "(null)", _part);                                 \
  } while (0)

#define ck_assert_bytes_eq(a, a_size, b, b_size)                                             \
  do {                                                                                       \
    gsize _a_size = (a_size), _b_size = (b_size);                                            \
                                                                                             \
    ck_assert_uint_eq (_a_size, _b_size);                                                    \
    ck_assert_msg (_a_size == 0 || memcmp (a, b, _a_size) == 0, "%s and %s differ", #a, #b); \
  } while (0)

/* -- what GStreamer's copy lacks -- */

#ifdef TEST_GSTCHECK
#define TEST_COMPARE(a, op, b)                                          \
  do {                                                                  \
    double _a = (a), _b = (b);                                          \
                                                                        \
    ck_assert_msg (_a op _b, "%s is %.9g, %s is %.9g", #a, _a, #b, _b); \
  } while (0)
#define ck_assert_double_eq(a, b) TEST_COMPARE (a, ==, b)
#define ck_assert_double_ne(a, b) TEST_COMPARE (a, !=, b)
#define ck_assert_double_lt(a, b) TEST_COMPARE (a, <, b)
#define ck_assert_double_le(a, b) TEST_COMPARE (a, <=, b)
#define ck_assert_double_gt(a, b) TEST_COMPARE (a, >, b)
#define ck_assert_double_ge(a, b) TEST_COMPARE (a, >=, b)
#define ck_assert_double_eq_tol(a, b, tolerance)                                            \
  do {                                                                                      \
    double _a = (a), _b = (b);                                                              \
                                                                                            \
    ck_assert_msg (fabs (_a - _b) < (tolerance), "%s is %.9g, %s is %.9g", #a, _a, #b, _b); \
  } while (0)
#define ck_assert_ptr_null(pointer) ck_assert_msg ((pointer) == NULL, "%s is not NULL", #pointer)
#define ck_assert_ptr_nonnull(pointer) ck_assert_msg ((pointer) != NULL, "%s is NULL", #pointer)
#define ck_assert_pstr_eq(a, b)                                                 \
  do {                                                                          \
    const char *_a = (a), *_b = (b);                                            \
                                                                                \
    ck_assert_msg (g_strcmp0 (_a, _b) == 0, "%s is “%s”, %s is “%s”", #a,       \
                   _a != NULL ? _a : "(null)", #b, _b != NULL ? _b : "(null)"); \
  } while (0)
#endif
