/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>

#include "encode.h"
#include "random.h"
#include "scene.h"
#include "write.h"

enum { PURPOSE_SET = 1, PURPOSE_BOXES = 2 };

#define MAX_STRANGERS 3 /* beside a thing of a class */
#define STRANGERS 0.1   /* their share in a crowd */

/* Pictures of people's cameras: several formats, upright and across. */
static const double aspects[] = {1, 4.0 / 3, 3.0 / 4, 3.0 / 2};

/* To whole blocks of JPEG: what GStreamer's encoder puts into the rest of a block is not always the
 * same. */
static int
whole_blocks (double length)
{
  return MAX (16, 16 * (int)(length / 16 + 0.5));
}

static Stage
picture_stage (int size, GRand *random)
{
  double aspect = aspects[pick (random, G_N_ELEMENTS (aspects))];
  double shorter = size * between (random, 0.85, 1.15);

  return (Stage) {.width = whole_blocks (shorter * MAX (aspect, 1)),
                  .height = whole_blocks (shorter / MIN (aspect, 1)),
                  .inside = 0.9};
}

static gboolean
make_folder (const char *folder, GError **error)
{
  if (g_mkdir_with_parents (folder, 0777) == 0)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno),
               "%s: can't make the folder: %s", folder, g_strerror (errno));
  return FALSE;
}

static gboolean
save_scene (Scene *scene, Encoder *encoder, const char *path, GArray *truths, GRand *random,
            GError **error)
{
  cairo_surface_t *picture = scene_render (scene, 0, truths);
  gboolean saved;

  photograph (picture, random);
  saved = encoder_save_still (encoder, picture, path, error);
  cairo_surface_destroy (picture);
  return saved;
}

/* One thing of the class among up to three strangers, the more the smaller: where it is small it is
 * for windows to find it. No class: strangers, or nothing at all. */
static Scene *
compose_labelled (const PicturesOptions *options, const Kind *kind, GRand *random)
{
  const Kind *things[MAX_STRANGERS + 1];
  Stage stage = picture_stage (options->size, random);
  guint n_strangers = options->strangers.n_kinds > 0 ? pick (random, MAX_STRANGERS + 1) : 0, n = 0;

  stage.smallest = 0.22;
  stage.largest = 0.9 - 0.15 * n_strangers;
  if (kind)
    things[n++] = kind;
  for (guint i = 0; i < n_strangers; i++)
    things[n++] = options->strangers.kinds[pick (random, options->strangers.n_kinds)];
  return scene_new (&stage, things, n, random);
}

static gboolean
write_class (const char *folder, const PicturesOptions *options, guint split, guint class_index,
             Encoder *encoder, GError **error)
{
  static const char *const splits[] = {"train", "validation", "test"};
  const guint counts[] = {options->n_train, options->n_validation, options->n_test};
  const Kind *kind =
      class_index < options->classes.n_kinds ? options->classes.kinds[class_index] : NULL;
  g_autofree char *class_folder =
      g_build_filename (folder, splits[split], kind ? kind->name : "none", NULL);

  if (!make_folder (class_folder, error))
    return FALSE;
  for (guint i = 0; i < counts[split]; i++) {
    g_autoptr (GRand) random =
        random_for (options->seed, PURPOSE_SET, split * 1000 + class_index, i);
    g_autoptr (Scene) scene = compose_labelled (options, kind, random);
    g_autofree char *path = g_strdup_printf ("%s/%04u.jpg", class_folder, i + 1);

    if (!save_scene (scene, encoder, path, NULL, random, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
write_set (const char *folder, const PicturesOptions *options, GError **error)
{
  g_autoptr (Encoder) encoder = encoder_new_stills (error);

  if (!encoder)
    return FALSE;
  for (guint split = 0; split < 3; split++) {
    for (guint i = 0; i <= options->classes.n_kinds; i++) {
      if (!write_class (folder, options, split, i, encoder, error))
        return FALSE;
    }
  }
  return TRUE;
}

static Scene *
compose_crowd (const PicturesOptions *options, GRand *random)
{
  const Kind *things[5];
  Stage stage = picture_stage (options->size, random);
  guint n = pick (random, G_N_ELEMENTS (things) + 1);

  for (guint i = 0; i < n; i++) {
    gboolean stranger = chance (random, STRANGERS) && options->strangers.n_kinds > 0;
    const KindList *list = stranger ? &options->strangers : &options->classes;

    things[i] = list->kinds[pick (random, list->n_kinds)];
  }
  stage.smallest = 0.18;
  stage.largest = n < 2 ? 1.0 : n < 4 ? 0.75 : 0.5;
  stage.inside = 0.7;
  return scene_new (&stage, things, n, random);
}

static gboolean
is_in (const KindList *list, const Kind *kind)
{
  for (guint i = 0; i < list->n_kinds; i++)
    if (list->kinds[i] == kind)
      return TRUE;
  return FALSE;
}

/* VOC's source of the image is the place. */
static char *
annotation (const char *id, const Scene *scene, GArray *truths, const KindList *classes)
{
  GString *xml = g_string_new (NULL);

  g_string_append_printf (xml,
                          "<annotation>\n  <filename>%s.jpg</filename>\n  <source><image>%s</image>"
                          "</source>\n  <size><width>%d</width><height>%d</height>"
                          "<depth>3</depth></size>\n",
                          id, scene->setting.place->name, scene->stage.width, scene->stage.height);
  for (guint i = 0; i < truths->len; i++) {
    const VisibleThing *truth = &g_array_index (truths, VisibleThing, i);
    const Box *box = &truth->box;

    if (!is_in (classes, truth->kind))
      continue;
    g_string_append_printf (
        xml,
        "  <object><name>%s</name><truncated>%d</truncated><difficult>%d"
        "</difficult>\n    <bndbox><xmin>%d</xmin><ymin>%d</ymin><xmax>%d</xmax>"
        "<ymax>%d</ymax></bndbox></object>\n",
        truth->kind->name, truth->visible < 0.95, truth->visible < 0.4, box->x + 1, box->y + 1,
        box->x + box->width, box->y + box->height);
  }
  g_string_append (xml, "</annotation>\n");
  return g_string_free (xml, FALSE);
}

static gboolean
write_crowd (const char *folder, const PicturesOptions *options, guint index, Encoder *encoder,
             GError **error)
{
  g_autofree char *id = g_strdup_printf ("%06u", index + 1);
  g_autofree char *picture = g_strdup_printf ("%s/JPEGImages/%s.jpg", folder, id);
  g_autofree char *description = g_strdup_printf ("%s/Annotations/%s.xml", folder, id);
  g_autoptr (GRand) random = random_for (options->seed, PURPOSE_BOXES, 0, index);
  g_autoptr (Scene) scene = compose_crowd (options, random);
  g_autoptr (GArray) truths = g_array_new (FALSE, FALSE, sizeof (VisibleThing));
  g_autofree char *xml = NULL;

  if (!save_scene (scene, encoder, picture, truths, random, error))
    return FALSE;
  xml = annotation (id, scene, truths, &options->classes);
  return g_file_set_contents (description, xml, -1, error);
}

static gboolean
write_split (const char *folder, const char *split, guint first, guint n, GError **error)
{
  g_autofree char *path = g_strdup_printf ("%s/ImageSets/Main/%s.txt", folder, split);
  g_autoptr (GString) ids = g_string_new (NULL);

  for (guint i = first; i < first + n; i++)
    g_string_append_printf (ids, "%06u\n", i + 1);
  return g_file_set_contents (path, ids->str, ids->len, error);
}

gboolean
write_boxes (const char *folder, const PicturesOptions *options, GError **error)
{
  static const char *const folders[] = {"JPEGImages", "Annotations", "ImageSets/Main"};
  guint first_test = options->n_train + options->n_validation;
  g_autoptr (Encoder) encoder = encoder_new_stills (error);

  if (!encoder)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *path = g_build_filename (folder, folders[i], NULL);

    if (!make_folder (path, error))
      return FALSE;
  }
  for (guint i = 0; i < first_test + options->n_test; i++) {
    if (!write_crowd (folder, options, i, encoder, error))
      return FALSE;
  }
  return write_split (folder, "train", 0, options->n_train, error)
         && write_split (folder, "val", options->n_train, options->n_validation, error)
         && write_split (folder, "test", first_test, options->n_test, error);
}
