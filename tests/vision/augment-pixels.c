/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Noise, sharpening and colours, beside values worked out by hand. */
#include "vision/augment.h"

#include "check-main.h"
#include "vision/picture.h"

enum { WIDTH = 40, HEIGHT = 30, N = WIDTH * HEIGHT };

static const EnsNormalise rgb = {ENS_ORDER_RGB, {0}, {1, 1, 1}};
static const EnsNormalise bgr = {ENS_ORDER_BGR, {0}, {1, 1, 1}};
static const EnsNormalise gray = {ENS_ORDER_GRAY, {0}, {1}};

static EnsPicture *
draw_plain (guint8 red, guint8 green, guint8 blue)
{
  EnsPicture *picture = ens_picture_new (ENS_PIXELS_RGB, WIDTH, HEIGHT);

  for (guint i = 0; i < N; i++) {
    guint8 *pixel =
        ens_picture_get_pixels (picture, 0) + i / WIDTH * picture->frame.strides[0] + i % WIDTH * 3;

    pixel[0] = red;
    pixel[1] = green;
    pixel[2] = blue;
  }
  return picture;
}

/* The picture as it is, the operations as the caller sets them. */
static EnsAugmentation
begin (guint operations)
{
  return (EnsAugmentation) {.operations = operations,
                            .view = ENS_RECT_WHOLE,
                            .aspect = (double)WIDTH / HEIGHT,
                            .scale = 1,
                            .contrast = 1,
                            .saturation = 1,
                            .gain = 1,
                            .noise_stream = {.purpose = ENS_RANDOM_NOISE}};
}

/* -- noise -- */

/* Mean 0 and the drawn deviation; different in each channel, epoch and item, the same again for the
 * same ones. */
START_TEST (test_noise)
{
  EnsAugmentation augmentation = begin (1u << ENS_AUGMENT_NOISE);
  g_autoptr (EnsPicture) picture = draw_plain (128, 128, 128);
  float first[N * 3], again[N * 3];
  double sum = 0, squares = 0, products = 0;

  augmentation.noise = 8;
  ens_augment_frame (&augmentation, &picture->frame, WIDTH, HEIGHT, &rgb, first);
  ens_augment_frame (&augmentation, &picture->frame, WIDTH, HEIGHT, &rgb, again);
  ck_assert_bytes_eq (first, sizeof first, again, sizeof again);
  augmentation.noise_stream.item++;
  ens_augment_frame (&augmentation, &picture->frame, WIDTH, HEIGHT, &rgb, again);
  for (guint i = 0; i < N * 3; i++) {
    const double noise = first[i] - 128;

    sum += noise;
    squares += noise * noise;
    products += noise * (again[i] - 128);
  }
  ck_assert_double_eq_tol (sum / (N * 3), 0, 4 * 8 / sqrt (N * 3));
  ck_assert_double_eq_tol (squares / (N * 3), 64, 4 * 64 * sqrt (2.0 / (N * 3)));
  ck_assert_double_eq_tol (products / (N * 3), 0, 4 * 64 / sqrt (N * 3));
  ck_assert_float_ne (first[0], first[1]);
}
END_TEST

/* -- sharpening -- */

/* A step from 100 to 140: beside it the blur is 110 and 130. Constant areas stay, borders too. */
START_TEST (test_sharpen)
{
  EnsAugmentation augmentation = begin (1u << ENS_AUGMENT_SHARPEN);
  g_autoptr (EnsPicture) picture = draw_plain (100, 100, 100);
  float out[N * 3];
  guint n_wrong = 0;

  for (guint y = 0; y < HEIGHT; y++)
    memset (ens_picture_get_pixels (picture, 0) + y * picture->frame.strides[0] + 60, 140, 60);
  augmentation.sharpen = 0.5;
  ens_augment_frame (&augmentation, &picture->frame, WIDTH, HEIGHT, &rgb, out);
  for (guint i = 0; i < N * 3; i++) {
    const guint x = i / 3 % WIDTH;
    const float expected = x == 19 ? 95 : x == 20 ? 145 : x < 20 ? 100 : 140;

    n_wrong += fabsf (out[i] - expected) > 1e-4F;
  }
  ck_assert_uint_eq (n_wrong, 0);
}
END_TEST

/* -- colours -- */

static const struct {
  const char *name;
  double brightness, contrast, saturation, hue;
  guint8 in[3];
  float out[3];
} colours[] = {
    {"nothing", 0, 1, 1, 0, {200, 100, 50}, {200, 100, 50}},
    {"brighter", 30, 1, 1, 0, {200, 100, 50}, {230, 130, 80}},
    {"clipped", 100, 1, 1, 0, {200, 100, 50}, {255, 200, 150}},
    /* luma 124.2: halfway to it, as the picture's and as the pixel's own */
    {"no-contrast", 0, 0.5, 1, 0, {200, 100, 50}, {162.1F, 112.1F, 87.1F}},
    {"pale", 0, 1, 0.5, 0, {200, 100, 50}, {162.1F, 112.1F, 87.1F}},
    {"gray", 0, 1, 0, 0, {200, 100, 50}, {124.2F, 124.2F, 124.2F}},
    /* mirrored at luma */
    {"half-turn", 0, 1, 1, 0.5, {150, 120, 90}, {101.1F, 131.1F, 161.1F}},
    {"half-turn-back", 0, 1, 1, -0.5, {150, 120, 90}, {101.1F, 131.1F, 161.1F}},
    /* U, V = -17.49, 21.44 become -21.44, -17.49 */
    {"quarter-turn", 0, 1, 1, 0.25, {150, 120, 90}, {105.606F, 144.173F, 81.967F}},
    {"grays-stay", 0, 1, 1.5, 0.2, {77, 77, 77}, {77, 77, 77}},
};

START_TEST (test_colour)
{
  EnsAugmentation augmentation = begin (1u << ENS_AUGMENT_COLOUR);
  const guint8 *in = colours[_i].in;
  g_autoptr (EnsPicture) picture = draw_plain (in[0], in[1], in[2]);
  float out[N * 3];

  augmentation.brightness = colours[_i].brightness;
  augmentation.contrast = colours[_i].contrast;
  augmentation.saturation = colours[_i].saturation;
  augmentation.hue = colours[_i].hue;
  for (guint first = 0; first < 2; first++)
    for (guint order = 0; order < 2; order++) {
      augmentation.colours_first = first;
      ens_augment_frame (&augmentation, &picture->frame, WIDTH, HEIGHT, order ? &bgr : &rgb, out);
      for (guint c = 0; c < 3; c++)
        ck_assert_float_eq_tol (out[order ? 2 - c : c], colours[_i].out[c], 0.01F);
    }
}
END_TEST

/* Clipped in between: bright first, then pale, is not pale first, then bright. */
START_TEST (test_orders)
{
  EnsAugmentation augmentation = begin (1u << ENS_AUGMENT_COLOUR);
  g_autoptr (EnsPicture) picture = draw_plain (200, 100, 50);
  float out[N * 3];

  augmentation.brightness = 100;
  augmentation.saturation = 0;
  ens_augment_frame (&augmentation, &picture->frame, WIDTH, HEIGHT, &rgb, out);
  ck_assert_float_eq_tol (out[0], 0.299F * 255 + 0.587F * 200 + 0.114F * 150, 0.01F);
  augmentation.colours_first = TRUE;
  ens_augment_frame (&augmentation, &picture->frame, WIDTH, HEIGHT, &rgb, out);
  ck_assert_float_eq_tol (out[0], 224.2F, 0.01F);
}
END_TEST

/* Five of them, none like another or like the usual order; what one channel gets is another's. */
START_TEST (test_exchange)
{
  EnsAugmentation augmentation = begin (1u << ENS_AUGMENT_EXCHANGE);
  g_autoptr (EnsPicture) picture = draw_plain (1, 2, 3);
  guint seen = 0;

  for (guint i = 0; i < 5; i++) {
    float out[N * 3];
    guint digits;

    augmentation.exchange = i;
    ens_augment_frame (&augmentation, &picture->frame, WIDTH, HEIGHT, &rgb, out);
    digits = (guint)(out[0] * 100 + out[1] * 10 + out[2]);
    ck_assert_uint_eq ((guint)(1 << (int)out[0] | 1 << (int)out[1] | 1 << (int)out[2]), 0xe);
    ck_assert_uint_ne (digits, 123);
    ck_assert (!(seen & 1u << digits % 31));
    seen |= 1u << digits % 31;
  }
}
END_TEST

/* -- one channel -- */

/* Dark, bright, and in between. */
static const guint8 levels[][3] = {{0, 0, 0}, {255, 255, 255}, {100, 150, 200}, {250, 5, 128}};

/* Only one channel changes, by less than the bound in every picture, and often by close to it. */
START_TEST (test_channel)
{
  EnsAugmentOptions options = ENS_AUGMENT_NONE;
  g_autoptr (EnsPicture) picture = draw_plain (levels[_i][0], levels[_i][1], levels[_i][2]);
  guint n_wrong = 0;
  double largest = 0;

  options.probability[ENS_AUGMENT_CHANNEL] = 1;
  options.gain = (EnsAugmentRange) {0.9, 1.1};
  options.offset = (EnsAugmentRange) {-24, 24};
  for (guint i = 0; i < 300; i++) {
    const EnsAugmentItem item = {2, 0, i, FALSE, WIDTH, HEIGHT, ENS_RECT_WHOLE};
    double changes[3] = {0};
    EnsAugmentation drawn;
    float out[N * 3];

    ens_augment_draw (&options, &item, &drawn);
    ens_augment_frame (&drawn, &picture->frame, WIDTH, HEIGHT, &rgb, out);
    for (guint v = 0; v < N * 3; v++) {
      changes[v % 3] += fabs ((double)out[v] - levels[_i][v % 3]) / N;
      n_wrong += out[v] < 0 || out[v] > 255;
    }
    for (guint c = 0; c < 3; c++)
      n_wrong += c == drawn.channel ? changes[c] >= ENS_AUGMENT_CHANNEL_BOUND : changes[c] != 0;
    largest = fmax (largest, changes[drawn.channel]);
  }
  ck_assert_uint_eq (n_wrong, 0);
  ck_assert_double_gt (largest, 20);
}
END_TEST

/* The bound holds after all other changes, too: against the same picture without the change. */
START_TEST (test_channel_last)
{
  EnsAugmentOptions options = ENS_AUGMENT_DEFAULTS;
  g_autoptr (EnsPicture) picture = draw_plain (90, 150, 210);
  guint n_wrong = 0;

  options.offset = (EnsAugmentRange) {-200, 200};
  for (guint o = 0; o < ENS_AUGMENT_EXCHANGE; o++)
    options.probability[o] = 1;
  for (guint i = 0; i < 100; i++) {
    const EnsAugmentItem item = {2, 0, i, i % 2, WIDTH, HEIGHT, ENS_RECT_WHOLE};
    float with[N * 3], without[N * 3];
    EnsAugmentation drawn;
    double change = 0;

    ens_augment_draw (&options, &item, &drawn);
    ens_augment_frame (&drawn, &picture->frame, WIDTH, HEIGHT, &rgb, with);
    drawn.operations &= ~(1u << ENS_AUGMENT_CHANNEL);
    ens_augment_frame (&drawn, &picture->frame, WIDTH, HEIGHT, &rgb, without);
    for (guint v = drawn.channel; v < N * 3; v += 3)
      change += fabs ((double)with[v] - without[v]) / N;
    n_wrong += change >= ENS_AUGMENT_CHANNEL_BOUND;
  }
  ck_assert_uint_eq (n_wrong, 0);
}
END_TEST

/* -- gray -- */

/* Networks of one channel see brightness and contrast, and no colours. */
START_TEST (test_gray)
{
  EnsAugmentation augmentation =
      begin (1u << ENS_AUGMENT_COLOUR | 1u << ENS_AUGMENT_EXCHANGE | 1u << ENS_AUGMENT_CHANNEL);
  g_autoptr (EnsPicture) picture = draw_plain (200, 100, 50);
  float out[N];

  augmentation.brightness = -10;
  augmentation.contrast = 1.5;
  augmentation.saturation = 0.5;
  augmentation.hue = 0.2;
  augmentation.offset = 20;
  ens_augment_frame (&augmentation, &picture->frame, WIDTH, HEIGHT, &gray, out);
  for (guint i = 0; i < N; i += 97)
    ck_assert_float_eq_tol (out[i], 114.2F, 0.01F);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vision/augment-pixels");
  test_add ("noise", test_noise);
  test_add ("sharpen", test_sharpen);
  TEST_ADD_ROWS ("colour", test_colour, colours);
  test_add ("orders", test_orders);
  test_add ("exchange", test_exchange);
  for (guint i = 0; i < G_N_ELEMENTS (levels); i++) {
    g_autofree char *row = g_strdup_printf ("%u-%u-%u", levels[i][0], levels[i][1], levels[i][2]);

    test_add_row ("channel", row, test_channel, i);
  }
  test_add ("channel-last", test_channel_last);
  test_add ("gray", test_gray);
  return test_run ();
}
