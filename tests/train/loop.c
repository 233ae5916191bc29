/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The loop on a toy: two weights and a bias of a plane, batches that depend on epoch and batch
 * alone. */
#include "train/loop.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files.h"
#include "base/random.h"
#include "check-main.h"
#include "train/loop-history.h"

enum { N_EPOCHS = 4, N_BATCHES = 5, BATCH = 4, NEVER = G_MAXINT };

static EnsParameterGroup groups[] = {{"plane.weight", 2, 1, TRUE}, {"plane.bias", 1, 2}};
static const char *const terms[] = {"half", "double", NULL};

typedef struct {
  float parameters[3], statistics[1];
  guint step_to_cancel, step_to_die, step_to_break, step_to_stop;
  const double *scores; /* by epoch; NULL: the negative distance from the true plane */
  GCancellable *cancellable;
  guint n_validations;
} Toy;

static char *folder, *checkpoint, *log_file;

static void
set_up (void)
{
  folder = g_dir_make_tmp ("loop-XXXXXX", NULL);
  checkpoint = g_build_filename (folder, "toy.checkpoint", NULL);
  log_file = g_build_filename (folder, "toy.jsonl", NULL);
}

static void
tear_down (void)
{
  ens_remove_tree (folder);
  g_clear_pointer (&folder, g_free);
  g_clear_pointer (&checkpoint, g_free);
  g_clear_pointer (&log_file, g_free);
}

static gboolean
step (gpointer data, const EnsLoopPosition *position, float *gradients, EnsLoopStep *result,
      GError **error)
{
  Toy *toy = data;
  EnsRandom random;

  ens_random_init (&random,
                   &(EnsRandomStream) {1, ENS_RANDOM_AUGMENT, position->epoch, position->batch});
  memset (gradients, 0, sizeof toy->parameters);
  *result = (EnsLoopStep) {.n_samples = BATCH};
  for (guint i = 0; i < BATCH; i++) {
    double x = ens_random_normal (&random), y = ens_random_normal (&random);
    double wrong =
        toy->parameters[0] * x + toy->parameters[1] * y + toy->parameters[2] - (2 * x - y + 0.5);

    gradients[0] += (float)(2 * wrong * x / BATCH);
    gradients[1] += (float)(2 * wrong * y / BATCH);
    gradients[2] += (float)(2 * wrong / BATCH);
    result->loss += wrong * wrong / BATCH;
    result->n_correct += fabs (wrong) < 0.5;
  }
  result->terms[0] = result->loss / 2;
  result->terms[1] = result->loss * 2;
  if (position->step == toy->step_to_stop)
    groups[1].rate_factor = 0;
  toy->statistics[0] = 0.9F * toy->statistics[0] + 0.1F * (float)result->loss;
  if (position->step == toy->step_to_die)
    raise (SIGKILL);
  if (position->step == toy->step_to_break)
    gradients[2] = NAN;
  if (position->step == toy->step_to_cancel)
    g_cancellable_cancel (toy->cancellable);
  return TRUE;
}

static gboolean
validate (gpointer data, EnsLoopMeasure *measure, GError **error)
{
  Toy *toy = data;

  measure->score = toy->scores != NULL ? toy->scores[toy->n_validations]
                                       : -hypot (toy->parameters[0] - 2, toy->parameters[1] + 1);
  toy->n_validations++;
  return TRUE;
}

/* Steps that never come. */
static Toy
new_toy (void)
{
  return (Toy) {
      .step_to_cancel = NEVER, .step_to_die = NEVER, .step_to_break = NEVER, .step_to_stop = NEVER};
}

static EnsLoopParams
get_params (void)
{
  EnsLoopParams params = ENS_LOOP_DEFAULTS;

  params.n_epochs = N_EPOCHS;
  params.warm_up_epochs = 1;
  params.rate = 0.02;
  params.checkpoint = checkpoint;
  params.log = log_file;
  params.log_steps = 1;
  return params;
}

static gboolean
run (Toy *toy, const EnsLoopParams *params, EnsLoopResult *result, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const EnsMonitor monitor = {.cancellable = cancellable};
  const EnsLoopTask task = {.groups = groups,
                            .n_groups = G_N_ELEMENTS (groups),
                            .terms = terms,
                            .parameters = toy->parameters,
                            .statistics = toy->statistics,
                            .n_statistics = 1,
                            .n_batches = N_BATCHES,
                            .step = step,
                            .validate = validate,
                            .data = toy};

  toy->cancellable = cancellable;
  return ens_loop_run (&task, params, &monitor, result, error);
}

static void
assert_same (const Toy *a, const Toy *b)
{
  ck_assert_bytes_eq (a->parameters, sizeof a->parameters, b->parameters, sizeof b->parameters);
  ck_assert_bytes_eq (a->statistics, sizeof a->statistics, b->statistics, sizeof b->statistics);
}

START_TEST (test_learns)
{
  Toy toy = new_toy ();
  EnsLoopParams params = get_params ();
  EnsLoopResult result;
  g_autoptr (GError) error = NULL;

  params.n_epochs = 30;
  ck_assert_msg (run (&toy, &params, &result, &error), "%s", error != NULL ? error->message : "");
  ck_assert_uint_eq (result.n_epochs, 30);
  ck_assert_double_eq_tol (toy.parameters[0], 2, 1e-2);
  ck_assert_double_eq_tol (toy.parameters[2], 0.5, 1e-2);
}
END_TEST

/* A group whose factor becomes 0 in the middle stays what it is from there on. */
START_TEST (test_rate_factor)
{
  static const double rising[N_EPOCHS] = {1, 2, 3, 4};
  Toy stopped = new_toy (), shorter = new_toy ();
  EnsLoopParams params = get_params ();
  EnsLoopResult result;

  params.warm_up_epochs = 0;
  params.schedule.kind = ENS_SCHEDULE_CONSTANT;
  stopped.step_to_stop = N_BATCHES;
  stopped.scores = shorter.scores = rising;
  ck_assert (run (&stopped, &params, &result, NULL));
  groups[1].rate_factor = 2;
  params.n_epochs = 1;
  ck_assert (run (&shorter, &params, &result, NULL));
  ck_assert_double_eq (stopped.parameters[2], shorter.parameters[2]);
  ck_assert_double_ne (stopped.parameters[0], shorter.parameters[0]);
}
END_TEST

/* -- going on -- */

/* How a training ends the first time. */
static const struct {
  const char *name;
  guint step_to_cancel, step_to_die;
  guint checkpoint_seconds;
  EnsOptimiserKind optimiser;
  double average;
} interruptions[] = {
    {"cancelled-between-epochs", 2 * N_BATCHES - 1, NEVER, 300},
    {"cancelled-in-epoch", 7, NEVER, 300},
    {"cancelled-at-once", 0, NEVER, 300},
    {"cancelled-adam-average", 12, NEVER, 300, ENS_OPTIMISER_ADAM, 0.9},
    {"killed", NEVER, 13, 300},
    {"killed-in-first-epoch", NEVER, 3, 300},
    {"killed-between-checkpoints", NEVER, 13, 0, ENS_OPTIMISER_ADAM, 0.9},
};

static void
interrupt (guint row, const EnsLoopParams *params)
{
  Toy toy = new_toy ();
  EnsLoopResult result;
  g_autoptr (GError) error = NULL;
  pid_t child;
  int status;

  toy.step_to_cancel = interruptions[row].step_to_cancel;
  toy.step_to_die = interruptions[row].step_to_die;
  if (toy.step_to_die == NEVER) {
    ck_assert (!run (&toy, params, &result, &error));
    ck_assert_error (error, ENS_ERROR, ENS_ERROR_CANCELLED);
    ck_assert_contains (error->message, checkpoint);
    return;
  }
  child = fork ();
  if (child == 0)
    _exit (run (&toy, params, &result, NULL));
  ck_assert_int_eq (waitpid (child, &status, 0), child);
  ck_assert (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
}

/* How often the log has each step. */
static void
assert_steps_once (void)
{
  g_autofree char *text = NULL;

  ck_assert (g_file_get_contents (log_file, &text, NULL, NULL));
  for (guint i = 1; i <= N_EPOCHS * N_BATCHES; i++) {
    g_autofree char *line = g_strdup_printf ("{\"event\": \"step\", \"step\": %u,", i);
    const char *first = strstr (text, line);

    ck_assert_msg (first != NULL, "the log does not have %s", line);
    ck_assert_ptr_null (strstr (first + 1, line));
  }
}

static GArray *
read_history (void)
{
  g_autoptr (GError) error = NULL;
  GArray *history = ens_loop_read_history (log_file, &error);

  ck_assert_no_error (error);
  ck_assert_uint_eq (history->len, N_EPOCHS);
  return history;
}

static void
assert_same_history (const GArray *a, const GArray *b)
{
  for (guint i = 0; i < N_EPOCHS; i++) {
    const EnsLoopEpoch *x = &g_array_index (a, EnsLoopEpoch, i);
    const EnsLoopEpoch *y = &g_array_index (b, EnsLoopEpoch, i);

    ck_assert_uint_eq (x->epoch, i + 1);
    ck_assert_uint_eq (y->epoch, i + 1);
    ck_assert_double_eq (x->loss, y->loss);
    ck_assert_double_nan (x->validation_loss); /* nothing is measured */
    ck_assert_double_nan (y->validation_loss);
    ck_assert_double_eq (x->rate, y->rate);
    ck_assert_double_eq (x->terms[1], y->terms[1]);
    ck_assert_double_eq_tol (x->terms[0], x->loss / 2, 1e-9);
    ck_assert_double_nan (x->terms[2]);
  }
  ck_assert_double_gt (g_array_index (a, EnsLoopEpoch, 0).rate,
                       g_array_index (a, EnsLoopEpoch, N_EPOCHS - 1).rate);
}

START_TEST (test_resume)
{
  g_autoptr (GArray) history = NULL, resumed_history = NULL;
  EnsLoopParams params = get_params ();
  Toy whole = new_toy (), resumed = new_toy ();
  EnsLoopResult expected, result;
  g_autoptr (GError) error = NULL;

  params.optimiser = interruptions[_i].optimiser == ENS_OPTIMISER_ADAM ? ENS_OPTIMISER_ADAM_DEFAULTS
                                                                       : ENS_OPTIMISER_SGD_DEFAULTS;
  params.average = interruptions[_i].average;
  params.checkpoint_seconds = interruptions[_i].checkpoint_seconds;
  ck_assert (run (&whole, &params, &expected, &error));
  history = read_history ();
  interrupt ((guint)_i, &params);
  params.resume = TRUE;
  ck_assert_msg (run (&resumed, &params, &result, &error), "%s",
                 error != NULL ? error->message : "");
  assert_same (&whole, &resumed);
  ck_assert_uint_eq (result.n_epochs, expected.n_epochs);
  ck_assert_double_eq (result.best.score, expected.best.score);
  assert_steps_once ();
  resumed_history = read_history ();
  assert_same_history (history, resumed_history);
}
END_TEST

/* Logs that were written to by others, or cut off. message: of the error; NULL: it is read. */
static const struct {
  const char *name, *text, *message;
  guint n_epochs;
  double validation_loss; /* of the first; 0: not measured */
} logs[] = {
    {"empty", "", NULL, 0},
    {"cut", "{\"event\": \"epoch\", \"loss\": 1}\n{\"event\": \"epo", NULL, 1},
    {"not-measured", "{\"event\": \"epoch\", \"loss\": null, \"accuracy\": null}\n", NULL, 1},
    {"measured", "{\"event\": \"epoch\", \"validation\": {\"loss\": 0.25}}\n", NULL, 1, 0.25},
    {"text", "{\"event\": \"start\"}\nloss 0.1\n", "toy.jsonl: line 2 of the log", 0},
    {"number", "1\n", "line 1 of the log: expected an object", 0},
    {"no-number", "{\"event\": \"epoch\", \"loss\": \"low\", \"validation\": 3}\n", NULL, 1},
    {"no-event", "{\"event\": 1}\n{}\n", NULL, 0},
};

START_TEST (test_history)
{
  g_autoptr (GArray) history = NULL;
  g_autoptr (GError) error = NULL;

  ck_assert (g_file_set_contents (log_file, logs[_i].text, -1, NULL));
  history = ens_loop_read_history (log_file, &error);
  if (logs[_i].message != NULL) {
    ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
    ck_assert_contains (error->message, logs[_i].message);
    return;
  }
  ck_assert_no_error (error);
  ck_assert_uint_eq (history->len, logs[_i].n_epochs);
  if (logs[_i].validation_loss > 0)
    ck_assert_double_eq (g_array_index (history, EnsLoopEpoch, 0).validation_loss,
                         logs[_i].validation_loss);
  else if (history->len > 0)
    ck_assert_double_nan (g_array_index (history, EnsLoopEpoch, 0).validation_loss);
}
END_TEST

/* A training that is done gives its result again: the file with it may have met a full disk. */
START_TEST (test_resume_done)
{
  EnsLoopParams params = get_params ();
  Toy whole = new_toy (), again = new_toy ();
  EnsLoopResult result;

  ck_assert (run (&whole, &params, &result, NULL));
  params.resume = TRUE;
  again.step_to_break = 0;
  ck_assert (run (&again, &params, &result, NULL));
  assert_same (&whole, &again);
  ck_assert_uint_eq (result.n_epochs, N_EPOCHS);
}
END_TEST

START_TEST (test_resume_others)
{
  EnsLoopParams params = get_params ();
  Toy toy = new_toy ();
  EnsLoopResult result;
  g_autoptr (GError) error = NULL;

  ck_assert (run (&toy, &params, &result, NULL));
  params.resume = TRUE;
  params.settings = "rate=1";
  ck_assert (!run (&toy, &params, &result, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
}
END_TEST

/* -- the best -- */

static const struct {
  const char *name;
  double scores[N_EPOCHS];
  guint patience, best, done;
  gboolean early;
} scores[] = {
    {"last", {1, 2, 3, 4}, 0, 3, 4, FALSE},    {"middle", {1, 3, 2, 2}, 0, 1, 4, FALSE},
    {"tie", {3, 3, 3, 3}, 0, 0, 4, FALSE},     {"nan", {1, NAN, 2, NAN}, 0, 2, 4, FALSE},
    {"patience", {3, 2, 1, 4}, 2, 0, 3, TRUE}, {"patience-regained", {3, 2, 4, 1}, 2, 2, 4, FALSE},
};

START_TEST (test_best)
{
  EnsLoopParams params = get_params ();
  Toy toy = new_toy (), shorter = new_toy ();
  EnsLoopResult result;

  toy.scores = scores[_i].scores;
  params.patience = scores[_i].patience;
  params.schedule.kind = ENS_SCHEDULE_CONSTANT;
  params.warm_up_epochs = 0;
  ck_assert (run (&toy, &params, &result, NULL));
  ck_assert_uint_eq (result.best_epoch, scores[_i].best);
  ck_assert_uint_eq (result.n_epochs, scores[_i].done);
  ck_assert_int_eq (result.early, scores[_i].early);
  ck_assert_double_eq (result.best.score, scores[_i].scores[scores[_i].best]);

  /* What is left are the parameters of that epoch. */
  params.n_epochs = scores[_i].best + 1;
  shorter.scores = (const double[]) {1, 2, 3, 4};
  ck_assert (run (&shorter, &params, &result, NULL));
  assert_same (&toy, &shorter);
}
END_TEST

/* -- failures -- */

START_TEST (test_not_finite)
{
  EnsLoopParams params = get_params ();
  Toy toy = new_toy ();
  EnsLoopResult result;
  g_autoptr (GError) error = NULL;

  toy.step_to_break = 7;
  ck_assert (!run (&toy, &params, &result, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_DATA);
  ck_assert_contains (error->message, "step 8 (epoch 2)");
  ck_assert_contains (error->message, "“plane.bias”");
}
END_TEST

/* Files can't grow beyond a few bytes more than the first checkpoint has. */
START_TEST (test_full_disk)
{
  EnsLoopParams params = get_params ();
  Toy whole = new_toy (), toy = new_toy ();
  EnsLoopResult result;
  g_autoptr (GError) error = NULL;
  struct rlimit old, limit;

  params.log = NULL;
  ck_assert (run (&whole, &params, &result, NULL));
  toy.step_to_cancel = 6;
  ck_assert (!run (&toy, &params, &result, NULL));

  signal (SIGXFSZ, SIG_IGN);
  getrlimit (RLIMIT_FSIZE, &old);
  limit = (struct rlimit) {100, old.rlim_max};
  setrlimit (RLIMIT_FSIZE, &limit);
  params.resume = TRUE;
  toy = new_toy ();
  ck_assert (!run (&toy, &params, &result, &error));
  setrlimit (RLIMIT_FSIZE, &old);
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_FILE);
  ck_assert_contains (error->message, "can't write it");

  toy = new_toy ();
  ck_assert (run (&toy, &params, &result, NULL));
  assert_same (&whole, &toy);
}
END_TEST

int
main (int argc, char *argv[])
{
  test_init (&argc, &argv);
  test_suite ("train/loop");
  test_fixture (set_up, tear_down);
  test_add ("learns", test_learns);
  test_add ("rate-factor", test_rate_factor);
  TEST_ADD_ROWS ("resume", test_resume, interruptions);
  TEST_ADD_ROWS ("history", test_history, logs);
  test_add ("resume-done", test_resume_done);
  test_add ("resume-others", test_resume_others);
  TEST_ADD_ROWS ("best", test_best, scores);
  test_add ("not-finite", test_not_finite);
  test_add ("full-disk", test_full_disk);
  return test_run ();
}
