/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "encode.h"
#include "random.h"
#include "scene.h"
#include "write.h"

enum { PURPOSE_CLIP = 3 };

#define SECONDS_PER_SCENE 2

/* How many things are in one scene after the other; again from the start when it runs out. */
static const guint crowd[] = {2, 4, 0, 3, 5, 0};

typedef struct {
  const ClipOptions *options;
  Encoder *encoder;
  GString *table;
  GRand *random;
  const Kind **deck; /* the classes, shuffled: every class comes before one comes again */
  guint n_dealt;
  guint n_frames;
} ClipWriter;

static const Kind *
deal (ClipWriter *writer)
{
  guint n = writer->options->classes.n_kinds, next = writer->n_dealt++ % n;

  if (next == 0) {
    for (guint i = n - 1; i > 0; i--) {
      guint j = pick (writer->random, i + 1);
      const Kind *kind = writer->deck[i];

      writer->deck[i] = writer->deck[j];
      writer->deck[j] = kind;
    }
  }
  return writer->deck[next];
}

static Scene *
compose (ClipWriter *writer, guint index, guint n_frames)
{
  const Kind *things[G_N_ELEMENTS (crowd)];
  const ClipOptions *options = writer->options;
  guint n = crowd[index % G_N_ELEMENTS (crowd)];
  Stage stage = {.width = options->width,
                 .height = options->height,
                 .smallest = 0.25,
                 .largest = n < 3 ? 0.85 : 0.65,
                 .seconds = (double)n_frames / options->frames_per_second,
                 .inside = 0.85};

  for (guint i = 0; i < n; i++)
    things[i] = deal (writer);
  return scene_new (&stage, things, n, writer->random);
}

static void
append_truths (ClipWriter *writer, guint scene, GArray *truths)
{
  char seconds[G_ASCII_DTOSTR_BUF_SIZE], visible[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (seconds, sizeof seconds, "%.2f",
                   (double)writer->n_frames / writer->options->frames_per_second);
  for (guint i = 0; i < truths->len; i++) {
    const VisibleThing *truth = &g_array_index (truths, VisibleThing, i);

    g_ascii_formatd (visible, sizeof visible, "%.3f", truth->visible);
    g_string_append_printf (writer->table, "%u,%s,%u,%u,%s,%d,%d,%d,%d,%s\n", writer->n_frames,
                            seconds, scene, truth->actor, truth->kind->name, truth->box.x,
                            truth->box.y, truth->box.width, truth->box.height, visible);
  }
}

static gboolean
write_scene (ClipWriter *writer, guint index, guint n_frames, GError **error)
{
  g_autoptr (Scene) scene = compose (writer, index, n_frames);
  g_autoptr (GArray) truths = g_array_new (FALSE, FALSE, sizeof (VisibleThing));

  for (guint i = 0; i < n_frames; i++) {
    cairo_surface_t *picture;
    gboolean added;

    g_array_set_size (truths, 0);
    picture = scene_render (scene, (double)i / n_frames, truths);
    append_truths (writer, index, truths);
    added = encoder_add_frame (writer->encoder, picture, error);
    cairo_surface_destroy (picture);
    if (!added)
      return FALSE;
    writer->n_frames++;
  }
  return TRUE;
}

static gboolean
write_scenes (ClipWriter *writer, GError **error)
{
  guint rate = writer->options->frames_per_second, total = writer->options->seconds * rate;
  guint per_scene = SECONDS_PER_SCENE * rate;

  for (guint i = 0; i * per_scene < total; i++) {
    if (!write_scene (writer, i, MIN (per_scene, total - i * per_scene), error))
      return FALSE;
  }
  return encoder_finish (writer->encoder, error);
}

gboolean
write_clip (const char *path, const char *truth_path, const ClipOptions *options, GError **error)
{
  g_autoptr (Encoder) encoder = encoder_new_clip (path, options->frames_per_second, error);
  g_autoptr (GRand) random = random_for (options->seed, PURPOSE_CLIP, 0, 0);
  g_autoptr (GString) table =
      g_string_new ("frame,seconds,scene,object,class,x,y,width,height,visible\n");
  g_autofree const Kind **deck =
      g_memdup2 (options->classes.kinds, options->classes.n_kinds * sizeof (Kind *));
  ClipWriter writer = {options, encoder, table, random, deck};

  if (!encoder || !write_scenes (&writer, error))
    return FALSE;
  return g_file_set_contents (truth_path, table->str, table->len, error);
}
