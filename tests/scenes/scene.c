/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scene.h"

#include <math.h>

#include "random.h"

/* Where a thing's centre may be, vertically, in pixels. */
static void
vertical_range (const Scene *scene, const Kind *kind, double size, double *low, double *high)
{
  double height = scene->stage.height, half = kind->half_height * size;
  double horizon = scene->setting.horizon * height;
  double slack = (1 - scene->stage.inside) * half;

  *low = half - slack;
  *high = height - half + slack;
  if (horizon <= 0 || horizon > 0.75 * height || kind->habitat == ANYWHERE)
    return;
  if (kind->habitat == FLIES)
    *high = MIN (*high, horizon);
  else
    *low = MAX (*low, horizon + 0.06 * height - half);
}

static Pose
place_thing (const Scene *scene, const Kind *kind, GRand *random)
{
  const Stage *stage = &scene->stage;
  double shorter = MIN (stage->width, stage->height);
  Pose pose = {.size = shorter * between (random, stage->smallest, stage->largest)};
  double half = pose.size / 2, edge = half * (2 * stage->inside - 1), low, high;

  vertical_range (scene, kind, pose.size, &low, &high);
  pose.y = low < high ? between (random, low, high) : (low + high) / 2;
  pose.x = between (random, MIN (edge, stage->width / 2.0),
                    MAX (stage->width - edge, stage->width / 2.0));
  pose.angle = between (random, -kind->turn, kind->turn);
  pose.stretch = exp (between (random, -0.12, 0.12));
  pose.flip = chance (random, 0.5);
  return pose;
}

/* A thing that moves crosses the picture the way it faces; all others stay in their place, which
 * passes by the camera. */
static void
set_motion (const Scene *scene, Actor *actor, GRand *random)
{
  const Stage *stage = &scene->stage;
  double way = actor->kind->speed * between (random, 0.2, 0.32) * stage->width * stage->seconds;

  actor->to = actor->from;
  if (stage->seconds <= 0)
    return;
  way *= actor->from.flip ? -1 : 1;
  if (way != 0)
    actor->from.x = stage->width * between (random, 0.3, 0.7) - way / 2;
  actor->to.x = actor->from.x + way + scene->pan;
  if (actor->kind->speed > 0)
    actor->to.size *= between (random, 0.85, 1.15);
  if (actor->kind->habitat == STANDS || actor->kind->habitat == FLOATS)
    actor->to.y -= actor->kind->half_height * (actor->to.size - actor->from.size);
  else
    actor->to.y += between (random, -0.08, 0.08) * stage->height;
  actor->cycles = between (random, 0.6, 1.4) * stage->seconds;
}

static double
area_shared (const Pose *a, const Pose *b)
{
  double reach = 0.4 * (a->size + b->size);
  double x = reach - fabs (a->x - b->x), y = reach - fabs (a->y - b->y);
  double smaller = MIN (a->size, b->size);

  return x > 0 && y > 0 ? MIN (x, smaller) * MIN (y, smaller) / (smaller * smaller) : 0;
}

/* Of several places found by chance the one that covers others least. */
static Pose
place_beside (const Scene *scene, const Kind *kind, GRand *random)
{
  Pose best = {0};
  double least = G_MAXDOUBLE;

  for (guint attempt = 0; attempt < 8; attempt++) {
    Pose pose = place_thing (scene, kind, random);
    double shared = 0;

    for (guint i = 0; i < scene->actors->len; i++)
      shared += area_shared (&pose, &g_array_index (scene->actors, Actor, i).from);
    if (shared < least) {
      least = shared;
      best = pose;
    }
  }
  return best;
}

static int
compare_depth (gconstpointer a, gconstpointer b)
{
  const Actor *one = a, *two = b;
  double near_one = one->from.y + one->kind->half_height * one->from.size;
  double near_two = two->from.y + two->kind->half_height * two->from.size;

  return (near_one > near_two) - (near_one < near_two);
}

static const Place *
choose_place (const Kind *const *kinds, guint n_kinds, GRand *random)
{
  const char *usual = n_kinds > 0 ? kinds[pick (random, n_kinds)]->place : NULL;

  if (usual && chance (random, 0.6))
    return place_find (usual);
  return &places[pick (random, n_places)];
}

Scene *
scene_new (const Stage *stage, const Kind *const *kinds, guint n_kinds, GRand *random)
{
  Scene *scene = g_new0 (Scene, 1);

  scene->stage = *stage;
  scene->setting = setting_new (choose_place (kinds, n_kinds, random), random);
  scene->pan =
      stage->seconds > 0 ? between (random, -0.04, 0.04) * stage->width * stage->seconds : 0;
  scene->actors = g_array_new (FALSE, FALSE, sizeof (Actor));
  for (guint i = 0; i < n_kinds; i++) {
    Actor actor = {.kind = kinds[i], .look = look_new (random)};

    actor.from = place_beside (scene, kinds[i], random);
    actor.look.phase = g_rand_double (random);
    set_motion (scene, &actor, random);
    g_array_append_val (scene->actors, actor);
  }
  g_array_sort (scene->actors, compare_depth);
  scene->background =
      setting_paint (&scene->setting, stage->width + (int)ceil (fabs (scene->pan)), stage->height);
  return scene;
}

void
scene_free (Scene *scene)
{
  g_array_unref (scene->actors);
  cairo_surface_destroy (scene->background);
  g_free (scene);
}

static Sprite
draw_actor (const Actor *actor, double time)
{
  const Pose *from = &actor->from, *to = &actor->to;
  Look look = actor->look;
  Pose pose = *from;

  look.phase += time * actor->cycles;
  pose.x += (to->x - from->x) * time;
  pose.y += (to->y - from->y) * time;
  pose.size += (to->size - from->size) * time;
  if (actor->kind->habitat != STANDS)
    pose.angle += 0.05 * sin (2 * G_PI * actor->cycles * time);
  return sprite_draw (actor->kind, &look, &pose);
}

static void
observe (const Scene *scene, const Sprite *sprites, GArray *truths)
{
  Cover cover = {.width = scene->stage.width, .height = scene->stage.height};
  gsize n_pixels = (gsize)cover.width * cover.height;
  g_autofree guint8 *clear = g_malloc (n_pixels);

  memset (clear, 255, n_pixels);
  cover.clear = clear;
  for (guint i = scene->actors->len; i-- > 0;) {
    VisibleThing truth = {.kind = g_array_index (scene->actors, Actor, i).kind, .actor = i};

    truth.visible = sprite_uncover (&sprites[i], &cover);
    truth.box = sprite_box (&sprites[i], cover.width, cover.height);
    if (truth.box.width > 0)
      g_array_append_val (truths, truth);
  }
}

cairo_surface_t *
scene_render (const Scene *scene, double time, GArray *truths)
{
  guint n = scene->actors->len;
  cairo_surface_t *picture =
      cairo_image_surface_create (CAIRO_FORMAT_RGB24, scene->stage.width, scene->stage.height);
  g_autofree Sprite *sprites = g_new0 (Sprite, n + 1);
  cairo_t *cr = cairo_create (picture);

  cairo_set_source_surface (cr, scene->background, scene->pan * time - MAX (scene->pan, 0), 0);
  cairo_paint (cr);
  for (guint i = 0; i < n; i++) {
    sprites[i] = draw_actor (&g_array_index (scene->actors, Actor, i), time);
    sprite_paint (&sprites[i], cr);
  }
  cairo_destroy (cr);
  cairo_surface_flush (picture);
  if (truths)
    observe (scene, sprites, truths);
  for (guint i = 0; i < n; i++)
    sprite_clear (&sprites[i]);
  return picture;
}
