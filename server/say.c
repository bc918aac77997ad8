#include "server/say.h"
#include "server/board.h"
#include "server/lock.h"
#include "server/output.h"
#include "server/view.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static const struct lb_event note = {.kind = LB_EVENT_NOTE};
static struct lb_board *board;
static bool is_json;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER; /* one thread writes at a time */
static unsigned left_out;                                    /* lines */
static _Thread_local bool has_stirred;

void lb_server_say_to(struct lb_board *to, bool as_json) {
    board = to;
    is_json = as_json;
}

/* ---- a line ---- */

static struct tm local_time(uint64_t time_ms) {
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm local = {0};
    (void)localtime_r(&seconds, &local);
    return local;
}

static void add_member(struct lb_text *text, const char *word, const char *value) {
    if (value == NULL || value[0] == '\0')
        return;
    lb_text_add(text, ",\"%s\":", word);
    lb_text_json(text, lb_bytes_of_text(value));
}

static const char *event_word(enum lb_event_kind kind) {
    static const char *const words[] = {"note", "address", "file",   "login",
                                        "read", "end",     "trouble"};
    return words[kind];
}

static void add_json(struct lb_text *text, uint64_t time_ms, const char *who,
                     const struct lb_event *event, const char *sentence) {
    struct tm local = local_time(time_ms);
    char clock[32], zone[8];
    strftime(clock, sizeof clock, "%Y-%m-%dT%H:%M:%S", &local);
    strftime(zone, sizeof zone, "%z", &local);
    lb_text_add(text, "{\"time\":\"%s.%03u%s\",\"event\":\"%s\"", clock, (unsigned)(time_ms % 1000),
                zone, event_word(event->kind));
    add_member(text, "machine", event->machine);
    if (event->mac != NULL)
        add_member(text, "mac", lb_mac_text(event->mac).s);
    if (lb_addr_is_set(event->address))
        add_member(text, "address", lb_addr_text(event->address).s);
    if (event->mac == NULL && !lb_addr_is_set(event->address))
        add_member(text, "who", who);
    add_member(text, "text", sentence);
    add_member(text, "try", event->hint);
    lb_text_add(text, "}");
}

void lb_server_line(struct lb_text *text, bool as_json, uint64_t time_ms, const char *who,
                    const struct lb_event *event, const char *sentence) {
    if (as_json) {
        add_json(text, time_ms, who, event, sentence);
        return;
    }
    static char clock[16];
    static uint64_t second; /* that it shows: many lines are of the same one */
    if (time_ms / 1000 != second) {
        struct tm local = local_time(time_ms);
        strftime(clock, sizeof clock, "%H:%M:%S", &local);
        second = time_ms / 1000;
    }
    lb_text_add(text, "%s  %-15s  %s", clock, who, sentence);
    if (event->hint != NULL && event->hint[0] != '\0')
        lb_text_add(text, "; try: %s", event->hint);
}

static void add_left_out(struct lb_text *text, uint64_t now_ms) {
    char sentence[80];
    if (left_out == 0)
        return;
    lb_format(sentence, sizeof sentence, "left out %u lines, which nobody read in time", left_out);
    lb_server_line(text, is_json, now_ms, "", &note, sentence);
    lb_text_add(text, "\n");
    left_out = 0;
}

static void put(const char *who, const struct lb_event *event, const char *sentence) {
    char line[6400]; /* each byte may be escaped by six */
    struct lb_text text = lb_text(line, sizeof line);
    uint64_t now_ms = lb_server_time_ms();
    pthread_mutex_lock(&log_lock);
    if (lb_output_has_room(sizeof line)) {
        lb_view_clear(&text);
        add_left_out(&text, now_ms);
        lb_server_line(&text, is_json, now_ms, who, event, sentence);
        lb_text_add(&text, "\n");
        (void)lb_output_add(lb_bytes_of_text(line));
    } else {
        left_out++;
    }
    pthread_mutex_unlock(&log_lock);
}

void lb_server_show(const struct lb_board *on) {
    static char room[LB_VIEW_BYTES];
    struct lb_text text = lb_text(room, sizeof room);
    pthread_mutex_lock(&log_lock);
    if (lb_output_has_room(LB_OUTPUT_BYTES - LB_VIEW_BYTES)) {
        lb_view_draw(on, &text);
        (void)lb_output_add(lb_bytes_of_text(room));
    }
    pthread_mutex_unlock(&log_lock);
}

bool lb_server_has_stirred(void) {
    bool has = has_stirred;
    has_stirred = false;
    return has;
}

void lb_server_say(const char *who, const char *format, ...) {
    char sentence[600];
    struct lb_text text = lb_text(sentence, sizeof sentence);
    va_list arguments;
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
    put(who, &note, sentence);
}

void lb_server_tell(const struct lb_event *event, const char *format, ...) {
    char sentence[600];
    struct lb_text text = lb_text(sentence, sizeof sentence);
    struct lb_addr_text who = {""};
    va_list arguments;
    va_start(arguments, format);
    lb_text_addv(&text, format, arguments);
    va_end(arguments);
    if (event->mac != NULL)
        who = lb_mac_text(event->mac);
    else if (lb_addr_is_set(event->address))
        who = lb_addr_text(event->address);
    put(who.s[0] != '\0' || event->machine == NULL ? who.s : event->machine, event, sentence);
    if (board == NULL)
        return;
    bool has_taken = lb_lock_shared_once();
    pthread_mutex_lock(&log_lock);
    bool was_stirred = board->is_stirred;
    lb_board_event(board, lb_server_time_ms(), event, sentence);
    has_stirred = has_stirred || (board->is_stirred && !was_stirred);
    pthread_mutex_unlock(&log_lock);
    if (has_taken)
        lb_lock_release();
}

void lb_server_complain(const struct lb_server_error *error) {
    char room[40] = "";
    struct lb_text text = lb_text(room, sizeof room);
    lb_view_clear(&text);
    (void)lb_output_add(lb_bytes_of_text(room));
    lb_output_end(LB_OUTPUT_END_MS);
    fprintf(stderr, "lunbootd: %s\n", error->what);
    if (error->hint[0] != '\0')
        fprintf(stderr, "  try: %s\n", error->hint);
}

uint64_t lb_server_time_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}
