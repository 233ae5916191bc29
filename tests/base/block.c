/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocks of every kind: small, a mapping, one with huge pages. */
#include "base/block.h"

#include "check-main.h"

/* Sanitizers get heap memory, keep what is freed, and end the program where memory ends. */
#ifdef __SANITIZE_ADDRESS__
#define HUGE_PAGE 64
#else
#define HUGE_PAGE (2 << 20)
#endif

static const struct {
  const char *name;
  gsize size, alignment;
} sizes[] = {
    {"none", 0, 64},
    {"byte", 1, 64},
    {"vector", 64, 64},
    {"odd", 12345, 64},
    {"below-mapping", (1 << 20) - 1, 64},
    {"mapping", 1 << 20, 64},
    {"below-huge-page", (2 << 20) - 1, 64},
    {"huge-page", 2 << 20, HUGE_PAGE},
    {"odd-huge-pages", (5 << 20) + 4097, HUGE_PAGE},
};

START_TEST (test_alignment)
{
  gpointer blocks[3];

  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++) {
    blocks[i] = ens_block_try_new (sizes[_i].size);
    ck_assert_ptr_nonnull (blocks[i]);
    ck_assert_uint_eq ((guintptr)blocks[i] % sizes[_i].alignment, 0);
    memset (blocks[i], (gint)i + 1, sizes[_i].size);
  }
  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++) {
    const guint8 *bytes = blocks[i];

    for (gsize k = 0; k < sizes[_i].size; k += 61)
      if (bytes[k] != i + 1)
        ck_abort_msg ("byte %" G_GSIZE_FORMAT " of block %u was overwritten", k, i);
    ens_block_free (blocks[i]);
  }
}
END_TEST

START_TEST (test_null)
{
  ens_block_free (NULL);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__
/* More than an address space has, and sizes to which nothing can be added. */
static const struct {
  const char *name;
  gsize size;
} impossible[] = {{"space", G_MAXSIZE / 2}, {"sum", G_MAXSIZE}, {"sum-of-heap", G_MAXSIZE - 100}};

START_TEST (test_impossible)
{
  ck_assert_ptr_null (ens_block_try_new (impossible[_i].size));
}
END_TEST

/* KiB in memory. */
static guint64
get_resident (void)
{
  g_autofree char *text = NULL;

  ck_assert (g_file_get_contents ("/proc/self/status", &text, NULL, NULL));
  return g_ascii_strtoull (strstr (text, "VmRSS:") + strlen ("VmRSS:"), NULL, 10);
}

/* What is freed is given back at once, whatever else was allocated meanwhile. */
START_TEST (test_given_back)
{
  enum { N = 16, SIZE = 3 << 20 };
  gpointer blocks[N], small[N];
  const guint64 before = get_resident ();

  for (guint round = 0; round < 4; round++) {
    for (guint i = 0; i < N; i++) {
      blocks[i] = ens_block_new (SIZE + round * 12345);
      small[i] = g_malloc (1000);
      memset (blocks[i], 1, SIZE);
    }
    for (guint i = 0; i < N; i++)
      ens_block_free (blocks[i]);
    ck_assert_uint_lt (get_resident () - before, SIZE >> 10);
    for (guint i = 0; i < N; i++)
      g_free (small[i]);
  }
}
END_TEST
#endif

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("block");
  TEST_ADD_ROWS ("alignment", test_alignment, sizes);
  test_add ("null", test_null);
#ifndef __SANITIZE_ADDRESS__
  TEST_ADD_ROWS ("impossible", test_impossible, impossible);
  test_add ("given-back", test_given_back);
#endif
  return test_run ();
}
