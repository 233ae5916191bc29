/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A broker that the test starts, stops and starts again, and a subscriber to all. */
#pragma once

#include "fixture.h"

typedef struct {
  char *program, *settings; /* of mosquitto.conf */
  guint16 port;
  GSubprocess *process;
} PublishBroker;

extern PublishBroker publish_broker;

/* With publish_set_up () and its options. */
void publish_broker_set_up (void);
void publish_broker_tear_down (void);

/* Starts broker and subscriber. FALSE: there is no mosquitto, the test is skipped. */
gboolean publish_begin (void);
void publish_start_broker (void);
void publish_stop_broker (int number); /* by a signal */
/* What a subscriber has heard is forgotten with it. */
void publish_subscribe (void);
void publish_unsubscribe (void);

/* The latest message of the topic; NULL: none. (transfer full) */
char *publish_get_latest (const char *topic);
gboolean publish_has_latest (const char *topic, const char *expected);
gboolean publish_latest_contains (const char *topic, const char *part);
/* Whether something that begins so was taken back. */
gboolean publish_was_emptied (const char *topic);
/* All messages of a topic that did not come before, a line each. (transfer full) */
char *publish_get_new_lines (const char *topic);
guint publish_count_new_lines (const char *topic);
