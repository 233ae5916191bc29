/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The gate of a bundle: "gate" in ensemble.json. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "ensemble/bundle-private.h"

void
ens_bundle_gate_free (EnsBundleGate *gate)
{
  if (gate == NULL)
    return;
  g_free (gate->network);
  g_free (gate->file);
  g_free (gate->kind);
  g_free (gate->ranges);
  g_free (gate);
}

gboolean
ens_gate_range_accepts (const EnsGateRange *range, float similarity)
{
  return isnan (range->low) || (similarity >= range->low && similarity <= range->high);
}

/* "CLASS": [low, high]; a class that is left out has no range. (transfer full) */
static EnsGateRange *
read_ranges (EnsJsonReader *reader, const EnsBundle *bundle)
{
  static const EnsJsonRange numbers = {2, 2, -FLT_MAX, FLT_MAX};
  EnsGateRange *ranges = g_new (EnsGateRange, bundle->n_classes + 1);

  ens_json_reader_enter_object (reader, "ranges");
  for (guint c = 0; c < bundle->n_classes; c++) {
    g_autofree float *values = NULL;
    guint n;

    ranges[c] = (EnsGateRange) {NAN, NAN};
    if (!ens_json_reader_has (reader, bundle->classes[c]))
      continue;
    values = ens_json_reader_numbers (reader, bundle->classes[c], &numbers, &n);
    if (values == NULL)
      break;
    ranges[c] = (EnsGateRange) {values[0], values[1]};
    if (!(values[0] <= values[1]))
      ens_json_reader_fail (reader, bundle->classes[c],
                            "expected a second number of at least the first, found %g after %g",
                            (double)values[1], (double)values[0]);
  }
  ens_json_reader_leave (reader);
  return ranges;
}

EnsBundleGate *
ens_bundle_gate_read (EnsJsonReader *reader, const EnsBundle *bundle)
{
  EnsBundleGate *gate = g_new0 (EnsBundleGate, 1);

  ens_json_reader_enter_object (reader, "gate");
  gate->network = ens_json_reader_string (reader, "network");
  gate->file = ens_json_reader_string (reader, "file");
  gate->kind = ens_json_reader_string (reader, "kind");
  gate->keep = (float)ens_json_reader_number (reader, "keep", 0, 1);
  gate->ranges = read_ranges (reader, bundle);
  ens_json_reader_leave (reader);
  return gate;
}

void
ens_bundle_gate_write (EnsJson *json, const EnsBundle *bundle)
{
  const EnsBundleGate *gate = bundle->gate;

  ens_json_open_object (json, "gate", ENS_JSON_BLOCK);
  ens_json_string (json, "network", gate->network);
  ens_json_string (json, "file", gate->file);
  ens_json_string (json, "kind", gate->kind);
  ens_json_float (json, "keep", gate->keep);
  ens_json_open_object (json, "ranges", ENS_JSON_BLOCK);
  for (guint c = 0; c < bundle->n_classes; c++) {
    if (isnan (gate->ranges[c].low))
      continue;
    ens_json_floats (json, bundle->classes[c],
                     (float[]) {gate->ranges[c].low, gate->ranges[c].high}, 2, 1);
  }
  ens_json_close (json);
  ens_json_close (json);
}

gboolean
ens_bundle_gate_check (const EnsBundle *bundle, const char *where, GError **error)
{
  if (bundle->gate == NULL)
    return TRUE;
  for (guint n = 0; n < bundle->n_networks; n++)
    if (strcmp (bundle->networks[n].name, bundle->gate->network) == 0)
      return TRUE;
  return ens_fail (error, ENS_ERROR_FORMAT, where,
                   "gate.network: expected the name of one of the networks, found “%s”",
                   bundle->gate->network);
}
