/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proposal.h"

#include "text.h"

/* Where it says how a part is known, unless the part itself takes more. */
#define REASON_COLUMN 34

/* "127.5" if the channels are alike, else "104 117 123". (transfer full) */
static char *
join_channels (const float *channels, guint n)
{
  if (n == 1 || (channels[0] == channels[1] && channels[1] == channels[2]))
    return g_strdup_printf ("%.5g", (double)channels[0]);
  return g_strdup_printf ("%.5g %.5g %.5g", (double)channels[0], (double)channels[1],
                          (double)channels[2]);
}

void
tool_proposal_print_line (const char *name, const char *text, const char *reason)
{
  g_autoptr (GString) line = g_string_new (NULL);
  guint width;

  g_string_append_printf (line, "  %-6s  %s", name, text);
  width = (guint)g_utf8_strlen (line->str, -1);
  if (width + 2 > REASON_COLUMN) {
    g_string_append_c (line, '\n');
    width = 0;
  }
  g_string_append_printf (line, "%*s", (int)(REASON_COLUMN - width), "");
  tool_append_words (line, reason, REASON_COLUMN, REASON_COLUMN);
  g_print ("%s", line->str);
}

static void
print_part (const EnsPreprocess *preprocess, EnsPreprocessPart part, const char *name,
            const char *text)
{
  g_autofree char *reason = ens_preprocess_explain (preprocess, part);

  if (reason != NULL)
    tool_proposal_print_line (name, text, reason);
}

static void
print_normalise (const EnsPreprocess *preprocess)
{
  const EnsNormalise *normalise = &preprocess->normalise;
  guint n = ens_order_channels (normalise->order);
  g_autofree char *mean = join_channels (normalise->mean, n);
  g_autofree char *scale = join_channels (normalise->scale, n);

  print_part (preprocess, ENS_PREPROCESS_ORDER, "order", ens_order_names[normalise->order]);
  /* Known together, so explained once. */
  g_print ("  mean    %s\n", mean);
  print_part (preprocess, ENS_PREPROCESS_RANGE, "scale", scale);
}

static void
print_labels (const EnsPreprocess *preprocess)
{
  guint n = g_strv_length (preprocess->labels);
  g_autofree char *text = g_strdup_printf ("%u: %s%s", n, preprocess->labels[0], n > 1 ? " …" : "");

  print_part (preprocess, ENS_PREPROCESS_LABELS, "labels", text);
}

/* "224", or "40x24", width first, as of frames. (transfer full) */
static char *
describe_size (const EnsPreprocess *preprocess)
{
  return preprocess->width > 0 ? g_strdup_printf ("%ux%u", preprocess->width, preprocess->height)
                               : g_strdup_printf ("%u", preprocess->size);
}

void
tool_proposal_print (const EnsPreprocess *preprocess)
{
  g_autofree char *size = describe_size (preprocess);
  g_autofree char *crop = g_strdup_printf ("%g", preprocess->crop);

  print_normalise (preprocess);
  print_part (preprocess, ENS_PREPROCESS_SIZE, "size", size);
  print_part (preprocess, ENS_PREPROCESS_CROP, "crop", crop);
  if (preprocess->taps != NULL) {
    g_autofree char *taps = g_strjoinv ("+", preprocess->taps);

    print_part (preprocess, ENS_PREPROCESS_TAPS, "taps", taps);
  }
  if (preprocess->labels != NULL)
    print_labels (preprocess);
  for (guint i = 0; i < preprocess->notes->len; i++) {
    g_autoptr (GString) note = g_string_new ("  note    ");

    tool_append_words (note, preprocess->notes->pdata[i], 10, 10);
    g_print ("%s", note->str);
  }
}
