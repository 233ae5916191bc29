/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Figures for Prometheus, in its text format. */
#pragma once

#include "watch/station.h"

G_BEGIN_DECLS

/* Those of all cameras, at the end of the text. */
void watch_metrics_add_stations (GString *text, const WatchStations *stations);
/* One of the whole program. name: without "gst_ensemble_"; type: "counter" or "gauge". */
void watch_metrics_add (GString *text, const char *name, const char *type, const char *help,
                        guint64 number);

G_END_DECLS
