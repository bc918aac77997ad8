/* lunbootctl: asks lunbootd, and shows what it answers. */
#include "server/images.h"
#include "server/request.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATE "/var/lib/lunbootd"

struct call {
    const char *state;
    bool is_json;
    int count;
    char **words;
    const char *path; /* of the file that goes along; NULL: none */
    int file;
    char name[LB_SERVER_IMAGE_MAX + 1];
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
        if (call->path != NULL && i >= 2)
            break; /* the file goes along */
        if (strpbrk(call->words[i], "\t\n") != NULL)
            return false;
        lb_text_add(text, "\t%s", call->words[i]);
    }
    if (call->path != NULL)
        lb_text_add(text, "\t%s", call->name);
    lb_text_add(text, "\n");
    return !text->cut;
}

/* image add FILE [NAME], image update FILE [NAME]: without a name it is the file's. */
static bool take_file(struct call *call) {
    char **words = call->words;
    bool is_import = call->count >= 3 && call->count <= 4 && strcmp(words[0], "image") == 0 &&
                     (strcmp(words[1], "add") == 0 || strcmp(words[1], "update") == 0);
    if (!is_import)
        return true;
    call->path = words[2];
    const char *base = strrchr(call->path, '/') ? strrchr(call->path, '/') + 1 : call->path;
    size_t len = strlen(base);
    const char *dot = strrchr(base, '.');
    if (dot != NULL && dot != base)
        len = (size_t)(dot - base);
    struct lb_text text = lb_text(call->name, sizeof call->name);
    for (size_t i = 0; i < len; i++) {
        uint8_t c = lb_ascii_lower((uint8_t)base[i]);
        bool is_fit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (i > 0 && c == '.');
        lb_text_add(&text, "%c", is_fit ? c : '-');
    }
    if (call->count == 4 &&
        !lb_text_copy(call->name, sizeof call->name, lb_bytes_of_text(words[3])))
        lb_format(call->name, sizeof call->name, "-"); /* too long: lunbootd says what is right */
    call->file = open(call->path, O_RDONLY | O_CLOEXEC);
    return call->file >= 0;
}

/* ---- other formats than raw ---- */

static bool run(const char *const words[]) {
    pid_t child;
    int status;
    errno = posix_spawnp(&child, words[0], NULL, NULL, (char *const *)(uintptr_t)words, environ);
    return errno == 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* The file as qemu-img opens it: by no name, which it could take for an option or for another
 * protocol's, and which could mean another file by then. */
struct handle {
    char path[40];
    int fd;
};

static struct handle handle_of(int fd) {
    struct handle handle = {.fd = fcntl(fd, F_DUPFD, 10)}; /* qemu-img inherits it */
    lb_format(handle.path, sizeof handle.path, "/proc/self/fd/%d", handle.fd);
    return handle;
}

static bool convert_to(int from, const char *format, int to) {
    struct handle in = handle_of(from), out = handle_of(to);
    const char *const words[] = {"qemu-img", "convert", isatty(STDERR_FILENO) ? "-pf" : "-f",
                                 format,     "-O",      "raw",
                                 in.path,    out.path,  NULL};
    bool did = in.fd >= 0 && out.fd >= 0 && run(words);
    if (in.fd >= 0)
        close(in.fd);
    if (out.fd >= 0)
        close(out.fd);
    return did;
}

/* qemu-img makes a raw disk of it, in a file that has no name. */
static bool convert(struct call *call) {
    const char *format = lb_image_format(call->file);
    char path[200];
    if (format == NULL)
        return true;
    lb_format(path, sizeof path, "%s/images/.import-XXXXXX.new", call->state);
    int raw = mkostemps(path, 4, O_CLOEXEC);
    if (raw < 0)
        return false;
    (void)unlink(path);
    bool did = convert_to(call->file, format, raw);
    close(call->file);
    call->file = raw;
    return did;
}

static bool send_request(int fd, const struct lb_text *line, int file) {
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } along = {0};
    struct iovec piece = {line->at, line->len};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (file >= 0) {
        along.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof file), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&along.header), &file, sizeof file);
        message.msg_control = &along;
        message.msg_controllen = sizeof along;
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)line->len;
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
    struct lb_request request;
    struct lb_server_error error = {0};
    if (!compose(call, &text))
        return complain(2, "the command is too long, or has tabs or line ends", "", "");
    if (!lb_request_parse(lb_bytes(line, text.len - 1), &request, &error))
        return complain(2, error.what, "", error.hint);
    int fd = reach(call, path, sizeof path);
    if (fd < 0) {
        fprintf(stderr, "lunbootctl: lunbootd does not answer at %s: %s\n  try: %s\n", path,
                strerror(errno),
                errno == EACCES ? "run it as root"
                                : "start lunbootd, or name its folder: --state=FOLDER");
        return 1;
    }
    if (!send_request(fd, &text, call->file)) {
        close(fd);
        return complain(1, "lunbootd does not listen: ", strerror(errno), "try again");
    }
    return show_answer(fd);
}

int main(int argc, char **argv) {
    struct call call = {.state = STATE};
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)
            return print_help();
        if (strcmp(argv[at], "--version") == 0) {
            printf("lunbootctl %s\n", LUNBOOT_VERSION);
            return 0;
        }
        if (strcmp(argv[at], "--json") == 0)
            call.is_json = true;
        else if (strncmp(argv[at], "--state=", 8) == 0)
            call.state = argv[at] + 8;
        else if (strcmp(argv[at], "--state") == 0)
            return complain(2, "--state has no value", "", "write it as one word: --state=FOLDER");
        else
            return complain(2, "there is no option ", argv[at], "lunbootctl --help");
    }
    if (at < argc && strcmp(argv[argc - 1], "--json") == 0) { /* where people put it, too */
        call.is_json = true;
        argc--;
    }
    call.count = argc - at;
    call.words = argv + at;
    call.file = -1;
    if (!take_file(&call))
        return complain(1, "the file cannot be opened: ", strerror(errno), "check its path");
    const char *outside = call.file >= 0 ? lb_image_outside(call.file) : NULL;
    if (outside != NULL)
        return complain(1, "the disk is not whole in this file: it has ", outside,
                        "qemu-img convert -O raw FILE DISK.img, where you know all its files");
    if (call.file >= 0 && !convert(&call))
        return complain(1, "qemu-img cannot make a raw disk of the file", "",
                        "install qemu-utils; run it as root; see what it has said");
    return call.count > 0 ? call_lunbootd(&call)
                          : complain(2, "a command is missing", "", "lunbootctl --help");
}
