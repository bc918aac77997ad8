#include "server/source.h"
#include <sys/epoll.h>
#include <unistd.h>

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

void lb_server_source_close(struct lb_server_source *source) {
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
    source->events = 0;
}
