/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the results of a stream's frames to what is there: a state per class that does not flap.
 *
 * A class's probability is smoothed exponentially in time: s ← s + (1 − 2^(−Δt / half-life)) (P −
 * s), so that the spacing of results does not matter. A withheld class counts as P = 0, because the
 * gate says that the frame shows something else; a P that is not a number is no evidence at all.
 * Each result then votes by two thresholds (hysteresis): for the class if s reaches its threshold
 * or, where the class is present already, the threshold less a margin. The state changes when
 * enough of the last votes agree (consensus), and the state before has lasted long enough.
 *
 * Where time goes back, evidence is forgotten and states stay until new votes agree. After a time
 * without results states are unknown. */
#pragma once

#include <ensemble/result.h>

G_BEGIN_DECLS

#define ENS_MAX_CONSENSUS 32
#define ENS_TIME_NONE G_MAXUINT64

/* Of one class. Times are in nanoseconds. */
typedef struct {
  guint64 half_life;               /* of the smoothing; 0: none */
  guint consensus;                 /* so many results of the last */
  guint consensus_of;              /* … this many must agree; at least as many */
  float hysteresis;                /* what a present class's threshold is lowered by, as a share */
  guint64 min_present, min_absent; /* a state lasts this long at least */
  /* Without results for this long, and for as long as consensus_of results usually take, states are
   * unknown. 0: never. */
  guint64 forget;
} EnsTimeSettings;

#define ENS_TIME_DEFAULTS                     \
  ((EnsTimeSettings) {.half_life = 250000000, \
                      .consensus = 2,         \
                      .consensus_of = 3,      \
                      .hysteresis = 0.2F,     \
                      .forget = G_GUINT64_CONSTANT (10000000000)})

/* What takes the place of settings; negative: nothing does. */
typedef struct {
  gint64 half_life;
  gint consensus, consensus_of;
  float hysteresis;
  gint64 min_present, min_absent, forget;
} EnsTimeOverrides;

#define ENS_TIME_NO_OVERRIDES ((EnsTimeOverrides) {-1, -1, -1, -1, -1, -1, -1})

EnsTimeSettings ens_time_settings_override (const EnsTimeSettings *settings,
                                            const EnsTimeOverrides *overrides);

/* A class that has become present, or has ceased to be. */
typedef struct {
  const char *name;
  guint class_index; /* among the classes before the call, if these are replaced by it */
  gboolean appeared;
  float probability; /* smoothed */
  /* Of the result that showed it, or the end of the minimum duration that held it back; of the last
   * result where results have ended. */
  guint64 time;
  guint64 duration; /* how long it was present, 0 if that is unknown or it has appeared */
} EnsStateChange;

/* One thread at a time. Changes belong to the filter until the next call. */
typedef struct _EnsTimeFilter EnsTimeFilter;

EnsTimeFilter *ens_time_filter_new (void);
void ens_time_filter_free (EnsTimeFilter *filter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsTimeFilter, ens_time_filter_free)

/* Classes of the same name keep their state, others that are present leave. Evidence is forgotten.
 * names: NULL-terminated. */
const EnsStateChange *ens_time_filter_set_classes (EnsTimeFilter *filter, const char *const *names,
                                                   guint *n_changes);

/* Takes a result of its classes, in their order, and writes their `smoothed` and `state`. settings:
 * one per class. time: of the frame, ENS_TIME_NONE if it has none; then nothing is smoothed, and
 * durations don't count. */
const EnsStateChange *ens_time_filter_update (EnsTimeFilter *filter,
                                              const EnsTimeSettings *settings, guint64 time,
                                              EnsClassResult *classes, guint *n_changes);

/* Time has come to a frame, perhaps without a result: what is too old is forgotten. */
const EnsStateChange *ens_time_filter_advance (EnsTimeFilter *filter,
                                               const EnsTimeSettings *settings, guint64 time,
                                               guint *n_changes);

/* The same, where the last votes agree on another state: it is entered when the minimum duration of
 * the one before is over, also if no result comes then. */
const EnsStateChange *ens_time_filter_settle (EnsTimeFilter *filter,
                                              const EnsTimeSettings *settings, guint64 time,
                                              guint *n_changes);

/* A frame at that time looks like the one that the last result is of, which still holds. */
void ens_time_filter_hold (EnsTimeFilter *filter, guint64 time);

/* The stream ends, or goes on elsewhere: all that is present leaves, all is forgotten. */
const EnsStateChange *ens_time_filter_end (EnsTimeFilter *filter, guint *n_changes);

/* Never ENS_CLASS_NO_STATE. */
EnsClassState ens_time_filter_get_state (const EnsTimeFilter *filter, guint class_index);

G_END_DECLS
