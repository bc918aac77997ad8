#include "server/source.h"
#include <sys/epoll.h>
#include <unistd.h>

#define WAIT_MAX_MS 3600000

bool lb_server_watch(int epoll, struct lb_server_source *source, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = source};
    if (source->events == events)
        return true;
    int op = source->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    /* Errors and hang-ups are told in any case, so an idle source is taken out. */
    if (events == 0)
        op = EPOLL_CTL_DEL;
    source->events = events;
    return epoll_ctl(epoll, op, source->fd, &event) == 0;
}

int lb_server_wait_ms(uint64_t until_us, uint64_t now_us) {
    if (until_us <= now_us)
        return 0;
    return (int)LB_MIN((until_us - now_us) / LB_US_MS + 1, WAIT_MAX_MS);
}

void lb_server_source_close(struct lb_server_source *source) {
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
    source->events = 0;
}
