#include "server/fetch.h"
#include "os/linux/clock.h"
#include "server/say.h"
#include "server/workers.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_MAX 64

/* ---- open ---- */

void lb_server_fetch_init(struct lb_server_fetch *fetch) {
    *fetch = (struct lb_server_fetch){
        .tftp = {.source = {.fd = -1}},
        .tftp6 = {.source = {.fd = -1}},
        .http = {.source = {.fd = -1}},
        .http6 = {.source = {.fd = -1}},
        .wakeup = {.kind = LB_SOURCE_WAKEUP, .fd = -1},
        .epoll = -1,
    };
}

static bool open_family(struct lb_server_fetch *fetch, enum lb_family family,
                        const struct lb_server_settings *settings,
                        const struct lb_server_link *link, const struct lb_server_files *files,
                        struct lb_server_error *error) {
    struct lb_server_tftp *tftp = family == LB_V6 ? &fetch->tftp6 : &fetch->tftp;
    struct lb_server_http *http = family == LB_V6 ? &fetch->http6 : &fetch->http;
    if (!lb_addr_is_set(lb_server_link_address(link, family)))
        return true;
    return (!settings->tftp ||
            lb_server_tftp_open(tftp, fetch->epoll, family, link, files, error)) &&
           (!settings->http || lb_server_http_open(http, fetch->epoll, family, link, files,
                                                   (uint16_t)settings->http_port, error));
}

bool lb_server_fetch_open(struct lb_server_fetch *fetch, int epoll, bool has_thread,
                          const struct lb_server_settings *settings,
                          const struct lb_server_link *link, const struct lb_server_files *files,
                          struct lb_server_error *error) {
    lb_server_fetch_init(fetch);
    if (!settings->tftp && !settings->http)
        return true;
    fetch->has_thread = has_thread;
    fetch->epoll = has_thread ? epoll_create1(EPOLL_CLOEXEC) : epoll;
    if (fetch->epoll < 0)
        return lb_server_fail(error, "", "epoll cannot be had: %s", strerror(errno));
    return open_family(fetch, LB_V4, settings, link, files, error) &&
           open_family(fetch, LB_V6, settings, link, files, error);
}

/* ---- serve ---- */

bool lb_server_fetch_ready(struct lb_server_fetch *fetch, struct lb_server_source *source,
                           uint64_t now_us) {
    if (source->kind == LB_SOURCE_TFTP)
        lb_server_tftp_ready(&fetch->tftp, now_us);
    else if (source->kind == LB_SOURCE_TFTP6)
        lb_server_tftp_ready(&fetch->tftp6, now_us);
    else if (source->kind == LB_SOURCE_TRANSFER)
        lb_server_transfer_ready(source, now_us);
    else if (source->kind == LB_SOURCE_HTTP)
        lb_server_http_ready(source == &fetch->http.source ? &fetch->http : &fetch->http6);
    else
        return false;
    return true;
}

/* LB_MIN would poll twice. */
static uint64_t sooner(uint64_t a, uint64_t b) {
    return LB_MIN(a, b);
}

static uint64_t poll_all(struct lb_server_fetch *fetch, uint64_t now_us) {
    uint64_t until_us = sooner(lb_server_tftp_poll(&fetch->tftp, now_us),
                               lb_server_tftp_poll(&fetch->tftp6, now_us));
    until_us = sooner(until_us, lb_server_http_poll(&fetch->http, now_us));
    return sooner(until_us, lb_server_http_poll(&fetch->http6, now_us));
}

uint64_t lb_server_fetch_poll(struct lb_server_fetch *fetch, uint64_t now_us) {
    return fetch->has_thread ? LB_NEVER : poll_all(fetch, now_us);
}

/* ---- the thread ---- */

static void *serve(void *argument) {
    struct lb_server_fetch *fetch = argument;
    struct epoll_event events[EVENTS_MAX];
    uint64_t now_us = lb_now_us();
    while (!atomic_load(&fetch->is_over)) {
        uint64_t until_us = poll_all(fetch, now_us);
        lb_server_workers_show(fetch->main);
        int count =
            epoll_wait(fetch->epoll, events, EVENTS_MAX, lb_server_wait_ms(until_us, now_us));
        now_us = lb_now_us();
        for (int i = 0; i < count; i++)
            (void)lb_server_fetch_ready(fetch, events[i].data.ptr, now_us);
    }
    lb_server_workers_show(fetch->main);
    return NULL;
}

bool lb_server_fetch_begin(struct lb_server_fetch *fetch, struct lb_server_target *main,
                           struct lb_server_error *error) {
    fetch->main = main;
    if (!fetch->has_thread)
        return true;
    fetch->is_begun = lb_server_workers_wakeup(fetch->epoll, &fetch->wakeup, error) &&
                      lb_server_workers_thread(&fetch->thread, serve, fetch, error);
    return fetch->is_begun;
}

void lb_server_fetch_stop(struct lb_server_fetch *fetch) {
    if (!fetch->is_begun)
        return;
    atomic_store(&fetch->is_over, true);
    lb_server_workers_stir(&fetch->wakeup);
    pthread_join(fetch->thread, NULL);
    fetch->is_begun = false;
}

void lb_server_fetch_close(struct lb_server_fetch *fetch) {
    lb_server_fetch_stop(fetch);
    lb_server_http_close(&fetch->http);
    lb_server_http_close(&fetch->http6);
    lb_server_tftp_close(&fetch->tftp);
    lb_server_tftp_close(&fetch->tftp6);
    lb_server_source_close(&fetch->wakeup);
    if (fetch->has_thread && fetch->epoll >= 0)
        close(fetch->epoll);
    fetch->epoll = -1;
}
