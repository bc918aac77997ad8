/* lunbootctl: asks lunbootd, and shows what it answers. */
#include "server/request.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STATE "/var/lib/lunbootd"

struct call {
    const char *state;
    bool is_json;
    int count;
    char **words;
};

_Noreturn void lb_assert_failed(const char *file, int line, const char *what) {
    fprintf(stderr, "lunbootctl: a mistake in this program: %s:%d: %s\n", file, line, what);
    abort();
}

static int complain(int status, const char *what, const char *detail, const char *hint) {
    fprintf(stderr, "lunbootctl: %s%s\n", what, detail);
    if (hint[0] != '\0')
        fprintf(stderr, "  try: %s\n", hint);
    return status;
}

static int print_help(void) {
    static char room[4096];
    struct lb_text text = lb_text(room, sizeof room);
    lb_request_help(&text);
    printf("usage: lunbootctl [--state=FOLDER] [--json] COMMAND\n\n"
           "Asks the lunbootd that keeps its state in FOLDER (default: " STATE ").\n\n%s",
           room);
    return 0;
}

/* ---- the request ---- */

static bool compose(const struct call *call, struct lb_text *text) {
    lb_text_add(text, "%s", call->is_json ? "json" : "text");
    for (int i = 0; i < call->count; i++) {
        if (strpbrk(call->words[i], "\t\n") != NULL)
            return false;
        lb_text_add(text, "\t%s", call->words[i]);
    }
    lb_text_add(text, "\n");
    return !text->cut;
}

static int reach(const struct call *call, char *path, size_t cap) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct lb_text text = lb_text(path, cap);
    lb_text_add(&text, "%s/control", call->state);
    if (text.cut || !lb_text_copy(at.sun_path, sizeof at.sun_path, lb_bytes_of_text(path))) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) < 0) {
        int code = errno;
        close(fd);
        errno = code;
        return -1;
    }
    return fd;
}

/* ---- the answer ---- */

/* Gives the exit status, or -1: the answer goes on. */
static int show_line(char *line) {
    size_t len = strcspn(line, "\n");
    line[len] = '\0';
    switch (line[0]) {
    case ' ':
        puts(line + 1);
        return -1;
    case '%':
        if (isatty(STDERR_FILENO))
            fprintf(stderr, "\r%s\033[K", line + 1);
        return -1;
    case '!':
        complain(1, line + 1, "", "");
        return -1;
    case '?':
        fprintf(stderr, "  try: %s\n", line + 1);
        return 1;
    default:
        return 0;
    }
}

static int show_answer(int fd) {
    FILE *answer = fdopen(fd, "r");
    char *line = NULL;
    size_t cap = 0;
    int status = -1;
    while (answer != NULL && status < 0 && getline(&line, &cap, answer) > 0)
        status = show_line(line);
    free(line);
    if (answer != NULL)
        fclose(answer);
    return status >= 0 ? status
                       : complain(1, "lunbootd ended before it answered", "",
                                  "see what it has printed, or the journal");
}

static int call_lunbootd(const struct call *call) {
    char line[LB_REQUEST_MAX], path[160];
    struct lb_text text = lb_text(line, sizeof line);
    if (!compose(call, &text))
        return complain(2, "the command is too long, or has tabs or line ends", "", "");
    int fd = reach(call, path, sizeof path);
    if (fd < 0) {
        fprintf(stderr, "lunbootctl: lunbootd does not answer at %s: %s\n  try: %s\n", path,
                strerror(errno),
                errno == EACCES ? "run it as root"
                                : "start lunbootd, or name its folder: --state=FOLDER");
        return 1;
    }
    if (send(fd, text.at, text.len, MSG_NOSIGNAL) != (ssize_t)text.len) {
        close(fd);
        return complain(1, "lunbootd does not listen: ", strerror(errno), "try again");
    }
    return show_answer(fd);
}

int main(int argc, char **argv) {
    struct call call = {.state = STATE};
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--help") == 0)
            return print_help();
        if (strcmp(argv[at], "--version") == 0) {
            printf("lunbootctl %s\n", LUNBOOT_VERSION);
            return 0;
        }
        if (strcmp(argv[at], "--json") == 0)
            call.is_json = true;
        else if (strncmp(argv[at], "--state=", 8) == 0)
            call.state = argv[at] + 8;
        else
            return complain(2, "there is no option ", argv[at], "lunbootctl --help");
    }
    if (at < argc && strcmp(argv[argc - 1], "--json") == 0) { /* where people put it, too */
        call.is_json = true;
        argc--;
    }
    call.count = argc - at;
    call.words = argv + at;
    return call.count > 0 ? call_lunbootd(&call)
                          : complain(2, "a command is missing", "", "lunbootctl --help");
}
