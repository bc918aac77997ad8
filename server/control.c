#include "server/control.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- clients ---- */

static void forget(struct lb_control_client *client) {
    lb_server_source_close(&client->source);
    if (client->file >= 0)
        close(client->file);
    client->file = -1;
    free(client->room);
    client->room = NULL;
    client->serial = 0;
}

static void begin_client(struct lb_server_control *control, struct lb_control_client *client,
                         int fd) {
    client->source = (struct lb_server_source){.kind = LB_SOURCE_CONTROL_CLIENT, .fd = fd};
    client->serial = ++control->last_serial;
    client->file = -1;
    client->line_len = client->sent = 0;
    client->is_ended = false;
    client->room = malloc(LB_CONTROL_ANSWER_BYTES);
    if (client->room == NULL || !lb_server_watch(control->epoll, &client->source, EPOLLIN)) {
        forget(client);
        return;
    }
    client->answer = lb_text(client->room, LB_CONTROL_ANSWER_BYTES);
}

void lb_server_control_ready(struct lb_server_control *control) {
    int fd = accept4(control->source.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    for (size_t i = 0; fd >= 0 && i < LB_CONTROL_CLIENTS_MAX; i++) {
        if (control->clients[i].source.fd >= 0)
            continue;
        begin_client(control, &control->clients[i], fd);
        return;
    }
    if (fd >= 0)
        close(fd);
}

struct lb_control_client *lb_server_control_find(struct lb_server_control *control,
                                                 uint64_t serial) {
    for (size_t i = 0; i < LB_CONTROL_CLIENTS_MAX; i++)
        if (serial != 0 && control->clients[i].serial == serial)
            return &control->clients[i];
    return NULL;
}

/* One file comes along; more are closed. */
static void take_file(struct lb_control_client *client, struct msghdr *message) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            if (client->file < 0)
                client->file = fd;
            else
                close(fd);
        }
    }
}

/* Whether the line is whole. */
static bool receive(struct lb_control_client *client) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } along;
    struct iovec piece = {client->line + client->line_len, sizeof client->line - client->line_len};
    struct msghdr message = {
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = &along,
        .msg_controllen = sizeof along,
    };
    ssize_t len = recvmsg(client->source.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (len > 0)
        take_file(client, &message);
    if (len <= 0 || (size_t)len == piece.iov_len) {
        forget(client); /* it has gone, or its line is too long */
        return false;
    }
    client->line_len += (size_t)len;
    return client->line[client->line_len - 1] == '\n';
}

void lb_control_flush(struct lb_server_control *control, struct lb_control_client *client) {
    const struct lb_text *answer = &client->answer;
    while (client->sent < answer->len) {
        ssize_t len = send(client->source.fd, answer->at + client->sent, answer->len - client->sent,
                           MSG_NOSIGNAL | MSG_DONTWAIT);
        if (len <= 0)
            break;
        client->sent += (size_t)len;
    }
    bool is_done = client->sent == answer->len;
    if (is_done)
        client->answer = lb_text(client->room, LB_CONTROL_ANSWER_BYTES), client->sent = 0;
    if ((is_done && client->is_ended) || (!is_done && errno != EAGAIN && errno != EINTR) ||
        !lb_server_watch(control->epoll, &client->source, is_done ? EPOLLIN : EPOLLOUT))
        forget(client);
}

struct lb_control_client *lb_server_control_client_ready(struct lb_server_control *control,
                                                         struct lb_server_source *source) {
    struct lb_control_client *client = (struct lb_control_client *)(void *)source;
    char rest[64];
    if (client->source.events & EPOLLOUT)
        lb_control_flush(control, client);
    else if (client->line_len > 0 && client->line[client->line_len - 1] == '\n') {
        if (recv(source->fd, rest, sizeof rest, MSG_DONTWAIT) == 0)
            forget(client); /* it waited for an answer, and has gone */
    } else if (receive(client))
        return client;
    return NULL;
}

/* ---- answers ---- */

void lb_control_say(struct lb_control_client *client, char sign, const char *format, ...) {
    va_list arguments;
    lb_text_add(&client->answer, "%c", sign);
    va_start(arguments, format);
    lb_text_addv(&client->answer, format, arguments);
    va_end(arguments);
    lb_text_add(&client->answer, "\n");
}

void lb_control_end(struct lb_server_control *control, struct lb_control_client *client,
                    const struct lb_server_error *error) {
    if (client->answer.cut) { /* what is not sent yet is less than what was to be said */
        client->answer = lb_text(client->room, LB_CONTROL_ANSWER_BYTES), client->sent = 0;
        lb_control_say(client, '!', "the answer is longer than %d MiB",
                       LB_CONTROL_ANSWER_BYTES >> 20);
        lb_control_say(client, '?', "ask for less: lunbootctl show MACHINE");
    } else if (error->what[0] == '\0') {
        lb_control_say(client, '.', "%s", "");
    } else {
        lb_control_say(client, '!', "%s", error->what);
        lb_control_say(client, '?', "%s", error->hint);
    }
    client->is_ended = true;
    lb_control_flush(control, client);
}

/* ---- the socket ---- */

static bool bind_path(struct lb_server_control *control) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, control->path, sizeof at.sun_path);
    (void)unlink(control->path);
    /* Nobody may connect between bind and chmod: it does not listen yet. */
    return bind(control->source.fd, (struct sockaddr *)&at, sizeof at) == 0 &&
           chmod(control->path, 0600) == 0 && listen(control->source.fd, 8) == 0;
}

bool lb_server_control_open(struct lb_server_control *control, int epoll, const char *folder,
                            struct lb_server_error *error) {
    control->epoll = epoll;
    control->source.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    lb_format(control->path, sizeof control->path, "%s/control", folder);
    if (control->source.fd >= 0 && bind_path(control) &&
        lb_server_watch(epoll, &control->source, EPOLLIN))
        return true;
    return lb_server_fail(error, LB_SERVER_STATE_HINT, "lunbootctl cannot be heard at %s: %s",
                          control->path, strerror(errno));
}

void lb_server_control_close(struct lb_server_control *control) {
    for (size_t i = 0; i < LB_CONTROL_CLIENTS_MAX; i++)
        if (control->clients[i].source.fd >= 0 && control->path[0] != '\0')
            forget(&control->clients[i]);
    lb_server_source_close(&control->source);
    if (control->path[0] != '\0')
        (void)unlink(control->path);
    control->path[0] = '\0';
}
