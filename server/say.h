/* What lunbootd tells a person: a line an event on standard output; errors on standard error. What
 * happens to a machine goes on the board, too (board.h), under the lock (lock.h): a thread that
 * does not hold it takes it for that. Nobody waits until a line is printed (output.h); lines for
 * which there is no room are left out, and the next one says how many. */
#ifndef LB_SERVER_SAY_H
#define LB_SERVER_SAY_H

#include "server/settings.h"

struct lb_board;

/* What an event means for the machine that it is about. */
enum lb_event_kind {
    LB_EVENT_NOTE,    /* nothing */
    LB_EVENT_ADDRESS, /* it asked for an address, and got an answer */
    LB_EVENT_FILE,    /* it fetches a boot file, or has it */
    LB_EVENT_LOGIN,   /* a session has begun */
    LB_EVENT_READ,    /* a session reads for the first time */
    LB_EVENT_END,     /* a session has ended */
    LB_EVENT_TROUBLE, /* something is wrong */
};

/* About a machine, which is known by its name, its card or its address. The texts are fit for a
 * terminal; they and the pointers are the caller's, for the time of the call. */
struct lb_event {
    enum lb_event_kind kind;
    const char *machine;    /* its name; NULL or empty: none */
    const uint8_t *mac;     /* of its card; NULL: not known */
    struct lb_addr address; /* not set: not known */
    const char *host;       /* what it calls itself; NULL or empty: it does not say */
    const char *file;       /* of LB_EVENT_FILE; else NULL */
    const char *hint;       /* of LB_EVENT_TROUBLE: what to try; NULL: nothing is known */
    bool is_firmware;       /* of LB_EVENT_ADDRESS: a boot begins */
    bool is_trouble;        /* also of another kind: what it says is wrong */
    uint64_t bytes_read, bytes_written; /* of LB_EVENT_END: of the session */
};

/* Where events go from now on. board: NULL: nowhere but to standard output; it stays the caller's
 * and outlives the calls. is_json: lines are JSON objects. */
void lb_server_say_to(struct lb_board *board, bool is_json);
/* "12:04:31  192.0.2.100  what". The texts are fit for a terminal already. who: a machine, by its
 * address; empty: lunbootd itself. */
void lb_server_say(const char *who, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same of an event: who is its machine's card, else its address, else its name. */
void lb_server_tell(const struct lb_event *event, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Shows the board below the lines, in a terminal (view.h); nothing while the terminal takes
 * none. */
void lb_server_show(const struct lb_board *board);
/* Whether this thread has told the board of something since it asked last, and was the first to do
 * so after the board's last refresh: the main thread has to be woken for the next one. */
bool lb_server_has_stirred(void);
/* "lunbootd: what", and "  try: hint". */
void lb_server_complain(const struct lb_server_error *error);
/* Adds a line of the log, without its end: the event with this sentence, at this time of
 * CLOCK_REALTIME in milliseconds. As JSON: time, event, machine, mac, address, text, try. */
void lb_server_line(struct lb_text *text, bool is_json, uint64_t time_ms, const char *who,
                    const struct lb_event *event, const char *sentence);
/* Milliseconds since 1970. */
uint64_t lb_server_time_ms(void);

#endif
