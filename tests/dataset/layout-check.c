/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "layout-check.h"

#include <string.h>

#include "check-main.h"
#include "dataset/boxes.h"
#include "support/folder.h"

static char *
describe (const GPtrArray *images)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < images->len; i++) {
    const EnsBoxedImage *image = images->pdata[i];
    static const char *const splits[] = {"", "t ", "v ", "e "};

    g_string_append_printf (text, "%s%s%s:", i > 0 ? "; " : "", splits[image->split + 1],
                            image->path + strlen (test_folder) + 1);
    for (guint b = 0; b < image->boxes->len; b++) {
      const EnsBox *box = &g_array_index (image->boxes, EnsBox, b);

      g_string_append_printf (text, " %s%s", box->label, box->crowd ? "*" : "");
      if (box->rect.width > 0)
        g_string_append_printf (text, "@%.3g,%.3g,%.3g,%.3g", (double)box->rect.x,
                                (double)box->rect.y, (double)box->rect.width,
                                (double)box->rect.height);
    }
    for (guint d = 0; d < image->doubts->len; d++)
      g_string_append_printf (text, " %s?",
                              image->doubts->pdata[d] ? (char *)image->doubts->pdata[d] : "");
    for (guint d = 0; image->denied != NULL && d < image->denied->len; d++)
      g_string_append_printf (text, " -%s", (char *)image->denied->pdata[d]);
  }
  return g_string_free (text, FALSE);
}

static void
write_files (const LayoutFile *files)
{
  for (guint i = 0; i < LAYOUT_MAX_FILES && files[i].path != NULL; i++)
    test_folder_write (files[i].path, files[i].text != NULL ? files[i].text : "");
}

void
layout_check_read (const LayoutRow *row, gboolean slashed)
{
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) images = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *found = NULL, *told = NULL;
  g_autofree char *folder = g_strconcat (test_folder, slashed ? "/" : "", NULL);

  write_files (row->files);
  images = ens_boxes_load (folder, notes, &error);
  ck_assert_no_error (error);
  found = describe (images);
  ck_assert_pstr_eq (found, row->expected);
  g_ptr_array_add (notes, NULL);
  told = g_strjoinv ("\n", (char **)notes->pdata);
  for (guint n = 0; n < G_N_ELEMENTS (row->notes) && row->notes[n] != NULL; n++)
    ck_assert_contains (told, row->notes[n]);
  if (row->notes[0] == NULL)
    ck_assert_pstr_eq (told, "");
}

void
layout_check_refused (const LayoutRefusal *row)
{
  g_autofree char *path = g_build_filename (test_folder, "set", NULL);
  g_autoptr (GPtrArray) notes = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  test_folder_write ("a.jpg", "");
  write_files (row->files);
  ck_assert_ptr_null (ens_boxes_load (path, notes, &error));
  ck_assert_ptr_nonnull (error);
  ck_assert_contains (error->message, row->message);
}
