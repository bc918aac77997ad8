/* Standard output, which a thread of its own writes: who has something to say does not wait for a
 * terminal that was stopped, for a pipe that nobody reads, or for a slow disk. */
#ifndef LB_SERVER_OUTPUT_H
#define LB_SERVER_OUTPUT_H

#include "server/settings.h"

#define LB_OUTPUT_BYTES (1U << 18) /* that wait to be written, at most: more than 2,000 lines */

#define LB_OUTPUT_END_MS 2000 /* how long an end waits for what is not written yet */

/* Starts the thread, which writes to fd; fd stays the caller's until lb_output_end. False: there is
 * no thread, with the reason. Before it, what is added is written at once. */
bool lb_output_begin(int fd, struct lb_server_error *error);
/* Copies the bytes behind what waits. False: there is no room for all of them, and none is taken.
 * One thread at a time may call this. */
bool lb_output_add(struct lb_bytes bytes);
/* Whether there is room for so many bytes. It stays there until the next lb_output_add. */
bool lb_output_has_room(size_t bytes);
/* Waits until all is written, for wait_ms milliseconds at most. False: it was not. */
bool lb_output_settle(unsigned wait_ms);
/* The same; then the thread ends, unless it is in a write that does not return. */
void lb_output_end(unsigned wait_ms);

#endif
